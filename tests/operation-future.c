/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of GIO as futures: many are under way at once, without a task for each. */

#include "fixture.h"

/* An operation that ends when the test decides, in any thread. */
typedef struct
{
  GTask *task;
  gpointer data;                /* for the callback */
  GtxFuture *future;            /* the callback drops this reference */
  gboolean seen_cancelled;
} Started;

static void
on_cancelled (GCancellable *cancellable, Started *started)
{
  started->seen_cancelled = TRUE;
}

static void
start_async (Started *started, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  started->task = g_task_new (NULL, NULL, callback, data);
  g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), started, NULL);
}

static void
end_operation (Started *started, const char *result)
{
  g_task_return_pointer (started->task, g_strdup (result), g_free);
  g_clear_object (&started->task);
}

static char *
finish (GtxFuture *future)
{
  return g_task_propagate_pointer (gtx_future_get_result (future), NULL);
}

static gboolean
test_result (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) a = gtx_operation_future_new ();
  g_autoptr (GtxFuture) b = gtx_operation_future_new ();
  Started started[2] = { 0 };
  g_autofree char *of_a = NULL;
  g_autofree char *of_b = NULL;

  start_async (&started[0], GTX_ASYNC_FUTURE (a));
  start_async (&started[1], GTX_ASYNC_FUTURE (b));
  end_operation (&started[1], "b");
  if (!gtx_await (b, error))
    return FALSE;
  g_assert_false (gtx_future_is_done (a));
  end_operation (&started[0], "a");
  if (!gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL))
    return FALSE;
  of_a = finish (a);
  of_b = finish (b);
  g_assert_cmpstr (of_a, ==, "a");
  g_assert_cmpstr (of_b, ==, "b");
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GError) failure = NULL;
  Started started = { 0 };

  start_async (&started, GTX_ASYNC_FUTURE (future));
  g_assert_true (gtx_cancel (future));
  g_assert_true (started.seen_cancelled);
  /* The cancelled future waits for its operation. */
  gtx_sleep (0, NULL);
  g_assert_false (gtx_future_is_done (future));
  end_operation (&started, "late");
  g_assert_false (gtx_await (future, &failure));
  assert_cancelled (failure);
  g_assert_false (gtx_cancel (future));
  return TRUE;
}

static gboolean
test_cancelled_before (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  Started started = { 0 };

  g_assert_true (gtx_cancel (future));
  start_async (&started, GTX_ASYNC_FUTURE (future));
  g_assert_true (started.seen_cancelled);
  end_operation (&started, "nobody's");
  gtx_sleep (0, NULL);
  g_assert_true (gtx_future_is_cancelled (future));
  g_assert_null (gtx_future_get_result (future));
  return TRUE;
}

/* A cancelled task that awaits such a future waits for the operation's end. */
static gboolean
test_task_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_future, future, NULL);
  Started started = { 0 };

  start_async (&started, GTX_ASYNC_FUTURE (future));
  gtx_sleep (0, NULL);
  gtx_cancel (task);
  gtx_sleep (0, NULL);
  g_assert_true (started.seen_cancelled);
  g_assert_false (gtx_future_is_done (task));
  end_operation (&started, "late");
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

/* No task waits, and the callback does no harm. */
static gboolean
test_dropped (gpointer data, GError **error)
{
  GtxFuture *future = gtx_operation_future_new ();
  Started started = { 0 };

  start_async (&started, GTX_ASYNC_FUTURE (future));
  g_object_add_weak_pointer (G_OBJECT (future), (gpointer *) &future);
  g_object_unref (future);
  g_assert_nonnull (future);
  end_operation (&started, "nobody's");
  while (future)
    gtx_sleep (0, NULL);
  return TRUE;
}

static gpointer
call_back (gpointer data)
{
  Started *started = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GTask) result = NULL;

  g_main_context_push_thread_default (context);
  result = g_task_new (NULL, NULL, NULL, NULL);
  g_task_return_pointer (result, g_strdup ("from a thread"), g_free);
  gtx_operation_future_ready (NULL, G_ASYNC_RESULT (result), started->data);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
keep_data (Started *started, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  started->data = data;
}

/* Virtual time stands still during the operation. */
static gboolean
test_other_thread (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GtxFuture) sleep = gtx_sleep_future (1000);
  g_autofree char *result = NULL;
  Started started = { 0 };
  GThread *thread;

  keep_data (&started, GTX_ASYNC_FUTURE (future));
  thread = g_thread_new ("callback", call_back, &started);
  if (!gtx_await (future, error))
    return FALSE;
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  g_assert_false (gtx_future_is_done (sleep));
  g_thread_join (thread);
  result = finish (future);
  g_assert_cmpstr (result, ==, "from a thread");
  return TRUE;
}

