/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are started in the context of another thread. */

#include "fixture.h"
#include "thread-run.h"

typedef struct
{
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
} Worker;

static gpointer
run_loop (gpointer data)
{
  Worker *worker = data;

  g_main_context_push_thread_default (worker->context);
  g_main_loop_run (worker->loop);
  gtx_cancel_all ();
  g_main_context_pop_thread_default (worker->context);
  return NULL;
}

static void
worker_start (Worker *worker)
{
  if (worker->context == NULL)
    worker->context = g_main_context_new ();
  worker->loop = g_main_loop_new (worker->context, FALSE);
  worker->thread = g_thread_new ("worker", run_loop, worker);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* Stops the loop from inside, because it may not have begun yet. */
static void
worker_stop (Worker *worker)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, quit, worker->loop, NULL);
  g_source_attach (source, worker->context);
  g_thread_join (worker->thread);
  g_main_loop_unref (worker->loop);
  g_main_context_unref (worker->context);
}

static GThread **
which_thread (gpointer data, GError **error)
{
  GThread *thread = g_thread_self ();

  return gtx_sleep (0.001, error) ? g_memdup2 (&thread, sizeof thread) : NULL;
}

static gboolean
await_in_worker (Worker *worker, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 100; i++)
    g_ptr_array_add (tasks, gtx_create_task_pointer_in (worker->context, which_thread, NULL, NULL, g_free));
  for (int i = 0; i < 100; i++)
    {
      GThread **thread = gtx_await_peek_pointer (tasks->pdata[i], error);

      g_assert_nonnull (thread);
      g_assert_true (*thread == worker->thread);
    }
  return TRUE;
}

static void
test_create_in (void)
{
  Worker worker = { .context = NULL };

  worker_start (&worker);
  run_here ((GtxCoroutine) await_in_worker, &worker);
  worker_stop (&worker);
}

