/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/sleep.h"

#include "loop/deadline.h"
#include "task/task-private.h"

typedef struct
{
  GtxTimer timer;
  GtxWaiter waiter;
} Sleep;

static void
wake_up (GtxHandle *handle)
{
  gtx_waiter_wake (&GTX_CONTAINER_OF (handle, Sleep, timer.handle)->waiter);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append (text, "a sleep");
  gtx_timer_describe (&GTX_CONTAINER_OF (waiter, Sleep, waiter)->timer,
                      waiter->task->parent_instance.home, text);
}

static const GtxWaiterKind sleep_kind = { "sleep", gtx_waiter_cancel, describe, NULL, NULL };

/* Not inlined, so that gtx_sleep (0), which only lets others run, uses less stack. */
G_GNUC_NO_INLINE static gboolean
sleep_to (GtxTask  *task,
          gint64    deadline,
          GError  **error)
{
  GtxScheduler *home = task->parent_instance.home;
  Sleep sleep = { 0 };
  gboolean woken;

  gtx_waiter_init (&sleep.waiter, task, &sleep_kind);
  sleep.timer.handle.run = wake_up;
  gtx_scheduler_call_at (home, &sleep.timer, deadline);
  woken = gtx_waiter_wait (&sleep.waiter, error);
  gtx_scheduler_cancel_timer (home, &sleep.timer);
  return woken;
}

/**
 * gtx_sleep:
 * @seconds: how long, in seconds; 0 or less only lets other tasks and callbacks run
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task for a time: asyncio's `sleep()`.
 *
 * The task never sleeps for less than @seconds; infinity sleeps until the task is
 * cancelled.  The main loop waits in whole milliseconds, as asyncio's does: this and
 * every other timer of the library may be one millisecond late.  With GLib 2.81 or newer,
 * which polls in microseconds, timers of less than 10 ms are as exact as GLib's own
 * timeouts, if the context's #GPollFunc is g_poll().  Tasks that never do more than let
 * others run leave turns to the main loop's sources down to %G_PRIORITY_DEFAULT_IDLE, and
 * none to sources of a lower priority, as an idle source that stays ready does.
 *
 * Sets %G_IO_ERROR_CANCELLED when the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a
 * task and %GTX_ERROR_INVALID_ARGUMENT if @seconds is not a number.
 *
 * Returns: %TRUE when the time is over, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_sleep (double   seconds,
           GError **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  if (task == NULL || !gtx_check_seconds (seconds, error))
    return FALSE;
  return seconds > 0 ? sleep_to (task, gtx_deadline (task->parent_instance.home, seconds), error)
                     : gtx_task_let_others_run (task, error);
}

/**
 * gtx_sleep_until:
 * @time: a moment of gtx_get_time(), in seconds; one that is over only lets other tasks and
 *   callbacks run
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until gtx_get_time() has reached @time.
 *
 * asyncio has no such function.  An interval that does not drift adds its length to @time, and so
 * is not delayed by what it does, nor by sleeps that end late:
 *
 * |[<!-- language="C" -->
 * double next = gtx_get_time ();
 *
 * while (measure (sensor, error) && gtx_sleep_until (next += 0.1, error))
 *   ;
 * return FALSE;
 * ]|
 *
 * Infinity sleeps until the task is cancelled.  In everything else, and in the errors that it sets,
 * this function is as gtx_sleep().
 *
 * Returns: %TRUE when the moment has come, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_sleep_until (double   time,
                 GError **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  gint64 deadline;

  if (task == NULL || !gtx_check_seconds (time, error))
    return FALSE;
  deadline = gtx_deadline_at (time);
  return deadline > gtx_scheduler_get_time (task->parent_instance.home) ? sleep_to (task, deadline, error)
                                                                       : gtx_task_let_others_run (task, error);
}

/**
 * gtx_get_time:
 *
 * Tells the time by which the library measures all sleeps and timeouts: asyncio's `loop.time()`.
 *
 * The clock is that of g_get_monotonic_time(), in seconds; inside gtx_test_run() it is virtual time, which
 * begins at 0.  Never suspends; may be called in any thread, though only the thread that runs
 * gtx_test_run() sees virtual time.
 *
 * Returns: the time in seconds
 *
 * Since: 0.1
 */
double
gtx_get_time (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  GtxVisit visit = gtx_scheduler_enter (scheduler);
  gint64 time = visit == GTX_ELSEWHERE ? g_get_monotonic_time () : gtx_scheduler_get_time (scheduler);

  gtx_scheduler_leave (scheduler, visit);
  return time / 1e6;
}
