/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task suspends and goes on: asyncio's Task.__step() and __wakeup(). */

#include "task/task-private.h"
#include "task/error-private.h"

/* ---- How a wait ends ---- */

gboolean
gtx_waiter_cancel (GtxWaiter *self)
{
  if (self->state != GTX_WAITER_PENDING)
    return FALSE;
  self->state = GTX_WAITER_CANCELLED;
  gtx_scheduler_call_soon (self->task->parent_instance.home, &self->task->step.handle);
  return !self->stands;
}

gboolean
gtx_waiter_leave_standing (GtxWaiter *self)
{
  return FALSE;
}

void
gtx_waiter_wake (GtxWaiter *self)
{
  if (self->state != GTX_WAITER_PENDING)
    return;
  self->state = GTX_WAITER_WOKEN;
  gtx_scheduler_call_soon (self->task->parent_instance.home, &self->task->step.handle);
}

void
gtx_waiter_wake_into (GtxWaiter     *self,
                      GtxHandleList *woken)
{
  if (self->state != GTX_WAITER_PENDING)
    return;
  self->state = GTX_WAITER_WOKEN;
  gtx_handle_list_append (woken, &self->task->step.handle);
}

void
gtx_waiter_wake_now (GtxWaiter *self)
{
  if (self->state != GTX_WAITER_PENDING)
    return;
  self->state = GTX_WAITER_WOKEN;
  gtx_scheduler_call_now (self->task->parent_instance.home, &self->task->step.handle);
}

/* ---- Suspending ---- */

/* These functions are not inlined, so that a task without requests saves no registers for them. */
G_GNUC_NO_INLINE static void
begin_asked (GtxTask   *self,
             GtxWaiter *waiter)
{
  g_assert (self->n_cancels > 0 || (!self->must_cancel && self->n_standing == 0));

  gtx_task_take_up_request (self);
  self->waiter = waiter;
  if (self->must_cancel && waiter)
    gtx_request_pass_standing (waiter);
}

G_GNUC_NO_INLINE static void
end_asked (GtxTask *self)
{
  self->waiter = NULL;
  gtx_task_take_up_request (self);
  if (self->n_cancels > 0)
    gtx_task_count_going_on (self);
}

static void
suspend_asked (GtxTask   *self,
               GtxWaiter *waiter)
{
  begin_asked (self, waiter);
  gtx_scheduler_suspend (self->step.fiber);
  end_asked (self);
}

G_GNUC_NO_INLINE static gboolean
fail (const GtxTask  *self,
      GError        **error)
{
  gtx_set_cancelled_error_for (error, self->reason);
  return FALSE;
}

gboolean
gtx_task_deliver_request (GtxTask  *self,
                          GError  **error)
{
  gtx_task_settle_request (self);
  return fail (self, error);
}

gboolean
gtx_current_task_is_late (GError **error)
{
  GtxTask *task = gtx_task_current ();

  if (task == NULL)
    return FALSE;
  gtx_task_take_up_request (task);
  if (!task->must_cancel || !task->outlived)
    return FALSE;
  gtx_task_deliver_request (task, error);
  return TRUE;
}

/* Suspends the task until @waiter has ended, or if that is NULL, until the task's step runs, which is
 * queued already.  FALSE if a request was delivered. */
static inline gboolean
suspend (GtxTask   *self,
         GtxWaiter *waiter)
{
  gboolean was_asked;

  if (G_LIKELY (gtx_task_is_unasked (self)))
    self->waiter = waiter;
  else
    begin_asked (self, waiter);

  gtx_scheduler_suspend (self->step.fiber);

  if (G_LIKELY (gtx_task_is_unasked (self)))
    {
      self->waiter = NULL;
      return TRUE;
    }
  end_asked (self);
  was_asked = self->must_cancel;
  gtx_task_settle_request (self);
  return !was_asked;
}

/* A request stands, whichever code made it, for the caller has an outcome to return first. */
G_GNUC_NO_INLINE static gboolean
wait_standing (GtxWaiter  *self,
               GError    **error)
{
  suspend_asked (self->task, self);
  if (self->task->must_cancel)
    self->task->outlived = TRUE;
  return self->state != GTX_WAITER_CANCELLED || fail (self->task, error);
}

gboolean
gtx_waiter_wait (GtxWaiter  *self,
                 GError    **error)
{
  if (G_UNLIKELY (self->stands))
    return wait_standing (self, error);
  return G_LIKELY (suspend (self->task, self) && self->state != GTX_WAITER_CANCELLED) || fail (self->task, error);
}

/* Has no fast path, for a task that waits like this has a GCancellable, as a rule. */
gboolean
gtx_waiter_wait_out (GtxWaiter *self)
{
  suspend_asked (self->task, self);
  return self->state != GTX_WAITER_CANCELLED;
}

gboolean
gtx_waiter_is_over (GtxWaiter *self)
{
  return self->state != GTX_WAITER_PENDING || (self->kind->is_over && self->kind->is_over (self));
}

gboolean
gtx_task_let_others_run (GtxTask  *self,
                         GError  **error)
{
  gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
  return suspend (self, NULL) || fail (self, error);
}

void
gtx_task_let_others_run_first (GtxTask *self)
{
  gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
  suspend_asked (self, NULL);
}
