/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks of any main contexts that stand in line for the same thing, of an object that several
 * threads use. */

#pragma once

#include "task/task-private.h"

typedef enum
{
  GTX_SHARED_OPEN,
  GTX_SHARED_SERVED,
  GTX_SHARED_REFUSED,
  GTX_SHARED_LEFT               /* the task was cancelled, or its main context has gone */
} GtxSharedOutcome;

/* The wait of a task, on the task's stack.  The object that is waited for has a mutex, and decides
 * under it who gets what; none of the program's code runs meanwhile.
 *
 * Invariants:
 * - The outcome changes once, under the mutex.  The waiter is in a line exactly while the outcome is
 *   open.
 * - Once another thread has served or refused a waiter, the task goes on only when that thread's
 *   message has come, and not for a request before: the message has the waiter's address.
 * - A task whose main context goes never goes on, and its stack stays.  at_end runs then, and does
 *   instead of the task what is left to do. */
typedef struct
{
  GtxWaiter base;
  GtxHandle link;               /* in a line, or among those that a thread is about to wake */
  GtxHandle at_end;             /* of the task's main context */
  GMutex *mutex;                /* the object's */
  gpointer object;              /* which is waited for */
  gpointer item;                /* which the task offers, or NULL */
  GtxSharedOutcome outcome;
} GtxSharedWaiter;

/* @gone: the run () of at_end. */
static inline void
gtx_shared_waiter_init (GtxSharedWaiter     *self,
                        GtxTask             *task,
                        const GtxWaiterKind *kind,
                        void               (*gone) (GtxHandle *at_end),
                        gpointer             object,
                        GMutex              *mutex)
{
  gtx_waiter_init (&self->base, task, kind);
  self->link.next = NULL;
  self->at_end.next = NULL;
  self->at_end.run = gone;
  self->mutex = mutex;
  self->object = object;
  self->item = NULL;
  self->outcome = GTX_SHARED_OPEN;
}

/* ---- For the task; the mutex is not locked ---- */

/* To be called before the task takes or sends anything.  Lets others run if the time of the task's run is
 * over: while other threads keep the object busy, the task may never have to wait, and would keep its main
 * loop from everything else, and itself from every request.  FALSE with @error set if it was cancelled.
 * If the main context goes meanwhile, @item is freed by @item_free (NULL: is not), and the reference of
 * @object that the caller has is dropped. */
gboolean gtx_shared_let_others_run   (GtxTask             *task,
                                      gpointer             object,
                                      gpointer             item,
                                      GDestroyNotify       item_free,
                                      GError             **error);

/* Does as gtx_waiter_wait () does.  The outcome may have been decided even if this fails. */
gboolean gtx_shared_waiter_wait      (GtxSharedWaiter     *self,
                                      GError             **error);
/* Waits like this, but lets a request stand if the outcome was decided.  FALSE if the request ended
 * the wait: the caller delivers it. */
gboolean gtx_shared_waiter_wait_out  (GtxSharedWaiter     *self);

/* GtxWaiterKind.cancel. */
gboolean gtx_shared_waiter_cancel    (GtxWaiter           *waiter);

/* For at_end: leaves the line, if the outcome is still open. */
void     gtx_shared_waiter_leave     (GtxSharedWaiter     *self);

/* ---- For code that decides outcomes ---- */

/* To be called with the mutex locked.  These take the first waiter, or all, out of @line and
 * append them to @woken.  The first returns whether there was one. */
gboolean gtx_shared_line_serve       (GtxHandleList       *line,
                                      GtxHandleList       *woken);
void     gtx_shared_line_refuse_all  (GtxHandleList       *line,
                                      GtxHandleList       *woken);

void     gtx_shared_line_wake_slowly (GtxHandleList       *woken);

/* Wakes the tasks, with the mutex unlocked again. */
static inline void
gtx_shared_line_wake (GtxHandleList *woken)
{
  if (!gtx_handle_list_is_empty (woken))
    gtx_shared_line_wake_slowly (woken);
}

static inline GtxSharedWaiter *
gtx_shared_waiter_at (GtxHandle *link)
{
  return GTX_CONTAINER_OF (link, GtxSharedWaiter, link);
}
