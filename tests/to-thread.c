/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static gboolean
store_thread (GThread **thread, GCancellable *cancellable, GError **error)
{
  *thread = g_thread_self ();
  g_assert_null (gtx_current_task ());
  return TRUE;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  GThread *thread = NULL;

  g_assert_true (gtx_to_thread (store_thread, &thread, error));
  g_assert_true (thread && thread != g_thread_self ());
  return TRUE;
}

static char *
shout (const char *word, GCancellable *cancellable, GError **error)
{
  return g_ascii_strup (word, -1);
}

static gboolean
test_pointer (gpointer data, GError **error)
{
  char word[] = "word";
  g_autofree char *result = gtx_to_thread_pointer (shout, word, error);

  g_assert_cmpstr (result, ==, "WORD");
  return TRUE;
}

static gboolean
count_call (gint *n_calls, GCancellable *cancellable, GError **error)
{
  g_atomic_int_inc (n_calls);
  return TRUE;
}

static gboolean
call_once (gint *n_calls, GError **error)
{
  return gtx_to_thread (count_call, n_calls, error);
}

/* Each function is called once, even if ten calls are made at the same time. */
static gboolean
test_once (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  gint n_calls = 0;

  g_assert_true (call_once (&n_calls, error));
  g_assert_cmpint (n_calls, ==, 1);
  for (int i = 0; i < 10; i++)
    g_ptr_array_add (tasks, gtx_create_task (call_once, &n_calls, NULL));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpint (n_calls, ==, 11);
  return TRUE;
}

static gboolean
fail_in_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  return fail ("in a thread", error);
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_to_thread (fail_in_thread, data, &failure));
  g_assert_cmpstr (failure->message, ==, "in a thread");
  return TRUE;
}

static gboolean
fail_silently (gpointer data, GCancellable *cancellable, GError **error)
{
  return FALSE;
}

