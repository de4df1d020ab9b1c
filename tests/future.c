/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures without tasks: promises for code with callbacks. */

#include "note-done.h"

static GError *
some_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
}

/* ---- Outcomes ---- */

static gboolean
test_pending (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  g_assert_true (GTX_IS_FUTURE (future) && G_IS_ASYNC_RESULT (future));
  g_assert_false (GTX_IS_FUTURE (gtx_task_get_cancellable (gtx_current_task ())));
  g_assert_false (gtx_future_is_done (future));
  g_assert_false (gtx_future_is_cancelled (future));
  g_assert_null (gtx_future_get_result (future));
  g_assert_null (gtx_future_get_error (future));
  return TRUE;
}

static gboolean
test_result (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();
  char *result = g_strdup ("first");

  g_assert_true (gtx_future_set_result (future, result, count_free));
  g_assert_true (gtx_future_is_done (future));
  g_assert_true (gtx_await_peek_pointer (future, error) == result);
  g_assert_true (gtx_future_get_result (future) == result);
  g_assert_null (gtx_future_get_error (future));

  /* The first outcome stays; later ones are freed. */
  g_assert_false (gtx_future_set_result (future, g_strdup ("second"), count_free));
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_false (gtx_future_set_error (future, some_error ()));
  g_assert_false (gtx_cancel (future));
  g_assert_cmpstr (gtx_future_get_result (future), ==, "first");

  g_object_unref (future);
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

/* As with a call, the result can be taken once. */
static gboolean
test_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) second = NULL;
  g_autoptr (GError) look = NULL;
  g_autofree char *result = NULL;

  g_assert_true (gtx_future_set_result (future, g_strdup ("result"), count_free));
  result = gtx_await_pointer (future, error);
  g_assert_cmpstr (result, ==, "result");

  g_assert_null (gtx_await_pointer (future, &second));
  g_assert_error (second, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_nonnull (strstr (second->message, "gtx_await_peek_pointer()"));
  g_assert_null (gtx_await_peek_pointer (future, &look));
  g_assert_error (look, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_null (gtx_future_get_result (future));
  g_assert_true (gtx_await (future, error));
  g_clear_object (&future);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

static gboolean
test_null_taken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  g_assert_true (gtx_future_set_result (future, NULL, count_free));
  for (int i = 0; i < 3; i++)
    {
      g_assert_null (gtx_await_pointer (future, error));
      g_assert_no_error (*error);
      g_assert_null (gtx_await_peek_pointer (future, error));
      g_assert_no_error (*error);
    }
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  g_assert_true (gtx_future_set_error (future, some_error ()));
  g_assert_true (gtx_future_is_done (future));
  g_assert_false (gtx_future_is_cancelled (future));
  g_assert_false (gtx_await (future, &first));
  g_assert_null (gtx_await_pointer (future, &second));
  g_assert_error (first, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (second, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_error (gtx_future_get_error (future), G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_null (gtx_future_get_result (future));
  return TRUE;
}

static gboolean
test_error_never_retrieved (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_error (future, some_error ());
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "A GtxFuture: its error was never retrieved: broken");
  g_object_unref (future);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* None of these causes a warning: a pending future that is freed, a result that was not
 * taken, and errors that were retrieved. */
static gboolean
test_silent (gpointer data, GError **error)
{
  GtxFuture *futures[7];

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    futures[i] = gtx_future_new ();
  gtx_future_set_result (futures[1], NULL, NULL);
  gtx_future_set_result (futures[2], (gpointer) "result", NULL);
  g_assert_nonnull (gtx_future_get_result (futures[2]));
  for (guint i = 3; i < 6; i++)
    gtx_future_set_error (futures[i], some_error ());
  g_assert_nonnull (gtx_future_get_error (futures[3]));
  g_assert_false (gtx_await (futures[4], NULL));
  g_assert_false (gtx_cancel (futures[5]));
  g_assert_true (gtx_cancel (futures[6]));
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    g_assert_finalize_object (futures[i]);
  return TRUE;
}

static void
free_busily (gpointer result)
{
  g_autoptr (GtxFuture) another = gtx_future_new ();

  gtx_future_add_done_callback (another, note_done, ".", NULL);
  gtx_future_set_result (another, NULL, NULL);
  count_free (result);
}

/* The function that frees a result may make and end futures. */
static gboolean
test_result_freed_busily (gpointer data, GError **error)
{
  for (int i = 0; i < 100; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();

      gtx_future_set_result (future, g_strdup ("result"), free_busily);
    }
  g_assert_cmpint (n_freed, ==, 100);
  return gtx_sleep (0, error);
}

/* ---- The context in which callbacks are called ---- */

static void
store_context (gpointer future, gpointer where)
{
  *(GMainContext **) where = g_main_context_ref_thread_default ();
}

/* A future that is made outside of tasks belongs to the thread's default context. */
static void
assert_at_home (GMainContext *context)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GMainContext) seen = NULL;

  gtx_future_add_done_callback (future, store_context, &seen, NULL);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_null (seen);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (seen == (context ? context : g_main_context_default ()));
}

static void
test_home (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  assert_at_home (NULL);
  g_main_context_push_thread_default (context);
  assert_at_home (context);
  g_main_context_pop_thread_default (context);
}

static gboolean
make_future (GtxFuture **future, GError **error)
{
  g_autoptr (GMainContext) seen = NULL;

  *future = gtx_future_new ();
  gtx_future_add_done_callback (*future, store_context, &seen, NULL);
  gtx_future_set_result (*future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (seen == g_main_context_get_thread_default ());
  return TRUE;
}

/* A future that is made in a task belongs to the task's context. */
static void
test_home_of_task (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (make_future, &future, &error));
  g_main_context_pop_thread_default (context);
  g_assert_no_error (error);
}

/* ---- Cancelling ---- */

static gboolean
await_data (GtxFuture *future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (succeeded ? "awaited" : "failed");
  return succeeded;
}

static gboolean
test_cancel (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_data, g_object_ref (future), g_object_unref);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_future_is_cancelled (future));
  assert_cancelled (gtx_future_get_error (future));
  g_assert_false (gtx_cancel (future));
  g_assert_null (gtx_future_get_result (future));
  g_assert_false (gtx_future_set_result (future, NULL, NULL));
  g_assert_false (gtx_future_set_error (future, some_error ()));
  g_assert_true (gtx_future_is_cancelled (future));

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_awaiting_task_cancels (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_data, g_object_ref (future), g_object_unref);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_true (gtx_future_is_cancelled (future));
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static char *
give_word (const char *word, GError **error)
{
  return (char *) word;
}

/* The future ends with its own outcome. */
static gboolean
test_set_on_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (give_word, "own", NULL, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_future_set_result: the outcome of a task is*");
  g_assert_false (gtx_future_set_result (GTX_FUTURE (task), g_strdup ("no"), count_free));
  g_test_assert_expected_messages ();
  g_assert_cmpint (n_freed, ==, 1);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_future_set_error: the outcome of a task is*");
  g_assert_false (gtx_future_set_error (GTX_FUTURE (task), some_error ()));
  g_test_assert_expected_messages ();
  g_assert_false (gtx_future_is_done (task));
  g_assert_true (gtx_await (task, error));
  g_assert_cmpstr (gtx_future_get_result (task), ==, "own");
  return TRUE;
}

/* ---- From another thread ---- */

static GThread *freed_in;

static void
note_thread (gpointer data)
{
  freed_in = g_thread_self ();
}

static gpointer
drop_in_thread (gpointer future)
{
  g_object_unref (future);
  return NULL;
}

/* The data of its callbacks is freed in its home's thread, whichever thread drops the
 * future. */
static gboolean
drop_from_thread (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_add_done_callback (future, note_done, "never", note_thread);
  g_thread_join (g_thread_new ("dropper", drop_in_thread, future));
  if (!gtx_sleep (0.001, error))
    return FALSE;
  g_assert_true (freed_in == g_thread_self ());
  return TRUE;
}

static gpointer
set_in_thread (gpointer future)
{
  g_assert_true (gtx_future_set_result (future, g_strdup ("from afar"), count_free));
  g_object_unref (future);
  return NULL;
}

static gboolean
set_from_thread (gpointer data, GError **error)
{
  for (int i = 0; i < 200; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      GThread *thread = g_thread_new ("setter", set_in_thread, g_object_ref (future));

      g_assert_cmpstr (gtx_await_peek_pointer (future, error), ==, "from afar");
      g_thread_join (thread);
    }
  return TRUE;
}

static void
test_thread (void)
{
  g_autoptr (GError) error = NULL;

  n_freed = 0;
  g_assert_true (gtx_run (set_from_thread, NULL, &error));
  g_assert_no_error (error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (n_freed, ==, 200);
}

static gpointer
race (gpointer future)
{
  char *result = g_strdup ("mine");
  gboolean won = gtx_future_set_result (future, result, count_free);

  return GINT_TO_POINTER (won);
}

/* One of two threads settles the future, and the other's result is freed. */
static void
test_race (void)
{
  n_freed = 0;
  for (int i = 0; i < 500; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();
      GThread *a = g_thread_new ("a", race, future);
      GThread *b = g_thread_new ("b", race, future);
      int winners = GPOINTER_TO_INT (g_thread_join (a)) + GPOINTER_TO_INT (g_thread_join (b));

      g_assert_cmpint (winners, ==, 1);
      g_assert_cmpstr (gtx_future_get_result (future), ==, "mine");
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  g_assert_cmpint (n_freed, ==, 1000);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/future/pending", test_pending);
  add_coroutine ("/future/result", test_result);
  add_coroutine ("/future/result/taken", test_result_taken);
  add_coroutine ("/future/result/null", test_null_taken);
  add_coroutine ("/future/error", test_error);
  add_coroutine ("/future/error/never-retrieved", test_error_never_retrieved);
  add_coroutine ("/future/silent", test_silent);
  add_coroutine ("/future/result/freed-busily", test_result_freed_busily);
  g_test_add_func ("/future/home/outside", test_home);
  g_test_add_func ("/future/home/in-task", test_home_of_task);
  add_coroutine ("/future/cancel", test_cancel);
  add_coroutine ("/future/cancel/by-awaiting-task", test_awaiting_task_cancels);
  add_coroutine ("/future/set-on-task", test_set_on_task);
  add_real_coroutine ("/future/thread/dropped", drop_from_thread);
  g_test_add_func ("/future/thread", test_thread);
  g_test_add_func ("/future/thread/race", test_race);
  return g_test_run ();
}