static gboolean
cancel_in_worker (Worker *worker, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_in (worker->context, sleep_long, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static void
test_create_in_cancelled (void)
{
  Worker worker = { .context = NULL };

  worker_start (&worker);
  run_here ((GtxCoroutine) cancel_in_worker, &worker);
  worker_stop (&worker);
}

static gboolean
keep_turning (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* The main loop checks each source of a scheduler as soon as the source is attached.  There are
 * many loops, because a failure needs luck. */
static void
test_create_in_turning (void)
{
  for (int i = 0; i < (RUNNING_ON_VALGRIND ? 20 : 300); i++)
    {
      Worker worker = { .context = g_main_context_new () };
      g_autoptr (GSource) source = g_idle_source_new ();

      g_source_set_priority (source, G_PRIORITY_LOW);
      g_source_set_callback (source, keep_turning, NULL, NULL);
      g_source_attach (source, worker.context);
      worker_start (&worker);
      g_usleep (50);            /* so that the loop likely turns; the test succeeds in any case */
      run_here ((GtxCoroutine) cancel_in_worker, &worker);
      worker_stop (&worker);
    }
}

/* Two threads await the same tasks of a third thread at the same time.  There are many tasks,
 * because a failure needs luck. */
typedef struct
{
  Worker worker;
  GPtrArray *unstarted;
  gint n_there;
} Unstarted;

static gboolean
succeed (gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
await_unstarted (Unstarted *both, GError **error)
{
  for (guint i = 0; i < both->unstarted->len; i++)
    {
      g_atomic_int_inc (&both->n_there);
      while (g_atomic_int_get (&both->n_there) < 2 * (gint) (i + 1))
        g_thread_yield ();
      if (!gtx_await (both->unstarted->pdata[i], error))
        return FALSE;
    }
  return TRUE;
}

static void
test_await_unstarted_by_two (void)
{
  Unstarted both = { .unstarted = g_ptr_array_new_with_free_func (g_object_unref) };
  Run other = { (GtxCoroutine) await_unstarted, &both, NULL };
  GThread *thread;

  both.worker.context = g_main_context_new ();
  g_main_context_push_thread_default (both.worker.context);
  for (int i = 0; i < 3000; i++)
    g_ptr_array_add (both.unstarted, gtx_task_new (succeed, NULL, NULL));
  g_main_context_pop_thread_default (both.worker.context);

  worker_start (&both.worker);
  thread = g_thread_new ("other", run_in_thread, &other);
  run_here ((GtxCoroutine) await_unstarted, &both);
  g_thread_join (thread);
  g_assert_no_error (other.error);
  worker_stop (&both.worker);
  g_ptr_array_unref (both.unstarted);
}

/* Tasks of two contexts await one another, and a third task awaits them.  A request does not go
 * round for ever. */
static gint n_begun;

static gboolean
await_pointed_to (GtxTask **task, GError **error)
{
  g_atomic_int_inc (&n_begun);
  return gtx_await (*task, error);
}

static void
assert_end_cancelled (GtxTask *task)
{
  for (int i = 0; i < 5000 && !gtx_future_is_done (task); i++)
    g_usleep (1000);
  g_assert_true (gtx_future_is_cancelled (task));
}

static void
test_cancel_ring (void)
{
  Worker workers[3] = { { .context = NULL } };
  GtxTask *tasks[3];

  for (int i = 0; i < 3; i++)
    {
      workers[i].context = g_main_context_new ();
      g_main_context_push_thread_default (workers[i].context);
      tasks[i] = gtx_task_new (await_pointed_to, &tasks[i == 1 ? 0 : 1], NULL);
      g_main_context_pop_thread_default (workers[i].context);
    }
  for (int i = 0; i < 3; i++)
    gtx_task_start (tasks[i]);
  for (int i = 0; i < 3; i++)
    worker_start (&workers[i]);

  while (g_atomic_int_get (&n_begun) < 3)
    g_usleep (1000);
  gtx_cancel (tasks[2]);
  for (int i = 0; i < 3; i++)
    assert_end_cancelled (tasks[i]);
  for (int i = 0; i < 3; i++)
    {
      worker_stop (&workers[i]);
      g_object_unref (tasks[i]);
    }
}

/* A request is passed on to a future of another context, which is settled before the request
 * arrives.  The request is not lost. */
typedef struct
{
  Worker worker;
  GtxFuture *future;
  GAsyncQueue *blocked;
  GAsyncQueue *go_on;
} Late;

static gboolean
make_future_there (Late *late, GError **error)
{
  late->future = gtx_future_new ();
  return TRUE;
}

static gboolean
block_thread (Late *late, GError **error)
{
  g_async_queue_push (late->blocked, late);
  g_async_queue_pop (late->go_on);
  return TRUE;
}

static gboolean
cancel_late (Late *late, GError **error)
{
  GMainContext *context = late->worker.context;
  g_autoptr (GtxTask) making = gtx_create_task_in (context, make_future_there, late, NULL);
  g_autoptr (GtxTask) awaiting = NULL;
  g_autoptr (GtxTask) blocking = NULL;

  g_assert_true (gtx_await (making, error));
  awaiting = gtx_create_task (await_future, late->future, NULL);
  gtx_sleep (0, NULL);
  blocking = gtx_create_task_in (context, block_thread, late, NULL);
  g_async_queue_pop (late->blocked);

  g_assert_true (gtx_cancel (awaiting));
  g_assert_true (gtx_future_set_result (late->future, NULL, NULL));
  g_async_queue_push (late->go_on, late);
  g_assert_false (gtx_await (awaiting, NULL));
  g_assert_true (gtx_future_is_cancelled (awaiting));
  return gtx_await (blocking, error);
}

static void
test_cancel_late (void)
{
  Late late = { .blocked = g_async_queue_new (), .go_on = g_async_queue_new () };

  worker_start (&late.worker);
  run_here ((GtxCoroutine) cancel_late, &late);
  worker_stop (&late.worker);
  g_clear_object (&late.future);
  g_async_queue_unref (late.blocked);
  g_async_queue_unref (late.go_on);
}

/* Tasks that a thread leaves behind are cancelled there. */
static void
test_create_in_left (void)
{
  Worker worker = { .context = NULL };
  g_autoptr (GtxTask) task = NULL;

  worker_start (&worker);
  task = gtx_create_task_in (worker.context, sleep_long, NULL, NULL);
  worker_stop (&worker);
  g_assert_true (gtx_future_is_cancelled (task));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads/cancel/late", test_cancel_late);
  g_test_add_func ("/threads/create-in", test_create_in);
  g_test_add_func ("/threads/create-in/cancelled", test_create_in_cancelled);
  g_test_add_func ("/threads/create-in/turning", test_create_in_turning);
  g_test_add_func ("/threads/create-in/left", test_create_in_left);
  g_test_add_func ("/threads/await-unstarted/by-two", test_await_unstarted_by_two);
  g_test_add_func ("/threads/cancel/ring", test_cancel_ring);
  return g_test_run ();
}
