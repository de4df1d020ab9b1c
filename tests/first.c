/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_race () and gtx_any (): which future is taken, and what becomes of the others. */

#include "fixture.h"

static GPtrArray *
array_of (gpointer first, ...)
{
  GPtrArray *futures = g_ptr_array_new_with_free_func (g_object_unref);
  va_list rest;

  va_start (rest, first);
  for (gpointer future = first; future; future = va_arg (rest, gpointer))
    g_ptr_array_add (futures, future);
  va_end (rest);
  return futures;
}

static GPtrArray *
three_tasks (void)
{
  return array_of (sleeper ("2:b"), sleeper ("1:a"), sleeper ("3:c"), NULL);
}

static gboolean
fail_after (const char *milliseconds, GError **error)
{
  return gtx_sleep (g_ascii_strtod (milliseconds, NULL) / 1000, error) && fail (milliseconds, error);
}

static GtxTask *
failing (const char *milliseconds)
{
  return gtx_create_task (fail_after, milliseconds, NULL);
}

/* Ends a second after a request to cancel, in the way that @how says. */
static char *
end_slowly (const char *how, GError **error)
{
  g_assert_false (gtx_sleep (1000, NULL));
  g_assert_true (gtx_sleep (1, NULL));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  note (how);
  if (g_str_equal (how, "fails"))
    fail (how, error);
  return g_strdup (how);
}

static GtxTask *
slow (const char *how)
{
  return gtx_create_task_pointer (end_slowly, how, NULL, count_free);
}

/* ---- The first that is done ---- */

static gboolean
test_race (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_race (tasks, error) == tasks->pdata[1]);
  assert_trace ("a b! c!");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.001);
  g_assert_true (gtx_future_is_cancelled (tasks->pdata[0]));
  g_assert_true (gtx_future_is_cancelled (tasks->pdata[2]));
  return gtx_await (tasks->pdata[1], error);
}

static gboolean
test_one (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (sleeper ("1:a"), NULL);

  g_assert_true (gtx_race (tasks, error) == tasks->pdata[0]);
  assert_trace ("a");
  return TRUE;
}

/* A future that fails or is cancelled is done, too; its error is the caller's to look at. */
static gboolean
test_first_fails (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (sleeper ("2:b"), failing ("1"), NULL);
  g_autoptr (GPtrArray) cancelled = array_of (sleeper ("2:b"), gtx_future_new (), NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_race (tasks, error) == tasks->pdata[1]);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "fail_after: its error was never retrieved: 1");
  g_ptr_array_set_size (tasks, 0);
  g_test_assert_expected_messages ();

  gtx_cancel (cancelled->pdata[1]);
  g_assert_true (gtx_race (cancelled, error) == cancelled->pdata[1]);
  g_assert_false (gtx_await (cancelled->pdata[1], &failure));
  assert_cancelled (failure);
  assert_trace ("b! b!");
  return TRUE;
}

/* The others are waited for, however long they clean up.  They have lost, even if they succeed: their results
 * are freed with them, and nobody is warned of their errors. */
static gboolean
test_others_end_slowly (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (slow ("succeeds"), sleeper ("1:a"), slow ("fails"), NULL);

  g_assert_true (gtx_race (tasks, error) == tasks->pdata[1]);
  assert_trace ("a succeeds fails");
  g_assert_cmpfloat (gtx_get_time (), ==, 1.001);
  g_assert_cmpstr (gtx_future_get_result (tasks->pdata[0]), ==, "succeeds");
  g_ptr_array_set_size (tasks, 0);
  /* What end_slowly () returned with an error was freed at once. */
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

/* Two end in the same round: the first of them is taken. */
static gboolean
test_same_round (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (failing ("1"), NULL);

  g_ptr_array_add (tasks, sleeper ("1:a"));
  g_ptr_array_add (tasks, failing ("1"));
  g_assert_true (gtx_race (tasks, error) == tasks->pdata[0]);
  assert_trace ("a");
  g_assert_nonnull (gtx_future_get_error (tasks->pdata[0]));
  return TRUE;
}

/* A future that is there twice is cancelled once, as end_slowly () checks. */
static gboolean
test_repeated (gpointer data, GError **error)
{
  GtxTask *loser = slow ("succeeds");
  g_autoptr (GPtrArray) tasks = array_of (loser, sleeper ("1:a"), g_object_ref (loser), NULL);

  g_ptr_array_add (tasks, g_object_ref (tasks->pdata[1]));
  g_assert_true (gtx_race (tasks, error) == tasks->pdata[1]);
  assert_trace ("a succeeds");
  return TRUE;
}

/* Of those that were done before, the first in the array is taken.  A task that was not started never begins. */
static gboolean
test_done_before (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of (gtx_task_new (note_and_return, "unstarted", NULL), sleeper ("1:a"),
                                            gtx_future_new (), gtx_future_new (), NULL);

  gtx_future_set_result (futures->pdata[3], NULL, NULL);
  gtx_future_set_result (futures->pdata[2], NULL, NULL);
  g_assert_true (gtx_race (futures, error) == futures->pdata[2]);
  assert_trace ("");
  g_assert_true (gtx_future_is_cancelled (futures->pdata[0]));
  g_assert_true (gtx_future_is_cancelled (futures->pdata[1]));
  return TRUE;
}

/* If all are done, the task does not suspend, and a request that stands is left alone. */
static gboolean
test_all_done_before (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of (gtx_future_new (), gtx_future_new (), NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxTask) other = NULL;

  gtx_future_set_error (futures->pdata[0], g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "failed"));
  gtx_future_set_result (futures->pdata[1], NULL, NULL);
  other = gtx_create_task (note_and_return, "other", NULL);
  gtx_cancel (gtx_current_task ());
  g_assert_true (gtx_any (futures, error) == futures->pdata[1]);
  g_assert_true (gtx_race (futures, error) == futures->pdata[0]);
  assert_trace ("");
  g_assert_false (gtx_sleep (0, &failure));
  assert_cancelled (failure);
  gtx_uncancel (gtx_current_task ());
  return gtx_await (other, error);
}

