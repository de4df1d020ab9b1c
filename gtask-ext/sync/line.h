/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks of one main context that stand in line for the same thing. */

#pragma once

#include "task/task-private.h"

/* Invariants: who is in line is suspended, or was woken and has not run yet;
 * who is woken by gtx_line_call() has left it.  Nobody who waits to be woken is
 * before passed, or there: who was woken or cancelled is passed once, however
 * long it takes him to run. */
typedef struct
{
  GtxHandleList waiters;
  GtxHandle *passed;            /* a waiter's link, or the list's own ring: none */
  guint n_live;                 /* those in line that are not cancelled */
  GtxScheduler *home;           /* of the first that ever stood in it */
  guint n_pins;                 /* on the object that it is part of */
  gboolean kept;                /* by a reference of the pins', since nobody else's was left */
} GtxLine;

typedef struct
{
  GtxWaiter base;
  GtxHandle link;               /* in the line's waiters */
  GtxLine *line;
  gpointer object;              /* what is waited for, for GtxWaiterKind.describe */
} GtxLineWaiter;

void     gtx_line_init       (GtxLine      *self);
void     gtx_line_clear      (GtxLine      *self);

/* While tasks wait, and when they go on, the object that it is part of lives. */
static inline void
gtx_line_pin (GtxLine *self)
{
  self->n_pins++;
}

/* Drops the reference by which it was kept. */
void     gtx_line_let_go     (GtxLine      *self,
                              gpointer      object);

static inline void
gtx_line_unpin (GtxLine  *self,
                gpointer  object)
{
  g_assert (self->n_pins > 0);
  if (G_UNLIKELY (--self->n_pins == 0 && self->kept))
    gtx_line_let_go (self, object);
}

/* For its GObjectClass.dispose(): whether it is to live on. */
gboolean gtx_line_keep       (GtxLine      *self,
                              GObject      *object);

/* For each public function that may stand in it, first of all: the current
 * task, or NULL with @error set. */
GtxTask *gtx_line_begin      (GtxLine      *self,
                              const char   *function,
                              GError      **error);

/* GtxWaiterKind.cancel. */
gboolean gtx_line_cancel     (GtxWaiter    *waiter);

/* Suspends @task until it is woken: FALSE with @error set if it was cancelled.
 * *@woken: whether it was woken all the same. */
gboolean gtx_line_wait       (GtxLine             *self,
                              GtxTask             *task,
                              const GtxWaiterKind *kind,
                              gpointer             object,
                              gboolean            *woken,
                              GError             **error);

/* What gtx_line_may_wake () asks where the thread is not plainly the one. */
gboolean gtx_line_may_wake_slowly (GtxLine    *self,
                                   const char *function);

/* For each public function that wakes who stands in it, or would if somebody did, before
 * it changes anything: FALSE, and a g_critical () that names @function, in a thread that
 * must not.  Before tasks have used it, and when no thread has their main context any more,
 * any may. */
static inline gboolean
gtx_line_may_wake (GtxLine    *self,
                   const char *function)
{
  return G_LIKELY (self->home == NULL || gtx_scheduler_is_local (self->home)) ||
         gtx_line_may_wake_slowly (self, function);
}

/* Whether nobody but cancelled tasks is in it. */
static inline gboolean
gtx_line_is_free (const GtxLine *self)
{
  return self->n_live == 0;
}

/* Wakes the task at its head, unless that was woken or cancelled already. */
void     gtx_line_wake_head  (GtxLine      *self);
/* Wakes up to @n of those that were not woken or cancelled; returns how many. */
guint    gtx_line_wake       (GtxLine      *self,
                              guint         n);
/* The same; those that are woken, and the cancelled before them, leave it. */
guint    gtx_line_call       (GtxLine      *self,
                              guint         n);
