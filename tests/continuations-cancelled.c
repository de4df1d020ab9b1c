/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel the futures of continuations: where they go, and how these futures end. */

#include "continuation-cases.h"

static const Continue ways[] = { gtx_future_then, gtx_future_catch, gtx_future_finally };

/* ---- While the first future is pending ---- */

static gboolean
test_first (gpointer data, GError **error)
{
  static const char *const traces[] = { "cancelled", "called second", "called second" };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (GtxFuture) first = gtx_future_new ();
      Call call = { .returned = done_future ("second") };
      g_autoptr (GtxFuture) future = ways[i] (first, call_and_return, &call, count_call_free);

      g_assert_true (gtx_cancel (future));
      g_assert_true (gtx_future_is_cancelled (first));
      g_assert_false (gtx_future_is_done (future));
      settle_down ();
      note_outcome (future);
      assert_trace (traces[i]);
      g_assert_cmpuint (call.n_frees, ==, 1);
      g_assert_false (gtx_cancel (future));
      g_clear_object ((GObject **) &call.returned);
    }
  return TRUE;
}

/* ---- When the first future is done, and the function is due ---- */

static const struct
{
  guint way;
  gboolean first_fails;
  int second;                   /* 0: the function returns nothing; 1: a future that succeeds; -1: fails */
  const char *trace;
} due[] = {
  { 0, FALSE, 1, "cancelled" },
  { 0, TRUE, 1, "cancelled" },
  { 1, FALSE, 1, "cancelled" },
  { 1, TRUE, 1, "cancelled" },
  { 2, FALSE, 0, "called cancelled" },
  { 2, TRUE, 0, "called cancelled" },
  { 2, FALSE, 1, "called pending cancelled" },
  { 2, TRUE, 1, "called pending cancelled" },
  { 2, FALSE, -1, "called pending broken" },
};

static gboolean
test_due (gpointer data, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (due); i++)
    {
      g_autoptr (GtxFuture) first = gtx_future_new ();
      g_autoptr (GtxFuture) second = gtx_future_new ();
      Call call = { .returned = due[i].second ? g_object_ref (second) : NULL };
      g_autoptr (GtxFuture) future = ways[due[i].way] (first, call_and_return, &call, count_call_free);

      if (due[i].first_fails)
        fail_with (first, "first");
      else
        gtx_future_set_result (first, NULL, NULL);
      g_assert_true (gtx_cancel (future));
      settle_down ();
      g_assert_cmpuint (call.n_frees, ==, 1);
      if (!gtx_future_is_done (future))
        {
          /* What the function cleans up with is not cancelled. */
          g_assert_false (gtx_future_is_done (second));
          note_outcome (future);
          if (due[i].second > 0)
            gtx_future_set_result (second, NULL, NULL);
          else
            fail_with (second, "broken");
          settle_down ();
        }
      note_outcome (future);
      assert_trace (due[i].trace);
      g_clear_object ((GObject **) &call.returned);
      if (due[i].first_fails)
        gtx_future_get_error (first);
    }
  return TRUE;
}

/* A second request while the cleanup goes on is made to that. */
static gboolean
test_due_twice (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = done_future ("first");
  g_autoptr (GtxFuture) second = gtx_future_new ();
  Call call = { .returned = g_object_ref (second) };
  g_autoptr (GtxFuture) future = gtx_future_finally (first, call_and_return, &call, NULL);

  g_assert_true (gtx_cancel (future));
  settle_down ();
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_future_is_cancelled (second));
  settle_down ();
  note_outcome (future);
  assert_trace ("called cancelled");
  return TRUE;
}

/* ---- While the function runs ---- */

/* @second: what the function returns. */
static void
cancel_in_call (GtxFuture *second, const char *expected)
{
  g_autoptr (GtxFuture) first = done_future ("first");
  Call call = { .returned = second };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

  call.to_cancel = future;
  settle_down ();
  note_outcome (future);
  assert_trace (expected);
}

