/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/as-completed.h"

#include "loop/deadline.h"
#include "many/watch.h"

/* Invariant: done holds the n_done futures whose end was seen, and the first n_given of them were
 * given to the caller.  The other futures are watched until the time is over. */
struct _GtxAsCompleted
{
  GtxScheduler *home;
  GtxTimer timer;
  GtxWatches futures;
  GtxFuture **done;             /* in the order in which they were done */
  guint n_done;
  guint n_given;
  gboolean time_over;
  GtxWaiter *waiter;            /* of the task that waits for the next */
};

typedef struct
{
  GtxWaiter waiter;
  GtxAsCompleted *each;
} Waiter;

static void
wake (GtxAsCompleted *self)
{
  if (self->waiter)
    gtx_waiter_wake (self->waiter);
}

static void
on_done (GtxHandle *handle)
{
  GtxWatch *watch = (GtxWatch *) handle;
  GtxAsCompleted *self = watch->owner;

  self->done[self->n_done++] = watch->future;
  if (self->n_done == self->futures.length)
    gtx_scheduler_cancel_timer (self->home, &self->timer);
  wake (self);
}

static void
on_time_over (GtxHandle *handle)
{
  GtxAsCompleted *self = GTX_CONTAINER_OF (handle, GtxAsCompleted, timer.handle);

  self->time_over = TRUE;
  gtx_watches_detach (&self->futures);
  wake (self);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxAsCompleted *self = ((Waiter *) waiter)->each;

  g_string_append_printf (text, "the next of %u", self->futures.length - self->n_done);
  gtx_timer_describe (&self->timer, self->home, text);
}

static void
list_awaited (GtxWaiter *waiter,
              GPtrArray *futures)
{
  gtx_watches_list (&((Waiter *) waiter)->each->futures, futures);
}

static const GtxWaiterKind next_kind = { "next to be done", gtx_waiter_cancel, describe, list_awaited, NULL };

/**
 * gtx_as_completed:
 * @futures: (element-type GtxFuture): futures and tasks of the current task's main
 *   context; a future that is there twice counts once
 * @seconds: how long to wait for all of them at most; %GTX_FOREVER for no limit
 * @error: return location for a #GError, or %NULL
 *
 * Begins to watch @futures: asyncio's `as_completed()`.
 *
 * Starts the tasks that were not started.  Sets %GTX_ERROR_NOT_IN_TASK outside a task,
 * %GTX_ERROR_AWAITS_ITSELF if the current task is in @futures, and
 * %GTX_ERROR_INVALID_ARGUMENT if an element of @futures cannot be waited for or @seconds
 * is not a number.  Never suspends.
 *
 * Returns: (transfer full) (nullable): an iterator, for gtx_as_completed_next(); or %NULL
 *   with @error set
 *
 * Since: 0.1
 */
GtxAsCompleted *
gtx_as_completed (GPtrArray  *futures,
                  double      seconds,
                  GError    **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  GtxAsCompleted *self;

  g_return_val_if_fail (futures != NULL, NULL);
  if (task == NULL || !gtx_watches_check (task, futures, G_STRFUNC, error) ||
      !gtx_check_seconds (seconds, error))
    return NULL;

  self = g_new0 (GtxAsCompleted, 1);
  self->home = gtx_scheduler_ref (task->parent_instance.home);
  self->timer.handle.run = on_time_over;
  gtx_watches_init (&self->futures, futures, on_done, self);
  gtx_watches_queue_done (&self->futures, self->home);
  self->done = g_new (GtxFuture *, self->futures.length);
  if (self->futures.length > 0)
    gtx_scheduler_call_at (self->home, &self->timer, gtx_deadline (self->home, seconds));
  return self;
}

/* Suspends @task until there is a future to give.  FALSE with @error set if the time is over, or
 * the task was cancelled. */
static gboolean
wait_for_next (GtxAsCompleted  *self,
               GtxTask         *task,
               GError         **error)
{
  while (self->n_given == self->n_done)
    {
      Waiter next = { .each = self };
      gboolean woken;

      if (self->time_over)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Timed out");
          return FALSE;
        }
      gtx_waiter_init (&next.waiter, task, &next_kind);
      self->waiter = &next.waiter;
      woken = gtx_waiter_wait (&next.waiter, error);
      self->waiter = NULL;
      if (!woken)
        return FALSE;
    }
  return TRUE;
}

/**
 * gtx_as_completed_next:
 * @self: a #GtxAsCompleted
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until one more of the futures is done, and lends that future.
 *
 * Does not suspend if one is done already.  A future that failed is no error here: ask
 * gtx_future_get_error().  Sets %G_IO_ERROR_TIMED_OUT when the time is over and the
 * futures that were done in time have been given, %G_IO_ERROR_CANCELLED if the current
 * task is cancelled (@self goes on and loses no future), and %GTX_ERROR_NOT_IN_TASK
 * outside a task.  Only one task at a time may call it.
 *
 * Returns: (transfer none) (nullable) (type GtxFuture): the future or task;
 *   %NULL when all were given, or with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_as_completed_next (GtxAsCompleted  *self,
                       GError         **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  g_return_val_if_fail (self != NULL && self->waiter == NULL, NULL);
  if (task == NULL || self->n_given == self->futures.length)
    return NULL;
  return wait_for_next (self, task, error) ? self->done[self->n_given++] : NULL;
}

/**
 * gtx_as_completed_free:
 * @self: (transfer full): a #GtxAsCompleted
 *
 * Stops watching; the futures go on.  Never suspends; to be called in the
 * thread of the task.
 *
 * Since: 0.1
 */
void
gtx_as_completed_free (GtxAsCompleted *self)
{
  g_return_if_fail (self != NULL && self->waiter == NULL);

  gtx_scheduler_cancel_timer (self->home, &self->timer);
  gtx_watches_clear (&self->futures);
  gtx_scheduler_unref (self->home);
  g_free (self->done);
  g_free (self);
}
