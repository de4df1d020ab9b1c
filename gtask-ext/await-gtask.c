/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for somebody else's GTask. */

#include "config.h"

#include "gtask-ext/operation.h"

#include "handover.h"

static void
on_completed (GTask       *task,
              GParamSpec  *pspec,
              GtxHandover *handover)
{
  (void) task;
  (void) pspec;
  gtx_handover_wake (handover);
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
  GtxHandover *handover = gtx_handover_new (current);
  GtxScheduler *home = current->parent_instance.home;
  gboolean completed = TRUE;
  gulong handler;

  handler = g_signal_connect_data (task, "notify::completed", G_CALLBACK (on_completed),
                                   gtx_handover_ref (handover), gtx_handover_unref_closure, 0);

  if (!g_task_get_completed (task))
    {
      gtx_scheduler_hold (home);
      completed = gtx_handover_wait (handover, current, &completion_kind);
      gtx_scheduler_release (home);
    }

  g_signal_handler_disconnect (task, handler);
  gtx_handover_unref (handover);
  return completed;
}

/**
 * gtx_await_gtask:
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
gtx_await_gtask (GTask   *task,
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
