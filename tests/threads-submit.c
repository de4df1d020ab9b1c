/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that gives work to the main loop's thread, and waits for the outcome. */

#include "fixture.h"

/* ---- Work in the main loop's thread ---- */

typedef enum
{
  SUCCEED,
  FAIL,
  CANCEL_ITSELF
} End;

static GThread *main_thread;

static int *
add (const End *how, GError **error)
{
  int result = 1 + 2;

  g_assert_true (g_thread_self () == main_thread);
  if (!gtx_sleep (0.005, error))
    return NULL;
  if (*how == FAIL && !fail ("failed", error))
    return NULL;
  if (*how == CANCEL_ITSELF)
    gtx_cancel (gtx_current_task ());
  return gtx_sleep (0, error) ? g_memdup2 (&result, sizeof result) : NULL;
}

static GtxTask *
submit (const End *how)
{
  return gtx_create_task_pointer_in (NULL, add, (End *) how, NULL, g_free);
}

/* ---- The thread ---- */

static gboolean
run_own_loop (const GtxCoroutine *coroutine, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (context);
  succeeded = gtx_run_named ("there", *coroutine, NULL, error);
  g_main_context_pop_thread_default (context);
  return succeeded;
}

/* No task is left in this context. */
static gboolean
in_thread (GtxCoroutine coroutine, GError **error)
{
  g_autoptr (GPtrArray) left = NULL;

  main_thread = g_thread_self ();
  g_assert_true (gtx_to_thread (run_own_loop, &coroutine, error));
  g_assert_true (gtx_sleep (0, error));
  left = gtx_all_tasks ();
  g_assert_cmpuint (left->len, ==, 1);
  return TRUE;
}

/* ---- Outcomes ---- */

static gboolean
await_result (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = submit (&(End) { SUCCEED });
  g_autofree int *result = gtx_await_pointer (task, error);

  g_assert_cmpint (*result, ==, 3);
  return TRUE;
}

static gboolean
test_result (gpointer data, GError **error)
{
  return in_thread (await_result, error);
}

static gboolean
await_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = submit (&(End) { FAIL });
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (failure->message, ==, "failed");
  return TRUE;
}

static gboolean
test_error (gpointer data, GError **error)
{
  return in_thread (await_error, error);
}

/* The task cancels itself.  The waiting thread gets this outcome, and is not cancelled. */
static gboolean
await_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = submit (&(End) { CANCEL_ITSELF });
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (0, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  return in_thread (await_cancelled, error);
}

/* The task takes too long, and is cancelled. */
static gboolean
await_too_long (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (NULL, sleep_long, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (task, 0.001, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_time_over (gpointer data, GError **error)
{
  return in_thread (await_too_long, error);
}

static gboolean
cancel_at_once (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (NULL, sleep_long, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

static gboolean
test_cancel (gpointer data, GError **error)
{
  return in_thread (cancel_at_once, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/threads-submit/result", test_result);
  add_real_coroutine ("/threads-submit/error", test_error);
  add_real_coroutine ("/threads-submit/cancelled", test_cancelled);
  add_real_coroutine ("/threads-submit/time-over", test_time_over);
  add_real_coroutine ("/threads-submit/cancel", test_cancel);
  return g_test_run ();
}
