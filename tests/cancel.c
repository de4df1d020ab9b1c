/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* ---- Where a request finds the task ---- */

static gboolean
test_before_start (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, g_strdup ("ran"), count_free);

  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_future_is_done (task));
  assert_ends_cancelled (task);
  assert_trace ("");
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_never_started (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (note_and_return, g_strdup ("ran"), count_free);

  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  g_clear_object (&task);
  assert_trace ("");
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_while_sleeping (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("9000:slept");

  gtx_sleep (0.25, NULL);
  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  assert_trace ("slept!");
  g_assert_cmpfloat (gtx_get_time (), ==, 0.25);
  return TRUE;
}

static gboolean
test_while_letting_others_run (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("0:ran");

  gtx_sleep (0, NULL);
  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  assert_trace ("ran!");
  return TRUE;
}

static gboolean
await_and_note (gpointer future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (succeeded ? "awaited" : "awaited!");
  return succeeded;
}

static gboolean
test_while_awaiting_a_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = sleeper ("9000:slept");
  g_autoptr (GtxTask) middle = gtx_create_task (await_and_note, (gpointer) inner, NULL);
  g_autoptr (GtxTask) outer = gtx_create_task (await_and_note, (gpointer) middle, NULL);

  gtx_sleep (0, NULL);
  g_assert_true (gtx_cancel (outer));
  assert_ends_cancelled (outer);
  assert_trace ("slept! awaited! awaited!");
  g_assert_true (gtx_future_is_cancelled (inner) && gtx_future_is_cancelled (middle));
  return TRUE;
}

static gboolean
test_while_awaiting_a_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_and_note, (gpointer) future, NULL);

  gtx_sleep (0, NULL);
  g_assert_true (gtx_cancel (task));
  g_assert_true (gtx_future_is_cancelled (future));
  assert_ends_cancelled (task);
  assert_trace ("awaited!");
  return TRUE;
}

/* The request is made before the task awaits the other task, which is cancelled at once. */
static gboolean
cancel_itself_and_await (GtxTask *task, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_await (task, error);
}

static gboolean
test_before_awaiting_a_task (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) inner = gtx_create_task (await_and_note, (gpointer) future, NULL);
  g_autoptr (GtxTask) outer = NULL;

  g_assert_true (gtx_sleep (0, error));
  outer = gtx_create_task (cancel_itself_and_await, inner, NULL);
  assert_ends_cancelled (outer);
  assert_trace ("awaited!");
  g_assert_true (gtx_future_is_cancelled (inner) && gtx_future_is_cancelled (future));
  return TRUE;
}

/* The task and its future are cancelled in one turn. */
static gboolean
test_with_its_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_and_note, (gpointer) future, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  assert_trace ("awaited!");
  g_assert_true (gtx_future_is_cancelled (future));
  return TRUE;
}

/* The request passes through the functions that the task calls. */
static gboolean
call_and_catch (GtxFuture *future, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (await_and_note (future, &failure));
  assert_cancelled (failure);
  note ("caught");
  return TRUE;
}

