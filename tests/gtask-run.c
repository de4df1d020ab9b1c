/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_gtask_run (): pairs of an _async and a _finish function that run a coroutine. */

#include "fixture.h"

/* ---- A library from the view of its users ---- */

typedef struct
{
  double seconds;
  const char *failure;
} Work;

static gboolean
do_work (GTask *task, GError **error)
{
  Work *work = g_task_get_task_data (task);

  g_assert_true (G_IS_OBJECT (g_task_get_source_object (task)));
  note (gtx_task_get_name (gtx_current_task ()));
  if (!gtx_sleep (work->seconds, error))
    {
      note ("cleans-up");
      g_assert_true (gtx_sleep (1, NULL));
      return FALSE;
    }
  return work->failure ? fail (work->failure, error) : TRUE;
}

static char *
do_pointer_work (GTask *task, GError **error)
{
  return gtx_sleep (1, error) ? g_strdup ("made") : NULL;
}

static gssize
do_int_work (GTask *task, GError **error)
{
  return gtx_sleep (1, error) ? 42 : -1;
}

static GTask *
new_task (GCancellable *cancellable, Work *work, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
  GTask *task = g_task_new (source, cancellable, callback, data);

  g_task_set_name (task, "worker");
  g_task_set_task_data (task, work, NULL);
  return task;
}

/* ---- A user, with callbacks ---- */

typedef struct
{
  GAsyncResult *result;
  GtxFuture *came;
} Reply;

static void
on_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  Reply *reply = data;

  g_assert_null (gtx_current_task ());
  g_assert_true (source == g_task_get_source_object (G_TASK (result)));
  note ("callback");
  reply->result = g_object_ref (result);
  gtx_future_set_result (reply->came, NULL, NULL);
}

static Reply *
reply_new (void)
{
  Reply *reply = g_new0 (Reply, 1);

  reply->came = gtx_future_new ();
  return reply;
}

static void
reply_free (Reply *reply)
{
  g_clear_object (&reply->result);
  g_object_unref (reply->came);
  g_free (reply);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reply, reply_free)

static gboolean
test_boolean (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  Work work = { 1, NULL };
  g_autoptr (GTask) task = new_task (NULL, &work, on_reply, reply);

  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_await (reply->came, error));
  assert_trace ("worker callback");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return g_task_propagate_boolean (G_TASK (reply->result), error);
}

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  Work work = { 0, "sold out" };
  g_autoptr (GTask) task = new_task (NULL, &work, on_reply, reply);
  g_autoptr (GError) failure = NULL;

  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_await (reply->came, error));
  g_assert_false (g_task_propagate_boolean (G_TASK (reply->result), &failure));
  g_assert_cmpstr (failure->message, ==, "sold out");
  return TRUE;
}

static gboolean
test_pointer (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GTask) task = new_task (NULL, NULL, on_reply, reply);
  g_autofree char *made = NULL;

  gtx_gtask_run_pointer (task, do_pointer_work, g_free);
  g_assert_true (gtx_await (reply->came, error));
  made = g_task_propagate_pointer (G_TASK (reply->result), error);
  g_assert_cmpstr (made, ==, "made");
  return TRUE;
}

static gboolean
test_int (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GTask) task = new_task (NULL, NULL, on_reply, reply);

  gtx_gtask_run_int (task, do_int_work);
  g_assert_true (gtx_await (reply->came, error));
  g_assert_cmpint (g_task_propagate_int (G_TASK (reply->result), error), ==, 42);
  return TRUE;
}

