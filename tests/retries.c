/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

typedef struct
{
  guint n_failures;             /* attempts that fail before one succeeds */
  guint n_calls;
  double times[10];             /* of the attempts */
  int code;                     /* of G_IO_ERROR */
} Work;

static gboolean
work (Work *self, GError **error)
{
  if (self->n_calls < G_N_ELEMENTS (self->times))
    self->times[self->n_calls] = gtx_get_time ();
  self->n_calls++;
  if (self->n_calls > self->n_failures)
    return TRUE;
  g_set_error (error, G_IO_ERROR, self->code, "attempt %u", self->n_calls);
  return FALSE;
}

static gboolean
test_succeeds (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 3, .first_delay = 1 };
  Work at_once = { .n_failures = 0 };
  Work later = { .n_failures = 2 };

  g_assert_true (gtx_call_with_retries (&policy, work, &at_once, error));
  g_assert_cmpuint (at_once.n_calls, ==, 1);
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_true (gtx_call_with_retries (&policy, work, &later, error));
  g_assert_cmpuint (later.n_calls, ==, 3);
  return TRUE;
}

/* The error of the last attempt is set, and no pause follows. */
static gboolean
test_fails (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 3, .first_delay = 1 };
  static const GtxRetryPolicy once = { .attempts = 1, .first_delay = 1 };
  Work never = { .n_failures = G_MAXUINT, .code = G_IO_ERROR_BUSY };
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_retries (&policy, work, &never, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpstr (failure->message, ==, "attempt 3");
  g_assert_cmpfloat (gtx_get_time (), ==, never.times[2]);
  g_clear_error (&failure);

  g_assert_false (gtx_call_with_retries (&once, work, &never, &failure));
  g_assert_cmpstr (failure->message, ==, "attempt 4");
  return TRUE;
}

/* The pauses are random parts of 1, 2, 4, 5, 5 ... seconds. */
static gboolean
test_pauses (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 7, .first_delay = 1, .longest_delay = 5 };
  static const double longest[] = { 1, 2, 4, 5, 5, 5 };
  Work never = { .n_failures = G_MAXUINT };
  double parts[G_N_ELEMENTS (longest)];

  g_random_set_seed (7);
  for (guint i = 0; i < G_N_ELEMENTS (longest); i++)
    parts[i] = g_random_double ();
  g_random_set_seed (7);
  g_assert_false (gtx_call_with_retries (&policy, work, &never, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (longest); i++)
    g_assert_cmpfloat_with_epsilon (never.times[i + 1] - never.times[i], parts[i] * longest[i], 2e-6);
  return TRUE;
}

/* Its first pause is as good as endless. */
static gboolean
retry_late (Work *self, GError **error)
{
  static const GtxRetryPolicy policy = { .first_delay = 1e300, .longest_delay = __builtin_inf () };

  return gtx_call_with_retries (&policy, work, self, error);
}

/* Without longest_delay no pause is longer than a minute; without first_delay there are none, but others run.
 * There is no limit of attempts. */