/* Plain futures are cancelled; a future behind a shield goes on. */
static gboolean
test_futures (gpointer data, GError **error)
{
  g_autoptr (GtxTask) goes_on = sleeper ("5:on");
  g_autoptr (GPtrArray) futures = array_of (gtx_shield (goes_on), gtx_future_new (), gtx_sleep_future (0.002), NULL);

  g_assert_true (gtx_race (futures, error) == futures->pdata[2]);
  g_assert_true (gtx_future_is_cancelled (futures->pdata[0]));
  g_assert_true (gtx_future_is_cancelled (futures->pdata[1]));
  g_assert_true (gtx_await (goes_on, error));
  assert_trace ("on");
  return TRUE;
}

/* ---- The first that succeeds ---- */

static gboolean
test_any (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (failing ("1"), sleeper ("9:slow"), sleeper ("3:a"), failing ("2"), NULL);

  gtx_cancel (tasks->pdata[3]);
  g_assert_true (gtx_any (tasks, error) == tasks->pdata[2]);
  assert_trace ("a slow!");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.003);
  return TRUE;
}

/* One succeeds only because it takes no notice of the request: another was taken before. */
static gboolean
test_any_succeeds_late (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of (slow ("succeeds"), failing ("1"), sleeper ("2:a"), NULL);

  g_assert_true (gtx_any (tasks, error) == tasks->pdata[2]);
  assert_trace ("a succeeds");
  return TRUE;
}

static gboolean
test_any_all_fail (gpointer data, GError **error)
{
  GtxTask *twice = failing ("3");
  g_autoptr (GPtrArray) futures = array_of (twice, failing ("1"), gtx_future_new (), failing ("2"),
                                            g_object_ref (twice), NULL);
  g_autoptr (GError) failure = NULL;

  gtx_cancel (futures->pdata[2]);
  g_assert_null (gtx_any (futures, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (failure), ==, 4);
  g_assert_cmpstr (gtx_error_get_error (failure, 0)->message, ==, "3");
  g_assert_cmpstr (gtx_error_get_error (failure, 1)->message, ==, "1");
  assert_cancelled (gtx_error_get_error (failure, 2));
  g_assert_cmpstr (gtx_error_get_error (failure, 3)->message, ==, "2");
  g_assert_true (g_str_has_prefix (failure->message, "None of the futures succeeded: 3; 1; "));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.003);
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
race_with_itself (GPtrArray *futures, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_ptr_array_add (futures, g_object_ref (gtx_current_task ()));
  g_assert_null (gtx_race (futures, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  return gtx_any (futures, error) != NULL;
}

/* Nothing is cancelled then. */
static gboolean
test_refused (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) nothing = g_ptr_array_new ();
  g_autoptr (GPtrArray) tasks = array_of (sleeper ("1:a"), NULL);
  g_autoptr (GPtrArray) foreign = array_of (sleeper ("1:b"), NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  GError *failure = NULL;

  g_assert_null (gtx_race (nothing, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (failure->message, "gtx_race()"));
  g_clear_error (&failure);
  g_assert_null (gtx_any (nothing, &failure));
  g_assert_nonnull (strstr (failure->message, "gtx_any()"));
  g_clear_error (&failure);

  task = gtx_create_task (race_with_itself, tasks, NULL);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  g_clear_error (&failure);
  g_assert_true (gtx_await (tasks->pdata[0], error));

  g_main_context_push_thread_default (context);
  g_ptr_array_add (foreign, gtx_future_new ());
  g_main_context_pop_thread_default (context);
  g_assert_null (gtx_race (foreign, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_true (gtx_await (foreign->pdata[0], error));
  assert_trace ("a b");
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GPtrArray) futures = array_of (gtx_future_new (), NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_race (futures, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_null (gtx_any (futures, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_false (gtx_future_is_done (futures->pdata[0]));
}

static gpointer
go_on_as_it_was (gpointer future, gpointer data)
{
  return NULL;
}

/* A continuation of the task itself would never end. */
static gboolean
test_continuation_of_itself (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) failure = NULL;

  g_ptr_array_add (futures, gtx_future_then (gtx_current_task (), go_on_as_it_was, NULL, NULL));
  g_assert_null (gtx_race (futures, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/first/race", test_race);
  add_coroutine ("/first/race/one", test_one);
  add_coroutine ("/first/race/first-fails", test_first_fails);
  add_coroutine ("/first/race/others-end-slowly", test_others_end_slowly);
  add_coroutine ("/first/race/same-round", test_same_round);
  add_coroutine ("/first/race/repeated", test_repeated);
  add_coroutine ("/first/race/done-before", test_done_before);
  add_coroutine ("/first/race/all-done-before", test_all_done_before);
  add_coroutine ("/first/race/futures", test_futures);
  add_coroutine ("/first/any", test_any);
  add_coroutine ("/first/any/succeeds-late", test_any_succeeds_late);
  add_coroutine ("/first/any/all-fail", test_any_all_fail);
  add_coroutine ("/first/refused", test_refused);
  add_coroutine ("/first/continuation-of-itself", test_continuation_of_itself);
  g_test_add_func ("/first/outside", test_outside);
  return g_test_run ();
}
