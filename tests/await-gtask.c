/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for somebody else's GTask. */

#include "fixture.h"

static void
work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_int (task, 7);
}

static GTask *
new_task (void)
{
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  return task;
}

static gboolean
await_data (GTask *task, GError **error)
{
  gboolean succeeded = gtx_await_gtask (task, error);

  note (succeeded ? "completed" : "failed");
  return succeeded;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  for (int i = 0; i < 100; i++)
    {
      g_autoptr (GTask) task = new_task ();

      g_task_run_in_thread (task, work);
      g_assert_true (gtx_await_gtask (task, error));
      g_assert_true (g_task_get_completed (task));
      /* Its result is still there. */
      g_assert_cmpint (g_task_propagate_int (task, error), ==, 7);
    }
  return TRUE;
}

static gboolean
test_completed_before (gpointer data, GError **error)
{
  g_autoptr (GTask) task = new_task ();

  g_task_return_boolean (task, TRUE);
  g_assert_true (gtx_await_gtask (task, error));
  g_assert_true (gtx_await_gtask (task, error));
  return g_task_propagate_boolean (task, error);
}

static gboolean
test_several (gpointer data, GError **error)
{
  g_autoptr (GTask) task = new_task ();
  g_autoptr (GtxTask) a = gtx_create_task (await_data, task, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_data, task, NULL);

  gtx_sleep (0, NULL);
  assert_trace ("");
  g_task_return_boolean (task, TRUE);
  g_assert_true (gtx_await (a, error) && gtx_await (b, error));
  assert_trace ("completed completed");
  return TRUE;
}

/* The waiting ends, and the other's work goes on. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GTask) task = new_task ();
  g_autoptr (GtxTask) waiting = gtx_create_task (await_data, task, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (waiting);
  g_assert_false (gtx_await (waiting, &failure));
  assert_cancelled (failure);
  g_assert_false (g_task_get_completed (task));

  g_task_return_boolean (task, TRUE);
  g_assert_true (gtx_await_gtask (task, error));
  return g_task_propagate_boolean (task, error);
}

static void
test_outside (void)
{
  g_autoptr (GTask) task = new_task ();
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_await_gtask (task, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_task_return_boolean (task, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/await-gtask/thread", test_thread);
  add_coroutine ("/await-gtask/before", test_completed_before);
  add_coroutine ("/await-gtask/several", test_several);
  add_coroutine ("/await-gtask/cancelled", test_cancelled);
  g_test_add_func ("/await-gtask/outside", test_outside);
  return g_test_run ();
}
