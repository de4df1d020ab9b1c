/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations in their surroundings: arguments that await, time limits that the operations ignore,
 * threads, and real work. */

#include "operation-own.h"

#include <glib/gstdio.h>

/* ---- Arguments that await ---- */

/* Some compilers evaluate the last argument first, as this function does. */
static char *
start_with (GFunc     make_argument,
            GError  **error)
{
  gpointer operation = gtx_operation_begin (__FILE__, __LINE__);

  make_argument (NULL, NULL);
  call_at_once (GTX_CANCELLABLE, gtx_operation_ready, operation);
  return finish (gtx_await_result (), error);
}

static void
sleep_first (gpointer data, gpointer unused)
{
  note (gtx_sleep (1, NULL) ? "slept" : "cancelled");
}

static void
operate_first (gpointer data, gpointer unused)
{
  g_autofree char *result = NULL;

  call_at_once (GTX_ASYNC);
  result = finish (gtx_await_result (), NULL);
  note (result);
  sleep_first (NULL, NULL);
}

static void
operate_in_argument_first (gpointer data, gpointer unused)
{
  g_autofree char *result = start_with (operate_first, NULL);

  note (result);
}

static gboolean
test_argument (gpointer data, GError **error)
{
  g_autofree char *first = start_with (sleep_first, error);
  g_autofree char *second = start_with (operate_first, error);
  g_autofree char *third = start_with (operate_in_argument_first, error);

  g_assert_cmpstr (first, ==, "sync");
  g_assert_cmpstr (second, ==, "sync");
  g_assert_cmpstr (third, ==, "sync");
  assert_trace ("slept sync slept sync slept sync");
  return TRUE;
}

static gboolean
start_in_argument (gpointer data, GError **error)
{
  g_autofree char *result = start_with (sleep_first, error);

  note (result);
  return gtx_sleep (1, error);
}

/* A request is delivered to the code that computes the argument. */
static gboolean
test_argument_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (start_in_argument, NULL, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("cancelled sync");
  return TRUE;
}

/* The timeout withdraws its request.  The GCancellable that was lent to the operation is still
 * valid. */
static void
time_out_first (gpointer data, gpointer unused)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 1);
  gtx_sleep (5, &failure);
  g_assert_false (gtx_timeout_end (&timeout, &failure, NULL));
}

static gboolean
test_argument_times_out (gpointer data, GError **error)
{
  gpointer operation = gtx_operation_begin (__FILE__, __LINE__);
  GCancellable *lent = GTX_CANCELLABLE;
  g_autofree char *result = NULL;

  time_out_first (NULL, NULL);
  g_assert_true (G_IS_CANCELLABLE (lent));
  g_assert_false (g_cancellable_is_cancelled (lent));
  call_at_once (lent, gtx_operation_ready, operation);
  result = finish (gtx_await_result (), error);
  g_assert_cmpstr (result, ==, "sync");
  g_assert_true (gtx_task_get_cancellable (gtx_current_task ()) == lent);
  return gtx_sleep (1, error);
}

/* ---- A timeout that an operation does not look at ---- */

static gboolean
operate_in_time (gpointer in_clean_up, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autofree char *result = NULL;

  if (in_clean_up)
    {
      gtx_cancel (gtx_current_task ());
      g_assert_false (gtx_sleep (0, NULL));
    }
  gtx_timeout_begin (&timeout, 0);
  start_async (GTX_ASYNC);
  g_timeout_add (5, end_later, GINT_TO_POINTER (-1));
  result = finish (gtx_await_result (), &failure);
  g_assert_cmpstr (result, ==, "result");
  g_assert_true (gtx_timeout_end (&timeout, &failure, error));
  /* The request was delivered, and no longer belongs to a block. */
  return gtx_sleep (0, error);
}

static gboolean
test_timeout_overlooked (gpointer data, GError **error)
{
  for (int in_clean_up = FALSE; in_clean_up <= TRUE; in_clean_up++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (operate_in_time, GINT_TO_POINTER (in_clean_up), NULL);

      g_assert_true (gtx_await (task, error));
    }
  return TRUE;
}

/* A request that no operation has looked at does not belong to the next timeout. */
static gboolean
try_with_timeouts (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *result = NULL;

  start_async (GTX_ASYNC);
  result = finish (gtx_await_result (), &failure);
  note (failure->message);
  {
    g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
    g_autoptr (GError) of_block = NULL;

    gtx_timeout_begin (&timeout, 0);
    start_async (GTX_ASYNC);
    g_timeout_add (5, end_later, GINT_TO_POINTER (G_IO_ERROR_NOT_FOUND));
    g_free (finish (gtx_await_result (), &of_block));
    note (of_block->message);
    g_clear_error (&of_block);
    gtx_sleep (1, &of_block);
    return gtx_timeout_end (&timeout, &of_block, error);
  }
}

static gboolean
test_outlives_timeout (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (try_with_timeouts);
  g_autoptr (GError) failure = NULL;

  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  assert_trace ("ended ended");
  return TRUE;
}

/* ---- Threads ---- */

static gpointer
call_in_thread (gpointer data)
{
  Started *started = data;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_pointer (task, g_strdup ("thread"), g_free);
  started->callback (NULL, G_ASYNC_RESULT (task), started->data);
  return NULL;
}

