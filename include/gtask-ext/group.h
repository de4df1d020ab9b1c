/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

/**
 * GtxTaskGroup:
 *
 * A block of code whose tasks end before it does: asyncio's `TaskGroup`.
 *
 * A group lies on the stack of the task, and is declared after everything that its
 * children use.  gtx_task_group_end() takes the error that the block ended with:
 *
 * |[<!-- language="C" -->
 * g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
 * g_autoptr (GError) failure = NULL;
 *
 * gtx_task_group_begin (&group);
 * gtx_task_group_create_task (&group, fetch, first, NULL, NULL);
 * gtx_task_group_create_task (&group, fetch, second, NULL, NULL);
 * ask_user (&failure);
 * return gtx_task_group_end (&group, &failure, error);
 * ]|
 *
 * A child that fails cancels the other children and the block, unless
 * gtx_task_group_set_error_func() lets children fail alone.  A group whose block is
 * left by an early return cancels its children and waits for them, where asyncio only
 * waits; a request to cancel that comes meanwhile is kept for the next await, and the
 * library warns of errors of children.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  gpointer state;
} GtxTaskGroup;

/**
 * GTX_TASK_GROUP_INIT:
 *
 * The initial value of a #GtxTaskGroup, before gtx_task_group_begin().
 *
 * Since: 0.1
 */
#define GTX_TASK_GROUP_INIT { NULL }

/**
 * GtxTaskErrorFunc:
 * @task: a child that has failed
 * @error: its error
 * @data: the data that was passed to gtx_task_group_set_error_func()
 *
 * Called in the thread of the group's task, outside of all tasks, when a child of the group has failed.
 * The group does not end before the function returns.
 *
 * Since: 0.1
 */
typedef void (*GtxTaskErrorFunc) (GtxTask      *task,
                                  const GError *error,
                                  gpointer      data);

/**
 * gtx_task_group_create_task:
 * @group: a #GtxTaskGroup whose block has begun
 * @coroutine: a boolean coroutine, `gboolean f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @error: return location for a #GError, or %NULL
 *
 * Starts a task in the group: asyncio's `TaskGroup.create_task()`.
 *
 * Suspends the current task while the group has as many children as
 * gtx_task_group_set_limit() allows (see there for children that create children),
 * and never otherwise.  Sets %GTX_ERROR_INVALID_STATE if the group has not begun,
 * is ending after a failure or a gtx_task_group_cancel(), or has ended; where there
 * is a limit, also %G_IO_ERROR_CANCELLED if the current task is cancelled while it
 * waits and %GTX_ERROR_NOT_IN_TASK outside a task.  A task that the group has
 * cancelled during an operation that ignored its #GCancellable, such as a function
 * in a thread, gets %G_IO_ERROR_CANCELLED in place of %GTX_ERROR_INVALID_STATE.  To
 * be called in the thread of the group's task.
 *
 * Returns: (transfer none) (nullable): the task, valid until it is done unless
 *   a reference is taken; or %NULL with @error set
 *
 * Since: 0.1
 */
#define gtx_task_group_create_task(group, coroutine, data, data_free, error)   \
  gtx_task_group_start ((group), gtx_task_new (coroutine, data, data_free), (error))

/**
 * gtx_task_group_create_task_pointer:
 * @group: a #GtxTaskGroup whose block has begun
 * @coroutine: a pointer coroutine, `R *f (U *data, GError **error)`
 * @data: (transfer full) (nullable): its data, a `U *`
 * @data_free: (nullable): frees @data when the coroutine has ended
 * @result_free: (nullable): frees a result that nobody took
 * @error: return location for a #GError, or %NULL
 *
 * Starts a task in the group, as gtx_task_group_create_task() does, of a
 * coroutine that has a result.
 *
 * Returns: (transfer none) (nullable): the task, or %NULL with @error set
 *
 * Since: 0.1
 */
#define gtx_task_group_create_task_pointer(group, coroutine, data, data_free, result_free, error) \
  gtx_task_group_start ((group), gtx_task_new_pointer (coroutine, data, data_free, result_free), (error))

GTX_API void     gtx_task_group_begin     (GtxTaskGroup  *self);
GTX_API void     gtx_task_group_set_limit (GtxTaskGroup  *self,
                                           guint          limit);
GTX_API void     gtx_task_group_set_error_func (GtxTaskGroup     *self,
                                                GtxTaskErrorFunc  func,
                                                gpointer          data);
GTX_API GtxTask *gtx_task_group_start     (GtxTaskGroup  *self,
                                           GtxTask       *task,
                                           GError       **error);
GTX_API void     gtx_task_group_cancel    (GtxTaskGroup  *self);
GTX_API gboolean gtx_task_group_end       (GtxTaskGroup  *self,
                                           GError       **failure,
                                           GError       **error);
GTX_API void     gtx_task_group_clear     (GtxTaskGroup  *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GtxTaskGroup, gtx_task_group_clear)

G_END_DECLS
