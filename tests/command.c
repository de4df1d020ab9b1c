/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands: their activation, their modes, and their properties and signals. */

#include "command-work.h"

static gboolean
work_plainly (Job *self, GVariant *parameter, GError **error)
{
  g_assert_null (parameter);
  note ("x");
  return gtx_sleep (1, error);
}

static gboolean
fail_if_odd (Job *self, GVariant *parameter, GError **error)
{
  if (g_variant_get_int32 (parameter) % 2 == 0)
    return TRUE;
  return fail ("odd", error);
}

/* ---- The action ---- */

static gboolean
test_action (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();
  const GVariantType *type;
  gboolean enabled;

  g_action_map_add_action (G_ACTION_MAP (group), G_ACTION (command));
  g_assert_true (g_action_group_query_action (G_ACTION_GROUP (group), "work", &enabled, &type, NULL, NULL, NULL));
  g_assert_true (enabled);
  g_assert_true (g_variant_type_equal (type, G_VARIANT_TYPE_INT32));
  g_action_group_activate_action (G_ACTION_GROUP (group), "work", g_variant_new_int32 (7));
  g_assert_true (join (job, error));
  assert_trace ("7 7.");
  return TRUE;
}

static gboolean
test_disabled (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);
  g_autoptr (GSimpleAction) button = action_new ();

  g_object_bind_property (button, "enabled", command, "enabled", G_BINDING_SYNC_CREATE);
  g_simple_action_set_enabled (button, FALSE);
  g_assert_false (g_action_get_enabled (G_ACTION (command)));
  activate (command, 1);
  gtx_command_set_enabled (command, TRUE);
  activate (command, 2);
  gtx_command_set_enabled (command, FALSE);
  g_assert_true (join (job, error));
  assert_trace ("2 2.");
  return TRUE;
}

static gboolean
test_wrong_parameter (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*parameter != NULL*");
  g_action_activate (G_ACTION (command), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*is_of_type*");
  g_action_activate (G_ACTION (command), g_variant_new_string ("1"));
  g_test_assert_expected_messages ();
  g_assert_true (join (job, error));
  assert_trace ("");
  return TRUE;
}

/* ---- Modes ---- */

static gboolean
test_drop (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);

  activate (command, 1);
  activate (command, 2);
  g_assert_true (gtx_sleep (0.5, error));
  activate (command, 3);
  g_assert_true (join (job, error));
  activate (command, 4);
  g_assert_true (join (job, error));
  assert_trace ("1 1. 4 4.");
  return TRUE;
}

static gboolean
test_restart (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_RESTART);

  activate (command, 1);
  g_assert_true (gtx_sleep (0.5, error));
  activate (command, 2);
  activate (command, 3);
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 1);
  g_assert_true (gtx_sleep (0.5, error));
  assert_trace ("1 1! 3");
  g_assert_true (join (job, error));
  assert_trace ("3.");
  return TRUE;
}

static gboolean
clean_up (Job *self, GVariant *parameter, GError **error)
{
  if (gtx_sleep (1, error))
    return TRUE;
  note (gtx_sleep (1, NULL) ? "cleaned" : "disturbed");
  return FALSE;
}

/* An activation during the clean-up does not cancel the clean-up. */
static gboolean
test_restart_clean_up (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("clean-up", NULL, clean_up, job);

  gtx_command_set_mode (command, GTX_COMMAND_RESTART);
  for (int i = 0; i < 5; i++)
    {
      g_action_activate (G_ACTION (command), NULL);
      g_assert_true (gtx_sleep (0.1, error));
    }
  gtx_command_cancel (command);
  g_assert_true (gtx_sleep (0.1, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  g_assert_true (join (job, error));
  assert_trace ("cleaned");
  return TRUE;
}

static gboolean
test_queue (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_QUEUE);

  for (int i = 1; i <= 3; i++)
    activate (command, i);
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 3);
  g_assert_true (gtx_sleep (0.5, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 2);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("1 1. 2 2. 3 3.");
  return TRUE;
}

static gboolean
test_keep_latest (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_KEEP_LATEST);

  for (int i = 1; i <= 4; i++)
    {
      activate (command, i);
      g_assert_true (gtx_sleep (0.1, error));
    }
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 1);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("1 1. 4 4.");
  return TRUE;
}

