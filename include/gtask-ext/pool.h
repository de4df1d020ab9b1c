/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/group.h>
#include <gtask-ext/serve.h>
#include <gtask-ext/task.h>

G_BEGIN_DECLS

#define GTX_TYPE_POOL (gtx_pool_get_type ())

/**
 * GtxPool:
 *
 * Threads that run tasks on several processors.
 *
 * Each thread has a main context of its own.  A task that is given to the pool begins in
 * the thread that is free first, and stays in that thread: between two awaits, no other
 * task of that thread runs.  Tasks of different threads run at the same time, and need
 * locks, as all threads do, for what they share.  The task itself belongs to the main
 * context that started it, in which it is awaited, cancelled, gathered, grouped and timed
 * out as any other, and in which its data and its result are freed.
 *
 * A pool ends when gtx_pool_close() is called, or when the last reference is dropped:
 * a task that is not done keeps a reference.
 *
 * The child of a fork() has none of the threads: there, no task of a pool begins or ends.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxPool, gtx_pool, GTX, POOL, GObject)

/**
 * gtx_create_task_on:
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Starts a task as gtx_create_task() does, whose coroutine runs in a thread of @pool.
 *
 * In the coroutine, gtx_current_task() is another #GtxTask, of the thread's main context,
 * with the same name.  Task-local values are those of the caller.  @data is freed in the
 * main context of the task.  If the task is cancelled before its coroutine has begun, the
 * coroutine never begins; later the request is made to the coroutine, as gtx_cancel()
 * describes.  If @pool was closed, the task fails with %GTX_ERROR_INVALID_STATE.  In
 * virtual time, the time stands still until the task is done, and the coroutine's sleeps
 * take real time.  Never suspends; may be called in any thread, whose thread-default main
 * context is the task's home.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_on(pool, coroutine, data, data_free)                   \
  gtx_create_task_on_named ((pool), #coroutine, (GtxCoroutine) (coroutine),    \
                            GTX_COROUTINE_DATA_ (coroutine, data), (data_free))

/**
 * gtx_create_task_pointer_on:
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 *
 * Starts a task on a pool, as gtx_create_task_on() does, of a coroutine that has a result.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_pointer_on(pool, coroutine, data, data_free, result_free) \
  gtx_create_task_pointer_on_named ((pool), #coroutine, (GtxPointerCoroutine) (coroutine), \
                                    GTX_POINTER_COROUTINE_DATA_ (coroutine, data), \
                                    (data_free), (result_free))

/**
 * gtx_serve_on:
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 * @listener: a #GSocketListener that has an address
 * @limit: how many clients to serve at once; 0: no limit
 * @func: (scope call): a coroutine for one client,
 *   `gboolean f (U *data, GSocketConnection *connection, GError **error)`
 * @data: (nullable): its data, a `U *`, the same for all clients
 * @error: return location for a #GError, or %NULL
 *
 * Serves clients as gtx_serve() does, each in a thread of @pool: @func runs for several
 * clients at the same time.
 *
 * Returns: %FALSE with @error set, when the serving has ended
 *
 * Since: 0.1
 */
#define gtx_serve_on(pool, listener, limit, func, data, error)                 \
  gtx_serve_on_with ((pool), (listener), (limit), (GtxServeFunc) (func),       \
                     GTX_SERVE_FUNC_DATA_ (func, data), (error))

GTX_API GtxPool  *gtx_pool_new              (guint                n_threads,
                                             GError             **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxPool  *gtx_pool_get_default      (void);
GTX_API guint     gtx_pool_get_n_threads    (GtxPool             *self);
GTX_API gboolean  gtx_pool_close            (GtxPool             *self,
                                             GError             **error);

GTX_API GtxTask  *gtx_create_task_on_named  (GtxPool             *pool,
                                             const char          *function,
                                             GtxCoroutine         coroutine,
                                             gpointer             data,
                                             GDestroyNotify       data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask  *gtx_create_task_pointer_on_named (GtxPool      *pool,
                                             const char          *function,
                                             GtxPointerCoroutine  coroutine,
                                             gpointer             data,
                                             GDestroyNotify       data_free,
                                             GDestroyNotify       result_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask  *gtx_task_start_on         (GtxTask             *self,
                                             GtxPool             *pool);
GTX_API void      gtx_task_group_set_pool   (GtxTaskGroup        *group,
                                             GtxPool             *pool);
GTX_API gboolean  gtx_serve_on_with         (GtxPool             *pool,
                                             GSocketListener     *listener,
                                             guint                limit,
                                             GtxServeFunc         func,
                                             gpointer             data,
                                             GError             **error);

G_END_DECLS