static gboolean
test_left_out (gpointer data, GError **error)
{
  static const GtxRetryPolicy slow = { .attempts = 9, .first_delay = 1000 };
  static const GtxRetryPolicy none = { 0 };
  Work nine = { .n_failures = G_MAXUINT };
  Work many = { .n_failures = 1000 };
  Work late = { .n_failures = 1 };
  g_autoptr (GtxTask) other = NULL;
  g_autoptr (GError) failure = NULL;

  g_random_set_seed (1);
  g_assert_false (gtx_call_with_retries (&slow, work, &nine, NULL));
  for (guint i = 1; i < 9; i++)
    g_assert_cmpfloat (nine.times[i] - nine.times[i - 1], <=, 60);
  g_assert_cmpfloat (nine.times[8], >, 60);

  other = gtx_create_task (note_and_return, "other", NULL);
  g_assert_true (gtx_call_with_retries (&none, work, &many, error));
  g_assert_cmpuint (many.n_calls, ==, 1001);
  g_assert_cmpfloat (many.times[9], ==, many.times[0]);
  assert_trace ("other");

  g_assert_false (gtx_call_with_timeout (1e6, retry_late, &late, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpuint (late.n_calls, ==, 1);
  return TRUE;
}

static gboolean
is_busy (const GError *error, gpointer data)
{
  Work *self = data;

  g_assert_cmpuint (self->n_calls, >, 0);
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static gboolean
test_should_retry (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 3, .should_retry = is_busy };
  Work busy = { .n_failures = G_MAXUINT, .code = G_IO_ERROR_BUSY };
  Work broken = { .n_failures = G_MAXUINT, .code = G_IO_ERROR_FAILED };
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_retries (&policy, work, &busy, NULL));
  g_assert_cmpuint (busy.n_calls, ==, 3);
  g_assert_false (gtx_call_with_retries (&policy, work, &broken, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpuint (broken.n_calls, ==, 1);
  return TRUE;
}

/* ---- Requests to cancel ---- */

static gboolean
sleep_and_work (Work *self, GError **error)
{
  return gtx_sleep (3, error) && work (self, error);
}

static gboolean
retry (Work *self, GError **error)
{
  static const GtxRetryPolicy policy = { .first_delay = 1000, .longest_delay = 1000 };

  return gtx_call_with_retries (&policy, sleep_and_work, self, error);
}

/* Cancelled in an attempt, and in the pause after it: no attempt follows. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  static const double times[] = { 2, 3.001 };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      Work never = { .n_failures = G_MAXUINT };
      g_autoptr (GtxTask) task = gtx_create_task (retry, &never, NULL);

      g_random_set_seed (1);
      g_assert_true (gtx_sleep (times[i], error));
      gtx_cancel (task);
      assert_ends_cancelled (task);
      g_assert_cmpuint (never.n_calls, ==, i);
    }
  return TRUE;
}

/* A request that comes while an attempt fails for another reason: the pause delivers it, even one of no time. */
static gboolean
fail_and_cancel (Work *self, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return work (self, error);
}

static gboolean
retry_at_once (Work *self, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 2 };

  return gtx_call_with_retries (&policy, fail_and_cancel, self, error);
}

static gboolean
test_cancelled_late (gpointer data, GError **error)
{
  Work never = { .n_failures = G_MAXUINT };
  g_autoptr (GtxTask) task = gtx_create_task (retry_at_once, &never, NULL);

  assert_ends_cancelled (task);
  g_assert_cmpuint (never.n_calls, ==, 1);
  return TRUE;
}

static gboolean
fail_as_cancelled (GPtrArray *futures, GError **error)
{
  return gtx_any (futures, error) != NULL;
}

/* Attempts whose own tasks were cancelled are not repeated either. */
static gboolean
test_group_of_cancelled (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 2 };
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) failure = NULL;

  g_ptr_array_add (futures, gtx_future_new ());
  gtx_cancel (futures->pdata[0]);
  g_assert_false (gtx_call_with_retries (&policy, fail_as_cancelled, futures, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  return TRUE;
}

static gboolean
sleep_in_time (Work *self, GError **error)
{
  return gtx_call_with_timeout (1, sleep_and_work, self, error);
}

/* An attempt that timed out is repeated; a timeout around all attempts ends them. */
static gboolean
test_timeouts (gpointer data, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 3 };
  Work never = { .n_failures = G_MAXUINT };
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_retries (&policy, sleep_in_time, &never, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpfloat (gtx_get_time (), ==, 3);
  g_assert_cmpuint (never.n_calls, ==, 0);
  g_clear_error (&failure);

  g_random_set_seed (1);
  g_assert_false (gtx_call_with_timeout (3.001, retry, &never, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpuint (never.n_calls, ==, 1);
  return gtx_sleep (1, error);
}

/* ---- Mistakes ---- */

static gboolean
test_refused (gpointer data, GError **error)
{
  static const GtxRetryPolicy first = { .first_delay = __builtin_nan ("") };
  static const GtxRetryPolicy longest = { .longest_delay = __builtin_nan ("") };
  Work never = { .n_failures = G_MAXUINT };
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_retries (&first, work, &never, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_false (gtx_call_with_retries (&longest, work, &never, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (never.n_calls, ==, 0);
  return TRUE;
}

static void
test_outside (void)
{
  static const GtxRetryPolicy policy = { .attempts = 2 };
  Work at_once = { .n_failures = 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_call_with_retries (&policy, work, &at_once, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_cmpuint (at_once.n_calls, ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/retries/succeeds", test_succeeds);
  add_coroutine ("/retries/fails", test_fails);
  add_coroutine ("/retries/pauses", test_pauses);
  add_coroutine ("/retries/left-out", test_left_out);
  add_coroutine ("/retries/should-retry", test_should_retry);
  add_coroutine ("/retries/cancelled", test_cancelled);
  add_coroutine ("/retries/cancelled-late", test_cancelled_late);
  add_coroutine ("/retries/group-of-cancelled", test_group_of_cancelled);
  add_coroutine ("/retries/timeouts", test_timeouts);
  add_coroutine ("/retries/refused", test_refused);
  g_test_add_func ("/retries/outside", test_outside);
  return g_test_run ();
}
