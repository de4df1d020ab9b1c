/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are bound to an object, and are cancelled when it goes. */

#include "object-job.h"

static gboolean
test_bind (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  return TRUE;
}

static gboolean
test_bind_finalized (gpointer data, GError **error)
{
  GSimpleAction *window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, window);
  g_object_unref (window);
  g_assert_false (gtx_await (task, NULL));
  return TRUE;
}

static gpointer
get_from (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error);
}

/* The object is one of the library's, and another task waits for it at that moment. */
static gboolean
test_bind_disposed_in_use (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxTask) user = gtx_create_task_pointer (get_from, queue, NULL, g_free);
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "9000:task", NULL);

  gtx_task_bind (task, queue);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (queue));
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("task!");
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup ("item"), error));
  g_assert_cmpstr (gtx_await_peek_pointer (user, error), ==, "item");
  return TRUE;
}

/* The object was disposed of before.  The library knows this because a task was bound to it. */
static gboolean
test_bind_too_late (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) first = gtx_create_task (sleep_and_note, "9000:first", NULL);
  g_autoptr (GtxTask) second = gtx_create_task (sleep_and_note, "9000:second", NULL);

  gtx_task_bind (first, window);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  gtx_task_bind (second, window);
  g_assert_false (gtx_await (first, NULL));
  g_assert_false (gtx_await (second, NULL));
  assert_trace ("first! second!");
  return TRUE;
}

/* An object that a task drops at its end does not cancel the task: the result counts. */
static char *
return_name (Job *job, GError **error)
{
  return gtx_sleep (0, error) ? g_strdup (G_OBJECT_TYPE_NAME (job)) : NULL;
}

static gboolean
test_bind_last_reference (gpointer data, GError **error)
{
  for (int i = 0; i < 2; i++)
    {
      Job *job = job_new ();
      g_autoptr (GtxTask) task = gtx_task_new_pointer (return_name, job, g_object_unref, g_free);
      g_autofree char *name = NULL;

      gtx_task_bind (task, job);
      if (i == 0)
        gtx_task_start (task);
      name = gtx_await_pointer (task, error);
      g_assert_cmpstr (name, ==, "Job");
      g_assert_true (gtx_sleep (0, error));
    }
  return TRUE;
}

static gboolean
test_bind_outlived (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "1:task", NULL);
  gpointer weak = task;

  gtx_task_bind (task, window);
  g_object_add_weak_pointer (G_OBJECT (task), &weak);
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (1, error));
  g_clear_object (&task);
  g_assert_null (weak);
  return TRUE;
}

/* A task that is dropped before it is started is not kept.  One that is not dropped is cancelled. */
static gboolean
test_bind_unstarted (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  GtxTask *dropped = gtx_task_new (sleep_and_note, g_strdup ("9000:dropped"), count_free);
  g_autoptr (GtxTask) kept = gtx_task_new (sleep_and_note, "9000:kept", NULL);
  g_autoptr (GtxTask) begun = gtx_task_new (sleep_and_note, "9000:begun", NULL);

  gtx_task_bind (dropped, window);
  gtx_task_bind (kept, window);
  gtx_task_bind (begun, window);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*never awaited");
  g_object_unref (dropped);
  g_test_assert_expected_messages ();
  g_assert_cmpint (n_freed, ==, 1);
  gtx_task_start (begun);
  g_assert_true (gtx_sleep (1, error));
  g_object_run_dispose (G_OBJECT (window));
  assert_ends_cancelled (kept);
  assert_ends_cancelled (begun);
  assert_trace ("begun!");
  return TRUE;
}

/* The task is already done, so nothing is kept. */
static gboolean
test_bind_done (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) window = action_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "task", NULL);

  g_assert_true (gtx_await (task, error));
  gtx_task_bind (task, window);
  g_object_run_dispose (G_OBJECT (window));
  return gtx_sleep (1, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/object/bind/disposed", test_bind);
  add_coroutine ("/object/bind/too-late", test_bind_too_late);
  add_coroutine ("/object/bind/disposed-in-use", test_bind_disposed_in_use);
  add_coroutine ("/object/bind/finalized", test_bind_finalized);
  add_coroutine ("/object/bind/last-reference", test_bind_last_reference);
  add_coroutine ("/object/bind/outlived", test_bind_outlived);
  add_coroutine ("/object/bind/unstarted", test_bind_unstarted);
  add_coroutine ("/object/bind/done", test_bind_done);
  return g_test_run ();
}
