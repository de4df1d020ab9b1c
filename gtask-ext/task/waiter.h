/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a task waits in: the one way to wait. */

#pragma once

#include "fiber/handle.h"

#include "gtask-ext/task.h"

typedef struct _GtxWaiter GtxWaiter;

typedef struct
{
  const char *name;             /* by which a debugger knows it */
  /* A request to end: TRUE if the task will be woken for it and the request be delivered by that,
   * FALSE if the waiting has ended already, or the request stands.  It runs nothing of the
   * program's. */
  gboolean (*cancel) (GtxWaiter *self);
  /* For a person: what is waited for, as in "waits for a lock". */
  void (*describe) (GtxWaiter *self,
                    GString   *text);
  /* Adds the futures that are waited for, if any (NULL: none). */
  void (*list_awaited) (GtxWaiter *self,
                        GPtrArray *futures);
  /* Where something else than the waiter wakes the task (NULL: nothing does): whether it has. */
  gboolean (*is_over) (GtxWaiter *self);
} GtxWaiterKind;

/* On the stack of the task, as a rule.
 *
 * Invariants:
 * - It ends once: it is woken, or cancelled.  Whoever ends it queues the task's step, and nobody
 *   else does while the task waits in it.
 * - A request that it was cancelled for is delivered by it, unless @stands; any other that comes
 *   meanwhile is in the task's must_cancel, or was passed on to what is awaited. */
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
  gboolean stands;              /* a request ends the waiting, and stands: something was done before that
                                 * is to be told of */
  gboolean passed_on;           /* a request, to what is awaited, which took it */
  gboolean was_taken;           /* the last one */
  guint64 passed_at;            /* when that was, by gtx_task_n_gone_on () */
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

/* ---- For who waits ---- */

/* Suspends the task until the waiter has ended.  TRUE if it was woken; FALSE with
 * G_IO_ERROR_CANCELLED set if the task was cancelled, be it that the waiter was woken too. */
gboolean gtx_waiter_wait           (GtxWaiter     *self,
                                    GError       **error);
/* The same where the caller knows whether what came delivers a request, which stands until then:
 * FALSE if the waiter was cancelled. */
gboolean gtx_waiter_wait_out       (GtxWaiter     *self);

/* ---- For who wakes ---- */

/* Nothing where it has ended before. */
void     gtx_waiter_wake           (GtxWaiter     *self);
/* The same, for who runs @woken soon. */
void     gtx_waiter_wake_into      (GtxWaiter     *self,
                                    GtxHandleList *woken);
/* The same, for callbacks of the main loop: its task goes on before this returns, as a rule. */
void     gtx_waiter_wake_now       (GtxWaiter     *self);

/* ---- For kinds, as GtxWaiterKind.cancel ---- */

/* Nothing but the waiting ends. */
gboolean gtx_waiter_cancel         (GtxWaiter     *self);
/* The waiting ends by itself, and the request stands until then. */
gboolean gtx_waiter_leave_standing (GtxWaiter     *self);
/* What is awaited, which list_awaited () lists, is asked instead, and the waiting goes on. */
gboolean gtx_waiter_pass_on        (GtxWaiter     *self);

/* ---- For who looks on ---- */

/* Whether its task is about to go on. */
gboolean gtx_waiter_is_over        (GtxWaiter     *self);
