/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a task waits in: the one way to wait. */

#pragma once

#include "fiber/handle.h"

#include "gtask-ext/task.h"

typedef struct _GtxWaiter GtxWaiter;

typedef struct
{
  const char *name;             /* by which a debugger knows it */
  /* Called when a request to cancel comes.  TRUE if the task will be woken for it, which delivers the
   * request; FALSE if the wait has ended already, or the request stands.  Runs none of the program's
   * code. */
  gboolean (*cancel) (GtxWaiter *self);
  /* Appends a text for a person: what is waited for, as in "waits for a lock". */
  void (*describe) (GtxWaiter *self,
                    GString   *text);
  /* Adds the futures that are waited for, if any (NULL: none). */
  void (*list_awaited) (GtxWaiter *self,
                        GPtrArray *futures);
  /* For a task that may be woken without its waiter: whether it was (NULL: it never is). */
  gboolean (*is_over) (GtxWaiter *self);
} GtxWaiterKind;

/* A waiter lies on the stack of its task, as a rule.
 *
 * Invariants:
 * - A waiter ends once: it is woken, or cancelled.  The function that ends it queues the task's step;
 *   no other code does while the task waits in it.  Only a waiter whose kind has is_over () may stay
 *   pending, while the task is woken by other means.
 * - A waiter delivers the request that it was cancelled for, unless @stands.  Any other request that
 *   comes meanwhile is in the task's must_cancel, or was passed on to what is awaited. */
struct _GtxWaiter
{
  const GtxWaiterKind *kind;
  GtxTask *task;
  enum
  {
    GTX_WAITER_PENDING,
    GTX_WAITER_WOKEN,
    GTX_WAITER_CANCELLED
  } state;
  gboolean stands;              /* a request ends the wait, but stands: the caller has an outcome to
                                 * return first */
  gboolean passed_on;           /* a request was passed on to what is awaited, which took it */
  gboolean was_taken;           /* the last request that was passed on was taken */
  guint64 passed_at;            /* gtx_task_n_gone_on () when that was passed on */
};

static inline void
gtx_waiter_init (GtxWaiter           *self,
                 GtxTask             *task,
                 const GtxWaiterKind *kind)
{
  self->kind = kind;
  self->task = task;
  self->state = GTX_WAITER_PENDING;
  self->stands = FALSE;
  self->passed_on = FALSE;
  self->was_taken = FALSE;
}

/* ---- For tasks that wait ---- */

/* Suspends the task until the waiter has ended.  TRUE if it was woken; FALSE with
 * G_IO_ERROR_CANCELLED set if the task was cancelled, even if the waiter was woken, too, unless
 * @stands. */
gboolean gtx_waiter_wait           (GtxWaiter     *self,
                                    GError       **error);
/* The same as gtx_waiter_wait (), but a request stands: the caller finds out whether the outcome
 * delivers it.  FALSE if the waiter was cancelled. */
gboolean gtx_waiter_wait_out       (GtxWaiter     *self);

/* ---- For code that wakes tasks ---- */

/* Wakes the task; does nothing if the waiter has ended before. */
void     gtx_waiter_wake           (GtxWaiter     *self);
/* The same as gtx_waiter_wake (), but appends the task's step to @woken, which the caller runs
 * soon. */
void     gtx_waiter_wake_into      (GtxWaiter     *self,
                                    GtxHandleList *woken);
/* The same as gtx_waiter_wake (), for callbacks of the main loop: the task goes on before this
 * returns, as a rule. */
void     gtx_waiter_wake_now       (GtxWaiter     *self);

/* ---- Functions for GtxWaiterKind.cancel ---- */

/* Ends the wait, and does nothing else. */
gboolean gtx_waiter_cancel         (GtxWaiter     *self);
/* Lets the wait end by itself; the request stands until then. */
gboolean gtx_waiter_leave_standing (GtxWaiter     *self);
/* Passes the request on to the futures that list_awaited () lists; the wait goes on. */
gboolean gtx_waiter_pass_on        (GtxWaiter     *self);

/* ---- For code that looks at waiters ---- */

/* Whether the wait is over, so that the task is about to go on. */
gboolean gtx_waiter_is_over        (GtxWaiter     *self);
