/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scopes whose tasks were cancelled before, or whose handlers let the main loop turn. */

#include "object-job.h"

/* Notes each request; goes on as often as the number says, and then cleans up for a second. */
static gboolean
go_on_when_cancelled (guint *n_times, GError **error)
{
  while (!gtx_sleep (1000, error))
    {
      note ("cancelled");
      if ((*n_times)-- == 0)
        break;
      g_clear_error (error);
    }
  note (gtx_sleep (1, NULL) ? "cleaned" : "cut-short");
  return FALSE;
}

/* A task that cleans up already is not cancelled again by the end of its scope. */
static gboolean
test_clean_up (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  guint n_times = 0;
  GtxTask *task = gtx_scope_create_task (scope, go_on_when_cancelled, &n_times, NULL);

  g_assert_true (gtx_sleep (0.1, error));
  gtx_cancel (task);
  g_assert_true (gtx_sleep (0.1, error));
  gtx_scope_cancel (scope);
  gtx_scope_close (scope);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("cancelled cleaned");
  return TRUE;
}

/* A task that has taken an earlier request for less than its end is cancelled two seconds later,
 * once. */
static gboolean
test_goes_on (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  guint n_times = 1;
  double before;

  gtx_scope_create_task (scope, go_on_when_cancelled, &n_times, NULL);
  g_assert_true (gtx_sleep (0.1, error));
  gtx_scope_cancel (scope);
  g_assert_true (gtx_sleep (0.1, error));
  assert_trace ("cancelled");
  before = gtx_get_time ();
  for (guint i = 0; i < 3; i++)
    gtx_scope_cancel (scope);
  gtx_scope_close (scope);
  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("cancelled cleaned");
  g_assert_cmpfloat_with_epsilon (gtx_get_time () - before, 3, 0.1);
  return TRUE;
}

static gboolean
clean_up_for_long (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (1000, error));
  note (gtx_sleep (3, NULL) ? "cleaned" : "cut-short");
  return FALSE;
}

static gboolean
await_other_member (GtxTask **other, GError **error)
{
  return gtx_await (*other, error);
}

/* The clean-up of a member that another one awaits is left alone, in whichever order they were created. */
static gboolean
test_awaited_member (gpointer data, GError **error)
{
  for (int first = 0; first < 2; first++)
    {
      g_autoptr (Job) job = job_new ();
      GtxScope *scope = gtx_object_get_scope (job);
      GtxTask *awaited = NULL;

      if (first)
        awaited = gtx_scope_create_task (scope, clean_up_for_long, NULL, NULL);
      gtx_scope_create_task (scope, await_other_member, &awaited, NULL);
      if (!first)
        awaited = gtx_scope_create_task (scope, clean_up_for_long, NULL, NULL);
      g_assert_true (gtx_sleep (0.1, error));
      gtx_scope_cancel (scope);
      g_assert_true (gtx_scope_join (scope, error));
      assert_trace ("cleaned");
    }
  return TRUE;
}

/* ---- Requests of a block of the task's own ---- */

