/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Continuations between main contexts and threads, and in main contexts that go. */

#include "continuation-cases.h"

/* Two main contexts, which this thread runs in turn. */
typedef struct
{
  GMainContext *here;
  GMainContext *there;
} Contexts;

static void
contexts_begin (Contexts *self)
{
  trace = g_string_new (NULL);
  n_freed = 0;
  self->here = g_main_context_new ();
  self->there = g_main_context_new ();
}

static void
turn (GMainContext *context)
{
  while (context && g_main_context_iteration (context, FALSE))
    ;
}

static void
turn_both (Contexts *self)
{
  for (int i = 0; i < 4; i++)
    {
      turn (self->here);
      turn (self->there);
    }
}

static void
contexts_end (Contexts *self)
{
  if (self->here && self->there)
    turn_both (self);
  g_clear_pointer (&self->here, g_main_context_unref);
  g_clear_pointer (&self->there, g_main_context_unref);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static GtxFuture *
make_in (GMainContext *context)
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  return future;
}

static GtxFuture *
nap_in (GMainContext *context)
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_sleep_future (1000);
  g_main_context_pop_thread_default (context);
  return future;
}

/* Makes a continuation in one context, and lets its function return @second, of the other. */
static GtxFuture *
wait_for (Contexts *contexts, Call *call, GtxFuture *second)
{
  g_autoptr (GtxFuture) first = make_in (contexts->here);
  GtxFuture *future;

  call->returned = g_object_ref (second);
  future = gtx_future_then (first, call_and_return, call, count_call_free);
  gtx_future_set_result (first, NULL, NULL);
  turn_both (contexts);
  assert_trace ("called");
  return future;
}

/* ---- A second future of another main context ---- */

typedef enum
{
  SUCCEEDS,
  FAILS,
  IS_CANCELLED,
  IS_ASKED                      /* the new future is cancelled */
} Ending;

static void
test_second (void)
{
  static const char *const traces[] = { "second", "broken", "cancelled", "cancelled" };

  for (Ending ending = SUCCEEDS; ending <= IS_ASKED; ending++)
    {
      Contexts contexts;
      Call call = { .returned = NULL };
      g_autoptr (GtxFuture) second = NULL;
      g_autoptr (GtxFuture) future = NULL;

      contexts_begin (&contexts);
      second = make_in (contexts.there);
      future = wait_for (&contexts, &call, second);
      if (ending == SUCCEEDS)
        gtx_future_set_result (second, (gpointer) "second", NULL);
      else if (ending == FAILS)
        fail_with (second, "broken");
      else
        g_assert_true (gtx_cancel (ending == IS_CANCELLED ? second : future));
      turn_both (&contexts);
      note_outcome (future);
      assert_trace (traces[ending]);
      g_assert_true (gtx_future_is_done (second));
      g_assert_cmpuint (call.n_frees, ==, 1);
      contexts_end (&contexts);
      g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
    }
}

static char *
make_word (const char *word, GError **error)
{
  return gtx_sleep (0, error) ? g_strdup (word) : NULL;
}

/* A task of another main context that was not started. */
static void
test_unstarted (void)
{
  Contexts contexts;
  Call call = { .returned = NULL };
  GtxTask *second;
  g_autoptr (GtxFuture) future = NULL;

  contexts_begin (&contexts);
  g_main_context_push_thread_default (contexts.there);
  second = gtx_task_new_pointer (make_word, (const char *) "made", NULL, count_free);
  g_main_context_pop_thread_default (contexts.there);
  future = wait_for (&contexts, &call, GTX_FUTURE (second));
  note_outcome (future);
  assert_trace ("made");
  g_object_unref (second);
  g_clear_object (&future);
  contexts_end (&contexts);
  g_assert_cmpint (n_freed, ==, 1);
}

/* Nobody holds the new future: the other future is dropped. */
static void
test_second_dropped (void)
{
  Contexts contexts;
  Call call = { .returned = NULL };
  GtxFuture *second, *future;

  contexts_begin (&contexts);
  second = make_in (contexts.there);
  future = wait_for (&contexts, &call, second);
  g_object_add_weak_pointer (G_OBJECT (second), (gpointer *) &second);
  g_object_add_weak_pointer (G_OBJECT (future), (gpointer *) &future);
  g_object_unref (second);
  turn_both (&contexts);
  g_assert_nonnull (second);
  g_object_unref (future);
  turn_both (&contexts);
  g_assert_null (second);
  g_assert_null (future);
  contexts_end (&contexts);
}

