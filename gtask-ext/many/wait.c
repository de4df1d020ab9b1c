/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_wait (), which passes no request on to the futures, and gtx_wait_for (), which has a time
 * limit. */

#include "gtask-ext/wait.h"

#include "gtask-ext/timeout.h"

#include "loop/deadline.h"
#include "many/watch.h"

/* asyncio's _wait(), on the stack of the task that waits. */
typedef struct
{
  GtxWaiter waiter;
  GtxTimer timer;
  GtxWatches futures;
  GtxReturnWhen return_when;
  guint n_left;
} Wait;

static void
on_done (GtxHandle *handle)
{
  GtxWatch *watch = (GtxWatch *) handle;
  Wait *self = watch->owner;
  GtxFuture *future = watch->future;
  gboolean failed = gtx_future_state (future) == GTX_FUTURE_FINISHED && future->error;

  self->n_left--;
  if (self->n_left == 0 || self->return_when == GTX_FIRST_COMPLETED)
    gtx_waiter_wake (&self->waiter);
  else if (self->return_when == GTX_FIRST_ERROR && failed)
    {
      gtx_future_forgive_error (future);
      gtx_waiter_wake (&self->waiter);
    }
}

static void
on_time_over (GtxHandle *handle)
{
  gtx_waiter_wake (&GTX_CONTAINER_OF (handle, Wait, timer.handle)->waiter);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  static const char *const what[] = { "all", "the first", "the first error" };
  Wait *self = (Wait *) waiter;

  g_string_append_printf (text, "%s of %u", what[self->return_when], self->futures.length);
  gtx_timer_describe (&self->timer, self->waiter.task->parent_instance.home, text);
}

static void
list_awaited (GtxWaiter *waiter,
              GPtrArray *futures)
{
  gtx_watches_list (&((Wait *) waiter)->futures, futures);
}

static const GtxWaiterKind wait_kind = { "futures", gtx_waiter_cancel, describe, list_awaited, NULL };

static gboolean
wait_for_futures (GtxTask       *task,
                  GPtrArray     *futures,
                  GtxReturnWhen  return_when,
                  double         seconds,
                  GError       **error)
{
  GtxScheduler *home = task->parent_instance.home;
  Wait self = { .return_when = return_when, .timer = { .handle = { .run = on_time_over } } };
  gboolean woken;

  gtx_waiter_init (&self.waiter, task, &wait_kind);
  gtx_watches_init (&self.futures, futures, on_done, &self);
  self.n_left = self.futures.length;
  gtx_scheduler_call_at (home, &self.timer, gtx_deadline (home, seconds));
  gtx_watches_queue_done (&self.futures, home);
  woken = gtx_waiter_wait (&self.waiter, error);
  gtx_scheduler_cancel_timer (home, &self.timer);
  gtx_watches_clear (&self.futures);
  return woken;
}

/**
 * gtx_wait:
 * @futures: (element-type GtxFuture): futures and tasks of the current task's main
 *   context, at least one; a future that is there twice counts once
 * @return_when: when to return
 * @seconds: how long at most; %GTX_FOREVER for no limit
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until some or all of @futures are done, or the
 * time is over: asyncio's `wait()`.
 *
 * gtx_future_is_done() tells which futures are done.  Futures that are not done, or have
 * failed, are not an error here.  Always suspends, for a round at least.  When the
 * current task is cancelled, @futures are left alone.  Starts the tasks that were not
 * started, where asyncio refuses coroutines.
 *
 * Sets %G_IO_ERROR_CANCELLED if the current task was cancelled, %GTX_ERROR_NOT_IN_TASK
 * outside a task, %GTX_ERROR_AWAITS_ITSELF if the current task is in @futures, and
 * %GTX_ERROR_INVALID_ARGUMENT if @futures is empty, an element of it cannot be waited for
 * or @seconds is not a number.
 *
 * Returns: %TRUE when the wait is over, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_wait (GPtrArray      *futures,
          GtxReturnWhen   return_when,
          double          seconds,
          GError        **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  g_return_val_if_fail (futures != NULL, FALSE);
  if (task == NULL || !gtx_watches_check (task, futures, G_STRFUNC, error) ||
      !gtx_check_seconds (seconds, error))
    return FALSE;
  if (futures->len == 0)
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                           "The array of futures is empty; pass at least one future to gtx_wait()");
      return FALSE;
    }
  return wait_for_futures (task, futures, return_when, seconds, error);
}

/* For a time of 0 or less: cancels @future, which is not done, and waits for it. */
static gboolean
cancel_and_wait (GtxTask   *task,
                 gpointer   future,
                 GError   **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new ();

  g_ptr_array_add (futures, future);
  if (!gtx_watches_check (task, futures, "gtx_wait_for", error))
    return FALSE;
  gtx_task_ensure_started (future);
  gtx_cancel (future);
  if (!gtx_wait (futures, GTX_ALL_COMPLETED, GTX_FOREVER, error))
    return FALSE;
  if (!gtx_future_is_cancelled (future))
    return gtx_future_propagate (future, error);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Timed out");
  return FALSE;
}

/**
 * gtx_wait_for:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @seconds: how long at most; %GTX_FOREVER for no limit
 * @error: return location for a #GError, or %NULL
 *
 * Awaits @future for at most @seconds: asyncio's `wait_for()`.
 *
 * When the time is over, @future is cancelled and waited for.  With 0 or less @future
 * is cancelled at once, unless it is done; a future of another main context is refused
 * in this case, and not cancelled.  gtx_future_get_result() returns the result.
 *
 * Sets %G_IO_ERROR_TIMED_OUT when the time is over, %GTX_ERROR_INVALID_ARGUMENT
 * if @seconds is not a number or @future is refused, and the errors that
 * gtx_await() sets.
 *
 * Returns: %TRUE exactly when there is no error
 *
 * Since: 0.1
 */
gboolean
gtx_wait_for (gpointer   future,
              double     seconds,
              GError   **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  GtxTask *task;

  if (!gtx_check_seconds (seconds, error))
    return FALSE;
  if (!gtx_future_check (future, G_STRFUNC))
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                           "gtx_wait_for() takes a GtxFuture, and was given something else");
      return FALSE;
    }
  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (seconds <= 0)
    return gtx_future_done (future) ? gtx_future_propagate (future, error)
                                    : cancel_and_wait (task, future, error);

  gtx_timeout_begin (&timeout, seconds);
  gtx_await (future, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}
