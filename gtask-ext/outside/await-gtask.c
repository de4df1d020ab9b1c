/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for a GTask of other code. */

#include "gtask-ext/operation.h"

#include "outside/emission.h"

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append (text, "a GTask to complete");
}

static const GtxWaiterKind completion_kind = { "GTask", gtx_waiter_cancel, describe, NULL, NULL };

/* @task may complete in another thread. */
static GtxEmissionOutcome
wait_for_completion (GtxTask *current,
                     GTask   *task,
                     GError **error)
{
  GtxScheduler *home = current->parent_instance.home;
  GtxEmissionOutcome outcome = GTX_EMISSION_EMITTED;
  g_autoptr (GArray) arguments = NULL;
  GtxEmissionWait wait = { current, NULL };
  GtxEmission *emission = gtx_emission_listen (home, G_OBJECT (task), g_signal_lookup ("notify", G_TYPE_OBJECT),
                                               g_quark_from_static_string ("completed"), FALSE,
                                               gtx_emission_wake, &wait);

  if (emission == NULL)
    return g_task_get_completed (task) ? GTX_EMISSION_EMITTED : GTX_EMISSION_GONE;
  if (!g_task_get_completed (task))
    {
      gtx_scheduler_hold (home);
      outcome = gtx_emission_wait (emission, &wait, &completion_kind, &arguments, error);
      gtx_scheduler_release (home);
    }
  gtx_emission_leave (emission);
  return outcome;
}

/**
 * gtx_await_gtask:
 * @task: a #GTask
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a #GTask of other code has completed, and does not
 * touch its result.
 *
 * When the current task is cancelled, the wait ends at once, with %G_IO_ERROR_CANCELLED;
 * @task goes on.  Sets %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_OBJECT_GONE
 * if other code disposes of @task by g_object_run_dispose().  @task may belong to another
 * main context, and complete in another thread.
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
  GtxEmissionOutcome outcome;

  g_return_val_if_fail (G_IS_TASK (task), FALSE);
  if (current == NULL)
    return FALSE;
  if (g_task_get_completed (task))
    return TRUE;

  g_object_ref (task);
  outcome = wait_for_completion (current, task, error);
  g_object_unref (task);
  return gtx_emission_propagate (current, outcome, error);
}
