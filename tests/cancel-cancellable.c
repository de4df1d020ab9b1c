/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task's GCancellable cancels the task, and shows that the task was cancelled.  Other threads
 * cancel it, too. */

#include "fixture.h"

/* ---- Its GCancellable ---- */

static gboolean
test_cancellable (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("9000:slept");
  g_autoptr (GCancellable) cancellable = g_object_ref (gtx_task_get_cancellable (task));

  g_assert_true (gtx_task_get_cancellable (task) == cancellable);
  gtx_sleep (1, NULL);
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_ends_cancelled (task);
  assert_trace ("slept!");
  return TRUE;
}

static gboolean
test_cancellable_shown (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("9000:slept");
  g_autoptr (GCancellable) cancellable = g_object_ref (gtx_task_get_cancellable (task));

  gtx_cancel (task);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_ends_cancelled (task);
  return TRUE;
}

static gboolean
test_cancellable_fresh (gpointer data, GError **error)
{
  GtxTask *self = gtx_current_task ();
  g_autoptr (GCancellable) first = g_object_ref (gtx_task_get_cancellable (self));
  g_autoptr (GCancellable) second = NULL;

  gtx_cancel (self);
  g_assert_true (gtx_task_get_cancellable (self) == first);
  g_assert_false (gtx_sleep (1, NULL));
  second = g_object_ref (gtx_task_get_cancellable (self));
  g_assert_true (second != first);
  g_assert_false (g_cancellable_is_cancelled (second));

  /* A GCancellable that has served one request no longer cancels the task. */
  g_cancellable_reset (first);
  g_cancellable_cancel (first);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_uncancel (self), ==, 0);

  gtx_cancel (self);
  g_assert_true (g_cancellable_is_cancelled (second));
  gtx_uncancel (self);
  g_assert_true (gtx_task_get_cancellable (self) != second);
  return gtx_sleep (0, error);
}

static void
cancel_what (GCancellable *cancellable, gpointer task)
{
  gtx_cancel (task);
  note ("passed-on");
}

/* A handler cancels another task while a request is on its way. */
static gboolean
test_cancellable_handler (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = sleeper ("9000:other");
  g_autoptr (GtxTask) task = sleeper ("9000:task");
  g_autoptr (GCancellable) cancellable = g_object_ref (gtx_task_get_cancellable (task));
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (cancel_what), other, NULL);

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  assert_ends_cancelled (task);
  assert_ends_cancelled (other);
  assert_trace ("passed-on task! other!");
  g_cancellable_disconnect (cancellable, handler);
  return TRUE;
}

/* ---- From another thread ---- */

static gpointer
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gpointer
cancel_task (gpointer task)
{
  g_assert_true (gtx_cancel (task));
  return NULL;
}

static gboolean
test_thread_cancels_cancellable (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("9000:slept");

  gtx_sleep (0, NULL);
  g_thread_join (g_thread_new ("other", cancel_cancellable, gtx_task_get_cancellable (task)));
  assert_ends_cancelled (task);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_trace ("slept!");
  return TRUE;
}

static gboolean
test_thread_cancels_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("9000:slept");

  gtx_sleep (0, NULL);
  g_thread_join (g_thread_new ("other", cancel_task, task));
  assert_ends_cancelled (task);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  assert_trace ("slept!");
  return TRUE;
}

/* The task finds the request itself if the thread's message has not arrived yet. */
static gboolean
test_thread_cancels_current (gpointer data, GError **error)
{
  GtxTask *self = gtx_current_task ();
  g_autoptr (GError) failure = NULL;

  g_thread_join (g_thread_new ("other", cancel_cancellable, gtx_task_get_cancellable (self)));
  g_assert_false (gtx_sleep (1, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpuint (gtx_cancelling (self), ==, 1);
  gtx_uncancel (self);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/cancel-cancellable/cancels", test_cancellable);
  add_coroutine ("/cancel-cancellable/is-cancelled", test_cancellable_shown);
  add_coroutine ("/cancel-cancellable/fresh", test_cancellable_fresh);
  add_coroutine ("/cancel-cancellable/handler", test_cancellable_handler);
  add_coroutine ("/cancel-cancellable/thread/cancellable", test_thread_cancels_cancellable);
  add_coroutine ("/cancel-cancellable/thread/task", test_thread_cancels_task);
  add_coroutine ("/cancel-cancellable/thread/current-task", test_thread_cancels_current);
  return g_test_run ();
}
