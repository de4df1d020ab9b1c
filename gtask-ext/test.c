/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time, for tests. */

#include "config.h"

#include "gtask-ext/test.h"

#include "run-private.h"
#include "task-private.h"

static void
report_deadlock (gpointer data)
{
  g_autoptr (GPtrArray) tasks = gtx_scheduler_list_tasks (data);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < tasks->len; i++)
    {
      GtxTask *task = g_ptr_array_index (tasks, i);

      g_string_append_printf (names, "%s%s (%s)", i > 0 ? ", " : "", gtx_task_get_name (task),
                              gtx_task_get_function (task));
    }
  g_error ("Deadlock: nothing is ready, no timer is left, and these tasks wait for ever: %s", names->str);
}

/**
 * gtx_test_run_named: (skip)
 * @name: the name of @coroutine, for messages
 * @coroutine: (scope call): a boolean coroutine
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Runs @coroutine in virtual time: the function behind gtx_test_run(), which
 * see.
 *
 * Returns: %TRUE if the coroutine succeeded
 *
 * Since: 0.1
 */
gboolean
gtx_test_run_named (const char    *name,
                    GtxCoroutine   coroutine,
                    gpointer       data,
                    GError       **error)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  gboolean succeeded;

  g_return_val_if_fail (coroutine != NULL, FALSE);

  if (!gtx_run_may_begin (scheduler, context, error))
    return FALSE;
  gtx_scheduler_set_virtual (scheduler, report_deadlock, scheduler);
  succeeded = gtx_run_on (scheduler, context, name, coroutine, data, error);
  gtx_scheduler_set_real (scheduler);
  return succeeded;
}

/**
 * gtx_test_get_time:
 *
 * Tells the time by which sleeps are measured, in seconds: virtual time in
 * gtx_test_run(), else the monotonic clock's.  Never suspends; to be called in
 * the thread that runs the thread-default main context.
 *
 * Returns: the time in seconds
 *
 * Since: 0.1
 */
double
gtx_test_get_time (void)
{
  return gtx_scheduler_get_time (gtx_scheduler_get ()) / 1e6;
}
