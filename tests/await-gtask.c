/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that wait for a GTask of other code. */

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
      /* The GTask's result is still there. */
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

/* The task stops waiting, and the work of the GTask goes on. */
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

/* The completion of the GTask wakes no task. */
static gboolean
test_disposed (gpointer data, GError **error)
{
  g_autoptr (GTask) task = new_task ();
  g_autoptr (GtxTask) waiting = gtx_create_task (await_data, task, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  g_object_run_dispose (G_OBJECT (task));
  g_assert_false (gtx_await (waiting, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  g_clear_error (&failure);
  g_assert_false (gtx_await_gtask (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);

  g_task_return_boolean (task, TRUE);
  while (!g_task_get_completed (task))
    g_assert_true (gtx_sleep (0.001, error));
  g_assert_true (gtx_await_gtask (task, error));
  return g_task_propagate_boolean (task, error);
}

/* ---- One that completes in another thread ---- */

#define N_TASKS (UNDER_TSAN || UNDER_ASAN || RUNNING_ON_VALGRIND ? 200 : 3000)

/* A thread that runs a main context, and makes GTasks there. */
typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GAsyncQueue *made;
} Elsewhere;

static gboolean
complete (gpointer task)
{
  g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

static gboolean
make_task (gpointer data)
{
  Elsewhere *self = data;
  GTask *task = new_task ();
  GSource *later = g_idle_source_new ();

  g_async_queue_push (self->made, g_object_ref (task));
  /* The GTask completes in a later turn, like a GTask that waits for something. */
  g_source_set_callback (later, complete, task, g_object_unref);
  g_source_attach (later, self->context);
  g_source_unref (later);
  return G_SOURCE_REMOVE;
}

static gpointer
run_elsewhere (gpointer data)
{
  Elsewhere *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static gboolean
await_quietly (GTask *task, GError **error)
{
  return gtx_await_gtask (task, error);
}

static void
await_and_cancel (Elsewhere *elsewhere, guint i)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_main_context_invoke (elsewhere->context, make_task, elsewhere);
  task = g_async_queue_pop (elsewhere->made);
  a = gtx_create_task (await_quietly, task, NULL);
  b = gtx_create_task (await_quietly, task, NULL);
  if (i % 2)
    gtx_sleep (0, NULL);
  gtx_cancel (a);
  g_assert_true (gtx_await (b, NULL));
  g_assert_true (g_task_get_completed (task));
  gtx_await (a, NULL);
}

static gboolean
test_elsewhere (gpointer data, GError **error)
{
  Elsewhere elsewhere = { g_main_context_new (), NULL, g_async_queue_new () };
  GThread *thread;

  elsewhere.loop = g_main_loop_new (elsewhere.context, FALSE);
  thread = g_thread_new ("elsewhere", run_elsewhere, &elsewhere);
  for (guint i = 0; i < N_TASKS; i++)
    await_and_cancel (&elsewhere, i);
  g_main_loop_quit (elsewhere.loop);
  g_thread_join (thread);
  g_async_queue_unref (elsewhere.made);
  g_main_loop_unref (elsewhere.loop);
  g_main_context_unref (elsewhere.context);
  return TRUE;
}

/* The GTask completed before the request, so the wait succeeds. */
static gboolean
test_completed_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GTask) task = new_task ();
  g_autoptr (GtxTask) waiting = gtx_create_task (await_data, task, NULL);

  gtx_sleep (0, NULL);
  g_task_return_int (task, 42);
  gtx_cancel (waiting);
  g_assert_false (gtx_await (waiting, NULL));
  g_assert_true (gtx_future_is_cancelled (waiting));
  g_assert_true (gtx_await_gtask (task, error));
  g_assert_cmpint (g_task_propagate_int (task, error), ==, 42);
  return TRUE;
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
  add_real_coroutine ("/await-gtask/disposed", test_disposed);
  add_real_coroutine ("/await-gtask/elsewhere", test_elsewhere);
  add_coroutine ("/await-gtask/cancelled/completed", test_completed_then_cancelled);
  g_test_add_func ("/await-gtask/outside", test_outside);
  return g_test_run ();
}
