/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* An action is an object with a signal that has an argument. */
static GSimpleAction *
action_new (void)
{
  return g_simple_action_new ("act", G_VARIANT_TYPE_INT32);
}

static gboolean
await_activation (GSimpleAction *action, GError **error)
{
  g_autoptr (GArray) arguments = gtx_await_signal (action, "activate", error);
  g_autofree char *what = NULL;

  if (arguments == NULL)
    return FALSE;
  g_assert_cmpuint (arguments->len, ==, 1);
  what = g_strdup_printf ("%d", g_variant_get_int32 (g_value_get_variant (&g_array_index (arguments, GValue, 0))));
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
  /* The emitter goes on; nobody else ran. */
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
  g_assert_cmpfloat (gtx_test_get_time (), ==, 5);
  return TRUE;
}

static void
assert_gone (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
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

/* What was emitted before the object went is not lost. */
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

static gboolean
test_no_such (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_signal (action, "deactivate", &failure));
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

  g_assert_null (gtx_await_signal (action, "activate", &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- Bound tasks ---- */

static gboolean
test_bind (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  return TRUE;
}

static gboolean
test_bind_finalized (gpointer data, GError **error)
{
  GSimpleAction *window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_object_unref (window);
  g_assert_false (gtx_await (task, NULL));
  return TRUE;
}

static gpointer
get_from (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error);
}

/* One of our own, which a task waits for at that moment. */
static gboolean
test_bind_disposed_in_use (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxTask) user = gtx_create_task_pointer (get_from, queue, NULL, g_free);
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, queue);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (queue));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup ("item"), error));
  g_assert_cmpstr (gtx_await_peek_pointer (user, error), ==, "item");
  return TRUE;
}

static gboolean
test_bind_outlived (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "1:task", NULL);
  gpointer weak = task;

  gtx_task_bind (task, window);
  g_object_add_weak_pointer (G_OBJECT (task), &weak);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (1, error));
  g_clear_object (&task);
  g_assert_null (weak);
  return TRUE;
}

/* Bound when it is done already: nothing is kept. */
static gboolean
test_bind_done (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "task", NULL);

  g_assert_true (gtx_await (task, error));
  gtx_task_bind (task, window);
  g_object_run_dispose (G_OBJECT (window));
  return gtx_sleep (1, error);
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
  add_coroutine ("/object/bind/disposed", test_bind);
  add_coroutine ("/object/bind/disposed-in-use", test_bind_disposed_in_use);
  add_coroutine ("/object/bind/finalized", test_bind_finalized);
  add_coroutine ("/object/bind/outlived", test_bind_outlived);
  add_coroutine ("/object/bind/done", test_bind_done);
  return g_test_run ();
}
