/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be done when a scope was closed, and its last task has ended. */

#include "scope/patience.h"
#include "scope/scope-private.h"

#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"
#include "gtask-ext/timeout.h"

typedef struct
{
  GtxScope *scope;
  GObject *object;              /* of the scope; NULL: it has none, or that is disposed */
  GDestroyNotify func;          /* NULL: was called */
  gpointer data;
} Ending;

static void
call (Ending *self)
{
  GDestroyNotify func = self->func;

  self->func = NULL;
  if (func)
    func (self->data);
}

/* The task fails only if it could not begin. */
static void
on_task_done (gpointer task,
              gpointer ending)
{
  gtx_future_forgive_error (task);
}

/* Frees the data of the done callback, which goes even if the main context ends before the task. */
static void
ending_free (gpointer data)
{
  Ending *self = data;

  call (self);
  g_object_unref (self->scope);
  g_clear_object (&self->object);
  g_free (self);
}

static void
tell_what_is_left (Ending *self)
{
  g_autofree char *owner = self->object ? g_strdup_printf ("of %s %p ", G_OBJECT_TYPE_NAME (self->object),
                                                          (gpointer) self->object)
                                        : g_strdup ("");
  guint n_tasks = gtx_scope_get_n_tasks (self->scope);

  gtx_scheduler_log_tasks (gtx_scope_get_home (self->scope), G_LOG_LEVEL_WARNING,
                           "The scope %swas closed two seconds ago, and %u of its tasks ha%s not ended",
                           owner, n_tasks, n_tasks == 1 ? "s" : "ve");
}

/* Others, such as an application that quits, may cancel this task meanwhile, but it waits on. */
static gboolean
wait_for_end (Ending  *self,
              GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (!gtx_call_with_timeout (GTX_PATIENCE, gtx_scope_join, self->scope, &failure) &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    tell_what_is_left (self);
  do
    g_clear_error (&failure);
  while (!gtx_scope_join (self->scope, &failure) && gtx_error_is_cancelled (failure));
  call (self);
  return TRUE;
}

/**
 * gtx_scope_close_then:
 * @self: a #GtxScope
 * @func: (scope async): what to call when the last task has ended
 * @data: (closure): the data of @func
 *
 * Closes the scope as gtx_scope_close() does, and calls a function when its last task has ended: a
 * window that is hidden is destroyed so.
 *
 * |[<!-- language="C" -->
 * gtk_widget_set_visible (GTK_WIDGET (window), FALSE);
 * gtx_scope_close_then (gtx_object_get_scope (window), (GDestroyNotify) gtk_window_destroy, window);
 * ]|
 *
 * The function is called in a task, in a later turn of the main loop, even if there is no task to
 * wait for.  If the main context goes away first, the function is called then, outside of all tasks.
 * The object of the scope, unless it is disposed already, is kept until then.  After two seconds a
 * warning names the tasks that have not ended, and what they wait for.  Never suspends; to be called
 * in the thread of the scope's main context.
 *
 * Since: 0.1
 */
void
gtx_scope_close_then (GtxScope       *self,
                      GDestroyNotify  func,
                      gpointer        data)
{
  Ending *ending;
  GtxTask *task;

  g_return_if_fail (GTX_IS_SCOPE (self));
  g_return_if_fail (func != NULL);

  if (gtx_scope_is_foreign (self, G_STRFUNC))
    return;
  gtx_scope_close (self);
  ending = g_new (Ending, 1);
  *ending = (Ending) {
    g_object_ref (self), gtx_scope_dup_object (self), func, data
  };
  task = gtx_task_new_named ("gtx_scope_close_then", (GtxCoroutine) wait_for_end, ending, NULL);
  task->begins_cancelled = TRUE;
  gtx_future_call_back (&task->parent_instance, on_task_done, ending, ending_free, NULL);
  g_object_unref (gtx_task_start (task));
}