static gboolean
test_parallel (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_PARALLEL);

  gtx_command_set_limit (command, 2);
  for (int i = 1; i <= 5; i++)
    activate (command, i);
  g_assert_true (gtx_sleep (0.5, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 3);
  assert_trace ("1 2");
  gtx_command_set_limit (command, 0);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("3 4 5 1. 2. 3. 4. 5.");
  return TRUE;
}

/* ---- A delay ---- */

/* A search that begins when the user pauses needs such a delay. */
static gboolean
test_delay (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_RESTART);

  gtx_command_set_delay (command, 0.3);
  for (int i = 1; i <= 4; i++)
    {
      activate (command, i);
      g_assert_true (gtx_sleep (0.1, error));
      g_assert_false (gtx_command_is_running (command));
      g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 1);
    }
  g_assert_true (gtx_sleep (0.5, error));
  g_assert_true (gtx_command_is_running (command));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  assert_trace ("4");
  activate (command, 5);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("4! 5 5.");
  return TRUE;
}

/* ---- Notifications ---- */

static void
on_notify (GtxCommand *command, GParamSpec *pspec, gpointer data)
{
  g_autofree char *text = NULL;

  if (g_str_equal (pspec->name, "running"))
    text = g_strdup (gtx_command_is_running (command) ? "running" : "idle");
  else if (g_str_equal (pspec->name, "n-waiting"))
    text = g_strdup_printf ("waiting=%u", gtx_command_get_n_waiting (command));
  else if (g_str_equal (pspec->name, "last-error"))
    text = g_strdup (gtx_command_get_last_error (command) ? "error" : "no-error");
  if (text)
    note (text);
}

static gboolean
test_notifies (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_QUEUE);

  g_signal_connect (command, "notify", G_CALLBACK (on_notify), NULL);
  activate (command, 1);
  activate (command, 2);
  assert_trace ("waiting=1 waiting=2");
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("running waiting=1 1 1. idle running waiting=0 2 2. idle");
  return TRUE;
}

static void
on_failed (GtxScope *scope, GError *error, GtxTask *task, gpointer data)
{
  note (error->message);
}

static gboolean
test_last_error (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = gtx_command_new ("odd", G_VARIANT_TYPE_INT32, fail_if_odd, job);

  g_signal_connect (command, "notify::last-error", G_CALLBACK (on_notify), NULL);
  g_signal_connect (gtx_object_get_scope (job), "failed", G_CALLBACK (on_failed), NULL);
  activate (command, 2);
  g_assert_true (gtx_sleep (1, error));
  activate (command, 1);
  g_assert_true (gtx_sleep (1, error));
  g_assert_error (gtx_command_get_last_error (command), G_IO_ERROR, G_IO_ERROR_FAILED);
  activate (command, 3);
  gtx_command_cancel (command);
  g_assert_true (gtx_sleep (1, error));
  g_assert_nonnull (gtx_command_get_last_error (command));
  activate (command, 4);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("error odd no-error");
  return TRUE;
}

/* ---- Signals ---- */

static gboolean
test_signal (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GSimpleAction *button = action_new ();
  GtxCommand *command = gtx_signal_connect_command (button, "activate", work_plainly, job);
  gpointer gone = command;

  g_object_add_weak_pointer (G_OBJECT (command), &gone);
  g_action_activate (G_ACTION (button), g_variant_new_int32 (1));
  g_action_activate (G_ACTION (button), g_variant_new_int32 (2));
  g_assert_true (join (job, error));
  assert_trace ("x");
  g_object_unref (button);
  g_assert_null (gone);
  return TRUE;
}