/* The second future ends while the request is on its way.  The request is not lost. */
static void
test_refused (void)
{
  for (int is_late = 0; is_late < 2; is_late++)
    {
      Contexts contexts;
      Call call = { .returned = NULL };
      g_autoptr (GtxFuture) second = NULL;
      g_autoptr (GtxFuture) future = NULL;

      contexts_begin (&contexts);
      second = make_in (contexts.there);
      future = wait_for (&contexts, &call, second);
      g_main_context_push_thread_default (contexts.there);
      gtx_future_set_result (second, (gpointer) "second", NULL);
      g_main_context_pop_thread_default (contexts.there);
      /* The outcome is on its way back when the request begins. */
      if (is_late)
        turn (contexts.there);
      g_assert_true (gtx_cancel (future));
      turn_both (&contexts);
      note_outcome (future);
      assert_trace ("cancelled");
      contexts_end (&contexts);
    }
}

/* Two futures wait for one another: a request that comes back ends the ring. */
static void
test_ring (void)
{
  Contexts contexts;
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  g_autoptr (GtxFuture) first = NULL;
  g_autoptr (GtxFuture) second = NULL;
  g_autoptr (GtxFuture) future = NULL;

  contexts_begin (&contexts);
  first = make_in (contexts.there);
  second = gtx_future_then (first, call_and_return, &calls[1], NULL);
  future = wait_for (&contexts, &calls[0], second);
  calls[1].returned = g_object_ref (future);
  gtx_future_set_result (first, NULL, NULL);
  turn_both (&contexts);
  note_outcome (future);
  note_outcome (second);
  assert_trace ("called pending pending");
  g_assert_true (gtx_cancel (future));
  turn_both (&contexts);
  note_outcome (future);
  note_outcome (second);
  assert_trace ("cancelled cancelled");
  contexts_end (&contexts);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
  g_assert_cmpint (G_OBJECT (second)->ref_count, ==, 1);
}

/* ---- Main contexts that go ---- */

