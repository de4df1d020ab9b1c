/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GTX_ERROR:
 *
 * The domain of this library's own errors.  A cancelled task or await fails with
 * %G_IO_ERROR_CANCELLED and a task or await that ran out of time with
 * %G_IO_ERROR_TIMED_OUT, both of %G_IO_ERROR.
 *
 * Since: 0.1
 */
#define GTX_ERROR (gtx_error_quark ())

/**
 * GtxError:
 * @GTX_ERROR_NOT_IN_TASK: a function that suspends was called outside a task
 * @GTX_ERROR_AWAITS_ITSELF: a task awaited itself
 * @GTX_ERROR_NO_STACK: the system has no stack left for one more task
 * @GTX_ERROR_NO_REASON: a coroutine or function failed without setting an error
 * @GTX_ERROR_ALREADY_RUNNING: gtx_run() was called where the main context runs already
 * @GTX_ERROR_INVALID_ARGUMENT: an argument is out of its range
 * @GTX_ERROR_CONTEXT_GONE: the main context of the task or future is gone
 * @GTX_ERROR_INVALID_STATE: the function was called too early or too late
 * @GTX_ERROR_GROUP: tasks of a group failed, or all futures of gtx_any(): asyncio's
 *   `ExceptionGroup`; see gtx_error_get_error()
 * @GTX_ERROR_BROKEN_BARRIER: a barrier was broken, or reset, while tasks waited
 * @GTX_ERROR_QUEUE_FULL: there is no room in a queue or channel
 * @GTX_ERROR_QUEUE_EMPTY: there is nothing in a queue, channel or subscription
 * @GTX_ERROR_QUEUE_SHUT_DOWN: a queue was shut down, or a channel or broadcast closed
 * @GTX_ERROR_OBJECT_GONE: the object whose signal was awaited is gone
 *
 * The errors of this library.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_ERROR_NOT_IN_TASK,
  GTX_ERROR_AWAITS_ITSELF,
  GTX_ERROR_NO_STACK,
  GTX_ERROR_NO_REASON,
  GTX_ERROR_ALREADY_RUNNING,
  GTX_ERROR_INVALID_ARGUMENT,
  GTX_ERROR_CONTEXT_GONE,
  GTX_ERROR_INVALID_STATE,
  GTX_ERROR_GROUP,
  GTX_ERROR_BROKEN_BARRIER,
  GTX_ERROR_QUEUE_FULL,
  GTX_ERROR_QUEUE_EMPTY,
  GTX_ERROR_QUEUE_SHUT_DOWN,
  GTX_ERROR_OBJECT_GONE
} GtxError;

GTX_API GQuark        gtx_error_quark        (void);
GTX_API guint         gtx_error_get_n_errors (const GError *error);
GTX_API const GError *gtx_error_get_error    (const GError *error,
                                              guint         index);
GTX_API gboolean      gtx_error_is_cancelled (const GError *error);

G_END_DECLS
