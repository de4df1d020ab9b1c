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

/* Ends it: with an error if @code is not negative.  @knows: it was given the GCancellable,
 * and does not look at it by itself. */
static void
end_operation_that (gboolean knows,
                    int      code)
{
  Started ended = under_way;
  GTask *task = g_task_new (NULL, knows ? ended.cancellable : NULL, ended.callback, ended.data);

  under_way = (Started) { 0 };
  g_task_set_check_cancellable (task, !knows);
  if (code >= 0)
    g_task_return_new_error (task, G_IO_ERROR, code, "ended");
  else
    g_task_return_pointer (task, g_strdup ("result"), g_free);
  g_object_unref (task);
  g_clear_object (&ended.cancellable);
}

static void
end_operation (int code)
{
  end_operation_that (FALSE, code);
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

  /* The GTask does not know the GCancellable: rather twice than never. */
  end_operation (G_IO_ERROR_CANCELLED);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended cancelled went-on");
  return TRUE;
}

/* An error of another kind is told of, and then the request. */
static gboolean
test_fails_otherwise_although_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended cancelled went-on");
  return TRUE;
}

/* One that was given the GCancellable is made to report the request. */
static gboolean
test_fails_with_cancellable (gpointer data, GError **error)
{
  for (int code = G_IO_ERROR_NOT_FOUND; code >= 0; code = code == G_IO_ERROR_CANCELLED ? -1 : G_IO_ERROR_CANCELLED)
    {
      g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

      end_operation_that (TRUE, code);
      g_assert_true (gtx_await (task, error));
      assert_trace ("Operation was cancelled went-on went-on");
    }
  return TRUE;
}

static gboolean
test_succeeds_with_cancellable (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation_that (TRUE, -1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("result cancelled went-on");
  return TRUE;
}

/* A loop that tries again and again ends all the same, and so does a timeout around it. */
static gboolean
try_until_it_works (gpointer data, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      g_autofree char *result = NULL;

      start_async (GTX_ASYNC);
      result = finish (gtx_await_result (), &failure);
      g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      if (!gtx_sleep (1, error))
        return FALSE;
    }
}

static gboolean
test_retries_end (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (try_until_it_works);
  g_autoptr (GError) failure = NULL;

  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
try_for_a_second (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 0.5);
  try_until_it_works (NULL, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
test_retries_time_out (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (try_for_a_second, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
}

/* ---- Cancelling runs nobody ---- */

typedef struct
{
  gulong handler;
  gboolean in_emission;
  gboolean ends_at_once;
} Watcher;

static void
end_when_cancelled (GCancellable *cancellable, Watcher *watcher)
{
  watcher->in_emission = TRUE;
  end_operation_that (watcher->ends_at_once, G_IO_ERROR_CANCELLED);
  watcher->in_emission = FALSE;
}

/* As GLib has it: the handler is disconnected when the operation has ended, and that waits
 * for the emission. */
static gboolean
operate_and_watch (Watcher *watcher, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_object_ref (GTX_CANCELLABLE);
  g_autofree char *result = NULL;

  watcher->handler = g_cancellable_connect (cancellable, G_CALLBACK (end_when_cancelled), watcher, NULL);
  start_async (GTX_ASYNC);
  result = finish (gtx_await_result (), error);
  g_assert_false (watcher->in_emission);
  g_cancellable_disconnect (cancellable, watcher->handler);
  return result != NULL;
}

static gboolean
cancel_task (gpointer task)
{
  gtx_cancel (task);
  note ("requested");
  return G_SOURCE_REMOVE;
}

static gboolean
cancel_by_cancellable (gpointer task)
{
  g_cancellable_cancel (under_way.cancellable);
  note ("requested");
  return G_SOURCE_REMOVE;
}

static gboolean
drop_object (gpointer object)
{
  g_object_unref (object);
  note ("requested");
  return G_SOURCE_REMOVE;
}

/* @cancel is called by the main loop. */
static void
check_nobody_runs (GSourceFunc cancel,
                   gboolean    is_bound)
{
  for (int ends_at_once = FALSE; ends_at_once <= TRUE; ends_at_once++)
    {
      Watcher watcher = { .ends_at_once = ends_at_once };
      g_autoptr (GtxTask) task = gtx_create_task (operate_and_watch, &watcher, NULL);
      GObject *object = is_bound ? g_object_new (G_TYPE_OBJECT, NULL) : NULL;
      g_autoptr (GError) failure = NULL;

      if (is_bound)
        gtx_task_bind (task, object);
      gtx_sleep (0, NULL);
      g_idle_add (cancel, is_bound ? (gpointer) object : task);
      g_assert_false (gtx_await (task, &failure));
      assert_cancelled (failure);
      assert_trace ("requested");
    }
}

/* A handler that gives back what somebody else waits for runs that one as little. */
static GTask *waiting_for_slot;

static void
wait_for_slot_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  waiting_for_slot = g_task_new (NULL, cancellable, callback, data);
}

static void
give_slot_back (GCancellable *cancellable, gpointer data)
{
  g_task_return_boolean (waiting_for_slot, TRUE);
  g_clear_object (&waiting_for_slot);
}

static gboolean
hold_slot (gpointer data, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_object_ref (GTX_CANCELLABLE);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (give_slot_back), NULL, NULL);
  gboolean succeeded = gtx_sleep (1000, error);

  note ("holder");
  g_cancellable_disconnect (cancellable, handler);
  return succeeded;
}

static gboolean
wait_for_slot (gpointer data, GError **error)
{
  gboolean succeeded;

  wait_for_slot_async (GTX_ASYNC);
  succeeded = g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
  note ("waiter");
  return succeeded;
}

static gboolean
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  note ("requested");
  return G_SOURCE_REMOVE;
}

