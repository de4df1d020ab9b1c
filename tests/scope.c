/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tasks that belong to an object, and the events that end them. */

#include "object-job.h"

static gboolean
sleep_for_job (Job *self, GError **error)
{
  note ("begun");
  if (!gtx_sleep (1, error))
    {
      note ("cancelled");
      return FALSE;
    }
  note ("done");
  return TRUE;
}

static gboolean
fail_for_job (Job *self, GError **error)
{
  return fail ("no", error);
}

static void
on_failed (GtxScope *scope, GError *error, GtxTask *task, gpointer data)
{
  note (error->message);
  g_assert_true (gtx_future_is_done (task));
}

/* ---- Tasks ---- */

static gboolean
test_keeps (gpointer data, GError **error)
{
  Job *job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  gpointer gone = job;

  g_object_add_weak_pointer (G_OBJECT (job), &gone);
  g_assert_true (scope == gtx_object_get_scope (job));
  gtx_object_create_task (job, sleep_for_job);
  g_assert_cmpuint (gtx_scope_get_n_tasks (scope), ==, 1);
  g_object_unref (job);
  g_assert_nonnull (gone);
  g_assert_true (gtx_sleep (2, error));
  assert_trace ("begun done");
  g_assert_null (gone);
  return TRUE;
}

static gboolean
test_own_data (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  gtx_scope_create_task (scope, sleep_and_note, g_strdup ("10:x"), count_free);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("x");
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_cmpuint (gtx_scope_get_n_tasks (scope), ==, 0);
  return gtx_scope_join (scope, error);
}

static void
on_n_tasks (GtxScope *scope, GParamSpec *pspec, gpointer data)
{
  g_autofree char *n = g_strdup_printf ("%u", gtx_scope_get_n_tasks (scope));

  note (n);
}

/* The number may be bound to a boolean property, such as that of a spinner. */
static gboolean
test_notifies (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GSimpleAction) spinner = action_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  g_object_bind_property (scope, "n-tasks", spinner, "enabled", G_BINDING_SYNC_CREATE);
  g_signal_connect (scope, "notify::n-tasks", G_CALLBACK (on_n_tasks), NULL);
  g_assert_false (g_action_get_enabled (G_ACTION (spinner)));
  gtx_scope_create_task (scope, sleep_long, NULL, NULL);
  gtx_scope_create_task (scope, note_and_return, "x", NULL);
  g_assert_true (g_action_get_enabled (G_ACTION (spinner)));
  g_assert_true (gtx_scope_join (scope, error));
  g_assert_false (g_action_get_enabled (G_ACTION (spinner)));
  assert_trace ("1 2 x 1 0");
  return TRUE;
}

static gboolean
test_other_context (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  g_main_context_push_thread_default (context);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*another main context cannot belong to a scope*");
  g_assert_null (gtx_scope_create_task (scope, sleep_long, NULL, NULL));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_scope_cancel()*not the thread-default*");
  gtx_scope_cancel (scope);
  g_test_assert_expected_messages ();
  g_main_context_pop_thread_default (context);
  g_assert_cmpuint (gtx_scope_get_n_tasks (scope), ==, 0);
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
fail_in_group (gpointer cancelled, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail, "in a group", NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_errors (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  g_signal_connect (scope, "failed", G_CALLBACK (on_failed), NULL);
  gtx_object_create_task (job, fail_for_job);
  gtx_scope_create_task (scope, note_and_return, "fine", NULL);
  gtx_cancel (gtx_object_create_task (job, sleep_for_job));
  gtx_scope_create_task (scope, fail_in_group, NULL, NULL);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("fine no 1 error in a task group: in a group");
  return TRUE;
}

static gboolean
test_no_handler (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*never retrieved*no*");
  gtx_object_create_task (job, fail_for_job);
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  g_assert_true (gtx_sleep (0, error));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_is_cancelled (gpointer data, GError **error)
{
  g_autoptr (GError) cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "x");
  g_autoptr (GError) timed_out = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "x");
  g_autoptr (GError) empty = g_error_new_literal (GTX_ERROR, GTX_ERROR_GROUP, "x");
  g_autoptr (GError) group = NULL;

  g_assert_true (gtx_error_is_cancelled (cancelled));
  g_assert_false (gtx_error_is_cancelled (timed_out));
  g_assert_false (gtx_error_is_cancelled (empty));
  g_assert_false (fail_in_group (NULL, &group));
  g_assert_error (group, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_false (gtx_error_is_cancelled (group));
  g_assert_false (gtx_error_is_cancelled (NULL));
  return TRUE;
}

/* ---- The end ---- */

static gboolean
test_cancel (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  gtx_object_create_task (job, sleep_for_job);
  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_sleep (0, error));
  gtx_scope_cancel (scope);
  gtx_object_create_task (job, sleep_for_job);
  assert_trace ("begun begun");
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("cancelled cancelled begun done");
  g_assert_false (gtx_scope_is_closed (scope));
  return TRUE;
}

static gboolean
test_close (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  g_autoptr (GtxTask) late = NULL;

  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_sleep (0, error));
  gtx_scope_close (scope);
  gtx_scope_close (scope);
  g_assert_true (gtx_scope_is_closed (scope));
  late = g_object_ref (gtx_object_create_task (job, sleep_for_job));
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("begun cancelled");
  g_assert_true (gtx_future_is_cancelled (late));
  return TRUE;
}

