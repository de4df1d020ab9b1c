/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task suspends, wakes and is cancelled: asyncio's Task.__step(),
 * __wakeup() and cancel(). */

#include "config.h"

#include "task-private.h"

/* ---- Waiters ---- */

gboolean
gtx_waiter_cancel (GtxWaiter *self)
{
  if (self->state != GTX_WAITER_PENDING)
    return FALSE;
  self->state = GTX_WAITER_CANCELLED;
  gtx_scheduler_call_soon (self->task->parent_instance.home, &self->task->step.handle);
  return TRUE;
}

void
gtx_waiter_init (GtxWaiter           *self,
                 GtxTask             *task,
                 const GtxWaiterKind *kind)
{
  self->kind = kind;
  self->task = task;
  self->state = GTX_WAITER_PENDING;
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
gtx_waiter_wake_now (GtxWaiter *self)
{
  if (self->state != GTX_WAITER_PENDING)
    return;
  self->state = GTX_WAITER_WOKEN;
  gtx_scheduler_call_now (self->task->parent_instance.home, &self->task->step.handle);
}

gboolean
gtx_waiter_wait (GtxWaiter *self)
{
  return gtx_task_suspend (self->task, self) && self->state == GTX_WAITER_WOKEN;
}

/* ---- Requests ---- */

void
gtx_task_take_up_by_cancellable (GtxTask *self)
{
  if (!gtx_task_cancellable_take (self->cancellable))
    return;
  self->n_cancels++;
  self->must_cancel = TRUE;
}

void
gtx_task_retire_cancellable (GtxTask *self)
{
  /* One that another thread cancelled just now makes a request yet to come. */
  if (gtx_task_cancellable_is_taken (self->cancellable))
    gtx_task_cancellable_retire (g_steal_pointer (&self->cancellable));
}

/* GCancellables are shown a request when it has been made all the way down:
 * their handlers run whatever they like. */
static __thread guint request_depth;
static __thread GSList *to_show;

static void
show_requests (void)
{
  GSList *cancellables = g_slist_reverse (g_steal_pointer (&to_show));

  for (GSList *l = cancellables; l; l = l->next)
    {
      gtx_task_cancellable_show (l->data);
      g_object_unref (l->data);
    }
  g_slist_free (cancellables);
}

/* Tasks that await one another in a ring: here it breaks. */
static void
stop_awaiting (GtxTask *self)
{
  self->must_cancel = TRUE;
  gtx_handle_unlink (&self->step.handle);
  gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
}

/* One task's share of a request.  Returns the task that it passes on to. */
static GtxTask *
request_step (GtxTask *self)
{
  GtxTask *awaited = self->waiter ? gtx_waiter_get_awaited (self->waiter) : NULL;

  self->in_request = TRUE;
  self->n_cancels++;
  if (self->cancellable && !gtx_task_cancellable_is_cancelled (self->cancellable))
    to_show = g_slist_prepend (to_show, g_object_ref (self->cancellable));

  if (awaited && !awaited->in_request)
    return awaited;
  if (awaited)
    stop_awaiting (self);
  else if (self->waiter == NULL || !self->waiter->kind->cancel (self->waiter))
    self->must_cancel = TRUE;
  return NULL;
}

/* Down the chain of tasks that await one another, in a loop: it may be longer
 * than the stack is deep. */
gboolean
gtx_task_cancel (GtxFuture *future)
{
  GtxTask *self = (GtxTask *) future;
  GtxTask *next;

  if (self->runner)
    return gtx_future_cancel_here (&self->runner->parent_instance);
  if (!g_atomic_int_get (&self->is_started))
    return gtx_future_finish_cancelled (future);
  if (self->in_request)
    return TRUE;

  request_depth++;
  for (GtxTask *task = self; task; task = request_step (task))
    ;
  for (GtxTask *task = self; task && task->in_request; task = next)
    {
      task->in_request = FALSE;
      next = task->waiter ? gtx_waiter_get_awaited (task->waiter) : NULL;
    }
  if (--request_depth == 0 && to_show)
    show_requests ();
  return TRUE;
}

/* ---- Suspending ---- */

void
gtx_task_suspend_raw (GtxTask   *self,
                      GtxWaiter *waiter)
{
  gtx_task_take_up_request (self);
  self->waiter = waiter;
  if (G_UNLIKELY (self->must_cancel) && waiter && waiter->kind->cancel (waiter))
    self->must_cancel = FALSE;

  gtx_scheduler_suspend (self->step.fiber);

  self->waiter = NULL;
  gtx_task_take_up_request (self);
}

gboolean
gtx_task_suspend (GtxTask   *self,
                  GtxWaiter *waiter)
{
  gboolean cancelled;

  gtx_task_suspend_raw (self, waiter);
  cancelled = self->must_cancel;
  gtx_task_settle_request (self);
  return !cancelled;
}
