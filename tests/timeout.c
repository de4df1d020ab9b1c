/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* Sleeps so long in a block that may last so long. */
static gboolean
sleep_within (double limit, double seconds, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, limit);
  gtx_sleep (seconds, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

#define assert_timed_out(error) g_assert_error ((error), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)

static gboolean
test_in_time (gpointer data, GError **error)
{
  g_assert_true (sleep_within (2, 1, error));
  g_assert_true (sleep_within (GTX_FOREVER, 1, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  /* And nothing is left that goes off. */
  return gtx_sleep (10, error);
}

static gboolean
test_expires (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (sleep_within (1, 2, &failure));
  assert_timed_out (failure);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 1);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static gboolean
test_at_zero (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (sleep_within (0, 1, &failure));
  assert_timed_out (failure);
  g_clear_error (&failure);
  g_assert_false (sleep_within (-1, 1, &failure));
  assert_timed_out (failure);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_auto (GtxTimeout) outer = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) timed_out = NULL;

  gtx_timeout_begin (&outer, 1);
  /* The inner block is cancelled by the outer one, and says so. */
  g_assert_false (sleep_within (2, 3, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_timeout_end (&outer, &failure, &timed_out));
  assert_timed_out (timed_out);
  g_assert_true (gtx_timeout_expired (&outer));
  return TRUE;
}

static gboolean
test_same_moment (gpointer data, GError **error)
{
  g_auto (GtxTimeout) outer = GTX_TIMEOUT_INIT;
  g_auto (GtxTimeout) inner = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) inner_error = NULL;
  g_autoptr (GError) outer_error = NULL;

  gtx_timeout_begin (&outer, 1);
  gtx_timeout_begin (&inner, 1);
  gtx_sleep (2, &failure);
  g_assert_false (gtx_timeout_end (&inner, &failure, &inner_error));
  assert_cancelled (inner_error);
  g_assert_false (gtx_timeout_end (&outer, &inner_error, &outer_error));
  assert_timed_out (outer_error);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return TRUE;
}

static gboolean
limited (gpointer data, GError **error)
{
  return sleep_within (1, 2, error);
}

static gboolean
test_cancelled_from_outside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (limited, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.5, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* Both at once: the request from outside is not swallowed. */
static gboolean
test_cancelled_while_expiring (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (limited, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  /* Armed before the block's timer: we run between that one and the task. */
  gtx_sleep (1, NULL);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
test_other_failure (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, 1);
  fail ("broken", &failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (gtx_timeout_expired (&timeout));
  return TRUE;
}

static gboolean
test_reschedule (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  g_assert_false (gtx_timeout_reschedule (&timeout, 1, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_error (&result);

  gtx_timeout_begin (&timeout, 1);
  g_assert_true (gtx_timeout_reschedule (&timeout, GTX_FOREVER, error));
  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_timeout_reschedule (&timeout, 1, error));
  g_assert_false (gtx_sleep (5, &failure));
  g_assert_false (gtx_timeout_reschedule (&timeout, 1, &result));
  g_assert_error (result, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_error (&result);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  assert_timed_out (result);
  g_assert_cmpfloat (gtx_test_get_time (), ==, 6);
  return TRUE;
}

static gboolean
return_early (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 1);
  return gtx_sleep (0.5, error);
}

static gboolean
test_left_early (gpointer data, GError **error)
{
  g_assert_true (return_early (NULL, error));
  return gtx_sleep (5, error);
}

static void
test_outside (void)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_begin() was called outside a task*");
  gtx_timeout_begin (&timeout, 1);
  g_test_assert_expected_messages ();
  g_assert_true (gtx_timeout_end (&timeout, NULL, NULL));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/timeout/in-time", test_in_time);
  add_coroutine ("/timeout/expires", test_expires);
  add_coroutine ("/timeout/at-zero", test_at_zero);
  add_coroutine ("/timeout/nested", test_nested);
  add_coroutine ("/timeout/same-moment", test_same_moment);
  add_coroutine ("/timeout/cancelled", test_cancelled_from_outside);
  add_coroutine ("/timeout/cancelled/while-expiring", test_cancelled_while_expiring);
  add_coroutine ("/timeout/other-failure", test_other_failure);
  add_coroutine ("/timeout/reschedule", test_reschedule);
  add_coroutine ("/timeout/left-early", test_left_early);
  g_test_add_func ("/timeout/outside", test_outside);
  return g_test_run ();
}
