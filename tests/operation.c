/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The border with GIO: an operation that is under way is never abandoned, and a request is
 * delivered once. */

#include "operation-own.h"

/* ---- Operations of our own, for each way to end ---- */

static gboolean
operate (gpointer data, GError **error)
{
  g_autofree char *result = NULL;
  g_autoptr (GError) failure = NULL;

  start_async (GTX_ASYNC);
  result = finish (gtx_await_result (), &failure);
  note (result ? result : failure->message);

  /* The next await delivers a request that no operation has reported. */
  g_clear_error (&failure);
  gtx_sleep (0, NULL);
  note (gtx_sleep (1, &failure) ? "slept" : "cancelled");
  return TRUE;
}

/* Notes whether the await right after the operation delivers the request. */
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

  /* The GTask does not have the GCancellable, so the library delivers the request, perhaps a second
   * time. */
  end_operation (G_IO_ERROR_CANCELLED);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended cancelled went-on");
  return TRUE;
}

/* An error of another kind is reported first, and then the request is delivered. */
static gboolean
test_fails_otherwise_although_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = start_and_cancel (operate_then_await);

  end_operation (G_IO_ERROR_NOT_FOUND);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ended cancelled went-on");
  return TRUE;
}

/* A GTask that has the GCancellable reports the request. */
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

/* A loop that repeats its attempts ends, and so does a timeout around it. */
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

/* ---- Cancelling runs no task ---- */

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

/* As in GLib, disconnecting the handler waits for the emission, so it happens after the operation's
 * end. */
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

/* The main loop calls @cancel. */
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

/* A handler that wakes another operation's task does not run that task either. */
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

/* ---- The moment of the callback ---- */

static void
end_at_once (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  start_async (cancellable, callback, data);
  end_operation (-1);
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

/* The task goes on during the callback. */
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
  /* GLib drops its reference in a later turn, and the task has dropped its own with the next
   * operation. */
  gtx_sleep (1, NULL);
  g_object_unref (kept);
  g_assert_null (kept);
  return TRUE;
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
  return g_test_run ();
}
