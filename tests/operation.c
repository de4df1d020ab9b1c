/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The border with GIO: what is in flight is never abandoned, and a request to
 * cancel is delivered once. */

#include "fixture.h"

#include <glib/gstdio.h>

/* ---- Operations of our own, for each way to end ---- */

typedef struct
{
  GCancellable *cancellable;
  GAsyncReadyCallback callback;
  gpointer data;
} Started;

/* The operation that is under way. */
static Started under_way;

static void
start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_assert_null (under_way.callback);
  under_way = (Started) { cancellable ? g_object_ref (cancellable) : NULL, callback, data };
}

/* Ends it: with an error if @code is not negative. */
static void
end_operation (int code)
{
  Started ended = under_way;
  GTask *task = g_task_new (NULL, NULL, ended.callback, ended.data);

  under_way = (Started) { 0 };
  if (code >= 0)
    g_task_return_new_error (task, G_IO_ERROR, code, "ended");
  else
    g_task_return_pointer (task, g_strdup ("result"), g_free);
  g_object_unref (task);
  g_clear_object (&ended.cancellable);
}

static char *
finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
end_later (gpointer code)
{
  end_operation (GPOINTER_TO_INT (code));
  return G_SOURCE_REMOVE;
}

static gboolean
operate (gpointer data, GError **error)
{
  g_autofree char *result = NULL;
  g_autoptr (GError) failure = NULL;

  start_async (GTX_ASYNC);
  result = finish (gtx_await_result (), &failure);
  note (result ? result : failure->message);

  /* Where the request goes that no operation reported. */
  g_clear_error (&failure);
  gtx_sleep (0, NULL);
  note (gtx_sleep (1, &failure) ? "slept" : "cancelled");
  return TRUE;
}

/* Whether the await right after the operation is told of the request. */
static gboolean
operate_then_await (gpointer data, GError **error)
{
  g_autofree char *result = NULL;
  g_autoptr (GError) failure = NULL;

  start_async (GTX_ASYNC);
  result = finish (gtx_await_result (), &failure);
  note (result ? result : failure->message);
  note (gtx_sleep (0, NULL) ? "went-on" : "cancelled");
  note (gtx_sleep (0, NULL) ? "went-on" : "cancelled");
  return TRUE;
}

static GtxTask *
start_and_cancel (GtxCoroutine coroutine)
{
  GtxTask *task = gtx_create_task (coroutine, NULL, NULL);

  gtx_sleep (0, NULL);
  g_assert_nonnull (under_way.callback);
  g_assert_false (g_cancellable_is_cancelled (under_way.cancellable));
  gtx_cancel (task);
  g_assert_true (g_cancellable_is_cancelled (under_way.cancellable));
  for (int i = 0; i < 5; i++)
    gtx_sleep (0, NULL);
  /* Still waiting: nothing is abandoned. */
  g_assert_false (gtx_future_is_done (task));
  assert_trace ("");
  return task;
}

static gboolean
test_result (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate, NULL, NULL);

  gtx_sleep (0, NULL);
  end_operation (-1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("result slept");
  return TRUE;
}

static gboolean
test_fails (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate, NULL, NULL);

  gtx_sleep (0, NULL);
  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended slept");
  return TRUE;
}

static gboolean
test_succeeds_although_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation (-1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("result cancelled went-on");
  return TRUE;
}

static gboolean
test_fails_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation (G_IO_ERROR_CANCELLED);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended went-on went-on");
  return TRUE;
}

/* An error of another kind is told of instead. */
static gboolean
test_fails_otherwise_although_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended went-on went-on");
  return TRUE;
}

/* ---- A result that is no GTask ---- */

static gboolean
operate_without_gtask (gpointer data, GError **error)
{
  start_async (GTX_ASYNC);
  g_assert_true (GTX_IS_FUTURE (gtx_await_result ()));
  note ("result");
  note (gtx_sleep (0, NULL) ? "went-on" : "cancelled");
  return TRUE;
}

static gboolean
test_no_gtask_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_without_gtask);
  g_autoptr (GtxFuture) result = gtx_future_new ();
  Started ended = under_way;

  under_way = (Started) { 0 };
  ended.callback (NULL, G_ASYNC_RESULT (result), ended.data);
  g_clear_object (&ended.cancellable);
  g_assert_true (gtx_await (task, error));
  assert_trace ("result went-on");
  return TRUE;
}

/* ---- When it calls back ---- */

static void
end_at_once (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  start_async (cancellable, callback, data);
  end_operation (-1);
}

static void
call_at_once (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_pointer (task, g_strdup ("sync"), g_free);
  callback (NULL, G_ASYNC_RESULT (task), data);
}

