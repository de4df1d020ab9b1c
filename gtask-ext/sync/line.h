/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks of one main context that stand in line for the same thing. */

#pragma once

#include "task/task-private.h"

/* Invariants: a task in the line is suspended, or was woken and has not run yet;
 * a task that gtx_line_call() wakes has left the line.  No pending waiter is at or
 * before passed: a waiter that was woken or cancelled is passed once, however long
 * its task takes to run. */
typedef struct
{
  GtxHandleList waiters;
  GtxHandle *passed;            /* the last waiter's link that was passed; the list's own ring: none */
  guint n_live;                 /* waiters in the line that are not cancelled */
  GtxScheduler *home;           /* of the first task that used the line */
  guint n_pins;                 /* on the object that the line is part of */
  gboolean kept;                /* the last reference went, and the pins took one that keeps the object */
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

/* Keeps the object that the line is part of alive, while tasks wait and until they have gone on. */
static inline void
gtx_line_pin (GtxLine *self)
{
  self->n_pins++;
}

/* Drops the reference by which the pins have kept @object. */
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

/* For the GObjectClass.dispose() of @object: whether @object is to live on. */
gboolean gtx_line_keep       (GtxLine      *self,
                              GObject      *object);

/* Each public function that may wait in the line calls this first.  Returns the
 * current task, or NULL with @error set. */
GtxTask *gtx_line_begin      (GtxLine      *self,
                              const char   *function,
                              GError      **error);

/* GtxWaiterKind.cancel. */
gboolean gtx_line_cancel     (GtxWaiter    *waiter);

/* Suspends @task until it is woken: FALSE with @error set if it was cancelled.
 * *@woken: whether it was woken, even if it was cancelled, too. */
gboolean gtx_line_wait       (GtxLine             *self,
                              GtxTask             *task,
                              const GtxWaiterKind *kind,
                              gpointer             object,
                              gboolean            *woken,
                              GError             **error);

/* The slow path of gtx_line_may_wake (), if the thread is not plainly the right one. */
gboolean gtx_line_may_wake_slowly (GtxLine    *self,
                                   const char *function);

/* Each public function that wakes tasks in the line calls this before it changes anything,
 * even if no task waits.  Returns FALSE, with a g_critical () that names @function, in a
 * thread that must not wake them.  Any thread may before tasks have used the line, and when
 * no thread has their main context any more. */
static inline gboolean
gtx_line_may_wake (GtxLine    *self,
                   const char *function)
{
  return G_LIKELY (self->home == NULL || gtx_scheduler_is_local (self->home)) ||
         gtx_line_may_wake_slowly (self, function);
}

/* Whether there are only cancelled tasks in the line, or none. */
static inline gboolean
gtx_line_is_free (const GtxLine *self)
{
  return self->n_live == 0;
}

/* Returns the first task that was not woken or cancelled yet, or NULL.  Those before it leave the
 * line. */
GtxLineWaiter *gtx_line_first (GtxLine    *self);
/* Wakes the task at the head of the line, unless that was woken or cancelled already. */
void     gtx_line_wake_head  (GtxLine      *self);
/* Wakes up to @n tasks that were not woken or cancelled yet; returns how many. */
guint    gtx_line_wake       (GtxLine      *self,
                              guint         n);
/* The same as gtx_line_wake (), but the woken tasks, and cancelled ones before them, leave the line. */
guint    gtx_line_call       (GtxLine      *self,
                              guint         n);