static gboolean
test_cancel_runs_no_other (gpointer data, GError **error)
{
  for (int by_cancellable = FALSE; by_cancellable <= TRUE; by_cancellable++)
    {
      g_autoptr (GtxTask) holder = gtx_create_task (hold_slot, NULL, NULL);
      g_autoptr (GtxTask) waiter = gtx_create_task (wait_for_slot, NULL, NULL);

      gtx_sleep (0, NULL);
      if (by_cancellable)
        g_idle_add (cancel_cancellable, gtx_task_get_cancellable (holder));
      else
        g_idle_add (cancel_task, holder);
      g_assert_true (gtx_await (waiter, error));
      g_assert_false (gtx_await (holder, NULL));
      g_assert_true (g_str_has_prefix (trace->str, "requested "));
      g_string_truncate (trace, 0);
    }
  return TRUE;
}

static gboolean
test_cancel_runs_nobody (gpointer data, GError **error)
{
  check_nobody_runs (cancel_task, FALSE);
  check_nobody_runs (cancel_by_cancellable, FALSE);
  check_nobody_runs (drop_object, TRUE);
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
  assert_trace ("result cancelled");
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

/* ---- Arguments that await ---- */

/* As compilers do that evaluate the last argument first. */
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

/* A request meanwhile is delivered to what makes the argument. */
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

/* ... and taken back: the GCancellable that the operation was lent is good all the same. */
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
  /* Its request is nobody's any more. */
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

/* A request that no operation has looked at is not the next timeout's. */
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

/* ---- What calls back twice ---- */

static void
call_again (Started *started)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_pointer (task, g_strdup ("again"), g_free);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*started at*operation.c:* called back twice*");
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

  /* One whose task is gone. */
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

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*nobody waits for*");
  gtx_operation_ready (NULL, G_ASYNC_RESULT (task), NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*nobody waits for*");
  gtx_operation_ready (NULL, G_ASYNC_RESULT (task), &task);
  g_test_assert_expected_messages ();
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
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "*awaits something else before*operation.c*and waited for*where an argument awaits*");
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

/* What frees the task's data, or a result that nobody gets, or a value of its own, is in the
 * task as well. */
static void
start_in_free (gpointer data)
{
  start_async (GTX_ASYNC);
  g_idle_add (end_later, GINT_TO_POINTER (-1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*ends before*operation.c*");
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
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "GTX_ASYNC was used at*operation.c:* outside a task*")

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

/* One that the main loop begins while another is waited for. */
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

/* The thread ends, and with it what it kept of its last operation. */
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

/* Its operation calls back into the main loop of the other thread. */
static gboolean
test_outside_without_context (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_to_thread (query_in_thread, NULL, &failure));
  assert_cancelled (failure);
  return TRUE;
}

/* Begun by a thread that ends before it is called back. */
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
  add_coroutine ("/operation/cancelled/fails-with-cancellable", test_fails_with_cancellable);
  add_coroutine ("/operation/cancelled/succeeds-with-cancellable", test_succeeds_with_cancellable);
  add_coroutine ("/operation/cancelled/no-gtask", test_no_gtask_cancelled);
  add_coroutine ("/operation/cancelled/retries", test_retries_end);
  add_coroutine ("/operation/cancelled/retries/timeout", test_retries_time_out);
  add_coroutine ("/operation/cancelled/runs-nobody", test_cancel_runs_nobody);
  add_coroutine ("/operation/cancelled/runs-no-other", test_cancel_runs_no_other);
  add_coroutine ("/operation/at-once", test_at_once);
  add_coroutine ("/operation/inside-callback", test_inside_callback);
  add_coroutine ("/operation/result-kept", test_result_kept);
  add_coroutine ("/operation/argument", test_argument);
  add_coroutine ("/operation/argument/cancelled", test_argument_cancelled);
  add_coroutine ("/operation/argument/times-out", test_argument_times_out);
  add_coroutine ("/operation/timeout-overlooked", test_timeout_overlooked);
  add_coroutine ("/operation/outlives-timeout", test_outlives_timeout);
  add_coroutine ("/operation/calls-twice", test_calls_twice);
  add_coroutine ("/operation/nobodys-data", test_nobodys_data);
  add_coroutine ("/operation/thread/callback", test_callback_in_thread);
  add_coroutine ("/operation/thread/cancels-as-result-arrives", test_race);
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
  add_coroutine ("/operation/file", test_file);
  add_coroutine ("/operation/process", test_subprocess);
  add_coroutine ("/operation/process/cancelled", test_subprocess_cancelled);
  g_test_add_func ("/operation/outside/nothing", await_nothing_outside);
  return g_test_run ();
}
