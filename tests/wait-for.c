/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
test_time_over (gpointer data, GError **error)
{
  g_autoptr (GtxTask) quick = gtx_create_task (sleep_and_note, "1:quick", NULL);
  g_autoptr (GtxTask) slow = gtx_create_task (sleep_and_note, "9000:slow", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_wait_for (quick, 1, error));
  g_assert_true (gtx_wait_for (quick, 0, error));
  g_assert_false (gtx_wait_for (slow, 1, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (slow));
  assert_trace ("quick slow!");
  g_assert_cmpfloat_with_epsilon (gtx_get_time (), 1.001, 1e-9);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return TRUE;
}

static gboolean
test_no_time (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (note_and_return, "never", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (task, 0, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (task));
  assert_trace ("");
  return TRUE;
}

/* A running task is cancelled and waited for; a negative time counts as 0. */
static gboolean
test_no_time_while_running (gpointer data, GError **error)
{
  const double limits[] = { 0, -1 };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:slow", NULL);
      g_autoptr (GError) failure = NULL;

      g_assert_true (gtx_sleep (0, error));
      g_assert_false (gtx_wait_for (task, limits[i], &failure));
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_true (gtx_future_is_cancelled (task));
      assert_trace ("slow!");
    }
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_forever (gpointer data, GError **error)
{
  g_autoptr (GtxTask) unstarted = gtx_task_new (note_and_return, "called", NULL);
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "1000000000000:slept", NULL);

  g_assert_true (gtx_wait_for (unstarted, GTX_FOREVER, error));
  g_assert_true (gtx_wait_for (task, GTX_FOREVER, error));
  assert_trace ("called slept");
  g_assert_cmpfloat (gtx_get_time (), ==, 1e9);
  return TRUE;
}

typedef struct
{
  gpointer future;
  double seconds;
} Limited;

static gboolean
wait_for_it (Limited *limited, GError **error)
{
  return gtx_wait_for (limited->future, limited->seconds, error);
}

/* The awaited future is cancelled together with the waiting task, with a limit and without. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  const double limits[] = { 60, GTX_FOREVER };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (GtxFuture) never = gtx_future_new ();
      g_autoptr (GtxTask) inner = gtx_create_task (await_future, never, NULL);
      g_autoptr (GtxTask) waiting = gtx_create_task (wait_for_it, &((Limited) { inner, limits[i] }), NULL);
      g_autoptr (GError) failure = NULL;

      g_assert_true (gtx_sleep (0, error));
      gtx_cancel (waiting);
      g_assert_false (gtx_await (waiting, &failure));
      assert_cancelled (failure);
      g_assert_true (gtx_future_is_cancelled (inner) && gtx_future_is_cancelled (never));
    }
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

/* ---- A future ---- */

static gboolean
set_result (GtxFuture *future, GError **error)
{
  return gtx_future_set_result (future, (gpointer) "ok", NULL);
}

static gboolean
test_future_set (gpointer data, GError **error)
{
  const double limits[] = { 0.2, GTX_FOREVER };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      g_autoptr (GtxTask) setter = gtx_create_task (set_result, future, NULL);

      g_assert_true (gtx_wait_for (future, limits[i], error));
      g_assert_cmpstr (gtx_future_get_result (future), ==, "ok");
      g_assert_true (gtx_future_is_done (setter));
    }
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_future_done (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_result (future, (gpointer) "done", NULL);
  g_assert_true (gtx_wait_for (future, 0, error));
  g_assert_true (gtx_wait_for (future, -1, error));
  g_assert_true (gtx_wait_for (future, GTX_FOREVER, error));
  g_assert_cmpstr (gtx_future_get_result (future), ==, "done");
  assert_trace ("");
  return gtx_await (other, error);
}

/* This future is never set. */
static gboolean
test_future_pending (gpointer data, GError **error)
{
  const double limits[] = { 0, 0.2 };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_wait_for (future, limits[i], &failure));
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_true (gtx_future_is_cancelled (future));
      g_assert_cmpfloat (gtx_get_time (), ==, limits[i]);
    }
  return gtx_sleep (1, error);
}