/* The object is disposed of while the task has a reference to it. */
static gboolean
test_disposed (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_sleep (0, error));
  g_object_run_dispose (G_OBJECT (job));
  g_assert_true (gtx_scope_is_closed (scope));
  gtx_object_create_task (job, sleep_for_job);
  assert_trace ("begun");
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("cancelled");
  return TRUE;
}

/* No task has belonged to the object before. */
static gboolean
test_disposed_first (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  g_object_run_dispose (G_OBJECT (job));
  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("");
  return TRUE;
}

static gboolean
test_outlives_object (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxScope) scope = g_object_ref (gtx_object_get_scope (job));

  gtx_scope_create_task (scope, sleep_and_note, g_strdup ("10:x"), g_free);
  g_assert_true (gtx_sleep (0, error));
  g_object_unref (job);
  g_assert_true (gtx_scope_is_closed (scope));
  gtx_scope_create_task (scope, sleep_and_note, g_strdup ("10:y"), count_free);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("x!");
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_of_none (gpointer data, GError **error)
{
  g_autoptr (GtxScope) scope = g_object_new (GTX_TYPE_SCOPE, NULL);

  gtx_scope_create_task (scope, sleep_and_note, g_strdup ("10:x"), g_free);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("x");
  g_assert_false (gtx_scope_is_closed (scope));
  return TRUE;
}

/* The scope also waits for a task that another task's clean-up creates. */
static gboolean
start_in_cleanup (Job *self, GError **error)
{
  gboolean succeeded = gtx_sleep (1000, error);

  gtx_scope_create_task (gtx_object_get_scope (self), sleep_and_note, g_strdup ("10:late"), g_free);
  return succeeded;
}

static gboolean
test_join_late (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();

  gtx_object_create_task (job, start_in_cleanup);
  g_assert_true (gtx_sleep (0, error));
  gtx_scope_cancel (gtx_object_get_scope (job));
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  assert_trace ("late");
  return TRUE;
}

static gboolean
join (GtxScope *scope, GError **error)
{
  return gtx_scope_join (scope, error);
}

static gboolean
join_own (Job *self, GError **error)
{
  return gtx_scope_join (gtx_object_get_scope (self), error);
}