static gboolean
test_no_reason (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*returned FALSE without setting an error*");
  g_assert_false (gtx_to_thread (fail_silently, data, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_REASON);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Cancelling ---- */

static gboolean
block_until_cancelled (gint *began, GCancellable *cancellable, GError **error)
{
  GPollFD poll;

  g_atomic_int_set (began, TRUE);
  g_assert_true (g_cancellable_make_pollfd (cancellable, &poll));
  g_poll (&poll, 1, -1);
  g_cancellable_release_fd (cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
block (gint *began, GError **error)
{
  return gtx_to_thread (block_until_cancelled, began, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  gint began = FALSE;
  g_autoptr (GtxTask) task = gtx_create_task (block, &began, NULL);
  g_autoptr (GError) failure = NULL;

  while (!g_atomic_int_get (&began))
    g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
succeed_when_cancelled (gint *began, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) ignored = NULL;

  return !block_until_cancelled (began, cancellable, &ignored) || TRUE;
}

static gboolean
block_and_succeed (gint *began, GError **error)
{
  if (!gtx_to_thread (succeed_when_cancelled, began, error))
    return FALSE;
  note ("succeeded");
  return gtx_sleep (9, error);
}

/* The result is not lost, and the next await delivers the request. */
static gboolean
test_cancelled_and_succeeds (gpointer data, GError **error)
{
  gint began = FALSE;
  g_autoptr (GtxTask) task = gtx_create_task (block_and_succeed, &began, NULL);

  while (!g_atomic_int_get (&began))
    g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("succeeded");
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

/* ---- Values, and time ---- */

static GtxTaskLocal word = GTX_TASK_LOCAL_INIT (g_free);

static gboolean
check_word (gpointer data, GCancellable *cancellable, GError **error)
{
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "the task's");
  gtx_task_local_set (&word, g_strdup ("the thread's"));
  return TRUE;
}

static gboolean
test_values (gpointer data, GError **error)
{
  gtx_task_local_set (&word, g_strdup ("the task's"));
  g_assert_true (gtx_to_thread (check_word, data, error));
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "the task's");
  return TRUE;
}

static void destroy_and_set (gpointer text);

static GtxTaskLocal request = GTX_TASK_LOCAL_INIT (destroy_and_set);
static GtxTaskLocal log_buffer = GTX_TASK_LOCAL_INIT (destroy_and_set);

static void
destroy_and_set (gpointer text)
{
  if (g_str_equal (text, "request"))
    gtx_task_local_set (&log_buffer, g_strdup ("log"));
  note (text);
  g_free (text);
}

static gboolean
handle_request (gpointer data, GCancellable *cancellable, GError **error)
{
  gtx_task_local_set (&request, g_strdup ("request"));
  return TRUE;
}

/* The thread's next call finds no value. */
static gboolean
test_set_in_destroy (gpointer data, GError **error)
{
  g_assert_true (gtx_to_thread (handle_request, data, error));
  assert_trace ("request log");
  return TRUE;
}

static void destroy_and_set_again (gpointer self);

static GtxTaskLocal endless = GTX_TASK_LOCAL_INIT (destroy_and_set_again);

static void
destroy_and_set_again (gpointer self)
{
  gtx_task_local_set (&endless, self);
}

static gboolean
set_endless (gpointer data, GCancellable *cancellable, GError **error)
{
  gtx_task_local_set (&endless, &endless);
  return TRUE;
}

static gboolean
test_set_endlessly (gpointer data, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_to_thread() ran at *to-thread.c:*again and again*");
  g_assert_true (gtx_to_thread (set_endless, data, error));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
wait_a_moment (gpointer data, GCancellable *cancellable, GError **error)
{
  g_usleep (20000);
  return TRUE;
}

/* Virtual time stands still during the call, so that a long sleep does not end before it. */
static gboolean
test_time_stands_still (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_and_note, "1:slept", NULL);

  g_assert_true (gtx_to_thread (wait_a_moment, data, error));
  assert_trace ("");
  return gtx_await (sleeper, error);
}

static gboolean
run_many (gpointer data, GError **error)
{
  for (int i = 0; i < 50; i++)
    {
      GThread *thread = NULL;

      if (!gtx_to_thread (store_thread, &thread, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
test_many (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 20; i++)
    g_ptr_array_add (tasks, gtx_create_task (run_many, NULL, NULL));
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* ---- More than there are threads at first ---- */

#define N_MANY 20

static gboolean
go_back_and_forth (gpointer data, GError **error)
{
  GThread *thread = NULL;

  return gtx_to_thread (store_thread, &thread, error);
}

/* A thread waits for another thread. */
static gboolean
run_own_loop (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run (go_back_and_forth, NULL, error);
  g_main_context_pop_thread_default (context);
  return succeeded;
}

static gboolean
run_own_loop_in_thread (gpointer data, GError **error)
{
  return gtx_to_thread (run_own_loop, data, error);
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < N_MANY; i++)
    g_ptr_array_add (tasks, gtx_create_task (run_own_loop_in_thread, NULL, NULL));
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static void
test_outside (void)
{
  GThread *thread = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_to_thread (store_thread, &thread, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_null (thread);
}

/* ---- A loop that tries again and again ---- */

typedef struct
{
  GtxTask *task;
  int code;
  guint n_attempts;
} Attempts;

/* The request comes during the function, which does not look at it. */
static gboolean
refuse (Attempts *attempts, GCancellable *cancellable, GError **error)
{
  if (attempts->n_attempts == 2)
    gtx_cancel (attempts->task);
  while (attempts->n_attempts == 2 && !g_cancellable_is_cancelled (cancellable))
    g_usleep (100);
  g_set_error_literal (error, G_IO_ERROR, attempts->code, "refused");
  return FALSE;
}

static gboolean
connect_until_it_works (Attempts *attempts, GError **error)
{
  attempts->task = gtx_current_task ();
  for (;;)
    {
      g_autoptr (GError) failure = NULL;

      attempts->n_attempts++;
      if (gtx_to_thread (refuse, attempts, &failure))
        return TRUE;
      note (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? "cancelled" : "refused");
      if (!gtx_sleep (0, error))
        return FALSE;
      if (attempts->n_attempts == 3)
        return TRUE;
    }
}

/* If the function fails with its own error, the request stays pending; a cancellation delivers
 * it. */
static gboolean
test_retries (gpointer data, GError **error)
{
  Attempts refused = { .code = G_IO_ERROR_CONNECTION_REFUSED };
  Attempts cancelled = { .code = G_IO_ERROR_CONNECTION_REFUSED };
  g_autoptr (GtxTask) first = gtx_create_task (connect_until_it_works, &refused, NULL);
  g_autoptr (GtxTask) second = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (first, &failure));
  assert_cancelled (failure);
  assert_trace ("refused refused");

  cancelled.code = G_IO_ERROR_CANCELLED;
  second = gtx_create_task (connect_until_it_works, &cancelled, NULL);
  g_assert_true (gtx_await (second, error));
  assert_trace ("cancelled cancelled cancelled");
  return TRUE;
}

static gboolean
uncancel (GtxTask *task, GError **error)
{
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  return TRUE;
}

/* A request is pending when the function is called, and is withdrawn before it is delivered. */
static gboolean
test_withdrawn (gpointer data, GError **error)
{
  g_autoptr (GtxTask) uncancels = gtx_create_task (uncancel, gtx_current_task (), NULL);
  g_autofree char *path = NULL;
  g_autoptr (GFile) file = NULL;
  g_autofree char *text = NULL;
  gint n_calls = 0;

  gtx_cancel (gtx_current_task ());
  g_assert_true (gtx_to_thread (count_call, &n_calls, error));
  g_assert_cmpint (n_calls, ==, 1);
  g_clear_object (&uncancels);

  path = g_test_build_filename (G_TEST_DIST, "to-thread.c", NULL);
  file = g_file_new_for_path (path);
  uncancels = gtx_create_task (uncancel, gtx_current_task (), NULL);
  gtx_cancel (gtx_current_task ());
  g_assert_true (gtx_file_load_contents (file, &text, NULL, NULL, error));
  g_assert_nonnull (text);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/to-thread/thread", test_thread);
  add_coroutine ("/to-thread/pointer", test_pointer);
  add_coroutine ("/to-thread/once", test_once);
  add_coroutine ("/to-thread/error", test_error);
  add_coroutine ("/to-thread/no-reason", test_no_reason);
  add_coroutine ("/to-thread/cancelled", test_cancelled);
  add_coroutine ("/to-thread/cancelled-and-succeeds", test_cancelled_and_succeeds);
  add_coroutine ("/to-thread/values", test_values);
  add_coroutine ("/to-thread/values/set-in-destroy", test_set_in_destroy);
  add_coroutine ("/to-thread/values/set-in-destroy/endlessly", test_set_endlessly);
  add_coroutine ("/to-thread/time-stands-still", test_time_stands_still);
  add_real_coroutine ("/to-thread/many", test_many);
  add_real_coroutine ("/to-thread/nested", test_nested);
  g_test_add_func ("/to-thread/outside", test_outside);
  add_coroutine ("/to-thread/retries", test_retries);
  add_coroutine ("/to-thread/withdrawn", test_withdrawn);
  return g_test_run ();
}
