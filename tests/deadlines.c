/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock, and sleeps and timeouts that end at a moment of it. */

#include "fixture.h"

#include <math.h>

#define assert_timed_out(error) g_assert_error ((error), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)

/* ---- The clock ---- */

static gboolean
test_clock (gpointer data, GError **error)
{
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_true (gtx_sleep (2.5, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 2.5);
  return TRUE;
}

static gpointer
check_real_clock (gpointer data)
{
  double before = g_get_monotonic_time () / 1e6;
  double now = gtx_get_time ();

  g_assert_cmpfloat (now, >=, before);
  g_assert_cmpfloat (now, <=, g_get_monotonic_time () / 1e6);
  return NULL;
}

static gboolean
check_real_clock_in_task (gpointer data, GError **error)
{
  check_real_clock (NULL);
  g_thread_join (g_thread_new (NULL, check_real_clock, NULL));
  return TRUE;
}

static void
test_real_clock (void)
{
  check_real_clock (NULL);
  g_assert_true (gtx_run (check_real_clock_in_task, NULL, NULL));
}

/* ---- Sleeps ---- */

static gboolean
test_until (gpointer data, GError **error)
{
  g_assert_true (gtx_sleep_until (3, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 3);
  g_assert_true (gtx_sleep (1, error));
  g_assert_true (gtx_sleep_until (4.5, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 4.5);
  return TRUE;
}

/* The sleep ends at the first microsecond that is not before the moment, and a moment that the clock has
 * shown is that same microsecond. */
static gboolean
test_until_exactly (gpointer data, GError **error)
{
  for (int i = 0; i < 20000; i++)
    {
      double time = gtx_get_time () + g_test_rand_double_range (0, 1 << i % 20) * 1e-3;
      double now;

      g_assert_true (gtx_sleep_until (time, error));
      now = gtx_get_time ();
      g_assert_cmpfloat (now, >=, time);
      g_assert_cmpfloat (round (now * 1e6 - 1) / 1e6, <, time);
      g_assert_true (gtx_sleep_until (now, error));
      g_assert_cmpfloat (gtx_get_time (), ==, now);
    }
  return TRUE;
}

static gboolean
note_others (gpointer data, GError **error)
{
  note ("other");
  return TRUE;
}

/* Others run once, and time stands still. */
static gboolean
test_until_past (gpointer data, GError **error)
{
  const double past[] = { 10, 9, 0, -1, -INFINITY, -G_MAXDOUBLE };

  g_assert_true (gtx_sleep (10, error));
  for (guint i = 0; i < G_N_ELEMENTS (past); i++)
    {
      g_object_unref (gtx_create_task (note_others, NULL, NULL));
      g_assert_true (gtx_sleep_until (past[i], error));
      assert_trace ("other");
      g_assert_cmpfloat (gtx_get_time (), ==, 10);
    }
  return TRUE;
}

static gboolean
sleep_until (double *time, GError **error)
{
  return gtx_sleep_until (*time, error);
}

static gboolean
test_until_never (gpointer data, GError **error)
{
  double never[] = { INFINITY, GTX_FOREVER, 1e30 };

  for (guint i = 0; i < G_N_ELEMENTS (never); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (sleep_until, &never[i], NULL);

      g_assert_true (gtx_sleep (1e9, error));
      g_assert_false (gtx_future_is_done (task));
      gtx_cancel (task);
      g_assert_false (gtx_await (task, NULL));
      g_assert_true (gtx_future_is_cancelled (task));
    }
  return TRUE;
}

static gboolean
test_until_refused (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep_until (NAN, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_until_outside (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_sleep_until (1, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* A request before the sleep, in it, and in the round of its end. */
static gboolean
test_until_cancelled (gpointer data, GError **error)
{
  GtxTask *self = gtx_current_task ();

  for (int time = 0; time < 2; time++)
    {
      g_autoptr (GError) failure = NULL;

      gtx_cancel (self);
      g_assert_false (gtx_sleep_until (time, &failure));
      assert_cancelled (failure);
      g_assert_cmpuint (gtx_uncancel (self), ==, 0);
      g_assert_cmpfloat (gtx_get_time (), ==, 0);
    }
  for (int requested = 1; requested <= 2; requested++)
    {
      double end = gtx_get_time () + 2;
      g_autoptr (GtxTask) sleeps = gtx_create_task (sleep_until, &end, NULL);

      g_assert_true (gtx_sleep (requested, error));
      g_assert_true (gtx_cancel (sleeps));
      g_assert_false (gtx_await (sleeps, NULL));
      g_assert_true (gtx_future_is_cancelled (sleeps));
    }
  return TRUE;
}

/* The work takes some time, and each pass begins on time. */
static gboolean
test_interval (gpointer data, GError **error)
{
  double next;

  g_assert_true (gtx_sleep (0.123456, error));
  next = gtx_get_time ();
  for (int i = 0; i < 1000; i++)
    {
      g_assert_cmpfloat_with_epsilon (gtx_get_time (), 0.123456 + i * 0.1, 1.1e-6);
      g_assert_true (gtx_sleep (0.03 + i % 5 * 0.01, error));
      g_assert_true (gtx_sleep_until (next += 0.1, error));
    }
  return TRUE;
}

/* ---- Timeouts ---- */

static gboolean
sleep_before (double deadline, double seconds, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin_at (&timeout, deadline);
  gtx_sleep (seconds, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* Two blocks share a deadline. */
static gboolean
test_timeout (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_true (sleep_before (5, 3, error));
  g_assert_false (sleep_before (5, 3, &failure));
  assert_timed_out (failure);
  g_assert_cmpfloat (gtx_get_time (), ==, 5);
  g_assert_true (sleep_before (GTX_FOREVER, 3, error));
  g_assert_true (sleep_before (INFINITY, 3, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (10, error);
}

/* The first await that suspends ends the block, and a block without one succeeds. */
static gboolean
test_timeout_past (gpointer data, GError **error)
{
  const double past[] = { 10, 9, 0, -1, -INFINITY };

  g_assert_true (gtx_sleep (10, error));
  for (guint i = 0; i < G_N_ELEMENTS (past); i++)
    {
      g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
      g_autoptr (GError) failure = NULL;

      g_assert_false (sleep_before (past[i], 1, &failure));
      assert_timed_out (failure);
      g_assert_cmpfloat (gtx_get_time (), ==, 10);
      gtx_timeout_begin_at (&timeout, past[i]);
      g_assert_true (gtx_timeout_end (&timeout, NULL, error));
      g_assert_false (gtx_timeout_expired (&timeout));
    }
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static gboolean
test_timeout_refused (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_begin_at: assertion*");
  gtx_timeout_begin_at (&timeout, NAN);
  g_test_assert_expected_messages ();
  g_assert_cmpfloat (gtx_timeout_when (&timeout), ==, GTX_FOREVER);
  return TRUE;
}

static void
test_timeout_outside (void)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_begin_at() was called outside a task*");
  gtx_timeout_begin_at (&timeout, 1);
  g_test_assert_expected_messages ();
  g_assert_cmpfloat (gtx_timeout_when (&timeout), ==, GTX_FOREVER);
}

/* when () stays as it was when the time is over, and when the block has ended. */
static gboolean
test_when (gpointer data, GError **error)
{
  g_auto (GtxTimeout) relative = GTX_TIMEOUT_INIT;
  g_auto (GtxTimeout) absolute = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpfloat (gtx_timeout_when (&relative), ==, GTX_FOREVER);
  gtx_timeout_begin (&relative, 4.25);
  g_assert_cmpfloat (gtx_timeout_when (&relative), ==, 5.25);
  gtx_timeout_begin_at (&absolute, 0.5);
  g_assert_cmpfloat (gtx_timeout_when (&absolute), ==, 0.5);
  g_assert_true (gtx_timeout_reschedule (&absolute, GTX_FOREVER, error));
  g_assert_cmpfloat (gtx_timeout_when (&absolute), ==, GTX_FOREVER);
  g_assert_true (gtx_timeout_reschedule (&absolute, 2, error));
  g_assert_cmpfloat (gtx_timeout_when (&absolute), ==, 3);
  g_assert_false (gtx_sleep (10, &failure));
  g_assert_cmpfloat (gtx_timeout_when (&absolute), ==, 3);
  g_assert_false (gtx_timeout_end (&absolute, &failure, NULL));
  g_assert_cmpfloat (gtx_timeout_when (&absolute), ==, 3);
  g_assert_true (gtx_timeout_end (&relative, NULL, error));
  g_assert_cmpfloat (gtx_timeout_when (&relative), ==, 5.25);
  return gtx_sleep (10, error);
}

/* A block that begins at what another one tells ends with it. */
static gboolean
test_when_copied (gpointer data, GError **error)
{
  for (int i = 0; i < 2000; i++)
    {
      g_auto (GtxTimeout) first = GTX_TIMEOUT_INIT;
      g_auto (GtxTimeout) second = GTX_TIMEOUT_INIT;

      g_assert_true (gtx_sleep (g_test_rand_double (), error));
      gtx_timeout_begin (&first, g_test_rand_double_range (0, 1000));
      gtx_timeout_begin_at (&second, gtx_timeout_when (&first));
      g_assert_cmpfloat (gtx_timeout_when (&second), ==, gtx_timeout_when (&first));
    }
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/deadlines/clock", test_clock);
  g_test_add_func ("/deadlines/clock/real", test_real_clock);
  add_coroutine ("/deadlines/until", test_until);
  add_coroutine ("/deadlines/until/exactly", test_until_exactly);
  add_coroutine ("/deadlines/until/past", test_until_past);
  add_coroutine ("/deadlines/until/never", test_until_never);
  add_coroutine ("/deadlines/until/refused", test_until_refused);
  g_test_add_func ("/deadlines/until/outside", test_until_outside);
  add_coroutine ("/deadlines/until/cancelled", test_until_cancelled);
  add_coroutine ("/deadlines/interval", test_interval);
  add_coroutine ("/deadlines/timeout", test_timeout);
  add_coroutine ("/deadlines/timeout/past", test_timeout_past);
  add_coroutine ("/deadlines/timeout/refused", test_timeout_refused);
  g_test_add_func ("/deadlines/timeout/outside", test_timeout_outside);
  add_coroutine ("/deadlines/when", test_when);
  add_coroutine ("/deadlines/when/copied", test_when_copied);
  return g_test_run ();
}