static gboolean
test_callback_in_thread (gpointer data, GError **error)
{
  g_autofree char *result = NULL;
  Started started = { 0 };
  GThread *thread;

  start_async (GTX_ASYNC);
  started = under_way;
  under_way = (Started) { 0 };
  thread = g_thread_new ("callback", call_in_thread, &started);
  result = finish (gtx_await_result (), error);
  g_assert_cmpstr (result, ==, "thread");
  g_thread_join (thread);
  g_object_unref (started.cancellable);
  return TRUE;
}

typedef struct
{
  GCancellable *cancellable;
  gint *go;
} Canceller;

static gpointer
cancel_in_thread (gpointer data)
{
  Canceller *canceller = data;

  while (!g_atomic_int_get (canceller->go))
    ;
  g_cancellable_cancel (canceller->cancellable);
  return NULL;
}

static void
release_and_end (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_atomic_int_set ((gint *) data, TRUE);
  g_task_return_boolean (task, TRUE);
}

/* Counts how often a request is delivered to the task. */
static gboolean
race_round (guint *n_deliveries, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gint go = FALSE;
  Canceller canceller = { g_object_ref (gtx_task_get_cancellable (gtx_current_task ())), &go };
  GThread *thread = g_thread_new ("canceller", cancel_in_thread, &canceller);
  g_autoptr (GTask) work = NULL;
  GCancellable *lent = GTX_CANCELLABLE;

  work = g_task_new (NULL, lent, GTX_CALLBACK);
  g_task_set_check_cancellable (work, TRUE);
  g_task_set_task_data (work, &go, NULL);
  g_task_run_in_thread (work, release_and_end);
  if (!g_task_propagate_boolean (G_TASK (gtx_await_result ()), &failure))
    ++*n_deliveries;
  g_thread_join (thread);
  if (!gtx_sleep (0, NULL))
    ++*n_deliveries;
  if (!gtx_sleep (0, NULL))
    ++*n_deliveries;
  g_object_unref (canceller.cancellable);
  return TRUE;
}

static gboolean
test_race (gpointer data, GError **error)
{
  guint n_rounds = RUNNING_ON_VALGRIND ? 50 : 1000;

  for (guint i = 0; i < n_rounds; i++)
    {
      guint n_deliveries = 0;
      g_autoptr (GtxTask) task = gtx_create_task (race_round, &n_deliveries, NULL);

      g_assert_true (gtx_await (task, error));
      g_assert_cmpuint (n_deliveries, ==, 1);
    }
  return TRUE;
}

/* ---- Real work ---- */

static gboolean
test_file (gpointer data, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "gtask-ext-operation-XXXXXX", NULL);
  g_autoptr (GFile) file = NULL;
  g_autofree char *contents = NULL;
  gsize length = 0;

  g_close (g_mkstemp (path), NULL);
  file = g_file_new_for_path (path);
  {
    GCancellable *cancellable = GTX_CANCELLABLE;

    g_file_replace_contents_async (file, "hello", 5, NULL, FALSE, 0, cancellable, GTX_CALLBACK);
  }
  g_assert_true (g_file_replace_contents_finish (file, gtx_await_result (), NULL, error));
  g_file_load_contents_async (file, GTX_ASYNC);
  g_assert_true (g_file_load_contents_finish (file, gtx_await_result (), &contents, &length, NULL, error));
  g_assert_cmpmem (contents, length, "hello", 5);
  g_file_delete_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC);
  return g_file_delete_finish (file, gtx_await_result (), error);
}

static gboolean
test_subprocess (gpointer data, GError **error)
{
  g_autoptr (GSubprocess) child =
    g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDIN_PIPE, error, "cat", NULL);
  g_autofree char *output = NULL;

  g_assert_nonnull (child);
  g_subprocess_communicate_utf8_async (child, "through a pipe", GTX_ASYNC);
  g_assert_true (g_subprocess_communicate_utf8_finish (child, gtx_await_result (), &output, NULL, error));
  g_assert_cmpstr (output, ==, "through a pipe");
  return TRUE;
}

static gboolean
wait_for_cat (GSubprocess *child, GError **error)
{
  g_subprocess_wait_async (child, GTX_ASYNC);
  return g_subprocess_wait_finish (child, gtx_await_result (), error);
}

static gboolean
test_subprocess_cancelled (gpointer data, GError **error)
{
  g_autoptr (GSubprocess) child = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE, error, "cat", NULL);
  g_autoptr (GtxTask) task = gtx_create_task (wait_for_cat, child, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  g_subprocess_force_exit (child);
  return wait_for_cat (child, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/operation/argument", test_argument);
  add_coroutine ("/operation/argument/cancelled", test_argument_cancelled);
  add_coroutine ("/operation/argument/times-out", test_argument_times_out);
  add_coroutine ("/operation/timeout-overlooked", test_timeout_overlooked);
  add_coroutine ("/operation/outlives-timeout", test_outlives_timeout);
  add_coroutine ("/operation/thread/callback", test_callback_in_thread);
  add_coroutine ("/operation/thread/cancels-as-result-arrives", test_race);
  add_coroutine ("/operation/file", test_file);
  add_coroutine ("/operation/process", test_subprocess);
  add_coroutine ("/operation/process/cancelled", test_subprocess_cancelled);
  return g_test_run ();
}
