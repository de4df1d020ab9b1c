/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
test_takes_no_time (gpointer data, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
  g_assert_true (gtx_sleep (100000, error));
  g_assert_cmpfloat (gtx_test_get_time (), ==, 100000);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
  return TRUE;
}

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) c = gtx_create_task (sleep_and_note, "30:c", NULL);
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "10:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "20:b", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("a b c");
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0.03);
  return TRUE;
}

/* Work takes no virtual time, however long it takes. */
static gboolean
test_work (gpointer data, GError **error)
{
  g_usleep (2000);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
  return gtx_sleep (0, error);
}

/* ---- What time waits for ---- */

static void
finish_slowly (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_usleep (5000);
  g_task_return_boolean (task, TRUE);
}

static void
work_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_task_run_in_thread (task, finish_slowly);
}

static gboolean
test_operation (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_and_note, "1000:slept", NULL);

  work_async (GTX_ASYNC);
  g_assert_true (g_task_propagate_boolean (G_TASK (gtx_await_result ()), error));
  assert_trace ("");
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
  return gtx_await (sleeper, error);
}

static gboolean
add_word (gpointer word)
{
  note (word);
  return G_SOURCE_REMOVE;
}

/* What the main loop can do at once comes before time moves. */
static gboolean
test_idle_sources (gpointer data, GError **error)
{
  g_idle_add (add_word, (gpointer) "idle");
  g_assert_true (gtx_sleep (1000, error));
  assert_trace ("idle");
  return TRUE;
}

static gboolean
test_begins_anew (gpointer data, GError **error)
{
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
  return gtx_sleep (1, error);
}

/* ---- Outcomes ---- */

static void
test_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_test_run (fail, "no luck", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static gboolean
wait_for_ever (GtxFuture *future, GError **error)
{
  return gtx_await (future, error);
}

static gboolean
wait_with_another (GtxFuture *future, GError **error)
{
  g_autoptr (GtxTask) other = gtx_task_new (wait_for_ever, future, NULL);

  gtx_task_set_name (other, "the other");
  gtx_task_start (other);
  return gtx_sleep (1, error) && gtx_await (future, error);
}

static void
test_deadlock (void)
{
  if (g_test_subprocess ())
    {
      GtxFuture *future = gtx_future_new ();

      gtx_test_run (wait_with_another, future, NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 10 * G_USEC_PER_SEC, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*Deadlock*\nTask-1 (wait_with_another): waits for future 0x*\nthe other (wait_for_ever): waits for future 0x*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/virtual-time/takes-no-time", test_takes_no_time);
  add_coroutine ("/virtual-time/order", test_order);
  add_coroutine ("/virtual-time/work", test_work);
  add_coroutine ("/virtual-time/waits-for/operation", test_operation);
  add_coroutine ("/virtual-time/waits-for/idle-sources", test_idle_sources);
  add_coroutine ("/virtual-time/begins-anew", test_begins_anew);
  g_test_add_func ("/virtual-time/error", test_error);
  g_test_add_func ("/virtual-time/deadlock", test_deadlock);
  return g_test_run ();
}