static gboolean
test_join_cancelled (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) joins = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_object_create_task (job, sleep_for_job);
  joins = gtx_create_task (join, gtx_object_get_scope (job), NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (joins);
  g_assert_false (gtx_await (joins, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  assert_trace ("begun done");
  return TRUE;
}

static gboolean
test_join_itself (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = g_object_ref (gtx_object_create_task (job, join_own));
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  return TRUE;
}

static gpointer
join_in_thread (gpointer scope)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GError *failure = NULL;

  g_main_context_push_thread_default (context);
  g_assert_false (gtx_run (join, (GtxScope *) scope, &failure));
  g_main_context_pop_thread_default (context);
  return failure;
}

/* A task of another main context cannot join, even if it is the first one. */
static gboolean
test_join_elsewhere (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  g_autoptr (GError) failure = g_thread_join (g_thread_new ("other", join_in_thread, scope));

  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return gtx_scope_join (scope, error);
}

/* An object that survives its last reference is used like a new one. */
static gboolean
test_revived (gpointer data, GError **error)
{
  Job *job = job_new ();

  gtx_object_get_scope (job);
  job->stays = TRUE;
  g_object_unref (job);
  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  assert_trace ("begun done");
  g_object_unref (job);
  return TRUE;
}

static void
test_join_outside (void)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_scope_join (gtx_object_get_scope (job), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static void
note_word (gpointer word)
{
  note (word);
}

static gboolean
test_close_then (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  gtx_object_create_task (job, sleep_for_job);
  g_assert_true (gtx_sleep (0, error));
  gtx_scope_close_then (scope, note_word, (gpointer) "ended");
  assert_trace ("begun");
  g_assert_true (gtx_sleep (0.1, error));
  assert_trace ("cancelled ended");
  gtx_scope_close_then (scope, note_word, (gpointer) "again");
  assert_trace ("");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("again");
  return TRUE;
}

static void
note_job (gpointer job)
{
  g_assert_true (G_TYPE_CHECK_INSTANCE_TYPE (job, job_get_type ()));
  note ("job");
}

/* The object still exists when the function is called, although no other code has a reference. */
static gboolean
test_close_then_dropped (gpointer data, GError **error)
{
  Job *job = job_new ();
  gpointer gone = job;

  g_object_add_weak_pointer (G_OBJECT (job), &gone);
  gtx_scope_close_then (gtx_object_get_scope (job), note_job, job);
  g_object_unref (job);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("job");
  g_assert_null (gone);
  return TRUE;
}

static gboolean
clean_up_slowly (Job *self, GError **error)
{
  gboolean succeeded = gtx_sleep (1000, error);

  gtx_sleep (3, NULL);
  return succeeded;
}

/* A task that takes longer than two seconds is named in a warning.  A request to all tasks does not
 * end the wait. */
static gboolean
test_close_then_slowly (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GPtrArray) tasks = NULL;

  gtx_object_create_task (job, clean_up_slowly);
  g_assert_true (gtx_sleep (0, error));
  gtx_scope_close_then (gtx_object_get_scope (job), note_word, (gpointer) "ended");
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*closed two seconds ago*1 of its tasks has*clean_up_slowly*");
  g_assert_true (gtx_sleep (2.5, error));
  g_test_assert_expected_messages ();
  tasks = gtx_all_tasks ();
  for (guint i = 0; i < tasks->len; i++)
    if (g_str_equal (gtx_task_get_function (tasks->pdata[i]), "gtx_scope_close_then"))
      gtx_cancel (tasks->pdata[i]);
  assert_trace ("");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("ended");
  return TRUE;
}

static gboolean
join_job (Job *job, GError **error)
{
  return gtx_scope_join (gtx_object_get_scope (job), error);
}

/* Many tasks wait for a scope of many tasks. */
static gboolean
test_join_many (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GPtrArray) waiting = g_ptr_array_new_with_free_func (g_object_unref);

  guint n = UNDER_ASAN || UNDER_TSAN || UNDER_EMULATOR || RUNNING_ON_VALGRIND ? 500 : 20000;

  for (guint i = 0; i < n; i++)
    {
      gtx_scope_create_task (gtx_object_get_scope (job), sleep_long, NULL, NULL);
      g_ptr_array_add (waiting, gtx_create_task (join_job, job, NULL));
    }
  return gtx_gather (waiting, GTX_GATHER_NONE, error) && gtx_scope_get_n_tasks (gtx_object_get_scope (job)) == 0;
}

/* All tasks are cancelled before the task that waits for the end has begun. */
static void
test_close_then_cancelled_first (void)
{
  Job *job = job_new ();
  gpointer gone = job;

  trace = g_string_new (NULL);
  g_object_add_weak_pointer (G_OBJECT (job), &gone);
  gtx_object_create_task (job, clean_up_slowly);
  gtx_scope_close_then (gtx_object_get_scope (job), note_job, job);
  g_object_unref (job);
  gtx_cancel_all ();
  assert_trace ("job");
  g_assert_null (gone);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/scope/keeps", test_keeps);
  add_coroutine ("/scope/own-data", test_own_data);
  add_coroutine ("/scope/notifies", test_notifies);
  add_coroutine ("/scope/other-context", test_other_context);
  add_coroutine ("/scope/errors", test_errors);
  add_coroutine ("/scope/no-handler", test_no_handler);
  add_coroutine ("/scope/is-cancelled", test_is_cancelled);
  add_coroutine ("/scope/cancel", test_cancel);
  add_coroutine ("/scope/close", test_close);
  add_coroutine ("/scope/close-then", test_close_then);
  add_coroutine ("/scope/close-then/dropped", test_close_then_dropped);
  add_coroutine ("/scope/close-then/slowly", test_close_then_slowly);
  g_test_add_func ("/scope/close-then/cancelled-first", test_close_then_cancelled_first);
  add_coroutine ("/scope/disposed", test_disposed);
  add_coroutine ("/scope/disposed-first", test_disposed_first);
  add_coroutine ("/scope/outlives-object", test_outlives_object);
  add_coroutine ("/scope/of-none", test_of_none);
  add_coroutine ("/scope/join-late", test_join_late);
  add_coroutine ("/scope/join-cancelled", test_join_cancelled);
  add_coroutine ("/scope/join-many", test_join_many);
  add_coroutine ("/scope/join-itself", test_join_itself);
  add_real_coroutine ("/scope/join-elsewhere", test_join_elsewhere);
  add_coroutine ("/scope/revived", test_revived);
  g_test_add_func ("/scope/join-outside", test_join_outside);
  return g_test_run ();
}
