/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps continuations and what they wait for, and how long chains of them end. */

#include "continuation-cases.h"

/* ---- Dropped futures ---- */

static gpointer
nap_again (gpointer future, gpointer word)
{
  note (word);
  return gtx_sleep_future (1);
}

/* Nobody holds the new futures, and their functions are called all the same. */
static gboolean
test_dropped (gpointer data, GError **error)
{
  GtxFuture *first = gtx_sleep_future (1);
  GtxFuture *one = gtx_future_then (first, nap_again, g_strdup ("one"), count_free);
  GtxFuture *other = gtx_future_then (one, nap_again, g_strdup ("other"), count_free);

  gtx_future_add_done_callback (other, note_done, "done", NULL);
  g_object_add_weak_pointer (G_OBJECT (other), (gpointer *) &other);
  g_object_unref (one);
  g_object_unref (other);
  g_object_unref (first);
  g_assert_true (gtx_sleep (10, error));
  assert_trace ("one other done");
  g_assert_cmpint (n_freed, ==, 2);
  g_assert_null (other);
  return TRUE;
}

/* The library warns of an error that nobody could retrieve. */
static gboolean
test_dropped_fails (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };

  g_object_unref (gtx_future_then (first, call_and_return, &call, NULL));
  fail_with (first, "broken");
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
  settle_down ();
  g_test_assert_expected_messages ();
  return TRUE;
}

/* The first future is dropped, too, so that nobody can end it. */
static gboolean
test_dropped_pending (gpointer data, GError **error)
{
  for (int is_first_last = 0; is_first_last < 2; is_first_last++)
    {
      GtxFuture *first = gtx_future_new ();
      Call calls[] = { { .returned = NULL }, { .returned = NULL } };
      GtxFuture *one = gtx_future_then (first, call_and_return, &calls[0], count_call_free);
      GtxFuture *other = gtx_future_finally (one, call_and_return, &calls[1], count_call_free);

      g_object_unref (one);
      if (is_first_last)
        g_object_unref (other);
      g_object_unref (first);
      g_assert_cmpuint (calls[0].n_frees, ==, is_first_last);
      if (!is_first_last)
        g_object_unref (other);
      for (int i = 0; i < 2; i++)
        {
          g_assert_cmpuint (calls[i].n_calls, ==, 0);
          g_assert_cmpuint (calls[i].n_frees, ==, 1);
        }
    }
  return TRUE;
}

/* What the function returned is dropped with the new future, which nobody holds. */
static gboolean
test_dropped_second (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = done_future ("first");
  GtxFuture *second = gtx_future_new ();
  Call call = { .returned = second };
  GtxFuture *future = gtx_future_then (first, call_and_return, &call, NULL);

  g_object_add_weak_pointer (G_OBJECT (second), (gpointer *) &second);
  g_object_add_weak_pointer (G_OBJECT (future), (gpointer *) &future);
  settle_down ();
  g_assert_nonnull (second);
  g_object_unref (future);
  g_assert_null (second);
  g_assert_null (future);
  return TRUE;
}

/* A future of a signal stops listening when nobody holds it; the new future does. */
static gboolean
test_keeps_first (gpointer data, GError **error)
{
  g_autoptr (GCancellable) emitter = g_cancellable_new ();
  GtxFuture *first = gtx_signal_future (emitter, "cancelled");
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) future = gtx_future_then (first, call_and_return, &call, NULL);

  g_object_unref (first);
  g_cancellable_cancel (emitter);
  g_assert_true (gtx_await (future, error));
  assert_trace ("called");
  return TRUE;
}

/* The function drops the last reference to the new future. */
static gpointer
drop_and_wait (gpointer future, gpointer data)
{
  g_clear_object ((GObject **) data);
  note ("dropped");
  return gtx_sleep_future (1);
}

static gboolean
test_dropped_by_function (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = done_future ("first");
  GtxFuture *future = gtx_future_then (first, drop_and_wait, &future, NULL);
  GtxFuture *watched = future;

  g_object_add_weak_pointer (G_OBJECT (watched), (gpointer *) &watched);
  settle_down ();
  assert_trace ("dropped");
  g_assert_null (future);
  g_assert_true (gtx_sleep (2, error));
  g_assert_null (watched);
  return TRUE;
}

