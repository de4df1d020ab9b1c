/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that wait for the signals and properties of objects: the arguments that the tasks get,
 * their order, and the handlers that stay connected. */

#include "object-job.h"

static gboolean
await_activation (GSimpleAction *action, GError **error)
{
  g_autoptr (GVariant) parameter = NULL;
  g_autofree char *what = NULL;

  if (!gtx_await_signal (action, "activate", error, &parameter))
    return FALSE;
  what = g_strdup_printf ("%d", g_variant_get_int32 (parameter));
  note (what);
  return TRUE;
}

static gboolean
test_arguments (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) a = gtx_create_task (await_activation, action, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  /* The emitter goes on before another task runs. */
  assert_trace ("");
  g_action_activate (G_ACTION (action), g_variant_new_int32 (43));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("42 42");
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  assert_trace ("");
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_task_new (await_activation, action, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (task, 5, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpfloat (gtx_get_time (), ==, 5);
  return TRUE;
}

static gboolean
test_finalized (gpointer data, GError **error)
{
  GSimpleAction *action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_unref (action);
  assert_gone (task);
  return TRUE;
}

static gboolean
test_disposed (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (action));
  assert_gone (task);
  return TRUE;
}

/* An emission before the object went away is not lost. */
static gboolean
test_emitted_then_disposed (gpointer data, GError **error)
{
  GSimpleAction *action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_action_activate (G_ACTION (action), g_variant_new_int32 (42));
  g_object_run_dispose (G_OBJECT (action));
  g_object_unref (action);
  g_assert_true (gtx_await (task, error));
  assert_trace ("42");
  return TRUE;
}

static gpointer
activate_in_thread (gpointer action)
{
  g_action_activate (action, g_variant_new_int32 (7));
  return NULL;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_activation, action, NULL);
  GThread *thread;

  g_assert_true (gtx_sleep (0, error));
  thread = g_thread_new ("emitter", activate_in_thread, action);
  g_assert_true (gtx_await (task, error));
  g_thread_join (thread);
  assert_trace ("7");
  return TRUE;
}

static gboolean
await_disabled (GSimpleAction *action, GError **error)
{
  while (g_action_get_enabled (G_ACTION (action)))
    if (!gtx_await_notify (action, "enabled", error))
      return FALSE;
  note ("disabled");
  return TRUE;
}

static gboolean
await_state_type (GSimpleAction *action, GError **error)
{
  note (gtx_await_notify (action, "state_type", error) ? "notified" : "not notified");
  return TRUE;
}

static gboolean
test_notify (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_disabled, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_notify (G_OBJECT (action), "enabled");
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_simple_action_set_enabled (action, FALSE);
  g_assert_true (gtx_await (task, error));
  assert_trace ("disabled");
  return TRUE;
}

/* The property's name has an underscore instead of a hyphen. */
static gboolean
test_notify_underscore (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_state_type, action, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_object_notify (G_OBJECT (action), "state-type");
  g_assert_true (gtx_wait_for (task, 1, error));
  assert_trace ("notified");
  return TRUE;
}

static gboolean
test_no_such (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await_signal (action, "deactivate", &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_false (gtx_await_notify (action, "colour", &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_await_signal (action, "activate", &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- Handlers and details ---- */

static gboolean
await_second (Job *job, GError **error)
{
  gboolean emitted = gtx_await_signal (job, "finished::second", error);

  note (emitted ? "second" : "second!");
  return emitted;
}

static gboolean
test_details (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) first = gtx_create_task (await_first, job, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (await_second, job, NULL);
  g_autoptr (GtxTask) any = gtx_create_task (await_finished, job, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, g_quark_from_string ("second"), 2);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, second, any, NULL));
  assert_trace ("second 2");
  g_signal_emit (job, finished, 0, 3);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_signal_emit (job, finished, g_quark_from_string ("first"), 4);
  g_assert_true (gtx_await (first, error));
  assert_trace ("first");
  g_assert_false (g_signal_has_handler_pending (job, finished, g_quark_from_string ("first"), FALSE));
  return TRUE;
}

/* The tasks are woken in the order in which they came, even if tasks in between leave. */
static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  GtxTask *tasks[6];

  for (int i = 0; i < 6; i += 2)
    {
      tasks[i] = gtx_create_task (await_finished, job, NULL);
      tasks[i + 1] = gtx_create_task (await_first, job, NULL);
    }
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (tasks[2]);
  gtx_cancel (tasks[3]);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("first!");
  g_signal_emit (job, finished, g_quark_from_string ("first"), 7);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("7 first 7 first");
  for (int i = 0; i < 6; i++)
    g_object_unref (tasks[i]);
  return TRUE;
}

static int
answer (GObject *object, gpointer value)
{
  return GPOINTER_TO_INT (value);
}

static int
ask (Job *job, const char *detail)
{
  int answered = -1;

  g_signal_emit (job, asked, detail ? g_quark_from_string (detail) : 0, &answered);
  return answered;
}

static gboolean
await_asked (Job *job, GError **error)
{
  gboolean emitted = gtx_await_signal (job, "asked::here", error);

  note (emitted ? "asked" : "asked!");
  return emitted;
}

/* A task decides the signal's return value only while it waits, and only for its detail. */
static gboolean
test_value (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_asked, job, NULL);
  g_autoptr (GtxTask) cancelled = NULL;

  g_assert_true (gtx_sleep (1, error));
  g_signal_connect (job, "asked", G_CALLBACK (answer), GINT_TO_POINTER (7));
  g_assert_cmpint (ask (job, NULL), ==, 7);
  g_assert_cmpint (ask (job, "there"), ==, 7);
  g_assert_cmpint (ask (job, "here"), ==, 0);
  g_assert_cmpint (ask (job, "here"), ==, 7);
  g_assert_true (gtx_await (task, error));

  cancelled = gtx_create_task (await_asked, job, NULL);
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (cancelled);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpint (ask (job, "here"), ==, 7);
  assert_trace ("asked asked!");
  return TRUE;
}

static void
stop_emission (GObject *object, int number, gpointer data)
{
  g_signal_stop_emission (object, finished, 0);
}

static gboolean
test_stopped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) after = NULL;
  gulong handler;

  g_assert_true (gtx_sleep (1, error));
  handler = g_signal_connect (job, "finished", G_CALLBACK (stop_emission), NULL);
  g_signal_emit (job, finished, 0, 1);
  g_assert_true (gtx_await (before, error));
  after = gtx_create_task (await_finished, job, NULL);
  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, 0, 2);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("1");
  g_signal_handler_disconnect (job, handler);
  g_signal_emit (job, finished, 0, 3);
  assert_trace ("");
  return gtx_await (after, error);
}

