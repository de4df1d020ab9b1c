/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel before an eager task starts, in its eager part, and after it. */

#include "fixture.h"

/* ---- By the task itself ---- */

static gboolean
cancel_itself (gpointer data, GError **error)
{
  g_assert_true (gtx_cancel (gtx_current_task ()));
  return TRUE;
}

static gboolean
test_itself_and_ends (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (cancel_itself, NULL, NULL);

  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

/* The request is delivered in a later round, not inside the creator. */
static gboolean
cancel_and_sleep (double *seconds, GError **error)
{
  gtx_cancel (gtx_current_task ());
  if (!gtx_sleep (*seconds, error))
    note ("cancelled");
  return FALSE;
}

static gboolean
test_itself_and_awaits (gpointer data, GError **error)
{
  double times[] = { 1, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_eager (cancel_and_sleep, &times[i], NULL);

      g_assert_false (gtx_future_is_done (task));
      note ("main");
      assert_ends_cancelled (task);
      g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
      assert_trace ("main cancelled");
    }
  return TRUE;
}

static gboolean
cancel_and_go_on (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_sleep (0, NULL));
  if (!gtx_sleep (0, error))
    return FALSE;
  note ("goes on");
  return TRUE;
}

static gboolean
test_itself_and_goes_on (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (cancel_and_go_on, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  assert_trace ("goes on");
  return TRUE;
}

/* ---- The creator ---- */

static gboolean
cancel_it (GtxTask *task, GError **error)
{
  g_assert_true (gtx_cancel (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  note ("in");
  return TRUE;
}

static gboolean
cancel_it_nested (GtxTask *task, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_create_task_eager (cancel_it, task, NULL);

  return gtx_await (inner, error);
}

/* As in asyncio, the request is one that the task has when the timeout begins, and not a later one. */
static void
time_out_cancelled (GError **failure)
{
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  g_assert_false (gtx_call_with_timeout (0, sleep_long, NULL, failure));
  g_assert_cmpuint (gtx_uncancel (gtx_current_task ()), ==, 0);
}

static gboolean
test_creator (gpointer data, GError **error)
{
  static const GtxCoroutine ways[] = { (GtxCoroutine) cancel_it, (GtxCoroutine) cancel_it_nested };
  GtxTask *main_task = gtx_current_task ();

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (GtxTask) task = gtx_task_start_eager (gtx_task_new_named ("way", ways[i], main_task, NULL));
      g_autoptr (GtxTask) again = NULL;
      g_autoptr (GError) failure = NULL;
      g_autoptr (GError) timed_out = NULL;

      g_assert_true (gtx_future_is_done (task));
      assert_trace ("in");
      g_assert_false (gtx_sleep (0, &failure));
      assert_cancelled (failure);
      g_assert_cmpuint (gtx_uncancel (main_task), ==, 0);

      again = gtx_task_start_eager (gtx_task_new_named ("way", ways[i], main_task, NULL));
      assert_trace ("in");
      time_out_cancelled (&timed_out);
      g_assert_error (timed_out, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  return TRUE;
}

/* Once it has suspended, the task is other code, and so is its request: a timeout that begins later is not
 * why the creator fails. */
static gboolean
cancel_from_loop (GtxTask *task, GError **error)
{
  g_assert_true (gtx_sleep (0.001, error));
  return cancel_it (task, error);
}

static gboolean
test_creator_later (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (cancel_from_loop, gtx_current_task (), NULL);
  g_autoptr (GError) failure = NULL;

  while (!gtx_future_is_done (task))
    g_main_context_iteration (NULL, TRUE);
  time_out_cancelled (&failure);
  assert_cancelled (failure);
  assert_trace ("in");
  return TRUE;
}

/* Nor is a callback that the creator's main loop calls the creator's own code. */
static gboolean
cancel_in_callback (gpointer task)
{
  g_autoptr (GtxTask) eager = gtx_create_task_eager (cancel_it, (GtxTask *) task, NULL);

  g_assert_true (gtx_future_is_done (eager));
  return G_SOURCE_REMOVE;
}

static gboolean
test_creator_s_loop (gpointer data, GError **error)
{
  GtxTask *current = gtx_current_task ();
  g_autoptr (GError) failure = NULL;

  g_timeout_add_full (G_PRIORITY_HIGH, 0, cancel_in_callback, current, NULL);
  while (gtx_cancelling (current) == 0)
    g_main_context_iteration (NULL, TRUE);
  time_out_cancelled (&failure);
  assert_cancelled (failure);
  assert_trace ("in");
  return TRUE;
}

/* ---- By other code ---- */

static gboolean
sleep_twice (gpointer data, GError **error)
{
  if (!gtx_sleep (0.001, error))
    {
      note ("cancelled");
      return FALSE;
    }
  note ("slept");
  return gtx_sleep (0.001, error);
}

static gboolean
test_after (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (sleep_twice, NULL, NULL);

  g_assert_true (gtx_cancel (task));
  assert_trace ("");
  assert_ends_cancelled (task);
  assert_trace ("cancelled");
  return TRUE;
}

static gboolean
never_runs (char *data, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
test_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (never_runs, g_strdup ("data"), count_free);
  g_autoptr (GtxTask) other = gtx_task_new (never_runs, g_strdup ("data"), count_free);

  g_assert_true (gtx_cancel (task));
  gtx_task_start_eager (task);
  assert_ends_cancelled (task);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (n_freed, ==, 1);

  g_cancellable_cancel (gtx_task_get_cancellable (other));
  gtx_task_start_eager (other);
  assert_ends_cancelled (other);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (n_freed, ==, 2);
  return TRUE;
}

/* A request from another thread that comes in the eager part is a message, and finds the task later. */
static gpointer
cancel_in_thread (gpointer task)
{
  gtx_cancel (task);
  return NULL;
}

static gboolean
is_cancelled_from_thread (gpointer data, GError **error)
{
  GThread *thread = g_thread_new ("cancels", cancel_in_thread, gtx_current_task ());

  g_thread_join (thread);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1000, error);
}

static gboolean
test_from_thread (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (is_cancelled_from_thread, NULL, NULL);

  g_assert_false (gtx_future_is_done (task));
  assert_ends_cancelled (task);
  return TRUE;
}

/* ---- In a message ---- */

static gboolean
cancel_itself_before_timeout (GError **failure, GError **error)
{
  gtx_cancel (gtx_current_task ());
  time_out_cancelled (failure);
  return TRUE;
}

typedef struct
{
  GtxTask *task;
  GError *failure;
} InMessage;

/* Called in the home's thread. */
static void
start_in_message (gpointer data)
{
  InMessage *self = data;

  g_assert_null (gtx_current_task ());
  self->task = gtx_create_task_eager (cancel_itself_before_timeout, &self->failure, NULL);
}

static gpointer
drop_in_thread (gpointer task)
{
  g_object_unref (task);
  return NULL;
}

static gboolean
test_in_message (gpointer data, GError **error)
{
  InMessage message = { 0 };
  GtxFuture *future = gtx_future_new ();
  GThread *thread;

  gtx_future_set_result (future, &message, start_in_message);
  thread = g_thread_new ("drops", drop_in_thread, future);
  g_thread_join (thread);
  g_assert_null (message.task);
  g_assert_true (gtx_sleep (0.001, error));
  g_assert_nonnull (message.task);
  g_assert_true (gtx_await (message.task, error));
  g_assert_error (message.failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&message.failure);
  g_object_unref (message.task);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/eager-cancelled/itself-and-ends", test_itself_and_ends);
  add_coroutine ("/eager-cancelled/itself-and-awaits", test_itself_and_awaits);
  add_coroutine ("/eager-cancelled/itself-and-goes-on", test_itself_and_goes_on);
  add_coroutine ("/eager-cancelled/creator", test_creator);
  add_coroutine ("/eager-cancelled/creator-later", test_creator_later);
  add_real_coroutine ("/eager-cancelled/creator-s-loop", test_creator_s_loop);
  add_coroutine ("/eager-cancelled/after", test_after);
  add_coroutine ("/eager-cancelled/before", test_before);
  add_coroutine ("/eager-cancelled/from-thread", test_from_thread);
  add_coroutine ("/eager-cancelled/in-message", test_in_message);
  return g_test_run ();
}
