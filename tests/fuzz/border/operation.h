/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of GIO whose behaviour a program chooses, and functions for threads. */

#pragma once

#include "worker.h"

/* What a call that cancels has on its stack: no task goes on meanwhile. */
extern __thread int cancelling;

typedef enum
{
  SUCCEED,
  FAIL_BY_ITSELF,
  OBEY,                         /* ends soon when its GCancellable is cancelled */
  ABORT,                        /* calls back inside of the cancelling */
  CANCEL_AND_SUCCEED,           /* cancels its own GCancellable */
  CANCEL_AND_FAIL
} OperationEnd;

typedef enum
{
  TASK,                         /* a GTask as they are */
  BLIND,                        /* a GTask that does not look at its GCancellable */
  DEAF,                         /* a GTask that was given none */
  OWN,                          /* a GTask that was given another one, which is cancelled when it is to end */
  OTHER                         /* no GTask */
} OperationKind;

typedef enum
{
  NOW,                          /* calls back before it has begun */
  LATE,
  IN_THREAD,                    /* ends in a thread, and calls back where it was started */
  ELSEWHERE                     /* calls back in a thread */
} OperationWhen;

typedef struct
{
  Task *owner;
  OperationKind kind;
  OperationWhen when;
  OperationEnd end;
  guint moments;

  Home *home;
  GAsyncResult *result;
  GCancellable *cancellable;
  gulong handler;
  GAsyncReadyCallback callback;
  gpointer data;
  gint n_references;

  /* Marks */
  gint has_ended;
  gint has_called_back;
  gint says_cancelled;
  gint has_cancelled;
} Operation;

/* @words: kind, when, end, moments. */
Operation *operation_new    (Task *owner, char **words);
void       operation_unref  (Operation *self);
/* When its GCancellable is cancelled. */
gboolean   operation_obeys  (const Operation *self);
void       operation_start  (Operation *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer data);
gboolean   operation_finish (Operation *self, GAsyncResult *result, GError **error);

typedef struct
{
  Task *owner;
  OperationEnd end;
  guint moments;
  gint has_begun;               /* marks */
  gint says_cancelled;
  gint has_cancelled;
} Function;

/* A GtxThreadFunc; @words: end, moments. */
void       function_init    (Function *self, Task *owner, char **words);
gboolean   function_run     (Function *self, GCancellable *cancellable, GError **error);

guint      index_of         (const char *word, const char *const *words);