static gboolean
test_through_a_call (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (call_and_catch, future, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("awaited! caught");
  g_assert_true (gtx_future_is_cancelled (future));
  return TRUE;
}

/* One of two tasks that await a third task cancels it for both. */
static gboolean
test_awaited_by_two (gpointer data, GError **error)
{
  g_autoptr (GtxTask) shared = sleeper ("9000:slept");
  g_autoptr (GtxTask) first = gtx_create_task (await_and_note, (gpointer) shared, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (await_and_note, (gpointer) shared, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (first);
  assert_ends_cancelled (first);
  assert_ends_cancelled (second);
  assert_trace ("slept! awaited! awaited!");
  g_assert_cmpuint (gtx_cancelling (second), ==, 0);
  return TRUE;
}

static gboolean
test_after_the_end (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("1:slept");

  g_assert_true (gtx_await (task, error));
  g_assert_false (gtx_cancel (task));
  g_assert_true (gtx_await (task, error));
  g_assert_false (gtx_future_is_cancelled (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 0);
  return TRUE;
}

/* The future has already woken the task, and the request is delivered all the same. */
static gboolean
test_already_woken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_and_note, (gpointer) future, NULL);

  gtx_sleep (0, NULL);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  assert_trace ("awaited!");
  return TRUE;
}

/* ---- What the task does with the request ---- */

static gboolean
swallow (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (1000, NULL));
  note ("swallowed");
  return gtx_sleep (1, error);
}

static gboolean
test_swallowed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (swallow, NULL, NULL);
  g_autoptr (GtxTask) outer = gtx_create_task (await_and_note, (gpointer) task, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (outer);
  g_assert_true (gtx_await (outer, error));
  assert_trace ("swallowed awaited");
  g_assert_false (gtx_future_is_cancelled (task) || gtx_future_is_cancelled (outer));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  g_assert_cmpuint (gtx_cancelling (outer), ==, 1);
  return TRUE;
}

/* Three futures one after the other; the wait for the second is cancelled. */
static gboolean
await_three (GtxFuture **futures, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_await (futures[0], error));
  g_assert_false (gtx_await (futures[1], &failure));
  assert_cancelled (failure);
  return futures[2] == NULL || gtx_await (futures[2], error);
}

static void
cancel_the_second (GtxFuture **futures)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_three, futures, NULL);

  gtx_sleep (0, NULL);
  gtx_future_set_result (futures[0], NULL, NULL);
  gtx_sleep (0, NULL);
  g_assert_false (gtx_future_is_done (futures[1]));
  gtx_cancel (task);
  g_assert_true (gtx_future_is_cancelled (futures[1]));
  gtx_sleep (0, NULL);
  g_assert_true (gtx_future_is_done (task) == (futures[2] == NULL));
  if (futures[2])
    gtx_future_set_result (futures[2], NULL, NULL);
  g_assert_true (gtx_await (task, NULL));
  g_assert_false (gtx_future_is_cancelled (task));
}

static gboolean
test_caught (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  g_autoptr (GtxFuture) second = gtx_future_new ();

  cancel_the_second ((GtxFuture *[]) { first, second, NULL });
  return TRUE;
}

static gboolean
test_ignored (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  g_autoptr (GtxFuture) second = gtx_future_new ();
  g_autoptr (GtxFuture) third = gtx_future_new ();

  cancel_the_second ((GtxFuture *[]) { first, second, third });
  g_assert_false (gtx_future_is_cancelled (third));
  return TRUE;
}

static gboolean
clean_up (gpointer data, GError **error)
{
  if (gtx_sleep (1000, error))
    return TRUE;
  note ("cleaning");
  note (gtx_sleep (1, NULL) ? "cleaned" : "interrupted");
  return FALSE;
}

static gboolean
test_clean_up (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (clean_up, NULL, NULL);

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  assert_ends_cancelled (task);
  assert_trace ("cleaning cleaned");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  return TRUE;
}

static gboolean
test_during_clean_up (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (clean_up, NULL, NULL);

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  gtx_sleep (0.5, NULL);
  g_assert_true (gtx_cancel (task));
  assert_ends_cancelled (task);
  assert_trace ("cleaning interrupted");
  g_assert_cmpuint (gtx_cancelling (task), ==, 2);
  return TRUE;
}

