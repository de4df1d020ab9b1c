/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a task has: its name, its stack's size, its result and its GCancellable. */

#include "task/task-private.h"

/**
 * gtx_task_steal_pointer:
 * @self: a #GtxTask that is done
 *
 * Takes the task's result, which then belongs to the caller, as gtx_await_pointer()
 * does, but without awaiting.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full) (nullable): the result; %NULL if there is none,
 *   or it was taken before
 *
 * Since: 0.1
 */
gpointer
gtx_task_steal_pointer (GtxTask *self)
{
  gpointer result;

  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  if (!gtx_future_done (&self->parent_instance))
    {
      g_critical ("%s: the task of %s is not done; await it first", G_STRFUNC, self->function);
      return NULL;
    }
  return gtx_future_take_result (&self->parent_instance, &result, NULL) ? result : NULL;
}

/**
 * gtx_task_get_name:
 * @self: a #GtxTask
 *
 * Tells the task's name: asyncio's `Task.get_name()`, `Task-N` by default, and
 * the coroutine's name for a task that is not started.  Never suspends; to be
 * called in the thread of the task's home.
 *
 * Returns: (transfer none): the name, valid until it is changed
 *
 * Since: 0.1
 */
const char *
gtx_task_get_name (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  if (self->name)
    return self->name;
  if (self->number == 0)
    return self->function;
  return self->name = g_strdup_printf ("Task-%" G_GUINT64_FORMAT, self->number);
}

/**
 * gtx_task_set_name:
 * @self: a #GtxTask
 * @name: the name
 *
 * Names the task: asyncio's `Task.set_name()`; before gtx_task_start(), the
 * `name` of `create_task()`, which uses up no number.  Never suspends; to be
 * called in the thread of the task's home.
 *
 * Since: 0.1
 */
void
gtx_task_set_name (GtxTask    *self,
                   const char *name)
{
  char *old;

  g_return_if_fail (GTX_IS_TASK (self));
  g_return_if_fail (name != NULL);

  old = self->name;
  self->name = g_strdup (name);
  g_free (old);
}

/**
 * gtx_task_get_function:
 * @self: a #GtxTask
 *
 * Tells the name of the task's coroutine.  Never suspends; may be called in
 * any thread.
 *
 * Returns: (transfer none): the name of the function
 *
 * Since: 0.1
 */
const char *
gtx_task_get_function (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  return self->function;
}

/**
 * gtx_task_set_stack_size:
 * @self: a #GtxTask that was not started
 * @bytes: the size in bytes, rounded up to a power of two; 0: the default
 *
 * Sets the size of the task's stack.  Never suspends; may be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_task_set_stack_size (GtxTask *self,
                         gsize    bytes)
{
  g_return_if_fail (GTX_IS_TASK (self));

  if (self->step.fiber || gtx_future_done (&self->parent_instance))
    g_critical ("%s: the task %s has run already; set its stack size before it is started", G_STRFUNC,
                gtx_task_get_name (self));
  else
    self->stack_size = bytes;
}

/**
 * gtx_set_default_stack_size:
 * @bytes: the size in bytes, rounded up to a power of two; 0: the initial
 *   default, 1 MiB on 64-bit machines and 256 KiB on others
 *
 * Sets the stack size of tasks that begin from now on and have none of their
 * own.  64 KiB suits large crowds of simple tasks.  Never suspends; may be
 * called in any thread.
 *
 * Since: 0.1
 */
void
gtx_set_default_stack_size (gsize bytes)
{
  gtx_stack_set_default_size (bytes);
}

/**
 * gtx_task_get_cancellable:
 * @self: a #GtxTask
 *
 * Lends the task's current #GCancellable, made when first asked for.
 *
 * Cancelling the #GCancellable, in any thread, makes the request that gtx_cancel()
 * makes; gtx_cancel() cancels the #GCancellable.  A #GCancellable that is cancelled
 * already makes no further request, even if it only shows the request of the task's
 * own timeout or group, after which the task will carry on.  To end the task in any
 * case, call gtx_cancel(), which may be called in any thread, too.  The
 * #GCancellable is current only until the task's next await: after a request was
 * delivered or withdrawn the task has a fresh one.  Never suspends; to be called in
 * the thread of the task's home.
 *
 * Returns: (transfer none): the #GCancellable
 *
 * Since: 0.1
 */
GCancellable *
gtx_task_get_cancellable (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  if (self->runner)
    return gtx_task_get_cancellable (self->runner);
  if (self->cancellable == NULL)
    self->cancellable = gtx_task_cancellable_new (self);
  return (GCancellable *) self->cancellable;
}
