/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* Sleeps in a block with a time limit: a cancelled block has run out of time, unless
 * other code cancelled it. */
static gboolean
sleep_within (double limit, double seconds, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  gboolean succeeded;

  gtx_timeout_begin (&timeout, limit);
  if (!gtx_sleep (seconds, &failure))
    assert_cancelled (failure);
  succeeded = gtx_timeout_end (&timeout, &failure, error);
  g_assert_false (succeeded && gtx_timeout_expired (&timeout));
  g_assert_true (succeeded || gtx_timeout_expired (&timeout) ||
                 g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  return succeeded;
}

#define assert_timed_out(error) g_assert_error ((error), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)

static gboolean
test_in_time (gpointer data, GError **error)
{
  g_assert_true (sleep_within (2, 1, error));
  g_assert_true (sleep_within (GTX_FOREVER, 1, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  /* No timer is left that could expire. */
  return gtx_sleep (10, error);
}

static gboolean
test_expires (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (sleep_within (1, 2, &failure));
  assert_timed_out (failure);
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static gboolean
catch_time_over (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (sleep_within (0.001, 10, &failure));
  assert_timed_out (failure);
  return TRUE;
}

/* The block's task is not cancelled, and ends normally. */
static gboolean
test_expires_in_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (catch_time_over, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  g_assert_false (gtx_future_is_cancelled (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 0);
  return TRUE;
}

static gboolean
test_at_zero (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (sleep_within (0, 1, &failure));
  assert_timed_out (failure);
  g_clear_error (&failure);
  g_assert_false (sleep_within (-11, 1, &failure));
  assert_timed_out (failure);
  g_clear_error (&failure);
  g_assert_false (sleep_within (0, 0, &failure));
  assert_timed_out (failure);
  g_clear_error (&failure);
  g_assert_false (sleep_within (-11, 0, &failure));
  assert_timed_out (failure);
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_auto (GtxTimeout) outer = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) timed_out = NULL;

  gtx_timeout_begin (&outer, 1);
  /* The outer block cancels the inner one, whose error says so. */
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
  g_assert_true (gtx_timeout_expired (&inner) && gtx_timeout_expired (&outer));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return TRUE;
}

/* ---- Nested, while the loop is busy (in real time) ---- */

static gboolean
work_and_sleep_within (double outer_limit, double inner_limit, GError **outer_error)
{
  g_auto (GtxTimeout) outer = GTX_TIMEOUT_INIT;
  g_auto (GtxTimeout) inner = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) inner_error = NULL;

  gtx_timeout_begin (&outer, outer_limit);
  gtx_timeout_begin (&inner, inner_limit);
  g_usleep (20 * 1000);
  g_assert_false (gtx_sleep (600, &failure));
  g_assert_false (gtx_timeout_end (&inner, &failure, &inner_error));
  assert_cancelled (inner_error);
  return gtx_timeout_end (&outer, &inner_error, outer_error);
}

/* The outer time is over when the loop turns, and the inner time may be over, too.  The outer
 * block's error says so. */
static gboolean
test_nested_busy (gpointer data, GError **error)
{
  const double inner_limits[] = { 600, 0.001 };
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < G_N_ELEMENTS (inner_limits); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (work_and_sleep_within (0.002, inner_limits[i], &failure));
      assert_timed_out (failure);
      g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, 300 * G_USEC_PER_SEC);
  return gtx_sleep (0, error);
}

/* ---- Cancelled ---- */

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

/* The task cancels itself before the time is over. */
static gboolean
test_cancelled_by_itself (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, 10);
  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_sleep (10, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  assert_cancelled (result);
  g_assert_false (gtx_timeout_expired (&timeout));
  g_assert_cmpuint (gtx_uncancel (gtx_current_task ()), ==, 0);
  return gtx_sleep (20, error);
}

/* The request from outside is not swallowed when the time is over at the same moment. */
static gboolean
test_cancelled_while_expiring (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (limited, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  /* This timer was armed before the block's, so the test runs between the block's timer and its
   * task. */
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

/* The block fails with another error after the time is over. */
static gboolean
test_other_failure_when_expired (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  gtx_timeout_begin (&timeout, 0.01);
  g_assert_false (gtx_sleep (1, NULL));
  fail ("broken", &failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_true (gtx_timeout_expired (&timeout));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

static void
assert_not_rescheduled (GtxTimeout *timeout, const char *reason)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_timeout_reschedule (timeout, 1, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_nonnull (strstr (failure->message, reason));
}

static gboolean
test_reschedule (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  assert_not_rescheduled (&timeout, "has not begun");
  gtx_timeout_begin (&timeout, 1);
  g_assert_true (gtx_timeout_reschedule (&timeout, GTX_FOREVER, error));
  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_timeout_reschedule (&timeout, 1, error));
  g_assert_false (gtx_sleep (5, &failure));
  assert_not_rescheduled (&timeout, "has expired");
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  assert_timed_out (result);
  assert_not_rescheduled (&timeout, "has expired");
  g_assert_cmpfloat (gtx_get_time (), ==, 6);
  return TRUE;
}

static gboolean
test_reschedule_ended (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 1);
  g_assert_true (gtx_timeout_end (&timeout, NULL, error));
  assert_not_rescheduled (&timeout, "has ended");
  return TRUE;
}

static gboolean
lend_timeout (GtxFuture *lent, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  gboolean succeeded;

  gtx_timeout_begin (&timeout, 10);
  gtx_future_set_result (lent, &timeout, NULL);
  gtx_sleep (50, &failure);
  succeeded = gtx_timeout_end (&timeout, &failure, error);
  note (gtx_timeout_expired (&timeout) ? "expired" : "in-time");
  return succeeded;
}

/* Another task reschedules the timeout to a later time, and then to never. */
static gboolean
test_reschedule_from_outside (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) lent = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (lend_timeout, lent, NULL);
  GtxTimeout *timeout = gtx_await_peek_pointer (lent, error);

  g_assert_true (gtx_timeout_reschedule (timeout, 30, error));
  g_assert_true (gtx_sleep (20, error));
  g_assert_true (gtx_timeout_reschedule (timeout, GTX_FOREVER, error));
  g_assert_true (gtx_sleep (20, error));
  g_assert_false (gtx_future_is_done (task));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  assert_trace ("in-time");
  return TRUE;
}

/* ---- Mistakes ---- */

static void
refuse_to_begin (GtxTimeout *timeout)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_begin: assertion*");
  gtx_timeout_begin (timeout, 1);
  g_test_assert_expected_messages ();
}

/* The timeout is begun again in its block, and after its end. */
static gboolean
test_begun_twice (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 10);
  refuse_to_begin (&timeout);
  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_timeout_end (&timeout, NULL, error));
  refuse_to_begin (&timeout);
  return gtx_sleep (20, error);
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

static gboolean
return_too_late (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 1);
  return gtx_sleep (2, error);
}