static gboolean
test_future_failed (gpointer data, GError **error)
{
  const double limits[] = { 0, 0.2, GTX_FOREVER };
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_error (future, g_error_new (G_IO_ERROR, G_IO_ERROR_EXISTS, "broken"));
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_wait_for (future, limits[i], &failure));
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_EXISTS);
    }
  return TRUE;
}

/* ---- A shield ---- */

/* The shielded future goes on, and gives its result to a shield that waits. */
static gboolean
test_shield (gpointer data, GError **error)
{
  const double limits[] = { 0, 0.001, GTX_FOREVER };

  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      gboolean waits = limits[i] == GTX_FOREVER;
      g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "10:done", NULL);
      g_autoptr (GtxFuture) shielded = gtx_shield (task);
      g_autoptr (GError) failure = NULL;

      g_assert_true (gtx_wait_for (shielded, limits[i], &failure) == waits);
      if (!waits)
        g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_true (gtx_future_is_cancelled (shielded) == !waits);
      g_assert_true (gtx_future_is_done (task) == waits);
      g_assert_true (gtx_await (task, error));
      assert_trace ("done");
    }
  return TRUE;
}

static gboolean
test_shield_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "10:done", NULL);
  g_autoptr (GtxFuture) shielded = gtx_shield (task);
  g_autoptr (GtxTask) waiting = gtx_create_task (wait_for_it, &((Limited) { shielded, 5 }), NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0.001, error));
  gtx_cancel (waiting);
  g_assert_false (gtx_await (waiting, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (shielded));
  g_assert_false (gtx_future_is_done (task));
  return gtx_await (task, error);
}

static gboolean
sleep_a_moment (gpointer data, GError **error)
{
  return gtx_sleep (0.01, error);
}

static gpointer
run_main_loop (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

/* A future that cannot be waited for is refused before it is cancelled. */
static gboolean
test_no_time_elsewhere (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  GThread *thread = g_thread_new ("other", run_main_loop, loop);
  g_autoptr (GtxTask) elsewhere = gtx_create_task_in (context, sleep_a_moment, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (elsewhere, 0, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (failure->message, "gtx_wait_for()"));
  g_assert_true (gtx_await (elsewhere, error));
  g_main_loop_quit (loop);
  g_thread_join (thread);
  return TRUE;
}

static gboolean
wait_for_inside (GtxTask **inner, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (*inner, 0, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  return gtx_sleep (1, error);
}

static gboolean
test_no_time_itself (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GtxTask *inner = NULL;
  g_autoptr (GtxTask) runs_inside = gtx_task_new (wait_for_inside, &inner, NULL);

  g_assert_false (gtx_wait_for (gtx_current_task (), 0, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  g_assert_nonnull (strstr (failure->message, "gtx_wait_for()"));
  g_assert_true (gtx_sleep (1, error));

  inner = runs_inside;
  return gtx_await (runs_inside, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/wait-for/time-over", test_time_over);
  add_coroutine ("/wait-for/no-time", test_no_time);
  add_coroutine ("/wait-for/no-time/itself", test_no_time_itself);
  add_real_coroutine ("/wait-for/no-time/elsewhere", test_no_time_elsewhere);
  add_coroutine ("/wait-for/no-time/while-running", test_no_time_while_running);
  add_coroutine ("/wait-for/forever", test_forever);
  add_coroutine ("/wait-for/cancelled", test_cancelled);
  add_coroutine ("/wait-for/future/set", test_future_set);
  add_coroutine ("/wait-for/future/done", test_future_done);
  add_coroutine ("/wait-for/future/pending", test_future_pending);
  add_coroutine ("/wait-for/future/failed", test_future_failed);
  add_coroutine ("/wait-for/shield", test_shield);
  add_coroutine ("/wait-for/shield/cancelled", test_shield_cancelled);
  return g_test_run ();
}
