/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shielded calls under way when gtx_run() or a program ends. */

#include "fixture.h"

static gboolean
sleep_and_say (double *seconds, GError **error)
{
  gboolean slept = gtx_sleep (*seconds, error);

  note (slept ? "clean" : "disturbed");
  return slept;
}

/* Awaits another task, and a group's, which are part of the clean-up. */
static gboolean
clean_up_with_others (double *seconds, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_say, seconds, NULL);

  if (!gtx_await (task, error))
    return FALSE;
  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_say, seconds, NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

static gpointer
go_on_as_it_was (gpointer future, gpointer data)
{
  return NULL;
}

static gboolean
await_task (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

/* Awaits a task by way of a continuation, and one that runs inside another. */
static gboolean
clean_up_behind (double *seconds, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_say, seconds, NULL);
  g_autoptr (GtxFuture) continuation = gtx_future_then (task, go_on_as_it_was, NULL, NULL);
  g_autoptr (GtxTask) inside = gtx_task_new (sleep_and_say, seconds, NULL);
  g_autoptr (GtxTask) runner = NULL;

  if (!gtx_await (continuation, error))
    return FALSE;
  runner = gtx_create_task (await_task, inside, NULL);
  return gtx_sleep (0, error) && gtx_await (inside, error);
}

static double seconds = 1;
static gboolean is_cancelled;

typedef gboolean (*CleanUp) (double *seconds, GError **error);

static CleanUp alone = sleep_and_say;
static CleanUp with_others = clean_up_with_others;
static CleanUp behind = clean_up_behind;

static gboolean
call_shielded (CleanUp *clean_up, GError **error)
{
  gboolean cleaned = gtx_call_shielded_named (50, "clean_up", (GtxCoroutine) *clean_up, &seconds, error);
  g_autoptr (GError) failure = NULL;

  g_assert_true (cleaned);
  is_cancelled = !gtx_sleep (0, &failure);
  if (is_cancelled)
    assert_cancelled (failure);
  return cleaned;
}

static gboolean
end_in_call (CleanUp *clean_up, GError **error)
{
  g_object_unref (gtx_create_task (call_shielded, clean_up, NULL));
  return gtx_sleep (0.5, error);
}

/* The end waits for the call, cancels the task that has made it, and nobody below. */
static void
assert_left_alone (CleanUp *clean_up, const char *expected)
{
  g_autoptr (GError) error = NULL;

  trace = g_string_new (NULL);
  is_cancelled = FALSE;
  g_assert_true (gtx_test_run (end_in_call, clean_up, &error));
  g_assert_no_error (error);
  assert_trace (expected);
  g_assert_true (is_cancelled);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static void
test_run (void)
{
  assert_left_alone (&alone, "clean");
}

static void
test_run_others (void)
{
  assert_left_alone (&with_others, "clean clean");
}

static void
test_run_behind (void)
{
  assert_left_alone (&behind, "clean clean");
}

static gboolean
work (gpointer data, GError **error)
{
  if (!gtx_sleep (100, NULL))
    gtx_call_shielded (50, sleep_and_say, &seconds, NULL);
  return TRUE;
}

static gboolean
start_work (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (work, NULL, NULL));
  return gtx_sleep (0.5, error);
}

/* The task makes the call in the clean-up to which the end itself has led. */
static void
test_clean_up (void)
{
  trace = g_string_new (NULL);
  g_assert_true (gtx_test_run (start_work, NULL, NULL));
  assert_trace ("clean");
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static gboolean
call_with_limit (gpointer data, GError **error)
{
  double forever = GTX_FOREVER;
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (30, sleep_and_say, &forever, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
}

static gboolean
end_in_call_with_limit (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (call_with_limit, NULL, NULL));
  return gtx_sleep (0.5, error);
}

/* The limit ends a call that would not. */
static void
test_limit (void)
{
  trace = g_string_new (NULL);
  g_assert_true (gtx_test_run (end_in_call_with_limit, NULL, NULL));
  assert_trace ("disturbed");
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- gtx_cancel_all() ---- */

static gboolean
is_told (gpointer data)
{
  gtx_event_set (data);
  return G_SOURCE_REMOVE;
}

static gboolean
wait_and_say (GtxEvent *event, GError **error)
{
  gboolean waited = gtx_event_wait (event, error);

  note (waited ? "clean" : "disturbed");
  return waited;
}

static gboolean
wait_shielded (GtxEvent *event, GError **error)
{
  return gtx_call_shielded (GTX_FOREVER, wait_and_say, event, error);
}

/* The tasks that are left are told, and cancelled once more, after two seconds. */
static void
test_cancel_all (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) task = gtx_create_task (wait_shielded, event, NULL);

  trace = g_string_new (NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  gtx_cancel (task);
  g_timeout_add (2500, is_told, event);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING,
                         "gtx_cancel_all() has waited for two seconds*wait_shielded*");
  gtx_cancel_all ();
  g_test_assert_expected_messages ();
  assert_trace ("clean");
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 2);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- A main loop in a task ---- */

static GMainLoop *dialog;

static void
close_dialog (GCancellable *cancellable, gpointer data)
{
  g_main_loop_quit (dialog);
}

static gboolean
show_dialog (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  dialog = loop;
  g_signal_connect (gtx_task_get_cancellable (gtx_current_task ()), "cancelled", G_CALLBACK (close_dialog), NULL);
  g_main_loop_run (loop);
  return gtx_sleep (0, error);
}

static gboolean
end_below_dialog (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (call_shielded, &alone, NULL));
  g_object_unref (gtx_create_task (show_dialog, NULL, NULL));
  return gtx_sleep (0.01, error);
}

/* The run ends while a task runs a main loop, and cancels all tasks before that loop has ended. */
static void
test_dialog (void)
{
  trace = g_string_new (NULL);
  seconds = 0.05;
  is_cancelled = FALSE;
  g_assert_true (gtx_run (end_below_dialog, NULL, NULL));
  assert_trace ("clean");
  g_assert_true (is_cancelled);
  seconds = 1;
  g_string_free (g_steal_pointer (&trace), TRUE);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shielded-end/run", test_run);
  g_test_add_func ("/shielded-end/run/others", test_run_others);
  g_test_add_func ("/shielded-end/run/behind", test_run_behind);
  g_test_add_func ("/shielded-end/clean-up", test_clean_up);
  g_test_add_func ("/shielded-end/limit", test_limit);
  g_test_add_func ("/shielded-end/cancel-all", test_cancel_all);
  g_test_add_func ("/shielded-end/dialog", test_dialog);
  return g_test_run ();
}
