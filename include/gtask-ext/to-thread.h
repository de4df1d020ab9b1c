/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/checks.h>
#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxThreadFunc:
 * @data: (nullable): what the function works on
 * @cancellable: to be checked, and passed on
 * @error: where the function sets its error
 *
 * A function that blocks, for gtx_to_thread(): every such function of GIO ends
 * in these two arguments.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*GtxThreadFunc) (gpointer       data,
                                   GCancellable  *cancellable,
                                   GError       **error);

/**
 * GtxPointerThreadFunc:
 * @data: (nullable): what the function works on
 * @cancellable: to be checked, and passed on
 * @error: where the function sets its error
 *
 * A function that blocks and has a result, for gtx_to_thread_pointer().
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 0.1
 */
typedef gpointer (*GtxPointerThreadFunc) (gpointer       data,
                                          GCancellable  *cancellable,
                                          GError       **error);

/**
 * gtx_to_thread:
 * @func: a function that blocks,
 *   `gboolean f (U *data, GCancellable *cancellable, GError **error)`
 * @data: (nullable): its data, a `U *`, which the thread may use until the call returns
 * @error: return location for a #GError, or %NULL
 *
 * Runs @func in a thread and suspends the current task until it has returned:
 * asyncio's `to_thread()`.
 *
 * The library has sixteen threads for such functions, and up to 330 if the functions wait
 * for one another: a thread is added when a call has waited for a tenth of a second, and
 * no other call has begun meanwhile.  When the current task is cancelled, the
 * #GCancellable of @func is cancelled, too, and the task still waits for @func.  If @func
 * fails with %G_IO_ERROR_CANCELLED, that error delivers the request; if it succeeds, or
 * fails with another error, the request is delivered by the next await that suspends.  A
 * call that still waits for a thread fails at once, and @func is never called.
 * Task-local values are those of the task.  A main context that @func leaves pushed as
 * thread-default is popped, and a g_critical() says so.  The call keeps the main context
 * of the task until the task goes on: if no thread runs the context any more, it is kept
 * for ever, and a task that awaits this one waits for ever.
 *
 * Sets the error of @func, %G_IO_ERROR_CANCELLED if the task was cancelled before a
 * thread called @func, %GTX_ERROR_NOT_IN_TASK outside a task, and %G_THREAD_ERROR_AGAIN
 * if no thread can be started.
 *
 * Returns: what @func returned
 *
 * Since: 0.1
 */
#define gtx_to_thread(func, data, error)                                       \
  gtx_to_thread_at (__FILE__, __LINE__, (GtxThreadFunc) (func),                \
                    GTX_THREAD_FUNC_DATA_ (func, data), (error))

/**
 * gtx_to_thread_pointer:
 * @func: a function that blocks,
 *   `R *f (U *data, GCancellable *cancellable, GError **error)`
 * @data: (nullable): its data, a `U *`, which the thread may use until the call returns
 * @error: return location for a #GError, or %NULL
 *
 * Runs @func in a thread as gtx_to_thread() does, and returns its result.
 *
 * Returns: (transfer full) (nullable): what @func returned
 *
 * Since: 0.1
 */
#define gtx_to_thread_pointer(func, data, error)                               \
  ((GTX_THREAD_FUNC_RESULT_ (func))                                            \
     gtx_to_thread_pointer_at (__FILE__, __LINE__, (GtxPointerThreadFunc) (func), \
                               GTX_POINTER_THREAD_FUNC_DATA_ (func, data), (error)))

GTX_API gboolean gtx_to_thread_at         (const char            *file,
                                           int                    line,
                                           GtxThreadFunc          func,
                                           gpointer               data,
                                           GError               **error);
GTX_API gpointer gtx_to_thread_pointer_at (const char            *file,
                                           int                    line,
                                           GtxPointerThreadFunc   func,
                                           gpointer               data,
                                           GError               **error);

G_END_DECLS