static gboolean
await_task (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

/* Waits for a task, if there is one, for a tenth of a second. */
static gboolean
time_out (GtxTask *awaited, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GtxCoroutine coroutine = awaited ? (GtxCoroutine) await_task : sleep_long;

  g_assert_false (gtx_call_with_timeout (0.1, coroutine, awaited, &failure));
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      note ("timed-out");
      return gtx_sleep (1000, error);
    }
  note ("cancelled");
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The sleep of the group's block is cancelled because a child fails after a tenth of a second. */
static gboolean
fail_soon (gpointer data, GError **error)
{
  return gtx_sleep (0.1, error) && fail ("no", error);
}

static gboolean
end_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  GError *own = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, fail_soon, NULL, NULL, NULL);
  gtx_sleep (1000, &own);
  g_assert_false (gtx_task_group_end (&group, &own, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  note (gtx_sleep (1, error) ? "went-on" : "cancelled");
  return FALSE;
}

/* The scope cancels its tasks in the round in which the request of the block is delivered, but before
 * that. */
static gboolean
test_own_request (gpointer data, GError **error)
{
  const GtxCoroutine coroutines[] = { (GtxCoroutine) time_out, end_group };

  for (guint i = 0; i < G_N_ELEMENTS (coroutines); i++)
    {
      g_autoptr (GtxScope) scope = g_object_new (GTX_TYPE_SCOPE, NULL);
      GtxTask *task = gtx_scope_start (scope, gtx_task_new_named ("own", coroutines[i], NULL, NULL));
      double before = gtx_get_time ();

      g_assert_true (gtx_sleep (0.1, error));
      while (gtx_cancelling (task) == 0)
        g_assert_true (gtx_sleep (0, error));
      assert_trace ("");
      gtx_scope_cancel (scope);
      g_assert_true (gtx_scope_join (scope, error));
      assert_trace ("cancelled");
      g_assert_cmpfloat_with_epsilon (gtx_get_time () - before, 0.1, 0.01);
    }
  return TRUE;
}

/* A task that a block's request was passed on to, and that cleans up, is not cancelled again. */
static gboolean
test_own_request_passed_on (gpointer data, GError **error)
{
  g_autoptr (GtxScope) scope = g_object_new (GTX_TYPE_SCOPE, NULL);
  guint n_times = 0;

  gtx_scope_create_task (scope, time_out, gtx_create_task (go_on_when_cancelled, &n_times, NULL), g_object_unref);
  g_assert_true (gtx_sleep (0.2, error));
  gtx_scope_cancel (scope);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("cancelled cleaned timed-out");
  g_assert_true (gtx_scope_join (scope, error));
  return TRUE;
}

/* ---- The end of the object while the scope closes ---- */

typedef void (*EndFunc) (Job *job);

static void
dispose (Job *job)
{
  g_object_run_dispose (G_OBJECT (job));
}

static gpointer
dispose_in_thread (gpointer job)
{
  dispose (job);
  return NULL;
}

static void
dispose_elsewhere (Job *job)
{
  g_thread_join (g_thread_new ("disposer", dispose_in_thread, job));
}

/* Closes a scope with a task that goes on after so many requests, and ends the object. */
static GtxScope *
end_while_closing (guint *n_times, EndFunc end)
{
  Job *job = job_new ();
  GtxScope *scope = g_object_ref (gtx_object_get_scope (job));

  gtx_scope_create_task (scope, go_on_when_cancelled, n_times, NULL);
  g_assert_true (gtx_sleep (0.1, NULL));
  gtx_scope_close (scope);
  g_assert_true (gtx_sleep (0.1, NULL));
  assert_trace ("cancelled");
  if (end)
    end (job);
  g_object_unref (job);
  return scope;
}

/* A task that cleans up is not cancelled again when the object goes. */
static gboolean
test_object_ends (gpointer data, GError **error)
{
  const EndFunc ends[] = { dispose, dispose_elsewhere, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      guint n_times = 0;
      g_autoptr (GtxScope) scope = end_while_closing (&n_times, ends[i]);

      g_assert_true (gtx_scope_join (scope, error));
      assert_trace ("cleaned");
    }
  return TRUE;
}

/* A task that went on is cancelled two seconds after the object's end, once. */
static gboolean
test_object_ends_goes_on (gpointer data, GError **error)
{
  guint n_times = 1;
  g_autoptr (GtxScope) scope = end_while_closing (&n_times, dispose);
  double before = gtx_get_time ();

  g_assert_true (gtx_scope_join (scope, error));
  assert_trace ("cancelled cleaned");
  g_assert_cmpfloat_with_epsilon (gtx_get_time () - before, 3, 0.1);
  return TRUE;
}

/* ---- Commands ---- */

static gboolean
run_command (Job *job, GVariant *parameter, GError **error)
{
  note ("begun");
  return go_on_when_cancelled (g_object_get_data (G_OBJECT (job), "times"), error);
}

/* The task of a command that is restarted. */
static gboolean
test_command_goes_on (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("x", NULL, run_command, job);
  guint n_times = 1;

  g_object_set_data (G_OBJECT (job), "times", &n_times);
  gtx_command_set_mode (command, GTX_COMMAND_RESTART);
  for (guint i = 0; i < 4; i++)
    {
      g_action_activate (G_ACTION (command), NULL);
      g_assert_true (gtx_sleep (0.1, error));
    }
  assert_trace ("begun cancelled");
  g_assert_true (gtx_sleep (3.5, error));
  assert_trace ("cancelled cleaned begun");
  gtx_scope_close (gtx_object_get_scope (job));
  n_times = 0;
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  assert_trace ("cancelled cleaned");
  return TRUE;
}

/* A task that both its command and its scope spare is cancelled again once. */
static gboolean
test_command_and_scope (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("x", NULL, run_command, job);
  guint n_times = 1;

  g_object_set_data (G_OBJECT (job), "times", &n_times);
  g_action_activate (G_ACTION (command), NULL);
  g_assert_true (gtx_sleep (0.1, error));
  gtx_command_cancel (command);
  g_assert_true (gtx_sleep (0.1, error));
  gtx_command_cancel (command);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_scope_close (gtx_object_get_scope (job));
  assert_trace ("begun cancelled");
  g_assert_true (gtx_scope_join (gtx_object_get_scope (job), error));
  assert_trace ("cancelled cleaned");
  return TRUE;
}

/* ---- Handlers ---- */

static void
let_loop_turn (void)
{
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
}

/* A handler of a member's GCancellable lets the main loop turn while the scope cancels its members. */
static void
on_cancelled (GCancellable *cancellable, gpointer thread)
{
  if (thread == g_thread_self ())
    let_loop_turn ();
}

static gboolean
end_at_once (gpointer data, GError **error)
{
  return gtx_sleep (1000, error);
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_members_end_meanwhile (void)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 5; i++)
    {
      GtxTask *task = gtx_scope_create_task (scope, end_at_once, NULL, NULL);

      g_ptr_array_add (tasks, g_object_ref (task));
      g_cancellable_connect (gtx_task_get_cancellable (task), G_CALLBACK (on_cancelled), g_thread_self (), NULL);
    }
  let_loop_turn ();
  g_thread_join (g_thread_new ("canceller", cancel_in_thread, gtx_task_get_cancellable (tasks->pdata[2])));
  gtx_scope_close (scope);
  while (gtx_scope_get_n_tasks (scope) > 0)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 5; i++)
    g_assert_true (gtx_future_is_cancelled (tasks->pdata[i]));
}

