/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/future.h>

G_BEGIN_DECLS

/**
 * GTX_CANCELLABLE:
 *
 * The #GCancellable for an operation that the current task starts.
 *
 * Since: 0.1
 */
#define GTX_CANCELLABLE (gtx_operation_get_cancellable ())

/**
 * GTX_CALLBACK:
 *
 * The callback and its data for an operation that the current task starts and
 * awaits next with gtx_await_result(): two arguments.
 *
 * Since: 0.1
 */
#define GTX_CALLBACK gtx_operation_ready, gtx_operation_begin (__FILE__, __LINE__)

/**
 * GTX_ASYNC:
 *
 * The three arguments that end every function of GIO that starts an
 * operation: cancellable, callback, data.  Await its result at once:
 *
 * |[<!-- language="C" -->
 * g_file_read_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC);
 * stream = g_file_read_finish (file, gtx_await_result (), error);
 * ]|
 *
 * A task that is cancelled while the operation is under way cancels the operation and
 * waits for its callback, so nothing that the operation uses goes away before the
 * operation has ended.  The other arguments may await something: the next
 * gtx_await_result() awaits this operation all the same.  But an argument that awaits
 * must not take a reference to the task's #GCancellable before: a started operation
 * holds such a reference, so the library would take this operation for one that was
 * started and not awaited, which is a mistake, and would wait for it.
 *
 * A function that refuses its arguments, with g_return_if_fail(), never calls back, and
 * nothing can end the wait, because such an operation looks like one that takes long;
 * gtx_print_tasks() then says that the operation has taken no #GCancellable.
 *
 * Outside a task, which is a mistake that a g_critical() reports, the operation gets a
 * cancelled #GCancellable, and gtx_await_result() iterates the main context until the
 * callback has come.
 *
 * Since: 0.1
 */
#define GTX_ASYNC GTX_CANCELLABLE, GTX_CALLBACK

/**
 * GTX_ASYNC_FUTURE:
 * @future: what gtx_operation_future_new() made
 *
 * The three arguments that end every function of GIO that starts an operation, for an
 * operation that is not awaited at once: @future ends with the result of the operation.
 *
 * |[<!-- language="C" -->
 * GtxFuture *opened = gtx_operation_future_new ();
 *
 * g_file_read_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC_FUTURE (opened));
 * ...
 * if (gtx_await (opened, error))
 *   stream = g_file_read_finish (file, gtx_future_get_result (opened), error);
 * ]|
 *
 * The future needs no task and no stack: use it for many operations at once, and a task
 * with %GTX_ASYNC to do something between two operations.
 *
 * Since: 0.1
 */
#define GTX_ASYNC_FUTURE(future)                                               \
  gtx_operation_future_begin (future), gtx_operation_future_ready,             \
  gtx_operation_future_get_data ()

GTX_API GtxFuture    *gtx_operation_future_new      (void) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GCancellable *gtx_operation_future_begin    (GtxFuture     *future);
GTX_API gpointer      gtx_operation_future_get_data (void);
GTX_API void          gtx_operation_future_ready    (GObject       *source,
                                                     GAsyncResult  *result,
                                                     gpointer       operation);

GTX_API GCancellable *gtx_operation_get_cancellable (void);
GTX_API gpointer      gtx_operation_begin           (const char    *file,
                                                     int            line);
GTX_API void          gtx_operation_ready           (GObject       *source,
                                                     GAsyncResult  *result,
                                                     gpointer       operation);
GTX_API GAsyncResult *gtx_await_result              (void);
GTX_API gboolean      gtx_await_gtask               (GTask         *task,
                                                     GError       **error);

G_END_DECLS
