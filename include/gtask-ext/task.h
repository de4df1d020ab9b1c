/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/checks.h>
#include <gtask-ext/future.h>

G_BEGIN_DECLS

#define GTX_TYPE_TASK (gtx_task_get_type ())
#define GTX_TASK(object) (G_TYPE_CHECK_INSTANCE_CAST ((object), GTX_TYPE_TASK, GtxTask))
#define GTX_IS_TASK(object) (G_TYPE_CHECK_INSTANCE_TYPE ((object), GTX_TYPE_TASK))

/**
 * GtxTask:
 *
 * A coroutine that runs beside others: asyncio's `Task`.  It is a #GtxFuture,
 * done when its coroutine has returned.
 *
 * A task has no properties that notify, so that tasks stay cheap.  Bind widgets to
 * #GtxCommand:running or #GtxScope:n-tasks, or add a done callback.
 *
 * Since: 0.1
 */
typedef struct _GtxTask GtxTask;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxTask, g_object_unref)

/**
 * GtxCoroutine:
 * @data: (nullable): what the coroutine works on
 * @error: where the coroutine sets its error
 *
 * A boolean coroutine: a function that may suspend.  A coroutine fails exactly when
 * it sets @error.  Write the coroutine with the type of its data in place of
 * gpointer.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*GtxCoroutine) (gpointer   data,
                                  GError   **error);

/**
 * GtxPointerCoroutine:
 * @data: (nullable): what the coroutine works on
 * @error: where the coroutine sets its error
 *
 * A pointer coroutine: its caller owns the result.  It fails exactly when it sets @error;
 * %NULL without an error is a result.
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 0.1
 */
typedef gpointer (*GtxPointerCoroutine) (gpointer   data,
                                         GError   **error);

/**
 * gtx_task_new:
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Makes a task that is not started: asyncio's coroutine object.
 *
 * gtx_task_start() starts the task; gtx_await() runs it inside the awaiting task.  If a
 * task is dropped without either, the library warns that it was never awaited.  Never
 * suspends; may be called in any thread, whose thread-default main context is the task's
 * home.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_task_new(coroutine, data, data_free)                               \
  gtx_task_new_named (#coroutine, (GtxCoroutine) (coroutine),                  \
                      GTX_COROUTINE_DATA_ (coroutine, data), (data_free))

/**
 * gtx_task_new_pointer:
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 *
 * Makes a task that is not started, as gtx_task_new() does, of a coroutine
 * that has a result.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_task_new_pointer(coroutine, data, data_free, result_free)          \
  gtx_task_new_pointer_named (#coroutine, (GtxPointerCoroutine) (coroutine),   \
                              GTX_POINTER_COROUTINE_DATA_ (coroutine, data),   \
                              (data_free), (result_free))

/**
 * gtx_create_task:
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Starts a task: asyncio's `create_task()`.
 *
 * The task first runs in the next round of the main context's scheduler, and is kept
 * alive until it is done: the reference that is returned may be dropped.  Never suspends;
 * may be called in any thread, whose thread-default main context is the task's home.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task(coroutine, data, data_free)                            \
  gtx_create_task_named (#coroutine, (GtxCoroutine) (coroutine),               \
                         GTX_COROUTINE_DATA_ (coroutine, data), (data_free))

/**
 * gtx_create_task_pointer:
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 *
 * Starts a task, as gtx_create_task() does, of a coroutine that has a result.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_pointer(coroutine, data, data_free, result_free)       \
  gtx_create_task_pointer_named (#coroutine, (GtxPointerCoroutine) (coroutine), \
                                 GTX_POINTER_COROUTINE_DATA_ (coroutine, data), \
                                 (data_free), (result_free))

/**
 * gtx_create_task_eager:
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Starts a task whose coroutine runs at once, inside this call, until it suspends first or
 * ends: asyncio's `create_task (…, eager_start=True)`.
 *
 * Code that need not wait then needs no turn of the main loop.  gtx_task_start_eager()
 * describes such a start.  Never suspends the caller; may be called in any thread, whose
 * thread-default main context is the task's home: in a thread that does not run that main
 * context, the task starts as that of gtx_create_task() does.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_eager(coroutine, data, data_free)                      \
  gtx_create_task_eager_named (#coroutine, (GtxCoroutine) (coroutine),         \
                               GTX_COROUTINE_DATA_ (coroutine, data), (data_free))

/**
 * gtx_create_task_pointer_eager:
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 *
 * Starts a task whose coroutine runs at once, as gtx_create_task_eager() does, of a
 * coroutine that has a result.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_pointer_eager(coroutine, data, data_free, result_free) \
  gtx_create_task_pointer_eager_named (#coroutine, (GtxPointerCoroutine) (coroutine), \
                                       GTX_POINTER_COROUTINE_DATA_ (coroutine, data), \
                                       (data_free), (result_free))

/**
 * gtx_create_task_in:
 * @context: (nullable): the main context that the task is to run in; %NULL: the default
 *   one
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Starts a task in another main context: asyncio's
 * `run_coroutine_threadsafe()`.
 *
 * The task runs in the thread that runs @context, which need not have pushed @context as
 * thread-default, and may be awaited and cancelled from any other thread.  If @context
 * goes away before the task is done, the task fails with %GTX_ERROR_CONTEXT_GONE.  Never
 * suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_in(context, coroutine, data, data_free)                \
  gtx_create_task_in_named ((context), #coroutine, (GtxCoroutine) (coroutine), \
                            GTX_COROUTINE_DATA_ (coroutine, data), (data_free))

/**
 * gtx_create_task_pointer_in:
 * @context: (nullable): the main context that the task is to run in; %NULL: the default
 *   one
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 *
 * Starts a task in another main context, as gtx_create_task_in() does, of a
 * coroutine that has a result.
 *
 * Returns: (transfer full): a new #GtxTask
 *
 * Since: 0.1
 */