/* Two requests before the task sees one are delivered as one. */
static gboolean
test_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (clean_up, NULL, NULL);

  gtx_sleep (1, NULL);
  g_assert_cmpuint (gtx_cancelling (task), ==, 0);
  g_assert_true (gtx_cancel (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  g_assert_true (gtx_cancel (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 2);
  assert_ends_cancelled (task);
  return TRUE;
}

static gboolean
fail_when_cancelled (gpointer data, GError **error)
{
  gtx_sleep (1000, NULL);
  return fail ("another error", error);
}

static gboolean
test_another_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail_when_cancelled, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  g_assert_cmpstr (failure->message, ==, "another error");
  g_assert_false (gtx_future_is_cancelled (task));
  return TRUE;
}

/* A change that a cancelled task makes to its error does not show in the next task's error. */
static gboolean
fail_in_own_words (const char *words, GError **error)
{
  GError *failure = NULL;

  g_assert_false (gtx_sleep (9000, &failure));
  assert_cancelled (failure);
  g_assert_cmpstr (failure->message, ==, "The task was cancelled");
  g_assert_false (gtx_cancel (gtx_current_task ()) && gtx_sleep (0, NULL));
  if (words)
    g_prefix_error (&failure, "%s: ", words);
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
test_errors_apart (gpointer data, GError **error)
{
  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (fail_in_own_words, i % 2 ? "As it was told" : (const char *) NULL, NULL);
      g_autoptr (GtxTask) other = gtx_create_task (fail_in_own_words, (const char *) NULL, NULL);

      gtx_sleep (0, NULL);
      gtx_cancel (task);
      gtx_cancel (other);
      assert_ends_cancelled (task);
      assert_ends_cancelled (other);
      g_assert_cmpstr (gtx_future_get_error (other)->message, ==, "The task was cancelled");
    }
  return TRUE;
}

/* ---- By itself ---- */

static gboolean
cancel_itself_and_return (gpointer data, GError **error)
{
  return gtx_cancel (gtx_current_task ());
}

static gboolean
test_itself_then_return (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (cancel_itself_and_return, NULL, NULL);

  assert_ends_cancelled (task);
  return TRUE;
}

static gboolean
test_itself (gpointer data, GError **error)
{
  g_autoptr (GtxTask) done = sleeper ("1:done");
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_await (done, error));
  gtx_cancel (gtx_current_task ());
  g_assert_true (gtx_await (done, error));
  g_assert_false (gtx_sleep (0, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  g_assert_cmpuint (gtx_uncancel (gtx_current_task ()), ==, 0);
  return TRUE;
}

/* ---- Order ---- */

/* Tasks run in the order in which they were woken. */
static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("9000:a");
  g_autoptr (GtxTask) b = sleeper ("9000:b");
  g_autoptr (GtxTask) c = gtx_create_task (await_and_note, (gpointer) b, NULL);
  g_autoptr (GtxTask) d = sleeper ("9000:d");

  gtx_sleep (1, NULL);
  gtx_cancel (d);
  gtx_cancel (c);
  gtx_cancel (a);
  gtx_gather_list (GTX_GATHER_RETURN_ERRORS, NULL, a, b, c, d, NULL);
  assert_trace ("d! b! a! awaited!");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/cancel/before-start", test_before_start);
  add_coroutine ("/cancel/never-started", test_never_started);
  add_coroutine ("/cancel/while-sleeping", test_while_sleeping);
  add_coroutine ("/cancel/while-letting-others-run", test_while_letting_others_run);
  add_coroutine ("/cancel/while-awaiting/task", test_while_awaiting_a_task);
  add_coroutine ("/cancel/while-awaiting/future", test_while_awaiting_a_future);
  add_coroutine ("/cancel/while-awaiting/shared", test_awaited_by_two);
  add_coroutine ("/cancel/before-awaiting/task", test_before_awaiting_a_task);
  add_coroutine ("/cancel/with-its-future", test_with_its_future);
  add_coroutine ("/cancel/through-a-call", test_through_a_call);
  add_coroutine ("/cancel/after-the-end", test_after_the_end);
  add_coroutine ("/cancel/already-woken", test_already_woken);
  add_coroutine ("/cancel/swallowed", test_swallowed);
  add_coroutine ("/cancel/caught", test_caught);
  add_coroutine ("/cancel/ignored", test_ignored);
  add_coroutine ("/cancel/clean-up", test_clean_up);
  add_coroutine ("/cancel/during-clean-up", test_during_clean_up);
  add_coroutine ("/cancel/twice", test_twice);
  add_coroutine ("/cancel/another-error", test_another_error);
  add_coroutine ("/cancel/errors-apart", test_errors_apart);
  add_coroutine ("/cancel/itself", test_itself);
  add_coroutine ("/cancel/itself/then-return", test_itself_then_return);
  add_coroutine ("/cancel/order", test_order);
  return g_test_run ();
}