/* No code retrieves the result, and nothing leaks. */
static gboolean
test_nobody_asks (gpointer data, GError **error)
{
  GTask *task = new_task (NULL, NULL, NULL, NULL);

  gtx_gtask_run_pointer (task, do_pointer_work, count_free);
  g_object_unref (task);
  g_assert_true (gtx_sleep (2, error));
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* The user of such a pair may be a coroutine. */
static gboolean
test_awaited (gpointer data, GError **error)
{
  Work work = { 0, NULL };
  g_autoptr (GTask) task = NULL;

  g_assert_true (gtx_sleep (1, error));
  task = new_task (GTX_CANCELLABLE, &work, GTX_CALLBACK);
  gtx_gtask_run (task, do_work);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

/* ---- Cancelling ---- */

static void
assert_reply_cancelled (Reply *reply)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (g_task_propagate_boolean (G_TASK (reply->result), &failure));
  assert_cancelled (failure);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { 9, NULL };
  g_autoptr (GTask) task = new_task (cancellable, &work, on_reply, reply);

  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_sleep (1, error));
  g_cancellable_cancel (cancellable);
  g_assert_true (gtx_await (reply->came, error));
  assert_trace ("worker cleans-up callback");
  g_assert_cmpfloat (gtx_get_time (), ==, 2);
  assert_reply_cancelled (reply);
  return TRUE;
}

static gboolean
test_return_on_cancel (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { 9, NULL };
  g_autoptr (GTask) task = new_task (cancellable, &work, on_reply, reply);

  g_task_set_return_on_cancel (task, TRUE);
  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_sleep (1, error));
  g_cancellable_cancel (cancellable);
  g_assert_true (gtx_await (reply->came, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  assert_reply_cancelled (reply);
  return gtx_sleep (2, error);
}

static gboolean
test_cancelled_before (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { 9, NULL };
  g_autoptr (GTask) task = new_task (cancellable, &work, on_reply, reply);

  g_cancellable_cancel (cancellable);
  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_await (reply->came, error));
  assert_trace ("worker cleans-up callback");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  assert_reply_cancelled (reply);
  return TRUE;
}

static gboolean
note_and_succeed (GTask *task, GError **error)
{
  note (g_cancellable_is_cancelled (g_task_get_cancellable (task)) ? "sees-it" : "does-not");
  return TRUE;
}

/* A request that no await delivered is not lost, as with any task. */
static gboolean
test_cancelled_before_and_succeeds (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = new_task (cancellable, NULL, on_reply, reply);

  g_cancellable_cancel (cancellable);
  g_task_set_check_cancellable (task, FALSE);
  gtx_gtask_run (task, note_and_succeed);
  g_assert_true (gtx_await (reply->came, error));
  assert_trace ("sees-it callback");
  assert_reply_cancelled (reply);
  return TRUE;
}

/* The request comes between the call and the first turn. */
static gboolean
test_cancelled_at_once (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { 9, NULL };
  g_autoptr (GTask) task = new_task (cancellable, &work, on_reply, reply);

  gtx_gtask_run (task, do_work);
  g_cancellable_cancel (cancellable);
  g_assert_true (gtx_await (reply->came, error));
  assert_trace ("worker cleans-up callback");
  assert_reply_cancelled (reply);
  return TRUE;
}

static gboolean
ignore_request (GTask *task, GError **error)
{
  return gtx_sleep (9, NULL) || TRUE;
}

/* This is GTask's own rule: with check-cancellable, a success is reported as cancelled; without it,
 * it is a success. */
static gboolean
test_check_cancellable (gpointer data, GError **error)
{
  for (int check = 0; check < 2; check++)
    {
      g_autoptr (Reply) reply = reply_new ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GTask) task = new_task (cancellable, NULL, on_reply, reply);

      g_task_set_check_cancellable (task, check);
      gtx_gtask_run (task, ignore_request);
      g_assert_true (gtx_sleep (1, error));
      g_cancellable_cancel (cancellable);
      g_assert_true (gtx_await (reply->came, error));
      if (check)
        assert_reply_cancelled (reply);
      else
        g_assert_true (g_task_propagate_boolean (G_TASK (reply->result), error));
    }
  return TRUE;
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gboolean
test_cancelled_by_thread (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Work work = { G_MAXDOUBLE, NULL };
  g_autoptr (GTask) task = new_task (cancellable, &work, on_reply, reply);
  GThread *thread;

  gtx_gtask_run (task, do_work);
  g_assert_true (gtx_sleep (0, error));
  thread = g_thread_new ("canceller", cancel_in_thread, cancellable);
  g_assert_true (gtx_await (reply->came, error));
  g_thread_join (thread);
  assert_reply_cancelled (reply);
  return TRUE;
}