/* The library leaves no handler connected. */
static gboolean
test_disconnected (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GtxTask) a = gtx_create_task (await_finished, job, NULL);
      g_autoptr (GtxTask) b = gtx_create_task (await_first, job, NULL);

      g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
      g_assert_true (gtx_sleep (1, error));
      g_assert_true (g_signal_has_handler_pending (job, finished, 0, FALSE));
      gtx_cancel (a);
      g_assert_true (gtx_sleep (1, error));
      g_assert_true (g_signal_has_handler_pending (job, finished, 0, FALSE));
      if (i == 0)
        gtx_cancel (b);
      else
        g_signal_emit (job, finished, g_quark_from_string ("first"), 1);
      g_assert_true (gtx_sleep (1, error));
      g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
    }
  assert_trace ("first! first");
  return TRUE;
}

/* Other code disconnects all handlers of the object.  A task that waits from then on is woken. */
static gboolean
test_all_disconnected (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_finished, job, NULL);
  g_autoptr (GtxTask) after = gtx_task_new (await_first, job, NULL);

  g_assert_true (gtx_sleep (1, error));
  g_signal_handlers_destroy (job);
  gtx_task_start (after);
  g_assert_true (gtx_sleep (1, error));
  g_signal_emit (job, finished, g_quark_from_string ("first"), 1);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, before, after, NULL));
  assert_trace ("1 first");
  return TRUE;
}

static gboolean
await_looped (Job *job, GError **error)
{
  gboolean emitted = gtx_await_signal (job, "looped", error);

  note (emitted ? "looped" : "looped!");
  return emitted;
}

static void
on_looped (GObject *job, gpointer data)
{
  note ("handler");
}

static gboolean
emit_looped (gpointer job)
{
  g_signal_emit (job, looped, 0);
  return G_SOURCE_REMOVE;
}

/* The class handler runs the main loop, in which tasks begin to wait.  They wait for the next
 * emission. */
static gboolean
test_looped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) before = gtx_create_task (await_looped, job, NULL);
  g_autoptr (GtxTask) meanwhile = NULL;
  g_autoptr (GtxTask) too = NULL;
  gulong handler;

  handler = g_signal_connect (job, "looped", G_CALLBACK (on_looped), NULL);
  g_assert_true (gtx_sleep (0, error));
  meanwhile = gtx_create_task (await_looped, job, NULL);
  too = gtx_create_task (await_looped, job, NULL);
  emit_looped (job);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("handler looped");
  g_idle_add (emit_looped, job);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, before, meanwhile, too, NULL));
  assert_trace ("handler looped looped");
  g_signal_handler_disconnect (job, handler);
  g_assert_false (g_signal_has_handler_pending (job, looped, 0, FALSE));
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/object/signal/arguments", test_arguments);
  add_coroutine ("/object/signal/cancelled", test_cancelled);
  add_coroutine ("/object/signal/timeout", test_timeout);
  add_coroutine ("/object/signal/finalized", test_finalized);
  add_coroutine ("/object/signal/disposed", test_disposed);
  add_coroutine ("/object/signal/emitted-then-disposed", test_emitted_then_disposed);
  add_real_coroutine ("/object/signal/thread", test_thread);
  add_coroutine ("/object/signal/no-such", test_no_such);
  g_test_add_func ("/object/signal/outside", test_outside);
  add_coroutine ("/object/notify", test_notify);
  add_coroutine ("/object/notify/underscore", test_notify_underscore);
  add_coroutine ("/object/signal/details", test_details);
  add_coroutine ("/object/signal/order", test_order);
  add_coroutine ("/object/signal/value", test_value);
  add_coroutine ("/object/signal/stopped", test_stopped);
  add_coroutine ("/object/signal/disconnected", test_disconnected);
  add_coroutine ("/object/signal/all-disconnected", test_all_disconnected);
  add_real_coroutine ("/object/signal/looped", test_looped);
  return g_test_run ();
}