static gboolean
test_in_call (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) second = gtx_future_new ();

  cancel_in_call (NULL, "called cancelled");
  cancel_in_call (done_future ("second"), "called cancelled");
  cancel_in_call (g_object_ref (second), "called cancelled");
  g_assert_true (gtx_future_is_cancelled (second));
  return TRUE;
}

/* ---- While the second future is pending ---- */

static gboolean
test_second (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = done_future ("first");
  g_autoptr (GtxFuture) second = gtx_future_new ();
  Call call = { .returned = g_object_ref (second) };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

  settle_down ();
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_future_is_cancelled (second));
  settle_down ();
  note_outcome (future);
  assert_trace ("called cancelled");
  return TRUE;
}

/* The second future is done, and the new future does not know yet. */
static gboolean
test_second_done (gpointer data, GError **error)
{
  for (int fails = 0; fails < 2; fails++)
    {
      g_autoptr (GtxFuture) first = done_future ("first");
      g_autoptr (GtxFuture) second = gtx_future_new ();
      Call call = { .returned = g_object_ref (second) };
      g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

      settle_down ();
      if (fails)
        fail_with (second, "broken");
      else
        gtx_future_set_result (second, NULL, NULL);
      g_assert_true (gtx_cancel (future));
      g_assert_true (gtx_future_is_cancelled (future));
      settle_down ();
      assert_trace ("called");
    }
  return TRUE;
}

/* A task that takes no notice of two requests. */
static const char *
take_no_notice (guint *n_requests, GError **error)
{
  while (*n_requests < 2)
    {
      g_assert_false (gtx_sleep (1000, NULL));
      ++*n_requests;
    }
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 2);
  return "carried on";
}

static gboolean
test_second_task (gpointer data, GError **error)
{
  guint n_requests = 0;
  g_autoptr (GtxFuture) first = done_future ("first");
  Call call = { .returned = gtx_create_task_pointer (take_no_notice, &n_requests, NULL, NULL) };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

  settle_down ();
  for (guint i = 1; i <= 2; i++)
    {
      g_assert_true (gtx_cancel (future));
      settle_down ();
      g_assert_cmpuint (n_requests, ==, i);
    }
  note_outcome (future);
  assert_trace ("called carried on");
  return TRUE;
}

/* ---- Requests that come from tasks ---- */

static gboolean
await_and_note (GtxFuture *future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (succeeded ? "awaited" : "failed");
  return succeeded;
}

static gboolean
sleep_long_and_note (const char *word, GError **error)
{
  gboolean succeeded = gtx_sleep (1000, error);

  note (succeeded ? "slept" : word);
  return succeeded;
}

/* The request goes from a task by way of two futures to another task, and back. */
static gboolean
test_from_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task (sleep_long_and_note, "inner", NULL);
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  g_autoptr (GtxFuture) one = gtx_future_then (inner, call_and_return, &calls[0], NULL);
  g_autoptr (GtxFuture) other = gtx_future_catch (one, call_and_return, &calls[1], NULL);
  g_autoptr (GtxTask) outer = gtx_create_task (await_and_note, other, NULL);

  settle_down ();
  g_assert_true (gtx_cancel (outer));
  settle_down ();
  assert_trace ("inner called failed");
  g_assert_true (gtx_future_is_cancelled (outer));
  return TRUE;
}

/* A gathering passes its request on to both, which wait for the same future. */
static gboolean
test_from_gathering (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  g_autoptr (GtxFuture) one = gtx_future_then (first, call_and_return, &calls[0], NULL);
  g_autoptr (GtxFuture) other = gtx_future_finally (first, call_and_return, &calls[1], NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  {
    g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

    gtx_timeout_begin (&timeout, 1);
    gtx_gather_list (GTX_GATHER_NONE, &failure, one, other, NULL);
    gtx_timeout_end (&timeout, &failure, NULL);
  }
  settle_down ();
  g_assert_true (gtx_future_is_cancelled (one));
  g_assert_true (gtx_future_is_cancelled (other));
  assert_trace ("called");
  return TRUE;
}

/* A task awaits a future whose function returns the task: a request ends both. */
static gboolean
test_ring_with_task (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);
  g_autoptr (GtxTask) task = gtx_create_task (await_and_note, future, NULL);

  call.returned = g_object_ref (task);
  gtx_future_set_result (first, NULL, NULL);
  settle_down ();
  assert_trace ("called");
  g_assert_true (gtx_cancel (future));
  settle_down ();
  assert_trace ("failed");
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_true (gtx_future_is_cancelled (future));
  return TRUE;
}

