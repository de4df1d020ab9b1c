/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that computes an argument of an operation may await, although the operation has already
 * begun.  A request that comes meanwhile is delivered there, and the GCancellable that was lent to
 * the operation is then like a new one. */

#include "fixture.h"

static void
operate_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_task_return_boolean (task, TRUE);
}

/* Some compilers evaluate the last argument first, as this function does. */
static void
operate_with (void (*make_argument) (void))
{
  gpointer operation = gtx_operation_begin (__FILE__, __LINE__);
  GCancellable *lent = GTX_CANCELLABLE;

  make_argument ();
  if (g_cancellable_is_cancelled (lent))
    note ("still");
  operate_async (lent, gtx_operation_ready, operation);
  note (g_task_propagate_boolean (G_TASK (gtx_await_result ()), NULL) ? "operated" : "ended");
}

static void
note_sleep (void)
{
  note (gtx_sleep (0, NULL) ? "slept" : "cancelled");
}

/* ---- Asked by another thread ---- */

/* The thread needs a reference to the GCancellable that it cancels. */
static GCancellable *kept;

static gpointer
cancel_kept (gpointer data)
{
  g_cancellable_cancel (kept);
  return NULL;
}

static gboolean
cancel_in_thread (gpointer data, GError **error)
{
  g_thread_join (g_thread_new ("asks", cancel_kept, NULL));
  return TRUE;
}

/* The task finds the request before the thread's message has arrived. */
static void
be_asked (void)
{
  g_object_unref (gtx_create_task (cancel_in_thread, NULL, NULL));
  note_sleep ();
}

static gboolean
operate_while_asked (gpointer data, GError **error)
{
  kept = g_object_ref (GTX_CANCELLABLE);
  operate_with (be_asked);
  note_sleep ();
  note_sleep ();
  g_clear_object (&kept);
  return TRUE;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate_while_asked, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_trace ("cancelled operated slept slept");
  return TRUE;
}

/* ---- While handlers run ---- */

static gboolean may_return;

static void
iterate (GCancellable *cancellable, gpointer data)
{
  note ("handler");
  for (may_return = FALSE; !may_return;)
    g_main_context_iteration (NULL, FALSE);
  note ("returns");
}

static void
sleep_long_and_note (void)
{
  note (gtx_sleep (1000, NULL) ? "slept" : "cancelled");
}

static gboolean
operate_below_handler (gpointer data, GError **error)
{
  g_signal_connect (GTX_CANCELLABLE, "cancelled", G_CALLBACK (iterate), NULL);
  operate_with (sleep_long_and_note);
  note_sleep ();
  may_return = TRUE;
  return TRUE;
}

/* The handler turns the main loop, in which the task goes on.  The task cannot wait until the
 * handler has returned. */
static gboolean
test_below_handler (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate_below_handler, NULL, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_trace ("handler cancelled still operated slept returns");
  return TRUE;
}

static void
be_asked_and_go_on (void)
{
  sleep_long_and_note ();
  may_return = TRUE;
  while (!strstr (trace->str, "returns"))
    gtx_sleep (0.001, NULL);
  note_sleep ();
}

static gboolean
operate_after_handler (gpointer data, GError **error)
{
  g_signal_connect (GTX_CANCELLABLE, "cancelled", G_CALLBACK (iterate), NULL);
  operate_with (be_asked_and_go_on);
  return TRUE;
}

/* If the argument's code awaits again after the handler has returned, the lent GCancellable is like
 * a new one. */
static gboolean
test_after_handler (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate_after_handler, NULL, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("handler cancelled returns slept operated");
  return TRUE;
}

static gboolean
return_true (gpointer task)
{
  g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

static void
operate_slowly_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_timeout_add_full (G_PRIORITY_DEFAULT, 10, return_true, g_task_new (NULL, cancellable, callback, data),
                      g_object_unref);
}

/* The operation is under way when the handler returns. */
static gboolean
operate_slowly (gpointer data, GError **error)
{
  gpointer operation = gtx_operation_begin (__FILE__, __LINE__);
  g_autoptr (GCancellable) lent = NULL;
  GCancellable *cancellable = GTX_CANCELLABLE;

  sleep_long_and_note ();
  lent = g_object_ref (cancellable);
  operate_slowly_async (lent, gtx_operation_ready, operation);
  may_return = TRUE;
  g_assert_true (g_task_propagate_boolean (G_TASK (gtx_await_result ()), error));
  note (g_cancellable_is_cancelled (lent) ? "shown" : "operated");
  return TRUE;
}

static gboolean
await_with_handler (GtxTask *awaited, GError **error)
{
  g_signal_connect (GTX_CANCELLABLE, "cancelled", G_CALLBACK (iterate), NULL);
  return gtx_await (awaited, error);
}

/* The handler of the upper task turns the main loop.  The lower task gets its request there, and
 * the lent GCancellable no longer shows the request. */
static gboolean
test_told_before_shown (gpointer data, GError **error)
{
  g_autoptr (GtxTask) below = gtx_create_task (operate_slowly, NULL, NULL);
  g_autoptr (GtxTask) above = gtx_create_task (await_with_handler, below, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (above);
  g_assert_true (gtx_await (below, error));
  assert_trace ("handler cancelled returns operated");
  return TRUE;
}

/* ---- Handlers that run in another thread and wait for this one ---- */

static gint is_in_handler;
static gint has_turned;

static gboolean
turn (gpointer data)
{
  g_atomic_int_set (&has_turned, TRUE);
  return G_SOURCE_REMOVE;
}

static void
wait_for_main_loop (GCancellable *cancellable, gpointer data)
{
  g_idle_add (turn, NULL);
  g_atomic_int_set (&is_in_handler, TRUE);
  while (!g_atomic_int_get (&has_turned))
    g_usleep (1000);
}

static gboolean
cancel_in_thread_that_waits (GThread **thread, GError **error)
{
  *thread = g_thread_new ("asks", cancel_kept, NULL);
  while (!g_atomic_int_get (&is_in_handler))
    g_usleep (1000);
  return TRUE;
}

static GThread *thread_that_waits;

static void
be_asked_by_who_waits (void)
{
  g_object_unref (gtx_create_task (cancel_in_thread_that_waits, &thread_that_waits, NULL));
  note_sleep ();
}

static gboolean
operate_beside_handler (gpointer data, GError **error)
{
  kept = g_object_ref (GTX_CANCELLABLE);
  g_signal_connect (kept, "cancelled", G_CALLBACK (wait_for_main_loop), NULL);
  operate_with (be_asked_by_who_waits);
  while (!g_atomic_int_get (&has_turned))
    gtx_sleep (0.001, NULL);
  g_thread_join (thread_that_waits);
  note_sleep ();
  note_sleep ();
  g_clear_object (&kept);
  return TRUE;
}

static gboolean
test_beside_handler (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (operate_beside_handler, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_trace ("cancelled still operated slept slept");
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/operation-arguments/thread", test_thread);
  add_real_coroutine ("/operation-arguments/below-handler", test_below_handler);
  add_real_coroutine ("/operation-arguments/after-handler", test_after_handler);
  add_real_coroutine ("/operation-arguments/told-before-shown", test_told_before_shown);
  add_real_coroutine ("/operation-arguments/beside-handler", test_beside_handler);
  return g_test_run ();
}
