/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that change, or are activated, in the middle of other changes. */

#include "command-work.h"

static void
cancel_on_notify (GtxScope *scope, GParamSpec *pspec, GtxCommand *command)
{
  if (gtx_scope_get_n_tasks (scope) > 0)
    gtx_command_cancel (command);
}

static gboolean
test_cancelled_at_once (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);
  gulong handler = g_signal_connect (gtx_object_get_scope (job), "notify::n-tasks",
                                     G_CALLBACK (cancel_on_notify), command);

  activate (command, 1);
  g_assert_true (join (job, error));
  assert_trace ("");
  g_signal_handler_disconnect (gtx_object_get_scope (job), handler);
  activate (command, 2);
  g_assert_true (join (job, error));
  assert_trace ("2 2.");
  return TRUE;
}

static gboolean
test_mode_changed (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_QUEUE);

  for (int i = 1; i <= 3; i++)
    activate (command, i);
  gtx_command_set_mode (command, GTX_COMMAND_PARALLEL);
  g_assert_true (gtx_sleep (0.5, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  g_assert_true (join (job, error));
  assert_trace ("1 2 3 1. 2. 3.");
  return TRUE;
}

static gpointer
activate_in_thread (gpointer command)
{
  activate (command, 1);
  return NULL;
}

static gboolean
test_other_thread (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "g_action_activate()*in a thread that does not run*");
  g_thread_join (g_thread_new ("other", activate_in_thread, command));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  return TRUE;
}

static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  Job *job = job_new ();
  GtxCommand *command;

  g_main_context_push_thread_default (context);
  command = command_new (job, GTX_COMMAND_QUEUE);
  activate (command, 1);
  activate (command, 2);
  g_assert_cmpuint (gtx_scope_get_n_tasks (gtx_object_get_scope (job)), ==, 1);
  g_main_context_pop_thread_default (context);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*never retrieved*its main context is gone");
  g_main_context_unref (context);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (gtx_scope_get_n_tasks (gtx_object_get_scope (job)), ==, 0);
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  g_object_unref (command);
  g_object_unref (job);
}

static guint n_tries;

static gboolean
fail_twice (Job *self, GVariant *parameter, GError **error)
{
  return ++n_tries > 2 || fail ("no", error);
}

static void
try_again (GtxScope *scope, GError *error, GtxTask *task, GtxCommand *command)
{
  g_assert_false (gtx_command_is_running (command));
  g_action_activate (G_ACTION (command), NULL);
}

/* A handler of the error activates the command again: it does not run any more. */
static gboolean
test_again_when_failed (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("x", NULL, fail_twice, job);

  n_tries = 0;
  g_signal_connect (gtx_object_get_scope (job), "failed", G_CALLBACK (try_again), command);
  g_action_activate (G_ACTION (command), NULL);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpuint (n_tries, ==, 3);
  return TRUE;
}

static gboolean
count_try (Job *self, GVariant *parameter, GError **error)
{
  n_tries++;
  return TRUE;
}

static void
let_loop_turn (void)
{
  while (g_main_context_pending (NULL))
    g_main_context_iteration (NULL, FALSE);
}

/* A handler of the number of tasks lets the main loop turn, in which the task ends. */
static void
test_loop_turns (void)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("x", NULL, count_try, job);

  n_tries = 0;
  g_signal_connect (gtx_object_get_scope (job), "notify::n-tasks", G_CALLBACK (let_loop_turn), NULL);
  for (guint i = 1; i <= 5; i++)
    {
      g_action_activate (G_ACTION (command), NULL);
      let_loop_turn ();
      g_assert_cmpuint (n_tries, ==, i);
      g_assert_false (gtx_command_is_running (command));
    }
}

/* The command of an object that its dispose () has kept works again when the object is used again. */
static gboolean
test_revived (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);

  job->stays = TRUE;
  g_object_unref (job);
  gtx_object_get_scope (job);
  activate (command, 1);
  g_assert_true (join (job, error));
  assert_trace ("1 1.");
  g_object_unref (job);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/command-changes/cancelled-at-once", test_cancelled_at_once);
  add_coroutine ("/command-changes/mode-changed", test_mode_changed);
  add_coroutine ("/command-changes/again-when-failed", test_again_when_failed);
  g_test_add_func ("/command-changes/loop-turns", test_loop_turns);
  add_coroutine ("/command-changes/revived", test_revived);
  add_real_coroutine ("/command-changes/other-thread", test_other_thread);
  g_test_add_func ("/command-changes/context-gone", test_context_gone);
  return g_test_run ();
}
