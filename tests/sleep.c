/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <math.h>

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("20:a");
  g_autoptr (GtxTask) b = sleeper ("10:b");
  g_autoptr (GtxTask) c = sleeper ("20:c");
  g_autoptr (GtxTask) d = sleeper ("10:d");

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, d, NULL));
  assert_trace ("b d a c");
  return TRUE;
}

static gboolean
test_zero (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("0:a");
  g_autoptr (GtxTask) b = sleeper ("-5:b");

  gtx_sleep (0, NULL);
  note ("main");
  gtx_sleep (-1, NULL);
  assert_trace ("main a b");
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL);
}

static gboolean
sleep_forever (gpointer data, GError **error)
{
  return gtx_sleep (INFINITY, error);
}

static gboolean
test_infinity (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_forever, NULL, NULL);

  gtx_sleep (1e9, NULL);
  g_assert_false (gtx_future_is_done (task));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_huge (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("1e300:slept");

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("slept!");
  return TRUE;
}

static gboolean
test_not_a_number (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (NAN, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_sleep (1, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static gboolean
test_fractions (gpointer data, GError **error)
{
  g_assert_true (gtx_sleep (0.0000001, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.000001);
  g_assert_true (gtx_sleep (0.1, error));
  g_assert_cmpfloat_with_epsilon (gtx_get_time (), 0.100001, 1e-9);
  return TRUE;
}

/* ---- Real time ---- */

static gboolean
sleep_a_little (gint64 *took, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  if (!gtx_sleep (0.02, error))
    return FALSE;
  *took = g_get_monotonic_time () - start;
  return TRUE;
}

static void
test_never_less (void)
{
  for (int i = 0; i < 5; i++)
    {
      gint64 took = 0;

      g_assert_true (gtx_run (sleep_a_little, &took, NULL));
      g_assert_cmpint (took, >=, 20000);
    }
}

static gboolean
cancel_long_sleep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_long, NULL, NULL);
  gint64 start = g_get_monotonic_time ();

  gtx_sleep (0.001, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_cmpint (g_get_monotonic_time () - start, <, 60 * G_USEC_PER_SEC);
  return TRUE;
}

static void
test_leaves_at_once (void)
{
  g_assert_true (gtx_run (cancel_long_sleep, NULL, NULL));
}

/* ---- As futures ---- */

static void
note_end (gpointer future, gpointer what)
{
  note (what);
}

static gboolean
test_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) late = gtx_sleep_future (20);
  g_autoptr (GtxFuture) early = gtx_sleep_future (10);
  g_autoptr (GtxFuture) now = gtx_sleep_future (-1);

  gtx_future_add_done_callback (late, note_end, (gpointer) "late", NULL);
  gtx_future_add_done_callback (early, note_end, (gpointer) "early", NULL);
  gtx_future_add_done_callback (now, note_end, (gpointer) "now", NULL);
  if (!gtx_await (late, error))
    return FALSE;
  assert_trace ("now early late");
  g_assert_cmpfloat (gtx_get_time (), ==, 20);
  g_assert_null (gtx_future_get_result (late));
  return TRUE;
}

static gboolean
test_future_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_sleep_future (1000);
  g_autoptr (GtxFuture) endless = gtx_sleep_future (INFINITY);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (1, error));
  g_assert_true (gtx_cancel (future));
  g_assert_false (gtx_cancel (future));
  g_assert_false (gtx_await (future, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_cancel (endless));
  g_assert_true (gtx_sleep (0, error));
  /* The timer is gone, so time does not jump to its end. */
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
  return TRUE;
}

/* A cancelled task that awaits such a future cancels it. */
static gboolean
test_future_in_task (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_sleep_future (5);
  g_autoptr (GtxTask) task = gtx_create_task (await_future, future, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (future));
  return TRUE;
}

static gboolean
test_future_set (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_sleep_future (5);

  g_assert_true (gtx_future_set_result (future, (gpointer) "early", NULL));
  g_assert_true (gtx_await (future, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_true (gtx_sleep (10, error));
  g_assert_cmpstr (gtx_future_get_result (future), ==, "early");
  g_assert_cmpfloat (gtx_get_time (), ==, 10);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
  return TRUE;
}

/* Only the timers hold references to the futures. */
static gboolean
test_future_crowd (gpointer data, GError **error)
{
  const guint n = RUNNING_ON_VALGRIND ? 1000 : 100000;
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (futures, gtx_sleep_future (1 + i % 7));
  if (!gtx_gather (futures, GTX_GATHER_NONE, error))
    return FALSE;
  g_assert_cmpfloat (gtx_get_time (), ==, 7);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (G_OBJECT (futures->pdata[i])->ref_count, ==, 1);
  return TRUE;
}

static void
test_future_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) future = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_sleep_future (10);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_error (gtx_future_get_error (future), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
}

/* A warning about an error that no code could retrieve would make the test fail. */
static void
test_future_let_go_of (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_object_unref (gtx_sleep_future (1000));
  g_main_context_pop_thread_default (context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/sleep/order", test_order);
  add_coroutine ("/sleep/zero", test_zero);
  add_coroutine ("/sleep/infinity", test_infinity);
  add_coroutine ("/sleep/huge", test_huge);
  add_coroutine ("/sleep/not-a-number", test_not_a_number);
  g_test_add_func ("/sleep/outside", test_outside);
  add_coroutine ("/sleep/fractions", test_fractions);
  g_test_add_func ("/sleep/real/never-less", test_never_less);
  g_test_add_func ("/sleep/real/leaves-at-once", test_leaves_at_once);
  add_coroutine ("/sleep/future/ends", test_future);
  add_coroutine ("/sleep/future/cancelled", test_future_cancelled);
  add_coroutine ("/sleep/future/in-task", test_future_in_task);
  add_coroutine ("/sleep/future/set", test_future_set);
  add_coroutine ("/sleep/future/crowd", test_future_crowd);
  g_test_add_func ("/sleep/future/context-gone", test_future_context_gone);
  g_test_add_func ("/sleep/future/let-go-of", test_future_let_go_of);
  return g_test_run ();
}
