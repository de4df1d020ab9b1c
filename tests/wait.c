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
  return TRUE;
}

static gboolean
test_first (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_assert_true (gtx_wait (tasks, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  g_assert_cmpuint (n_done (tasks), ==, 1);
  assert_trace ("a");
  return TRUE;
}

static gboolean
test_first_error (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = three_tasks ();

  g_ptr_array_add (tasks, gtx_create_task (fail_after, "2.5", NULL));
  gtx_cancel (tasks->pdata[1]);
  g_assert_true (gtx_wait (tasks, GTX_FIRST_ERROR, GTX_FOREVER, error));
  /* One that was cancelled has not failed. */
  g_assert_cmpuint (n_done (tasks), ==, 3);
  g_assert_false (gtx_future_is_done (tasks->pdata[2]));
  assert_trace ("a");
  return TRUE;
}

/* As in asyncio: with the last one it is not asked whether it has failed. */
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
  g_assert_cmpfloat_with_epsilon (gtx_test_get_time (), 0.0025, 1e-6);
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
  /* Others run meanwhile, and a future given twice counts once. */
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

/* ---- One, for so long ---- */

static gboolean
test_for (gpointer data, GError **error)
{
  g_autoptr (GtxTask) quick = gtx_create_task (sleep_and_note, "1:quick", NULL);
  g_autoptr (GtxTask) slow = gtx_create_task (sleep_and_note, "9000:slow", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_wait_for (quick, 1, error));
  g_assert_true (gtx_wait_for (quick, 0, error));
  g_assert_false (gtx_wait_for (slow, 1, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (slow));
  assert_trace ("quick slow!");
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return TRUE;
}

static gboolean
test_for_no_time (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (note_and_return, "never", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (task, 0, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (task));
  assert_trace ("");
  return TRUE;
}

/* ---- Shielded ---- */

static gboolean
await_shielded (GtxTask *task, GError **error)
{
  g_autoptr (GtxFuture) shielded = gtx_shield (task);

  return gtx_await (shielded, error);
}

static gboolean
test_shield (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task (sleep_and_note, "5:inner", NULL);
  g_autoptr (GtxTask) outer = gtx_create_task (await_shielded, inner, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.001, NULL);
  gtx_cancel (outer);
  g_assert_false (gtx_await (outer, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_future_is_done (inner));
  g_assert_true (gtx_await (inner, error));
  assert_trace ("inner");
  return TRUE;
}

static char *
make_word (gpointer data, GError **error)
{
  return gtx_sleep (0, error) ? g_strdup ("word") : NULL;
}

static gboolean
test_shield_result (gpointer data, GError **error)
{
  GtxTask *inner = gtx_create_task_pointer (make_word, NULL, NULL, count_free);
  GtxFuture *shielded = gtx_shield (inner);

  g_assert_cmpstr (gtx_await_peek_pointer (shielded, error), ==, "word");
  g_object_unref (inner);
  g_assert_cmpstr (gtx_future_get_result (shielded), ==, "word");
  g_object_unref (shielded);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* Who takes it from one takes it from all. */
static gboolean
test_shield_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task_pointer (make_word, NULL, NULL, count_free);
  g_autoptr (GtxFuture) shielded = gtx_shield (inner);
  g_autoptr (GtxFuture) twice = gtx_shield (shielded);
  g_autofree char *word = gtx_await_pointer (twice, error);
  GtxFuture *others[] = { (GtxFuture *) inner, shielded, twice };

  g_assert_cmpstr (word, ==, "word");
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_null (gtx_await_pointer (others[i], &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
      g_assert_null (gtx_future_get_result (others[i]));
    }
  g_clear_object (&twice);
  g_clear_object (&shielded);
  g_clear_object (&inner);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_shield_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task (fail, "broken", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (await_shielded (inner, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

/* Neither keeps the other alive for ever. */
static gboolean
test_shield_dropped (gpointer data, GError **error)
{
  GtxFuture *inner = gtx_future_new ();
  GtxFuture *outer = gtx_shield (inner);

  g_object_add_weak_pointer (G_OBJECT (outer), (gpointer *) &outer);
  g_object_unref (outer);
  g_object_unref (inner);
  g_assert_null (outer);
  return TRUE;
}

/* Time after time, what is long is waited for in short shields. */
static gboolean
test_shield_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();
  GtxFuture *outer = gtx_shield (inner);

  g_object_add_weak_pointer (G_OBJECT (outer), (gpointer *) &outer);
  gtx_cancel (outer);
  gtx_sleep (0, NULL);
  g_object_unref (outer);
  g_assert_null (outer);
  return TRUE;
}

/* Of an error that came in the round of the cancellation nobody is warned, of
 * a later one that nobody asks for everybody. */
static gboolean
test_shield_fails_meanwhile (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  gtx_cancel (outer);
  gtx_future_set_error (inner, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  return gtx_sleep (0, error);
}

static gboolean
test_shield_fails_later (gpointer data, GError **error)
{
  GtxFuture *inner = gtx_future_new ();
  g_autoptr (GtxFuture) outer = gtx_shield (inner);

  gtx_cancel (outer);
  gtx_sleep (0, NULL);
  gtx_future_set_error (inner, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  gtx_sleep (0, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
  g_object_unref (inner);
  g_test_assert_expected_messages ();
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/wait/all", test_all);
  add_coroutine ("/wait/first", test_first);
  add_coroutine ("/wait/first-error", test_first_error);
  add_coroutine ("/wait/first-error/last", test_first_error_is_last);
  add_coroutine ("/wait/time-over", test_time_over);
  add_coroutine ("/wait/done-before", test_done_before);
  add_coroutine ("/wait/cancelled", test_cancelled);
  add_coroutine ("/wait/nothing", test_nothing);
  add_coroutine ("/wait/for", test_for);
  add_coroutine ("/wait/for/no-time", test_for_no_time);
  add_coroutine ("/wait/shield", test_shield);
  add_coroutine ("/wait/shield/result", test_shield_result);
  add_coroutine ("/wait/shield/result/taken", test_shield_result_taken);
  add_coroutine ("/wait/shield/error", test_shield_error);
  add_coroutine ("/wait/shield/dropped", test_shield_dropped);
  add_coroutine ("/wait/shield/cancelled", test_shield_cancelled);
  add_coroutine ("/wait/shield/cancelled/fails-meanwhile", test_shield_fails_meanwhile);
  add_coroutine ("/wait/shield/cancelled/fails-later", test_shield_fails_later);
  return g_test_run ();
}