#define gtx_create_task_pointer_in(context, coroutine, data, data_free, result_free) \
  gtx_create_task_pointer_in_named ((context), #coroutine, (GtxPointerCoroutine) (coroutine), \
                                    GTX_POINTER_COROUTINE_DATA_ (coroutine, data), \
                                    (data_free), (result_free))

GTX_API GType         gtx_task_get_type           (void) G_GNUC_CONST;
GTX_API GtxTask      *gtx_task_new_named          (const char          *function,
                                                   GtxCoroutine         coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_task_new_pointer_named  (const char          *function,
                                                   GtxPointerCoroutine  coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free,
                                                   GDestroyNotify       result_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_named       (const char          *function,
                                                   GtxCoroutine         coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_pointer_named (const char          *function,
                                                   GtxPointerCoroutine  coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free,
                                                   GDestroyNotify       result_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_eager_named (const char          *function,
                                                   GtxCoroutine         coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_pointer_eager_named (const char  *function,
                                                   GtxPointerCoroutine  coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free,
                                                   GDestroyNotify       result_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_in_named    (GMainContext        *context,
                                                   const char          *function,
                                                   GtxCoroutine         coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_create_task_pointer_in_named (GMainContext   *context,
                                                   const char          *function,
                                                   GtxPointerCoroutine  coroutine,
                                                   gpointer             data,
                                                   GDestroyNotify       data_free,
                                                   GDestroyNotify       result_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxTask      *gtx_task_start              (GtxTask             *self);
GTX_API GtxTask      *gtx_task_start_eager        (GtxTask             *self);
GTX_API GtxTask      *gtx_task_start_in           (GtxTask             *self,
                                                   GMainContext        *context);

GTX_API gpointer      gtx_task_steal_pointer      (GtxTask             *self) G_GNUC_WARN_UNUSED_RESULT;
GTX_API const char   *gtx_task_get_name           (GtxTask             *self);
GTX_API void          gtx_task_set_name           (GtxTask             *self,
                                                   const char          *name);
GTX_API const char   *gtx_task_get_function       (GtxTask             *self);
GTX_API void          gtx_task_set_stack_size     (GtxTask             *self,
                                                   gsize                bytes);
GTX_API void          gtx_set_default_stack_size  (gsize                bytes);
GTX_API GCancellable *gtx_task_get_cancellable    (GtxTask             *self);
GTX_API guint         gtx_uncancel                (GtxTask             *self);
GTX_API guint         gtx_cancelling              (GtxTask             *self);

GTX_API GtxTask      *gtx_current_task            (void);
GTX_API GPtrArray    *gtx_all_tasks               (void);

G_END_DECLS