static gboolean
test_files (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/dev/null");
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 100; i++)
    {
      GtxFuture *future = gtx_operation_future_new ();

      g_ptr_array_add (futures, future);
      g_file_load_contents_async (file, GTX_ASYNC_FUTURE (future));
    }
  if (!gtx_gather (futures, GTX_GATHER_NONE, error))
    return FALSE;
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *text = NULL;

      g_assert_true (g_file_load_contents_finish (file, gtx_future_get_result (futures->pdata[i]),
                                                  &text, NULL, NULL, error));
      g_assert_cmpstr (text, ==, "");
    }
  return TRUE;
}

/* The callback comes after its main context is gone. */
static GtxFuture *
add_future (GPtrArray *futures)
{
  g_ptr_array_add (futures, gtx_operation_future_new ());
  return g_ptr_array_index (futures, futures->len - 1);
}

/* The argument is evaluated once. */
static gboolean
test_expression (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  Started started[2] = { 0 };

  for (int i = 0; i < 2; i++)
    start_async (&started[i], GTX_ASYNC_FUTURE (add_future (futures)));
  g_assert_cmpuint (futures->len, ==, 2);
  end_operation (&started[1], "end");
  g_assert_true (gtx_await (futures->pdata[1], error));
  g_assert_false (gtx_future_is_done (futures->pdata[0]));
  end_operation (&started[0], "end");
  return gtx_await (futures->pdata[0], error);
}

/* While the arguments of one operation are evaluated, another operation is started, and other tasks
 * start theirs. */
static GtxFuture *
start_another (Started *started)
{
  GtxFuture *outer = gtx_operation_future_new ();
  g_autoptr (GtxFuture) inner = gtx_operation_future_new ();

  start_async (started, GTX_ASYNC_FUTURE (inner));
  g_assert_true (gtx_sleep (0, NULL));
  end_operation (started, "end");
  g_assert_true (gtx_await (inner, NULL));
  return outer;
}

static gboolean
start_two (const char *word, GError **error)
{
  Started inner = { 0 };
  Started outer = { 0 };
  g_autoptr (GtxFuture) future = NULL;

  start_async (&outer, GTX_ASYNC_FUTURE (future = start_another (&inner)));
  g_assert_false (gtx_future_is_done (future));
  end_operation (&outer, "end");
  note (word);
  return gtx_await (future, error);
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (start_two, "first", NULL);
  g_autoptr (GtxTask) second = gtx_create_task (start_two, "second", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, first, second, NULL));
  /* A GTask calls back at once if the main loop has turned since the GTask began, which may happen
   * between the two operations.  Otherwise it calls back in a turn of its own. */
  if (g_str_equal (trace->str, "second first"))
    assert_trace ("second first");
  else
    assert_trace ("first second");
  return TRUE;
}

/* The object is not such a future.  The operation is started all the same, and ends. */
static gboolean
test_no_such_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  static Started started;       /* static, because the run may end and cancel the operation before its callback */

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "GTX_ASYNC_FUTURE takes a future that gtx_operation_future_new*");
  start_async (&started, GTX_ASYNC_FUTURE (future));
  g_test_assert_expected_messages ();
  end_operation (&started, "end");
  g_assert_false (gtx_future_is_done (future));
  return gtx_sleep (0, error);
}

/* The operation calls back while it is cancelled, and the handler drops the last reference. */
static void
call_back_and_unref (GCancellable *cancellable, Started *started)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

  started->seen_cancelled = TRUE;
  g_task_return_boolean (result, TRUE);
  gtx_operation_future_ready (NULL, G_ASYNC_RESULT (result), started->data);
  g_clear_object (&started->future);
}

static void
keep_data_and_connect (Started *started, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  started->data = data;
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (call_back_and_unref), started);
}

static void
test_last_reference (void)
{
  GtxFuture *future = gtx_operation_future_new ();
  gpointer alive = future;
  Started started = { .future = future };

  g_object_add_weak_pointer (G_OBJECT (future), &alive);
  keep_data_and_connect (&started, GTX_ASYNC_FUTURE (future));
  g_assert_true (gtx_cancel (future));
  g_assert_true (started.seen_cancelled);
  while (alive)
    g_main_context_iteration (NULL, FALSE);
}