static gboolean
test_unref_once_too_often (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  Call call = { .returned = NULL };
  GtxFuture *future = gtx_future_then (first, call_and_return, &call, count_call_free);

  g_object_unref (future);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A GtxFuture lost its last reference*");
  g_object_unref (future);
  g_test_assert_expected_messages ();
  gtx_future_set_result (first, NULL, NULL);
  settle_down ();
  assert_trace ("called");
  g_assert_cmpuint (call.n_frees, ==, 1);
  return TRUE;
}

/* ---- Long chains ---- */

/* If each link of the chain took a call inside that of the one before, a stack would overflow. */
#define LENGTH (RUNNING_ON_VALGRIND ? 20000 : 100000)

static guint n_called;

static gpointer
count_call (gpointer future, gpointer data)
{
  n_called++;
  return NULL;
}

/* Returns the last future of a chain, which keeps the others. */
static GtxFuture *
make_chain (GtxFuture *first)
{
  GtxFuture *last = g_object_ref (first);
  int length = LENGTH;

  n_called = 0;
  for (int i = 0; i < length; i++)
    {
      GtxFuture *next = gtx_future_then (last, count_call, g_malloc (1), count_free);

      g_object_unref (last);
      last = next;
    }
  return last;
}

static gboolean
test_chain_done (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  g_autoptr (GtxFuture) last = make_chain (first);

  gtx_future_set_result (first, (gpointer) "result", NULL);
  g_assert_cmpstr (gtx_await_peek_pointer (last, error), ==, "result");
  g_assert_cmpuint (n_called, ==, LENGTH);
  g_assert_cmpint (n_freed, ==, LENGTH);
  return TRUE;
}

static gboolean
test_chain_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_future_new ();
  g_autoptr (GtxFuture) last = make_chain (first);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_cancel (last));
  g_assert_true (gtx_future_is_cancelled (first));
  g_assert_false (gtx_await (last, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (n_called, ==, 0);
  g_assert_cmpint (n_freed, ==, LENGTH);
  return TRUE;
}

/* @is_first_last: the first future is dropped last, so that nobody has held the chain before. */
static gboolean
free_chain (gboolean is_first_last)
{
  GtxFuture *first = gtx_future_new ();
  GtxFuture *last = make_chain (first);

  g_object_unref (is_first_last ? last : first);
  g_assert_cmpint (n_freed, ==, 0);
  g_object_unref (is_first_last ? first : last);
  g_assert_cmpint (n_freed, ==, LENGTH);
  g_assert_cmpuint (n_called, ==, 0);
  return TRUE;
}

static gboolean
test_chain_freed (gpointer data, GError **error)
{
  return free_chain (FALSE);
}

static gboolean
test_chain_let_go (gpointer data, GError **error)
{
  return free_chain (TRUE);
}

/* Each function returns a future that waits for the next one. */
static gpointer
count_down (gpointer future, gpointer n)
{
  g_autoptr (GtxFuture) nothing = NULL;

  n_called++;
  if (GPOINTER_TO_INT (n) == 0)
    return NULL;
  nothing = done_future ("result");
  return gtx_future_then (nothing, count_down, GINT_TO_POINTER (GPOINTER_TO_INT (n) - 1), NULL);
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) first = done_future ("result");
  g_autoptr (GtxFuture) future = NULL;

  n_called = 0;
  future = gtx_future_then (first, count_down, GINT_TO_POINTER (LENGTH), NULL);
  g_assert_cmpstr (gtx_await_peek_pointer (future, error), ==, "result");
  g_assert_cmpuint (n_called, ==, LENGTH + 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/continuations-kept/dropped", test_dropped);
  add_coroutine ("/continuations-kept/dropped/fails", test_dropped_fails);
  add_coroutine ("/continuations-kept/dropped/pending", test_dropped_pending);
  add_coroutine ("/continuations-kept/dropped/second", test_dropped_second);
  add_coroutine ("/continuations-kept/dropped/by-function", test_dropped_by_function);
  add_coroutine ("/continuations-kept/keeps-first", test_keeps_first);
  add_coroutine ("/continuations-kept/unref-once-too-often", test_unref_once_too_often);
  add_coroutine ("/continuations-kept/chain/done", test_chain_done);
  add_coroutine ("/continuations-kept/chain/cancelled", test_chain_cancelled);
  add_coroutine ("/continuations-kept/chain/freed", test_chain_freed);
  add_coroutine ("/continuations-kept/chain/let-go", test_chain_let_go);
  add_coroutine ("/continuations-kept/nested", test_nested);
  return g_test_run ();
}