static gboolean
test_several_signals (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GSimpleAction) button = action_new ();
  g_autoptr (Job) other = job_new ();
  GtxCommand *command = gtx_signal_connect_command (button, "activate", work_plainly, job);
  int answer = 5;

  gtx_command_set_mode (command, GTX_COMMAND_QUEUE);
  gtx_command_connect (command, other, "finished::x");
  gtx_command_connect (command, other, "asked");
  g_signal_emit_by_name (other, "finished::y", 1);
  g_signal_emit_by_name (other, "finished::x", 1);
  g_signal_emit_by_name (other, "asked", &answer);
  g_assert_cmpint (answer, ==, 0);
  g_action_activate (G_ACTION (button), g_variant_new_int32 (1));
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("x x x");
  return TRUE;
}

/* ---- The object ---- */

static gboolean
test_object_disposed (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_QUEUE);
  gpointer gone = job;

  g_object_add_weak_pointer (G_OBJECT (job), &gone);
  activate (command, 1);
  activate (command, 2);
  g_assert_true (gtx_sleep (0.5, error));
  g_object_run_dispose (G_OBJECT (job));
  g_object_unref (job);
  activate (command, 3);
  g_assert_true (gtx_sleep (5, error));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  g_assert_null (gone);
  activate (command, 4);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("1 1!");
  return TRUE;
}

/* The last reference to the command goes while one activation runs and another waits. */
static gboolean
test_dropped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxCommand *command = command_new (job, GTX_COMMAND_QUEUE);
  gpointer gone = command;

  g_object_add_weak_pointer (G_OBJECT (command), &gone);
  activate (command, 1);
  activate (command, 2);
  g_object_unref (command);
  g_assert_true (gtx_sleep (5, error));
  assert_trace ("1 1. 2 2.");
  g_assert_null (gone);
  return TRUE;
}

static gboolean
test_scope_closed (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_RESTART);

  activate (command, 1);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_scope_close (gtx_object_get_scope (job));
  activate (command, 2);
  g_assert_true (join (job, error));
  assert_trace ("1 1!");
  g_assert_false (gtx_command_is_running (command));
  g_assert_cmpuint (gtx_command_get_n_waiting (command), ==, 0);
  return TRUE;
}

static gboolean
test_other_context (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxCommand) command = command_new (job, GTX_COMMAND_DROP);
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "g_action_activate()*not the thread-default*");
  activate (command, 1);
  g_test_assert_expected_messages ();
  g_main_context_pop_thread_default (context);
  return TRUE;
}

static gboolean
test_without_coroutine (gpointer data, GError **error)
{
  g_autoptr (GtxCommand) command = g_object_new (GTX_TYPE_COMMAND, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*has no coroutine; make it with gtx_command_new()");
  g_action_activate (G_ACTION (command), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*has no coroutine; make it with gtx_command_new()");
  gtx_command_cancel (command);
  g_test_assert_expected_messages ();
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/command/action", test_action);
  add_coroutine ("/command/disabled", test_disabled);
  add_coroutine ("/command/wrong-parameter", test_wrong_parameter);
  add_coroutine ("/command/drop", test_drop);
  add_coroutine ("/command/restart", test_restart);
  add_coroutine ("/command/restart-clean-up", test_restart_clean_up);
  add_coroutine ("/command/queue", test_queue);
  add_coroutine ("/command/keep-latest", test_keep_latest);
  add_coroutine ("/command/parallel", test_parallel);
  add_coroutine ("/command/delay", test_delay);
  add_coroutine ("/command/notifies", test_notifies);
  add_coroutine ("/command/last-error", test_last_error);
  add_coroutine ("/command/signal", test_signal);
  add_coroutine ("/command/several-signals", test_several_signals);
  add_coroutine ("/command/object-disposed", test_object_disposed);
  add_coroutine ("/command/dropped", test_dropped);
  add_coroutine ("/command/scope-closed", test_scope_closed);
  add_coroutine ("/command/other-context", test_other_context);
  add_coroutine ("/command/without-coroutine", test_without_coroutine);
  return g_test_run ();
}
