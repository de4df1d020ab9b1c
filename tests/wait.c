/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
fail_after (const char *milliseconds, GError **error)
{
  if (!gtx_sleep (g_ascii_strtod (milliseconds, NULL) / 1000, error))
    return FALSE;
  return fail ("broken", error);
}

/* Three tasks that end after 1, 2 and 3 ms. */
static GPtrArray *
three_tasks (void)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (tasks, gtx_create_task (sleep_and_note, "1:a", NULL));
  g_ptr_array_add (tasks, gtx_create_task (sleep_and_note, "2:b", NULL));
  g_ptr_array_add (tasks, gtx_create_task (sleep_and_note, "3:c", NULL));
  return tasks;
}

static guint
n_done (GPtrArray *tasks)
{
  guint n = 0;

  for (guint i = 0; i < tasks->len; i++)
    n += gtx_future_is_done (tasks->pdata[i]);
  return n;
}

static gboolean
test_all (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 3);
  assert_trace ("a b c");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.003);
  /* A second wait takes no time. */
  g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.003);
  return TRUE;
}

static gboolean
test_all_and_error (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();
  GtxTask *failing = gtx_create_task (fail_after, "4", NULL);

  g_ptr_array_add (tasks, failing);
  for (int i = 0; i < 2; i++)
    {
      g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, GTX_FOREVER, error));
      g_assert_cmpuint (n_done (tasks), ==, 4);
      g_assert_cmpfloat (gtx_get_time (), ==, 0.004);
    }
  g_assert_error (gtx_future_get_error (failing), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

static gboolean
test_twice (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_ptr_array_add (tasks, g_object_ref (tasks->pdata[0]));
  g_ptr_array_insert (tasks, 1, g_object_ref (tasks->pdata[0]));
  g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 5);
  assert_trace ("a b c");
  return TRUE;
}

static gboolean
test_first (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_wait (tasks, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 1);
  assert_trace ("a");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.001);
  return TRUE;
}

static gboolean
let_others_run (const int *times, GError **error)
{
  for (int i = 0; i < *times; i++)
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

/* The second ends after the wait has ended, and before its task goes on. */
static gboolean
test_first_and_another (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (tasks, gtx_create_task (let_others_run, &((int) { 2 }), NULL));
  g_ptr_array_add (tasks, gtx_create_task (let_others_run, &((int) { 1 }), NULL));
  g_assert_true (gtx_wait (tasks, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 2);
  return TRUE;
}

/* After a wait the task keeps nothing of the futures that were not done. */
static gboolean
test_lets_go (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new ();
  g_autoptr (GtxTask) done = gtx_create_task (let_others_run, &((int) { 1 }), NULL);
  GtxFuture *never = gtx_future_new ();

  g_ptr_array_add (futures, done);
  g_ptr_array_add (futures, never);
  g_assert_true (gtx_wait (futures, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  g_assert_false (gtx_future_is_done (never));
  g_assert_finalize_object (never);
  return TRUE;
}

static gboolean
test_first_error_at_once (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_ptr_array_add (tasks, gtx_create_task (fail, "at once", NULL));
  g_assert_true (gtx_wait (tasks, GTX_FIRST_ERROR, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 1);
  g_assert_true (gtx_future_is_done (tasks->pdata[3]));
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_first_error (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_ptr_array_add (tasks, gtx_create_task (fail_after, "2.5", NULL));
  gtx_cancel (tasks->pdata[1]);
  g_assert_true (gtx_wait (tasks, GTX_FIRST_ERROR, GTX_FOREVER, error));
  /* A cancelled future has not failed. */
  g_assert_cmpuint (n_done (tasks), ==, 3);
  g_assert_false (gtx_future_is_done (tasks->pdata[2]));
  assert_trace ("a");
  return TRUE;
}

/* As in asyncio, the function does not check whether the last future has failed. */
static gboolean
test_first_error_is_last (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (tasks, gtx_create_task (fail, "no luck", NULL));
  g_assert_true (gtx_wait (tasks, GTX_FIRST_ERROR, GTX_FOREVER, error));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "fail: its error was never retrieved: no luck");
  g_ptr_array_set_size (tasks, 0);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_time_over (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, 0.0025, error));
  g_assert_cmpuint (n_done (tasks), ==, 2);
  g_assert_cmpfloat_with_epsilon (gtx_get_time (), 0.0025, 1e-6);
  return TRUE;
}

/* A task that ends at the moment of the time limit is done, if it began before. */
static gboolean
test_time_over_at_the_end (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_wait (tasks, GTX_ALL_COMPLETED, 0.002, error));
  g_assert_cmpuint (n_done (tasks), ==, 2);
  g_assert_false (gtx_future_is_done (tasks->pdata[2]));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.002);
  return TRUE;
}

static gboolean
test_done_before (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtxTask) other = NULL;

  g_ptr_array_add (futures, gtx_future_new ());
  g_ptr_array_add (futures, g_object_ref (futures->pdata[0]));
  gtx_future_set_result (futures->pdata[0], NULL, NULL);
  other = gtx_create_task (note_and_return, "other", NULL);
  /* Other tasks run during the wait.  A future that is given twice counts once. */
  g_assert_true (gtx_wait (futures, GTX_ALL_COMPLETED, GTX_FOREVER, error));
  assert_trace ("other");
  return TRUE;
}

static gboolean
wait_for_all (GPtrArray *tasks, GError **error)
{
  return gtx_wait (tasks, GTX_ALL_COMPLETED, 1, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();
  g_autoptr (GtxTask) waiting = gtx_create_task (wait_for_all, tasks, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (waiting);
  g_assert_false (gtx_await (waiting, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (n_done (tasks), ==, 0);
  g_assert_true (gtx_gather (tasks, 0, error));
  assert_trace ("a b c");
  return TRUE;
}

static gboolean
test_nothing (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait (nothing, GTX_ALL_COMPLETED, 1, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/wait/all", test_all);
  add_coroutine ("/wait/all/and-error", test_all_and_error);
  add_coroutine ("/wait/twice", test_twice);
  add_coroutine ("/wait/first", test_first);
  add_coroutine ("/wait/first/and-another", test_first_and_another);
  add_coroutine ("/wait/lets-go", test_lets_go);
  add_coroutine ("/wait/first-error", test_first_error);
  add_coroutine ("/wait/first-error/at-once", test_first_error_at_once);
  add_coroutine ("/wait/first-error/last", test_first_error_is_last);
  add_coroutine ("/wait/time-over", test_time_over);
  add_coroutine ("/wait/time-over/at-the-end", test_time_over_at_the_end);
  add_coroutine ("/wait/done-before", test_done_before);
  add_coroutine ("/wait/cancelled", test_cancelled);
  add_coroutine ("/wait/nothing", test_nothing);
  return g_test_run ();
}
