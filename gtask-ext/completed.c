/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for somebody else's GTask. */

#include "config.h"

#include "gtask-ext/operation.h"

#include "task-private.h"

/* Shared by the waiting task and the signal handler, which may run in another
 * thread.  The waiter is of the home thread, and NULL when nobody waits. */
typedef struct
{
  GtxScheduler *home;
  GtxWaiter *waiter;
} Completion;

static void
completion_clear (gpointer data)
{
  gtx_scheduler_unref (((Completion *) data)->home);
}

static void
completion_unref (gpointer  data,
                  GClosure *closure)
{
  (void) closure;
  g_atomic_rc_box_release_full (data, completion_clear);
}

static void
wake (gpointer data)
{
  Completion *completion = data;

  if (completion->waiter)
    gtx_waiter_wake (completion->waiter);
  completion_unref (completion, NULL);
}

static void
on_completed (GTask      *task,
              GParamSpec *pspec,
              Completion *completion)
{
  (void) task;
  (void) pspec;
  g_atomic_rc_box_acquire (completion);
  if (gtx_scheduler_is_local (completion->home))
    wake (completion);
  else if (!gtx_scheduler_post (completion->home, wake, completion))
    completion_unref (completion, NULL);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  (void) waiter;
  g_string_append (text, "a GTask to complete");
}

static const GtxWaiterKind completion_kind = { gtx_waiter_cancel, describe, NULL };

static gboolean
wait_for_completion (GtxTask *current,
                     GTask   *task)
{
  Completion *completion = g_atomic_rc_box_new0 (Completion);
  GtxScheduler *home = current->parent_instance.home;
  gboolean completed = TRUE;
  GtxWaiter waiter;
  gulong handler;

  gtx_waiter_init (&waiter, current, &completion_kind);
  completion->home = gtx_scheduler_ref (home);
  completion->waiter = &waiter;
  handler = g_signal_connect_data (task, "notify::completed", G_CALLBACK (on_completed),
                                   g_atomic_rc_box_acquire (completion), completion_unref, 0);

  if (!g_task_get_completed (task))
    {
      gtx_scheduler_hold (home);
      completed = gtx_waiter_wait (&waiter);
      gtx_scheduler_release (home);
    }

  completion->waiter = NULL;
  g_signal_handler_disconnect (task, handler);
  completion_unref (completion, NULL);
  return completed;
}

/**
 * gtx_await_completed:
 * @task: a #GTask
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until somebody else's #GTask has completed, and
 * does not touch its result.
 *
 * When the current task is cancelled the waiting ends at once; @task goes on.
 * Sets %G_IO_ERROR_CANCELLED then, and %GTX_ERROR_NOT_IN_TASK outside a task.
 * The context of @task may be another.
 *
 * Returns: %TRUE when @task has completed, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_completed (GTask   *task,
                     GError **error)
{
  GtxTask *current = gtx_task_begin_await (G_STRFUNC, error);
  gboolean completed;

  g_return_val_if_fail (G_IS_TASK (task), FALSE);
  if (current == NULL)
    return FALSE;
  if (g_task_get_completed (task))
    return TRUE;

  g_object_ref (task);
  completed = wait_for_completion (current, task);
  g_object_unref (task);
  if (!completed)
    gtx_set_cancelled_error (error);
  return completed;
}