static gboolean
test_at_once (gpointer data, GError **error)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  end_at_once (GTX_ASYNC);
  first = finish (gtx_await_result (), error);
  call_at_once (GTX_ASYNC);
  second = finish (gtx_await_result (), error);
  g_assert_cmpstr (first, ==, "result");
  g_assert_cmpstr (second, ==, "sync");
  return TRUE;
}

/* The task goes on inside the callback. */
static gboolean
test_inside_callback (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate, NULL, NULL);

  gtx_sleep (0, NULL);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_assert_true (gtx_await (task, error));
  assert_trace ("result slept");
  return TRUE;
}

static GAsyncResult *kept;

static gboolean
test_result_kept (gpointer data, GError **error)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  call_at_once (GTX_ASYNC);
  kept = g_object_ref (gtx_await_result ());
  g_object_add_weak_pointer (G_OBJECT (kept), (gpointer *) &kept);
  call_at_once (GTX_ASYNC);
  second = finish (gtx_await_result (), error);
  first = finish (kept, error);
  g_assert_cmpstr (first, ==, "sync");
  /* GLib lets go of it in a later turn, the task did with the next one. */
  gtx_sleep (1, NULL);
  g_object_unref (kept);
  g_assert_null (kept);
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

/* Counts the times that it is told of one request. */
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

/* ---- Mistakes ---- */

static gboolean
start_twice (gpointer data, GError **error)
{
  g_autofree char *result = NULL;

  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*starts another operation before*operation.c*");
  call_at_once (GTX_ASYNC);
  g_test_assert_expected_messages ();
  result = finish (gtx_await_result (), error);
  g_assert_cmpstr (result, ==, "sync");
  return gtx_sleep (0, error);
}

static gboolean
await_something_else (gpointer data, GError **error)
{
  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*awaits something else before*operation.c*");
  gtx_sleep (0, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (under_way.callback);
  return TRUE;
}

static gboolean
start_and_end (gpointer data, GError **error)
{
  /* One that was awaited as it should be changes nothing. */
  g_autofree char *result = NULL;

  call_at_once (GTX_ASYNC);
  result = finish (gtx_await_result (), error);
  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*ends before*operation.c*");
  return TRUE;
}

static gboolean
test_end_before_awaited (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (start_and_end, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  g_test_assert_expected_messages ();
  g_assert_null (under_way.callback);
  return TRUE;
}

static gboolean
await_nothing (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_await_result: nothing to await*");
  g_assert_null (finish (gtx_await_result (), &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

/* ---- Outside of tasks ---- */

static void
test_outside (void)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  g_file_query_info_async (file, "*", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
  info = g_file_query_info_finish (file, gtx_await_result (), &error);
  g_assert_null (info);
  assert_cancelled (error);
}

/* The thread ends, and with it what it kept of its last operation. */
static gpointer
work_in_thread (gpointer source)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GTask *task;

  g_main_context_push_thread_default (context);
  task = g_task_new (source, GTX_ASYNC);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
  g_assert_false (g_task_propagate_boolean (G_TASK (gtx_await_result ()), NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_outside_in_thread (void)
{
  GObject *source = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_add_weak_pointer (source, (gpointer *) &source);
  g_thread_join (g_thread_new ("work", work_in_thread, source));
  g_object_unref (source);
  g_assert_null (source);
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
  add_coroutine ("/operation/result", test_result);
  add_coroutine ("/operation/error", test_fails);
  add_coroutine ("/operation/cancelled/succeeds", test_succeeds_although_cancelled);
  add_coroutine ("/operation/cancelled/reported", test_fails_cancelled);
  add_coroutine ("/operation/cancelled/fails-otherwise", test_fails_otherwise_although_cancelled);
  add_coroutine ("/operation/cancelled/no-gtask", test_no_gtask_cancelled);
  add_coroutine ("/operation/at-once", test_at_once);
  add_coroutine ("/operation/inside-callback", test_inside_callback);
  add_coroutine ("/operation/result-kept", test_result_kept);
  add_coroutine ("/operation/thread/callback", test_callback_in_thread);
  add_coroutine ("/operation/thread/cancels-as-result-arrives", test_race);
  add_coroutine ("/operation/mistake/second", start_twice);
  add_coroutine ("/operation/mistake/other-await", await_something_else);
  add_coroutine ("/operation/mistake/end", test_end_before_awaited);
  add_coroutine ("/operation/mistake/nothing", await_nothing);
  g_test_add_func ("/operation/outside", test_outside);
  g_test_add_func ("/operation/outside/thread", test_outside_in_thread);
  add_coroutine ("/operation/file", test_file);
  add_coroutine ("/operation/process", test_subprocess);
  add_coroutine ("/operation/process/cancelled", test_subprocess_cancelled);
  return g_test_run ();
}
