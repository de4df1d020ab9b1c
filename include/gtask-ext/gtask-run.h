/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * GtxIntCoroutine:
 * @task: the #GTask that is run
 * @error: where the coroutine sets its error
 *
 * A coroutine for gtx_gtask_run_int().  It fails exactly when it sets @error.
 *
 * Returns: the number that `_finish` returns
 *
 * Since: 0.1
 */
typedef gssize (*GtxIntCoroutine) (GTask   *task,
                                   GError **error);

/**
 * gtx_gtask_run:
 * @task: a #GTask
 * @coroutine: a boolean coroutine, `gboolean f (GTask *task, GError **error)`
 *
 * Runs @coroutine as the work of @task, as g_task_run_in_thread() runs a function: an
 * `_async` function becomes a coroutine, and its callers do not notice.
 *
 * |[<!-- language="C" -->
 * void
 * shop_open_async (Shop *shop, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
 * {
 *   g_autoptr (GTask) task = g_task_new (shop, cancellable, callback, data);
 *
 *   g_task_set_source_tag (task, shop_open_async);
 *   gtx_gtask_run (task, open_shop);
 * }
 *
 * gboolean
 * shop_open_finish (Shop *shop, GAsyncResult *result, GError **error)
 * {
 *   return g_task_propagate_boolean (G_TASK (result), error);
 * }
 * ]|
 *
 * The coroutine gets @task, for its source object and its data.  @task returns the
 * outcome of the coroutine, which calls neither g_task_return_boolean() nor
 * g_task_return_error().  Cancelling the #GCancellable of @task cancels the coroutine,
 * which may clean up before the callback is called.  If the #GCancellable was cancelled
 * before, the coroutine begins, and its first await that suspends delivers the request (a
 * coroutine that awaits nothing runs, and counts as cancelled).  With
 * g_task_set_return_on_cancel() the callback does not wait for the coroutine to end.  The
 * coroutine has the name of @task, if @task has one, and runs in its main context, to
 * which a reference is kept.  Never suspends; may be called in any thread.
 *
 * Since: 0.1
 */
#define gtx_gtask_run(task, coroutine)                                          \
  ((void) GTX_COROUTINE_DATA_ (coroutine, (GTask *) NULL),                     \
   gtx_gtask_run_named (#coroutine, (task), (GtxCoroutine) (coroutine)))

/**
 * gtx_gtask_run_pointer:
 * @task: a #GTask
 * @coroutine: a pointer coroutine, `R *f (GTask *task, GError **error)`
 * @result_free: (nullable): frees a result that nobody took
 *
 * Runs @coroutine as the work of @task, as gtx_gtask_run() does, for
 * g_task_propagate_pointer() to return its result.
 *
 * Since: 0.1
 */
#define gtx_gtask_run_pointer(task, coroutine, result_free)                     \
  ((void) GTX_POINTER_COROUTINE_DATA_ (coroutine, (GTask *) NULL),             \
   gtx_gtask_run_pointer_named (#coroutine, (task), (GtxPointerCoroutine) (coroutine), (result_free)))

/**
 * gtx_gtask_run_int:
 * @task: a #GTask
 * @coroutine: a coroutine, `gssize f (GTask *task, GError **error)`
 *
 * Runs @coroutine as the work of @task, as gtx_gtask_run() does, for
 * g_task_propagate_int() to return its result.
 *
 * Since: 0.1
 */
#define gtx_gtask_run_int(task, coroutine)                                     \
  ((void) GTX_INT_COROUTINE_DATA_ (coroutine, (GTask *) NULL),                 \
   gtx_gtask_run_int_named (#coroutine, (task), (GtxIntCoroutine) (coroutine)))

GTX_API void gtx_gtask_run_named         (const char          *function,
                                         GTask               *task,
                                         GtxCoroutine         coroutine);
GTX_API void gtx_gtask_run_pointer_named (const char          *function,
                                         GTask               *task,
                                         GtxPointerCoroutine  coroutine,
                                         GDestroyNotify       result_free);
GTX_API void gtx_gtask_run_int_named     (const char          *function,
                                         GTask               *task,
                                         GtxIntCoroutine      coroutine);

G_END_DECLS
