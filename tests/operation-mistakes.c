/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that are begun in a wrong way, or outside of tasks, or that call back twice. */

#include "operation-own.h"

/* ---- Operations that call back twice ---- */

static void
call_again (Started *started)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_pointer (task, g_strdup ("again"), g_free);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*started at*operation-mistakes.c:* called back twice*");
  started->callback (NULL, G_ASYNC_RESULT (task), started->data);
  g_test_assert_expected_messages ();
}

static gboolean
operate_and_keep (Started *kept_start, GError **error)
{
  g_autofree char *result = NULL;

  start_async (GTX_ASYNC);
  *kept_start = under_way;
  end_operation (-1);
  result = finish (gtx_await_result (), error);
  return result != NULL;
}

static gboolean
test_calls_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;
  g_autofree char *result = NULL;
  Started first = { 0 };
  Started of_other = { 0 };

  g_assert_true (operate_and_keep (&first, error));
  call_again (&first);
  start_async (GTX_ASYNC);
  call_again (&first);
  end_operation (-1);
  result = finish (gtx_await_result (), error);
  g_assert_cmpstr (result, ==, "result");

  /* The task of this operation is gone. */
  task = gtx_create_task (operate_and_keep, &of_other, NULL);
  g_assert_true (gtx_await (task, error));
  g_clear_object (&task);
  gtx_sleep (0, NULL);
  call_again (&of_other);
  return TRUE;
}

static gboolean
test_nobodys_data (gpointer data, GError **error)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*that no task awaits*");
  gtx_operation_ready (NULL, G_ASYNC_RESULT (task), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*that no task awaits*");
  gtx_operation_ready (NULL, G_ASYNC_RESULT (task), &task);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
start_twice (gpointer data, GError **error)
{
  g_autofree char *result = NULL;

  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*starts another operation before*operation-mistakes.c*");
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
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "*awaits something else before*operation-mistakes.c*and waited for*where an argument awaits*");
  gtx_sleep (0, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (under_way.callback);
  return TRUE;
}

static gboolean
start_and_end (gpointer data, GError **error)
{
  /* A correct operation before the mistake changes nothing. */
  g_autofree char *result = NULL;

  call_at_once (GTX_ASYNC);
  result = finish (gtx_await_result (), error);
  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*ends before*operation-mistakes.c*");
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

/* The functions that free the task's data, a result that was not taken, or a task-local
 * value run in the task as well. */
static void
start_in_free (gpointer data)
{
  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*ends before*operation-mistakes.c*");
}

static gboolean
set_local (GtxTaskLocal *local, GError **error)
{
  if (local)
    gtx_task_local_set (local, local);
  return TRUE;
}

static gpointer
cancel_itself (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return &n_freed;
}

static gboolean
test_left_in_free (gpointer data, GError **error)
{
  static GtxTaskLocal local = GTX_TASK_LOCAL_INIT (start_in_free);
  g_autoptr (GtxTask) with_data = gtx_create_task (note_and_return, (const char *) "data", start_in_free);
  g_autoptr (GtxTask) with_local = gtx_task_new (set_local, &local, NULL);
  g_autoptr (GtxTask) with_result = gtx_task_new_pointer (cancel_itself, NULL, NULL, start_in_free);

  g_assert_true (gtx_await (with_data, error));
  g_assert_true (gtx_await (gtx_task_start (with_local), error));
  g_assert_false (gtx_await (gtx_task_start (with_result), NULL));
  g_assert_true (gtx_future_is_cancelled (with_result));
  g_test_assert_expected_messages ();
  g_assert_null (under_way.callback);
  assert_trace ("data");
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
await_nothing_outside (void)
{
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_await_result: nothing to await*");
  g_assert_null (finish (gtx_await_result (), &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

#define expect_outside() \
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "GTX_ASYNC was used at*operation-mistakes.c:* outside a task*")

static void
query_outside (GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;

  expect_outside ();
  g_file_query_info_async (file, "*", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
  g_test_assert_expected_messages ();
  info = g_file_query_info_finish (file, gtx_await_result (), error);
  g_assert_null (info);
}

static void
test_outside (void)
{
  g_autoptr (GError) error = NULL;

  query_outside (&error);
  assert_cancelled (error);
}

/* The main loop begins an operation while another one is awaited. */
static gboolean
query_in_callback (gpointer error)
{
  query_outside (error);
  return G_SOURCE_REMOVE;
}

static void
test_outside_both (void)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  g_idle_add_full (G_PRIORITY_HIGH, query_in_callback, &second, NULL);
  query_outside (&first);
  assert_cancelled (first);
  assert_cancelled (second);
}

/* The thread ends, and frees the data of its last operation. */
static gpointer
work_in_thread (gpointer source)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GTask *task;

  g_main_context_push_thread_default (context);
  expect_outside ();
  task = g_task_new (source, GTX_ASYNC);
  g_test_assert_expected_messages ();
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

static gboolean
query_in_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  query_outside (error);
  return *error == NULL;
}

/* The task's operation calls back into the main loop of the other thread. */
static gboolean
test_outside_without_context (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_to_thread (query_in_thread, NULL, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* The thread that began the operation ends before the callback. */
static gpointer
begin_in_thread (gpointer data)
{
  expect_outside ();
  start_async (GTX_ASYNC);
  g_test_assert_expected_messages ();
  return NULL;
}

static void
test_outside_left_behind (void)
{
  g_thread_join (g_thread_new ("begin", begin_in_thread, NULL));
  end_operation (-1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/operation/calls-twice", test_calls_twice);
  add_coroutine ("/operation/nobodys-data", test_nobodys_data);
  add_coroutine ("/operation/mistake/second", start_twice);
  add_coroutine ("/operation/mistake/other-await", await_something_else);
  add_coroutine ("/operation/mistake/end", test_end_before_awaited);
  add_coroutine ("/operation/mistake/left-in-free", test_left_in_free);
  add_coroutine ("/operation/mistake/nothing", await_nothing);
  g_test_add_func ("/operation/outside", test_outside);
  g_test_add_func ("/operation/outside/both", test_outside_both);
  g_test_add_func ("/operation/outside/thread", test_outside_in_thread);
  add_real_coroutine ("/operation/outside/thread/without-context", test_outside_without_context);
  g_test_add_func ("/operation/outside/thread/left-behind", test_outside_left_behind);
  g_test_add_func ("/operation/outside/nothing", await_nothing_outside);
  return g_test_run ();
}
