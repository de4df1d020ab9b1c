/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <math.h>

static GPtrArray *
list (gpointer first, ...)
{
  GPtrArray *futures = g_ptr_array_new ();
  va_list rest;

  va_start (rest, first);
  for (gpointer future = first; future; future = va_arg (rest, gpointer))
    g_ptr_array_add (futures, future);
  va_end (rest);
  return futures;
}

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "3000:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "1000:b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (sleep_and_note, "2000:c", NULL);
  g_autoptr (GPtrArray) tasks = list (a, b, c, b, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  GError *failure = NULL;

  g_assert_true (gtx_as_completed_next (each, error) == b);
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_as_completed_next (each, error) == c);
  g_assert_true (gtx_as_completed_next (each, error) == a);
  g_assert_null (gtx_as_completed_next (each, &failure));
  g_assert_no_error (failure);
  return TRUE;
}

static gboolean
test_nothing (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (none, 1, error);
  GError *failure = NULL;

  g_assert_null (gtx_as_completed_next (each, &failure));
  g_assert_no_error (failure);
  return TRUE;
}

static gboolean
test_done_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) late = gtx_create_task (sleep_and_note, "1000:late", NULL);
  g_autoptr (GtxTask) done = gtx_create_task (note_and_return, "done", NULL);
  g_autoptr (GPtrArray) tasks = list (late, done, NULL);
  g_autoptr (GtxAsCompleted) each = NULL;

  g_assert_true (gtx_await (done, error));
  each = gtx_as_completed (tasks, GTX_FOREVER, error);
  g_assert_true (gtx_as_completed_next (each, error) == done);
  g_assert_true (gtx_as_completed_next (each, error) == late);
  return TRUE;
}

static gboolean
test_starts (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_and_note, "1:a", NULL);
  g_autoptr (GPtrArray) tasks = list (task, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);

  g_assert_true (gtx_as_completed_next (each, error) == task);
  assert_trace ("a");
  return TRUE;
}

static gboolean
test_errors (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail, "broken", NULL);
  g_autoptr (GPtrArray) tasks = list (task, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_as_completed_next (each, &failure) == task);
  g_assert_no_error (failure);
  g_assert_error (gtx_future_get_error (task), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "1000:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "9000:b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (sleep_and_note, "9000:c", NULL);
  g_autoptr (GPtrArray) tasks = list (a, b, c, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, 2, error);

  g_assert_true (gtx_as_completed_next (each, error) == a);
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_null (gtx_as_completed_next (each, &failure));
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_cmpfloat (gtx_get_time (), ==, 2);
    }
  g_assert_false (gtx_future_is_done (b));
  return gtx_await (b, error);
}

/* Futures that are already done are returned although the time is over. */
static gboolean
test_done_in_time (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "1000:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "9000:b", NULL);
  g_autoptr (GPtrArray) tasks = list (b, a, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, 2, error);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_as_completed_next (each, error) == a);
  g_assert_null (gtx_as_completed_next (each, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
}

static gboolean
test_unused_timeout (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "1000:a", NULL);
  g_autoptr (GPtrArray) tasks = list (a, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, 2, error);

  g_assert_true (gtx_sleep (5, error));
  g_assert_true (gtx_as_completed_next (each, error) == a);
  return TRUE;
}

static gboolean
take_next (GtxAsCompleted *each, GError **error)
{
  return gtx_as_completed_next (each, error) != NULL;
}

/* A cancelled task does not change the iterator. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) a = gtx_future_new ();
  g_autoptr (GtxFuture) b = gtx_future_new ();
  g_autoptr (GPtrArray) futures = list (a, b, NULL);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, GTX_FOREVER, error);
  g_autoptr (GtxTask) taker = gtx_create_task (take_next, each, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (taker);
  g_assert_false (gtx_await (taker, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_future_is_done (a) || gtx_future_is_done (b));
  gtx_future_set_result (a, NULL, NULL);
  gtx_future_set_result (b, NULL, NULL);
  g_assert_true (gtx_as_completed_next (each, error) == a);
  g_assert_true (gtx_as_completed_next (each, error) == b);
  g_assert_null (gtx_as_completed_next (each, error));
  return TRUE;
}

/* The returned futures may be awaited later, and together. */
static gboolean
test_collected (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "50:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "50:b", NULL);
  g_autoptr (GPtrArray) tasks = list (a, b, NULL);
  g_autoptr (GPtrArray) given = g_ptr_array_new ();
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  gpointer next;

  while ((next = gtx_as_completed_next (each, error)))
    g_ptr_array_add (given, next);
  g_assert_cmpuint (given->len, ==, 2);
  g_assert_true (given->pdata[0] == a && given->pdata[1] == b);
  g_assert_true (gtx_wait (given, GTX_ALL_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.05);
  return TRUE;
}

static gboolean
test_left_early (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "1:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (sleep_and_note, "2:b", NULL);
  g_autoptr (GPtrArray) tasks = list (a, b, NULL);

  {
    g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, 60, error);

    g_assert_true (gtx_as_completed_next (each, error) == a);
  }
  return gtx_await (b, error);
}

static gboolean
test_misuse (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) self = list (gtx_current_task (), NULL);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_as_completed (self, GTX_FOREVER, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  g_clear_error (&failure);
  g_assert_null (gtx_as_completed (none, NAN, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_as_completed (none, 1, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/as-completed/order", test_order);
  add_coroutine ("/as-completed/nothing", test_nothing);
  add_coroutine ("/as-completed/done-before", test_done_before);
  add_coroutine ("/as-completed/starts", test_starts);
  add_coroutine ("/as-completed/errors", test_errors);
  add_coroutine ("/as-completed/timeout", test_timeout);
  add_coroutine ("/as-completed/done-in-time", test_done_in_time);
  add_coroutine ("/as-completed/unused-timeout", test_unused_timeout);
  add_coroutine ("/as-completed/cancelled", test_cancelled);
  add_coroutine ("/as-completed/collected", test_collected);
  add_coroutine ("/as-completed/left-early", test_left_early);
  add_coroutine ("/as-completed/misuse", test_misuse);
  g_test_add_func ("/as-completed/outside", test_outside);
  return g_test_run ();
}