/* Each task awaits a future that waits for the next task, as many as would overflow a stack. */
#define LENGTH (RUNNING_ON_VALGRIND ? 300 : 3000)

static gboolean
test_long_way (gpointer data, GError **error)
{
  GtxTask *last = gtx_create_task (sleep_long_and_note, "inner", NULL);
  int length = LENGTH;

  for (int i = 0; i < length; i++)
    {
      GtxFuture *future = gtx_future_then (last, call_and_return, NULL, NULL);
      GtxTask *next = gtx_create_task (await_and_note, g_object_ref (future), g_object_unref);

      gtx_task_set_stack_size (next, 32 * 1024);
      g_object_unref (future);
      g_object_unref (last);
      last = next;
    }
  settle_down ();
  g_assert_true (gtx_cancel (last));
  g_assert_false (gtx_await (last, NULL));
  g_assert_true (gtx_future_is_cancelled (last));
  g_assert_true (g_str_has_prefix (trace->str, "inner failed"));
  g_assert_cmpuint (trace->len, ==, strlen ("inner") + (gsize) length * strlen (" failed"));
  g_object_unref (last);
  return TRUE;
}

/* ---- Requests of other threads ---- */

static gpointer
cancel_it (gpointer future)
{
  g_assert_true (gtx_cancel (future));
  return NULL;
}

static gboolean
test_from_thread (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, count_call_free);
  g_autoptr (GError) failure = NULL;

  g_thread_join (g_thread_new (NULL, cancel_it, future));
  g_assert_false (gtx_await (future, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (first));
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (call.n_calls, ==, 0);
  g_assert_cmpuint (call.n_frees, ==, 1);
  return TRUE;
}

static gpointer
set_it (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return NULL;
}

/* Another thread has ended the first future, and the home does not know yet. */
static gboolean
test_ended_elsewhere (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  g_autoptr (GtxFuture) one = gtx_future_then (first, call_and_return, &calls[0], NULL);
  g_autoptr (GtxFuture) other = gtx_future_then (one, call_and_return, &calls[1], NULL);

  g_thread_join (g_thread_new (NULL, set_it, first));
  g_assert_true (gtx_cancel (other));
  g_assert_true (gtx_future_is_cancelled (one));
  g_assert_false (gtx_await (other, NULL));
  g_assert_true (gtx_future_is_cancelled (other));
  settle_down ();
  assert_trace ("");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/continuations-cancelled/first", test_first);
  add_coroutine ("/continuations-cancelled/due", test_due);
  add_coroutine ("/continuations-cancelled/due/twice", test_due_twice);
  add_coroutine ("/continuations-cancelled/in-call", test_in_call);
  add_coroutine ("/continuations-cancelled/second", test_second);
  add_coroutine ("/continuations-cancelled/second/done", test_second_done);
  add_coroutine ("/continuations-cancelled/second/task", test_second_task);
  add_coroutine ("/continuations-cancelled/from-task", test_from_task);
  add_coroutine ("/continuations-cancelled/from-gathering", test_from_gathering);
  add_coroutine ("/continuations-cancelled/ring-with-task", test_ring_with_task);
  add_coroutine ("/continuations-cancelled/long-way", test_long_way);
  add_coroutine ("/continuations-cancelled/from-thread", test_from_thread);
  add_coroutine ("/continuations-cancelled/ended-elsewhere", test_ended_elsewhere);
  return g_test_run ();
}
