/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <math.h>

static GtxTask *
sleeper (const char *what)
{
  return gtx_create_task (sleep_and_note, what, NULL);
}

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
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
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
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0.000001);
  g_assert_true (gtx_sleep (0.1, error));
  g_assert_cmpfloat_with_epsilon (gtx_test_get_time (), 0.100001, 1e-9);
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
  return g_test_run ();
}
