/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

#define GTX_TYPE_SCOPE (gtx_scope_get_type ())

/**
 * GtxScope:
 *
 * The tasks that belong to an object, such as a window: they are cancelled when the object is
 * disposed, and can be cancelled and awaited together.
 *
 * |[<!-- language="C" -->
 * static gboolean
 * load (MyWindow *self, GError **error)
 * {
 *   ...
 * }
 *
 * gtx_object_create_task (self, load);
 * ]|
 *
 * gtx_object_get_scope() returns the scope of an object.  Unlike a #GtxTaskGroup, which lies on
 * the stack of a task and ends with a block of code, a scope lives as long as its object.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxScope, gtx_scope, GTX, SCOPE, GObject)

/**
 * gtx_scope_create_task:
 * @scope: a #GtxScope
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 *
 * Starts a task that belongs to a scope: Kotlin's `launch ()`.
 *
 * An error of the task is told by #GtxScope::failed; %G_IO_ERROR_CANCELLED is told to nobody.  If
 * the scope is closed, or its object disposed, the task is cancelled before it begins.  When the
 * object is disposed later, the task is cancelled as gtx_scope_cancel() does.  Never suspends; to be
 * called in the thread of the scope's main context.
 *
 * Returns: (transfer none): the task, valid until it is done unless a reference is taken
 *
 * Since: 0.1
 */
#define gtx_scope_create_task(scope, coroutine, data, data_free)               \
  gtx_scope_start ((scope), gtx_task_new (coroutine, data, data_free))

/**
 * gtx_object_create_task:
 * @object: (type GObject.Object): an object, a `U *`
 * @coroutine: a boolean coroutine, `gboolean f (U *object, GError **error)`
 *
 * Starts a task that belongs to an object, and has a reference to it as its data: the same as
 * gtx_scope_create_task() with the object's scope, which see.
 *
 * Tasks that the task itself starts with gtx_create_task() are not in the scope.  Once the object is
 * disposed, a wait for a signal of an object that is gone fails with %G_IO_ERROR_CANCELLED in those
 * tasks as well, and not with %GTX_ERROR_OBJECT_GONE.
 *
 * Returns: (transfer none): the task, valid until it is done unless a reference is taken
 *
 * Since: 0.1
 */
#define gtx_object_create_task(object, coroutine)                              \
  gtx_object_start_task ((object), #coroutine, (GtxCoroutine) (coroutine),     \
                         GTX_COROUTINE_DATA_ (coroutine, object))

GTX_API GtxScope *gtx_object_get_scope  (gpointer       object);
GTX_API GtxTask  *gtx_object_start_task (gpointer       object,
                                         const char    *function,
                                         GtxCoroutine   coroutine,
                                         gpointer       data);
GTX_API GtxTask  *gtx_scope_start       (GtxScope      *self,
                                         GtxTask       *task);
GTX_API void      gtx_scope_cancel      (GtxScope      *self);
GTX_API void      gtx_scope_close       (GtxScope      *self);
GTX_API void      gtx_scope_close_then  (GtxScope      *self,
                                         GDestroyNotify func,
                                         gpointer       data);
GTX_API gboolean  gtx_scope_is_closed   (GtxScope      *self);
GTX_API gboolean  gtx_scope_join        (GtxScope      *self,
                                         GError       **error);
GTX_API guint     gtx_scope_get_n_tasks (GtxScope      *self);

G_END_DECLS
