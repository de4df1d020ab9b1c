/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of GIO whose behaviour the program chooses, and functions for threads. */

#pragma once

#include "worker.h"

/* How many calls that cancel are on this thread's stack.  No task goes on during such a call. */
extern __thread int cancelling;

typedef enum
{
  SUCCEED,
  FAIL_BY_ITSELF,
  OBEY,                         /* ends soon when its GCancellable is cancelled */
  ABORT,                        /* calls back while it is cancelled */
  CANCEL_AND_SUCCEED,           /* cancels its own GCancellable */
  CANCEL_AND_FAIL
} OperationEnd;

typedef enum
{
  TASK,                         /* a usual GTask */
  BLIND,                        /* a GTask that does not look at its GCancellable */
  DEAF,                         /* a GTask without a GCancellable */
  OWN,                          /* a GTask with a GCancellable of its own, which is cancelled at the operation's end */
  OTHER                         /* no GTask */
} OperationKind;

typedef enum
{
  NOW,                          /* calls back during its start */
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

  /* Marks: these are set once */
  gint has_ended;
  gint has_called_back;
  gint says_cancelled;
  gint has_cancelled;
} Operation;

/* @words: the kind, the time, the end, and the moments. */
Operation *operation_new    (Task *owner, char **words);
void       operation_unref  (Operation *self);
/* Returns whether the operation ends when its GCancellable is cancelled. */
gboolean   operation_obeys  (const Operation *self);
void       operation_start  (Operation *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer data);
gboolean   operation_finish (Operation *self, GAsyncResult *result, GError **error);

typedef struct
{
  Task *owner;
  OperationEnd end;
  guint moments;
  gint has_begun;               /* these are marks */
  gint says_cancelled;
  gint has_cancelled;
} Function;

/* A GtxThreadFunc; @words: the end, and the moments. */
void       function_init    (Function *self, Task *owner, char **words);
gboolean   function_run     (Function *self, GCancellable *cancellable, GError **error);

guint      index_of         (const char *word, const char *const *words);
