/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time, for tests. */

#include "config.h"

#include "gtask-ext/test.h"

#include "run-private.h"
#include "task-private.h"

static void
report_deadlock (gpointer data)
{
  g_autoptr (GString) tasks = g_string_new (NULL);

  gtx_scheduler_describe_tasks (data, tasks);
  g_error ("Deadlock: nothing is ready, no timer is left, and these tasks wait for ever:\n%s", tasks->str);
}

/**
 * gtx_test_run_named: (skip)
 * @name: the name of @coroutine, for messages: static or interned, it is
 *   kept as it is
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

typedef struct
{
  const char *name;
  GtxCoroutine coroutine;
} Test;

static void
run_test (gconstpointer data)
{
  const Test *test = data;
  g_autoptr (GError) error = NULL;

  if (!gtx_test_run_named (test->name, test->coroutine, NULL, &error))
    g_test_fail_printf ("%s failed: %s", test->name, error->message);
}

/**
 * gtx_test_add_func_named: (skip)
 * @path: the path of the test
 * @name: the name of @coroutine, for messages
 * @coroutine: (scope forever): a boolean coroutine, called with %NULL
 *
 * Registers a test: the function behind gtx_test_add_func(), which see.
 *
 * Since: 0.1
 */
void
gtx_test_add_func_named (const char   *path,
                         const char   *name,
                         GtxCoroutine  coroutine)
{
  /* GLib frees the data of a test only when it has run it. */
  static GSList *tests;
  Test *test;

  g_return_if_fail (path != NULL && coroutine != NULL);

  test = g_new (Test, 1);
  test->name = g_intern_string (name);
  test->coroutine = coroutine;
  tests = g_slist_prepend (tests, test);
  g_test_add_data_func (path, test, run_test);
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
  GtxScheduler *scheduler = gtx_scheduler_get ();
  GtxVisit visit = gtx_scheduler_enter_home (scheduler, G_STRFUNC);
  gint64 time;

  if (visit == GTX_ELSEWHERE)
    return g_get_monotonic_time () / 1e6;
  time = gtx_scheduler_get_time (scheduler);
  gtx_scheduler_leave (scheduler, visit);
  return time / 1e6;
}
