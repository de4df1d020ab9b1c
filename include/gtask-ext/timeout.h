/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * GtxTimeout:
 *
 * A block of code that may last for a limited time: asyncio's `timeout()`.
 *
 * A timeout lies on the stack of the task, and gtx_timeout_end() takes the error that the
 * block ended with:
 *
 * |[<!-- language="C" -->
 * g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
 * g_autoptr (GError) failure = NULL;
 *
 * gtx_timeout_begin (&timeout, 5);
 * fetch (uri, &failure);
 * return gtx_timeout_end (&timeout, &failure, error);
 * ]|
 *
 * gtx_call_with_timeout() does the same in one line.
 *
 * If the block is left by an early return, the timeout is disarmed, and withdraws its
 * request; but only gtx_timeout_end() turns the cancellation into %G_IO_ERROR_TIMED_OUT.
 * The error that the early return passes on is %G_IO_ERROR_CANCELLED, as if the task had
 * been cancelled, which a task group does not count as a failure: a warning says so.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  gpointer state;
} GtxTimeout;

/**
 * GTX_TIMEOUT_INIT:
 *
 * The initial value of a #GtxTimeout, before gtx_timeout_begin().
 *
 * Since: 0.1
 */
#define GTX_TIMEOUT_INIT { NULL }

/**
 * gtx_call_with_timeout:
 * @seconds: how long the call may last; %GTX_FOREVER for no limit
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Calls a coroutine in the current task, within a time limit: asyncio's `timeout()` around an
 * `await` of it.
 *
 * When the time is over, what the coroutine awaits is cancelled and waited for, as in
 * gtx_timeout_begin().  Sets %G_IO_ERROR_TIMED_OUT if the coroutine failed since the time was
 * over, and the coroutine's own error if it failed otherwise; %GTX_ERROR_INVALID_ARGUMENT if
 * @seconds is not a number, and %GTX_ERROR_NOT_IN_TASK outside a task.  Suspends where the
 * coroutine does.
 *
 * Returns: %TRUE if the coroutine did not fail
 *
 * Since: 0.1
 */
#define gtx_call_with_timeout(seconds, coroutine, data, error)                 \
  gtx_call_with_timeout_to ((seconds), (GtxCoroutine) (coroutine),             \
                            GTX_COROUTINE_DATA_ (coroutine, data), (error))

/**
 * gtx_call_shielded:
 * @seconds: how long the call may last; %GTX_FOREVER for no limit
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (nullable): its data, a `U *`
 * @error: return location for a #GError, or %NULL
 *
 * Calls a coroutine that requests to cancel the current task do not reach, within a time limit:
 * for clean-up that must be finished.  In asyncio this is a loop around `await shield(task)`.
 *
 * A request that stood before the call, or that comes meanwhile, even from a timeout or a group
 * around the call, stands after it: the next await that suspends delivers it.  Code that has
 * nothing to await after the call, and is to know of the request, calls gtx_sleep() with 0.  The
 * end of gtx_run(), and gtx_cancel_all(), wait for the call as well, and cancel neither the
 * coroutine nor the tasks that it awaits.
 *
 * The coroutine runs as a task of its own, which gtx_current_task() returns in it.  It has the
 * stack size of the current task, and inherits its values of #GtxTaskLocal.  Only requests to that
 * task end the coroutine.  When the time is over, it is cancelled and waited for, as by
 * gtx_call_with_timeout().
 *
 * Sets %G_IO_ERROR_TIMED_OUT if the coroutine failed since the time was over, and the coroutine's
 * own error if it failed otherwise; %GTX_ERROR_INVALID_ARGUMENT if @seconds is not a number,
 * %GTX_ERROR_NOT_IN_TASK outside a task and %GTX_ERROR_NO_STACK if there is no memory for the
 * stack of the task.  Suspends until the coroutine has ended.
 *
 * Returns: %TRUE if the coroutine did not fail
 *
 * Since: 0.1
 */
#define gtx_call_shielded(seconds, coroutine, data, error)                     \
  gtx_call_shielded_named ((seconds), #coroutine, (GtxCoroutine) (coroutine),  \
                           GTX_COROUTINE_DATA_ (coroutine, data), (error))

GTX_API gboolean gtx_call_with_timeout_to (double         seconds,
                                           GtxCoroutine   coroutine,
                                           gpointer       data,
                                           GError       **error);
GTX_API gboolean gtx_call_shielded_named  (double         seconds,
                                           const char    *name,
                                           GtxCoroutine   coroutine,
                                           gpointer       data,
                                           GError       **error);
GTX_API void     gtx_timeout_begin      (GtxTimeout  *self,
                                         double       seconds);
GTX_API void     gtx_timeout_begin_at   (GtxTimeout  *self,
                                         double       time);
GTX_API double   gtx_timeout_when       (GtxTimeout  *self);
GTX_API gboolean gtx_timeout_reschedule (GtxTimeout  *self,
                                         double       seconds,
                                         GError     **error);
GTX_API gboolean gtx_timeout_expired    (GtxTimeout  *self);
GTX_API gboolean gtx_timeout_end        (GtxTimeout  *self,
                                         GError     **failure,
                                         GError     **error);
GTX_API void     gtx_timeout_clear      (GtxTimeout  *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GtxTimeout, gtx_timeout_clear)

G_END_DECLS