/* ---- Threads ---- */

static gboolean
note_thread (GTask *task, GError **error)
{
  gpointer *ran_in = g_task_get_task_data (task);

  *ran_in = g_thread_self ();
  return TRUE;
}

/* Another thread starts many runs here while this thread cancels them.  Each run calls back
 * once. */
enum { N_RUNS = 2000 };

typedef struct
{
  GtxFuture *all_came;
  int n_came;
  int n_cancelled;
} Runs;

static void
on_run_ready (GObject *source, GAsyncResult *result, gpointer data)
{
  Runs *runs = data;
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      assert_cancelled (error);
      runs->n_cancelled++;
    }
  if (++runs->n_came == N_RUNS)
    gtx_future_set_result (runs->all_came, NULL, NULL);
}

static gboolean
nap (GTask *task, GError **error)
{
  return gtx_sleep (0.0001, error);
}

static gpointer
run_all (gpointer queue)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GTask *task;

  g_main_context_push_thread_default (context);
  while ((gpointer) (task = g_async_queue_pop (queue)) != queue)
    {
      gtx_gtask_run (task, nap);
      g_object_unref (task);
    }
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gboolean
test_cancelled_from_here (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) all_came = gtx_future_new ();
  GAsyncQueue *queue = g_async_queue_new ();
  GThread *thread = g_thread_new ("runner", run_all, queue);
  Runs runs = { all_came, 0, 0 };

  for (int i = 0; i < N_RUNS; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();

      g_async_queue_push (queue, g_task_new (NULL, cancellable, on_run_ready, &runs));
      if (i % 2 == 0)
        g_cancellable_cancel (cancellable);
      if (i % 4 == 0)
        g_assert_true (gtx_sleep (0, error));
    }
  g_async_queue_push (queue, queue);
  g_assert_true (gtx_await (all_came, error));
  g_thread_join (thread);
  g_async_queue_unref (queue);
  g_assert_cmpint (runs.n_came, ==, N_RUNS);
  g_assert_cmpint (runs.n_cancelled, >=, N_RUNS / 2);
  return TRUE;
}

static gpointer
run_it (gpointer task)
{
  gtx_gtask_run (G_TASK (task), note_thread);
  return NULL;
}

/* The coroutine runs in the context of the GTask, whichever thread starts it. */
static gboolean
test_other_thread (gpointer data, GError **error)
{
  g_autoptr (Reply) reply = reply_new ();
  g_autoptr (GTask) task = new_task (NULL, NULL, on_reply, reply);
  gpointer ran_in = NULL;

  g_task_set_task_data (task, &ran_in, NULL);
  g_thread_join (g_thread_new ("runner", run_it, task));
  g_assert_true (gtx_await (reply->came, error));
  g_assert_true (ran_in == g_thread_self ());
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/gtask-run/boolean", test_boolean);
  add_coroutine ("/gtask-run/error", test_error);
  add_coroutine ("/gtask-run/pointer", test_pointer);
  add_coroutine ("/gtask-run/int", test_int);
  add_coroutine ("/gtask-run/nobody-asks", test_nobody_asks);
  add_coroutine ("/gtask-run/awaited", test_awaited);
  add_coroutine ("/gtask-run/cancelled", test_cancelled);
  add_coroutine ("/gtask-run/return-on-cancel", test_return_on_cancel);
  add_coroutine ("/gtask-run/cancelled-before", test_cancelled_before);
  add_coroutine ("/gtask-run/cancelled-before/succeeds", test_cancelled_before_and_succeeds);
  add_coroutine ("/gtask-run/cancelled-at-once", test_cancelled_at_once);
  add_coroutine ("/gtask-run/check-cancellable", test_check_cancellable);
  add_real_coroutine ("/gtask-run/cancelled-by-thread", test_cancelled_by_thread);
  add_real_coroutine ("/gtask-run/cancelled-from-here", test_cancelled_from_here);
  add_real_coroutine ("/gtask-run/other-thread", test_other_thread);
  return g_test_run ();
}