/* The error does not tell that the time was over. */
static gboolean
test_left_too_late (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*left without gtx_timeout_end()*");
  g_assert_false (return_too_late (NULL, &failure));
  g_test_assert_expected_messages ();
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (5, error);
}

static gboolean
sleep_for (double *seconds, GError **error)
{
  return gtx_sleep (*seconds, error);
}

static gboolean
test_call (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  double seconds = 2;

  g_assert_true (gtx_call_with_timeout (3, sleep_for, &seconds, error));
  g_assert_true (gtx_call_with_timeout (GTX_FOREVER, sleep_for, &seconds, error));
  g_assert_false (gtx_call_with_timeout (1, sleep_for, &seconds, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&failure);
  g_assert_false (gtx_call_with_timeout (1, fail, "no", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&failure);
  g_assert_false (gtx_call_with_timeout (__builtin_nan (""), sleep_for, &seconds, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_call_with_timeout (1, sleep_for, &seconds, &failure));
  assert_cancelled (failure);
  gtx_uncancel (gtx_current_task ());
  return gtx_sleep (5, error);
}

static void
test_call_outside (void)
{
  g_autoptr (GError) failure = NULL;
  double seconds = 1;

  g_assert_false (gtx_call_with_timeout (1, sleep_for, &seconds, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static void
test_outside (void)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_begin() was called outside a task*");
  gtx_timeout_begin (&timeout, 1);
  g_test_assert_expected_messages ();
  assert_not_rescheduled (&timeout, "has not begun");
  g_assert_true (gtx_timeout_end (&timeout, NULL, NULL));
}

static gboolean
end_anothers (GtxTimeout *timeout, GError **error)
{
  GError *failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_end: *belongs to another task*");
  g_assert_false (gtx_timeout_end (timeout, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_error (&failure);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_timeout_end: *belongs to another task*");
  fail ("own", &failure);
  g_assert_false (gtx_timeout_end (timeout, &failure, error));
  g_assert_null (failure);
  g_test_assert_expected_messages ();
  return FALSE;
}

static gboolean
end_anothers_outside (gpointer timeout)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (end_anothers (timeout, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  return G_SOURCE_REMOVE;
}

/* A block is ended only by its own task. */
static gboolean
test_end_anothers (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GtxTask) other = gtx_create_task (end_anothers, &timeout, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 1);
  g_idle_add (end_anothers_outside, &timeout);
  g_assert_false (gtx_await (other, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&failure);
  g_assert_false (gtx_sleep (2, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (error);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/timeout/in-time", test_in_time);
  add_coroutine ("/timeout/expires", test_expires);
  add_coroutine ("/timeout/expires/in-task", test_expires_in_task);
  add_coroutine ("/timeout/at-zero", test_at_zero);
  add_coroutine ("/timeout/nested", test_nested);
  add_real_coroutine ("/timeout/nested/busy", test_nested_busy);
  add_coroutine ("/timeout/same-moment", test_same_moment);
  add_coroutine ("/timeout/cancelled", test_cancelled_from_outside);
  add_coroutine ("/timeout/cancelled/by-itself", test_cancelled_by_itself);
  add_coroutine ("/timeout/cancelled/while-expiring", test_cancelled_while_expiring);
  add_coroutine ("/timeout/other-failure", test_other_failure);
  add_coroutine ("/timeout/other-failure/when-expired", test_other_failure_when_expired);
  add_coroutine ("/timeout/reschedule", test_reschedule);
  add_coroutine ("/timeout/reschedule/ended", test_reschedule_ended);
  add_coroutine ("/timeout/reschedule/from-outside", test_reschedule_from_outside);
  add_coroutine ("/timeout/begun-twice", test_begun_twice);
  add_coroutine ("/timeout/left-early", test_left_early);
  add_coroutine ("/timeout/left-too-late", test_left_too_late);
  add_coroutine ("/timeout/call", test_call);
  g_test_add_func ("/timeout/call/outside", test_call_outside);
  g_test_add_func ("/timeout/outside", test_outside);
  add_coroutine ("/timeout/end-anothers", test_end_anothers);
  return g_test_run ();
}