static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  GtxFuture *future;
  Started started = { 0 };

  g_main_context_push_thread_default (context);
  future = gtx_operation_future_new ();
  keep_data (&started, GTX_ASYNC_FUTURE (future));
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_error (gtx_future_get_error (future), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  call_back (&started);
  g_assert_cmpint (G_OBJECT (future)->ref_count, ==, 1);
  g_object_unref (future);
}

static gboolean
test_second (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  Started started[2] = { 0 };
  g_autofree char *result = NULL;

  start_async (&started[0], GTX_ASYNC_FUTURE (future));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*make a future for each*");
  start_async (&started[1], GTX_ASYNC_FUTURE (future));
  g_test_assert_expected_messages ();
  end_operation (&started[0], "first");
  end_operation (&started[1], "second");
  if (!gtx_await (future, error))
    return FALSE;
  gtx_sleep (0, NULL);
  result = finish (future);
  g_assert_cmpstr (result, ==, "first");
  return TRUE;
}

/* ---- Left behind ---- */

static void
end_when_cancelled (GCancellable *cancellable, Started *started)
{
  end_operation (started, "too late");
}

static void
start_until_cancelled_async (Started *started, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer data)
{
  started->task = g_task_new (NULL, NULL, callback, data);
  g_cancellable_connect (cancellable, G_CALLBACK (end_when_cancelled), started, NULL);
}

static gboolean
leave_behind (Started *started, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  start_until_cancelled_async (started, GTX_ASYNC_FUTURE (future));
  return TRUE;
}

static void
note_gone (gpointer gone)
{
  *(gboolean *) gone = TRUE;
}

/* The run cancels the operation and waits for its callback.  Otherwise GIO would keep the main
 * context for ever. */
static void
test_left_behind (void)
{
  GMainContext *context = g_main_context_new ();
  GSource *source = g_timeout_source_new_seconds (100000);
  g_autoptr (GError) error = NULL;
  gboolean gone = FALSE;
  Started started = { 0 };

  g_source_set_callback (source, G_SOURCE_FUNC (g_main_loop_quit), &gone, note_gone);
  g_source_attach (source, context);
  g_source_unref (source);
  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (leave_behind, &started, &error));
  g_assert_no_error (error);
  g_assert_null (started.task);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (gone);
}

/* An operation that ignores requests is left behind on time; its result is freed when it comes. */
static gboolean
call_in_time (Started *started, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GtxFuture) shielded = gtx_shield (future);

  start_async (started, GTX_ASYNC_FUTURE (future));
  if (gtx_wait_for (shielded, 0.01, error))
    return TRUE;
  gtx_cancel (future);
  return FALSE;
}

static gboolean
test_on_time (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxTask) task = NULL;
  Started started = { 0 };
  GTask *operation;

  g_assert_false (call_in_time (&started, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (started.seen_cancelled);
  operation = started.task;
  g_object_add_weak_pointer (G_OBJECT (operation), (gpointer *) &operation);
  end_operation (&started, "late");
  while (operation)
    gtx_sleep (0, NULL);

  started = (Started) { 0 };
  task = gtx_create_task (call_in_time, &started, NULL);
  gtx_sleep (0, NULL);
  gtx_cancel (task);
  assert_ends_cancelled (task);
  g_assert_true (started.seen_cancelled);
  end_operation (&started, "late");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/operation-future/result", test_result);
  add_coroutine ("/operation-future/cancelled", test_cancelled);
  add_coroutine ("/operation-future/cancelled-before", test_cancelled_before);
  add_coroutine ("/operation-future/task-cancelled", test_task_cancelled);
  add_coroutine ("/operation-future/dropped", test_dropped);
  add_real_coroutine ("/operation-future/on-time", test_on_time);
  add_coroutine ("/operation-future/other-thread", test_other_thread);
  add_coroutine ("/operation-future/files", test_files);
  g_test_add_func ("/operation-future/context-gone", test_context_gone);
  add_coroutine ("/operation-future/second", test_second);
  add_coroutine ("/operation-future/expression", test_expression);
  add_coroutine ("/operation-future/nested", test_nested);
  add_coroutine ("/operation-future/no-such-future", test_no_such_future);
  g_test_add_func ("/operation-future/last-reference", test_last_reference);
  g_test_add_func ("/operation-future/left-behind", test_left_behind);
  return g_test_run ();
}