static void
test_second_gone (void)
{
  for (int is_asked = 0; is_asked < 2; is_asked++)
    {
      Contexts contexts;
      Call call = { .returned = NULL };
      g_autoptr (GtxFuture) second = NULL;
      g_autoptr (GtxFuture) future = NULL;

      contexts_begin (&contexts);
      second = make_in (contexts.there);
      future = wait_for (&contexts, &call, second);
      g_clear_pointer (&contexts.there, g_main_context_unref);
      if (is_asked)
        g_assert_true (gtx_cancel (future));
      turn (contexts.here);
      if (is_asked)
        g_assert_true (gtx_future_is_cancelled (future));
      else
        g_assert_error (gtx_future_get_error (future), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
      contexts_end (&contexts);
    }
}

/* @is_dropped: nobody holds the new future, so that there is nothing to end but the data.  Otherwise the
 * new future fails, and the library does not warn of that. */
static void
test_first_gone (void)
{
  for (int is_dropped = 0; is_dropped < 2; is_dropped++)
    {
      Contexts contexts;
      Call calls[] = { { .returned = NULL }, { .returned = NULL } };
      g_autoptr (GtxFuture) first = NULL;
      GtxFuture *one, *other;

      contexts_begin (&contexts);
      first = make_in (contexts.here);
      one = gtx_future_then (first, call_and_return, &calls[0], count_call_free);
      other = gtx_future_finally (one, call_and_return, &calls[1], count_call_free);
      g_object_unref (one);
      if (is_dropped)
        g_object_unref (other);
      g_clear_pointer (&contexts.here, g_main_context_unref);
      if (!is_dropped)
        {
          g_assert_cmpuint (calls[0].n_frees, ==, 1);
          g_assert_cmpuint (calls[1].n_calls, ==, 1);
          g_assert_true (gtx_future_is_done (other));
          g_object_unref (other);
        }
      g_clear_object (&first);
      g_assert_cmpuint (calls[0].n_calls, ==, 0);
      g_assert_cmpuint (calls[0].n_frees, ==, 1);
      g_assert_cmpuint (calls[1].n_frees, ==, 1);
      contexts_end (&contexts);
    }
}

/* What ends with the main context ends the continuation: the functions still run.  What a function
 * returns then is not waited for. */
static void
test_ends_with_context (void)
{
  Contexts contexts;
  Call calls[] = { { .returned = NULL }, { .returned = NULL } };
  GtxFuture *nap;
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GtxFuture) waiting = NULL;

  contexts_begin (&contexts);
  nap = nap_in (contexts.here);
  future = gtx_future_catch (nap, call_and_return, &calls[0], count_call_free);
  calls[0].returned = done_future ("second");
  waiting = gtx_future_catch (nap, call_and_return, &calls[1], count_call_free);
  calls[1].returned = gtx_future_new ();
  g_object_unref (nap);
  g_clear_pointer (&contexts.here, g_main_context_unref);
  note_outcome (future);
  assert_trace ("called called second");
  g_assert_error (gtx_future_get_error (waiting), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  for (int i = 0; i < 2; i++)
    g_assert_cmpuint (calls[i].n_frees, ==, 1);
  contexts_end (&contexts);
}

/* The context is gone before the continuation is made. */
static void
test_gone_before (void)
{
  for (int is_done = 0; is_done < 2; is_done++)
    {
      Contexts contexts;
      Call call = { .returned = NULL };
      g_autoptr (GtxFuture) first = NULL;
      g_autoptr (GtxFuture) future = NULL;

      contexts_begin (&contexts);
      first = make_in (contexts.here);
      if (is_done)
        gtx_future_set_result (first, NULL, NULL);
      g_clear_pointer (&contexts.here, g_main_context_unref);
      future = gtx_future_finally (first, call_and_return, &call, count_call_free);
      g_assert_error (gtx_future_get_error (future), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
      g_assert_cmpuint (call.n_calls, ==, 0);
      g_assert_cmpuint (call.n_frees, ==, 1);
      g_assert_false (gtx_cancel (future));
      contexts_end (&contexts);
    }
}

/* A request is on its way there when the main context of the new future goes. */
static void
test_gone_before_answer (void)
{
  Contexts contexts;
  Call call = { .returned = NULL };
  g_autoptr (GtxFuture) second = NULL;
  GtxFuture *future;

  contexts_begin (&contexts);
  second = make_in (contexts.there);
  future = wait_for (&contexts, &call, second);
  g_main_context_push_thread_default (contexts.here);
  g_assert_true (gtx_cancel (future));
  g_main_context_pop_thread_default (contexts.here);
  g_clear_pointer (&contexts.here, g_main_context_unref);
  g_assert_error (gtx_future_get_error (future), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  turn (contexts.there);
  g_assert_true (gtx_future_is_cancelled (second));
  g_object_add_weak_pointer (G_OBJECT (future), (gpointer *) &future);
  g_object_unref (future);
  turn (contexts.there);
  g_assert_null (future);
  contexts_end (&contexts);
}

/* ---- Other threads ---- */

static gint n_called, n_data_freed;

static gpointer
count_call (gpointer future, gpointer home)
{
  g_assert_true (g_thread_self () == home);
  g_atomic_int_inc (&n_called);
  return NULL;
}

static void
count_data (gpointer home)
{
  g_assert_true (g_thread_self () == home);
  g_atomic_int_inc (&n_data_freed);
}

static gpointer home_thread;

/* Adds continuations, of which it holds some for a while. */
static gpointer
continue_often (gpointer first)
{
  GtxFuture *held[16] = { NULL };

  for (guint i = 0; i < 4000; i++)
    {
      guint n = i % G_N_ELEMENTS (held);
      GtxFuture *future = gtx_future_then (first, count_call, home_thread, count_data);

      g_assert_nonnull (future);
      g_clear_object (&held[n]);
      held[n] = i % 3 == 0 ? gtx_future_finally (future, count_call, home_thread, count_data) : g_object_ref (future);
      g_object_unref (future);
    }
  for (guint n = 0; n < G_N_ELEMENTS (held); n++)
    g_object_unref (held[n]);
  return NULL;
}

/* Some futures are done while the threads work, and some after that. */
static gboolean
test_threads (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) early = gtx_future_new ();
  g_autoptr (GtxFuture) late = gtx_future_new ();
  GThread *threads[4];

  home_thread = g_thread_self ();
  n_called = n_data_freed = 0;
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("then", continue_often, i % 2 == 0 ? early : late);
  for (int i = 0; i < 100; i++)
    g_assert_true (gtx_sleep (0.0001, error));
  gtx_future_set_result (early, NULL, NULL);
  for (int i = 0; i < 100; i++)
    g_assert_true (gtx_sleep (0.0001, error));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  gtx_future_set_result (late, NULL, NULL);
  /* 4000 each, and one more for each third. */
  while (g_atomic_int_get (&n_data_freed) < 4 * (4000 + 1334))
    g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (g_atomic_int_get (&n_called), ==, 4 * (4000 + 1334));
  settle_down ();
  g_assert_cmpint (G_OBJECT (early)->ref_count, ==, 1);
  g_assert_cmpint (G_OBJECT (late)->ref_count, ==, 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/continuations-contexts/second", test_second);
  g_test_add_func ("/continuations-contexts/second/dropped", test_second_dropped);
  g_test_add_func ("/continuations-contexts/unstarted", test_unstarted);
  g_test_add_func ("/continuations-contexts/refused", test_refused);
  g_test_add_func ("/continuations-contexts/ring", test_ring);
  g_test_add_func ("/continuations-contexts/gone/second", test_second_gone);
  g_test_add_func ("/continuations-contexts/gone/first", test_first_gone);
  g_test_add_func ("/continuations-contexts/gone/ends", test_ends_with_context);
  g_test_add_func ("/continuations-contexts/gone/before", test_gone_before);
  g_test_add_func ("/continuations-contexts/gone/before-answer", test_gone_before_answer);
  add_real_coroutine ("/continuations-contexts/threads", test_threads);
  return g_test_run ();
}