/* ---- Telling the number ---- */

static gpointer last_task;

static gboolean
end_now (gpointer data, GError **error)
{
  last_task = gtx_current_task ();
  g_object_add_weak_pointer (last_task, &last_task);
  return TRUE;
}

static void
on_n_tasks (GtxScope *scope, GParamSpec *pspec, gpointer data)
{
  let_loop_turn ();
}

/* The task that was created is lent to the caller, even if it has ended before it is returned. */
static gboolean
create_and_look (GtxScope *scope, GError **error)
{
  GtxTask *task = gtx_scope_create_task (scope, end_now, NULL, NULL);

  g_assert_nonnull (last_task);
  g_assert_true (task == last_task && gtx_future_is_done (task));
  return TRUE;
}

static void
test_ended_when_told (gconstpointer in_task)
{
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);

  g_signal_connect (scope, "notify::n-tasks", G_CALLBACK (on_n_tasks), NULL);
  if (in_task)
    g_assert_true (gtx_run (create_and_look, scope, NULL));
  else
    create_and_look (scope, NULL);
  let_loop_turn ();
  g_assert_null (last_task);
}

/* ---- Telling errors ---- */

static gboolean
fail_for_job (Job *self, GError **error)
{
  return fail ("no", error);
}

static void
on_failed (GtxScope *scope, GError *error, GtxTask *task, gpointer joining)
{
  let_loop_turn ();
  g_assert_false (gtx_future_is_done (joining));
  note ("told");
}

static gboolean
join_job (Job *job, GError **error)
{
  return gtx_scope_join (gtx_object_get_scope (job), error);
}

/* The scope is not empty while the error of its last task is told. */
static gboolean
test_join_while_told (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) joining = NULL;

  gtx_object_create_task (job, fail_for_job);
  joining = gtx_create_task (join_job, job, NULL);
  g_signal_connect (gtx_object_get_scope (job), "failed", G_CALLBACK (on_failed), joining);
  g_assert_true (gtx_await (joining, error));
  assert_trace ("told");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/scope-patience/clean-up", test_clean_up);
  add_coroutine ("/scope-patience/goes-on", test_goes_on);
  add_coroutine ("/scope-patience/awaited-member", test_awaited_member);
  add_coroutine ("/scope-patience/own-request", test_own_request);
  add_coroutine ("/scope-patience/own-request/passed-on", test_own_request_passed_on);
  add_coroutine ("/scope-patience/object-ends", test_object_ends);
  add_coroutine ("/scope-patience/object-ends/goes-on", test_object_ends_goes_on);
  add_coroutine ("/scope-patience/command-goes-on", test_command_goes_on);
  add_coroutine ("/scope-patience/command-and-scope", test_command_and_scope);
  g_test_add_func ("/scope-patience/members-end-meanwhile", test_members_end_meanwhile);
  g_test_add_data_func ("/scope-patience/ended-when-told", NULL, test_ended_when_told);
  g_test_add_data_func ("/scope-patience/ended-when-told/in-task", GINT_TO_POINTER (TRUE), test_ended_when_told);
  add_real_coroutine ("/scope-patience/join-while-told", test_join_while_told);
  return g_test_run ();
}
