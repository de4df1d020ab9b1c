/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of several threads: each with tasks of its own, which await and
 * cancel one another. */

#include "fixture.h"

/* ---- A thread that runs a coroutine on a context of its own ---- */

typedef struct
{
  GtxCoroutine coroutine;
  gpointer data;
  GError *error;
} Run;

static gpointer
run_in_thread (gpointer data)
{
  Run *run = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  gtx_run_named ("thread", run->coroutine, run->data, &run->error);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
run_here (GtxCoroutine coroutine, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run_named ("main", coroutine, data, &error));
  g_assert_no_error (error);
}

/* ---- Each its own ---- */

static gboolean
sleep_a_little (gpointer data, GError **error)
{
  return gtx_sleep (0.0001, error);
}

static gboolean
many_tasks (gint *n_done, GError **error)
{
  for (int i = 0; i < 50; i++)
    {
      g_autoptr (GtxTask) first = gtx_create_task (sleep_a_little, NULL, NULL);
      g_autoptr (GtxTask) second = gtx_create_task (sleep_a_little, NULL, NULL);
      g_autoptr (GPtrArray) all = gtx_all_tasks ();

      /* Those of the other threads are not ours. */
      g_assert_cmpuint (all->len, ==, 3);
      if (!gtx_await (first, error) || !gtx_await (second, error))
        return FALSE;
    }
  g_atomic_int_inc (n_done);
  return TRUE;
}

static void
test_each_its_own (void)
{
  gint n_done = 0;
  Run runs[4];
  GThread *threads[4];

  for (int i = 0; i < 4; i++)
    {
      runs[i] = (Run) { (GtxCoroutine) many_tasks, &n_done, NULL };
      threads[i] = g_thread_new ("own", run_in_thread, &runs[i]);
    }
  for (int i = 0; i < 4; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (runs[i].error);
    }
  g_assert_cmpint (n_done, ==, 4);
}

/* ---- Awaiting and cancelling across ---- */

typedef struct
{
  GAsyncQueue *tasks;           /* those of the thread, for us */
  GtxFuture *enough;            /* ours: the thread may end */
} Shared;

static char *
answer (gpointer data, GError **error)
{
  return gtx_sleep (0.001, error) ? g_strdup ("answer") : NULL;
}

static gboolean
offer_task (Shared *shared, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (answer, NULL, NULL, count_free);

  g_async_queue_push (shared->tasks, g_object_ref (task));
  return gtx_await (shared->enough, error);
}

static gboolean
await_offered (Shared *shared, GError **error)
{
  g_autoptr (GtxTask) task = g_async_queue_pop (shared->tasks);

  g_assert_cmpstr (gtx_await_peek_pointer (task, error), ==, "answer");
  return gtx_future_set_result (shared->enough, NULL, NULL);
}

static gboolean
offer_sleeper (Shared *shared, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_async_queue_push (shared->tasks, g_object_ref (task));
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
cancel_offered (Shared *shared, GError **error)
{
  g_autoptr (GtxTask) task = g_async_queue_pop (shared->tasks);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
await_what (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

/* A request passes from context to context. */
static gboolean
cancel_awaiting (Shared *shared, GError **error)
{
  g_autoptr (GtxTask) task = g_async_queue_pop (shared->tasks);
  g_autoptr (GtxTask) awaiting = gtx_create_task (await_what, task, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_cancel (awaiting);
  g_assert_false (gtx_await (awaiting, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

typedef gboolean (*SharedCoroutine) (Shared *shared, GError **error);

static void
with_thread (SharedCoroutine there, SharedCoroutine here)
{
  Shared shared = { g_async_queue_new (), gtx_future_new () };
  Run run = { (GtxCoroutine) there, &shared, NULL };
  GThread *thread = g_thread_new ("there", run_in_thread, &run);

  run_here ((GtxCoroutine) here, &shared);
  g_thread_join (thread);
  g_assert_no_error (run.error);
  g_async_queue_unref (shared.tasks);
  g_object_unref (shared.enough);
}

static void
test_await_across (void)
{
  n_freed = 0;
  for (int i = 0; i < 50; i++)
    with_thread (offer_task, await_offered);
  g_assert_cmpint (n_freed, ==, 50);
}

static void
test_cancel_across (void)
{
  for (int i = 0; i < 50; i++)
    with_thread (offer_sleeper, cancel_offered);
}

static void
test_cancel_awaiting_across (void)
{
  for (int i = 0; i < 50; i++)
    with_thread (offer_sleeper, cancel_awaiting);
}

/* ---- The GCancellable, from another thread ---- */

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  g_object_unref (cancellable);
  return NULL;
}

static gboolean
cancel_from_threads (gpointer data, GError **error)
{
  for (int i = 0; i < 200; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (sleep_long, NULL, NULL);
      g_autoptr (GError) failure = NULL;
      GThread *thread = g_thread_new ("cancel", cancel_in_thread, g_object_ref (gtx_task_get_cancellable (task)));

      g_assert_false (gtx_await (task, &failure));
      assert_cancelled (failure);
      g_thread_join (thread);
    }
  return TRUE;
}

static void
test_cancellable (void)
{
  run_here (cancel_from_threads, NULL);
}

/* ---- Errors that nobody asks for ---- */

static gpointer
cancel_future_in_thread (gpointer future)
{
  g_assert_false (gtx_cancel (future));
  return NULL;
}

/* As in asyncio: who cancels does not ask for the error, so none is warned of. */
static void
test_cancel_failed (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_error (future, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  g_thread_join (g_thread_new ("cancel", cancel_future_in_thread, future));
}

/* The awaiting task is cancelled when the future has failed and that is not
 * known here yet. */
static gboolean
cancel_awaiting_failed (GMainContext *context, GError **error)
{
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GtxTask) awaiting = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  awaiting = gtx_create_task (await_what, (GtxTask *) (gpointer) future, NULL);
  gtx_sleep (0, NULL);
  gtx_future_set_error (future, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  gtx_cancel (awaiting);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_false (gtx_await (awaiting, NULL));
  g_assert_true (gtx_future_is_cancelled (awaiting));
  return TRUE;
}

static void
test_cancel_awaiting_failed (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  run_here ((GtxCoroutine) cancel_awaiting_failed, context);
}

/* ---- Results go where they belong ---- */

static GThread *freed_in;

static void
note_thread (gpointer data)
{
  freed_in = g_thread_self ();
  g_free (data);
}

static gpointer
unref_in_thread (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

static void
test_freed_at_home (void)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_result (future, g_strdup ("result"), note_thread);
  g_thread_join (g_thread_new ("unref", unref_in_thread, future));
  g_assert_null (freed_in);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (freed_in == g_thread_self ());
}

/* The thread of a context has ended: the next one, which may well lie where
 * that did, is another. */
static gpointer
make_result (gpointer context)
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  gtx_future_set_result (future, g_strdup ("result"), note_thread);
  g_main_context_pop_thread_default (context);
  return future;
}

static void
test_freed_at_home_of_ended_thread (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxFuture *future = g_thread_join (g_thread_new ("ends", make_result, context));

  freed_in = NULL;
  g_thread_join (g_thread_new ("unref", unref_in_thread, future));
  g_assert_null (freed_in);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (freed_in == g_thread_self ());
}

/* ---- What is gone, and who may dispatch ---- */

static gpointer
make_future (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  return future;
}

static void
never_called (gpointer future, gpointer data)
{
  g_assert_not_reached ();
}

static void
ignore_done (gpointer future, gpointer data)
{
}

static gboolean
await_homeless (GtxFuture *future, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (future, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  return TRUE;
}

static void
test_context_gone (void)
{
  g_autoptr (GtxFuture) future = g_thread_join (g_thread_new ("gone", make_future, NULL));

  run_here ((GtxCoroutine) await_homeless, future);
}

/* The one who holds the context lets go of it while the future is awaited. */
static gpointer
let_go (gpointer data)
{
  g_main_context_unref (data);
  return NULL;
}

static gboolean
await_until_gone (GMainContext *context, GError **error)
{
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GtxTask) awaiting = NULL;
  g_autoptr (GError) failure = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  gtx_future_add_done_callback (future, never_called, g_strdup ("data"), count_free);
  g_main_context_pop_thread_default (context);
  awaiting = gtx_create_task (await_what, (GtxTask *) (gpointer) future, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  gtx_sleep (0, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_thread_join (g_thread_new ("let go", let_go, context));

  g_assert_false (gtx_await (awaiting, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  gtx_future_set_result (future, NULL, NULL);
  return TRUE;
}

static void
test_context_gone_while_awaited (void)
{
  n_freed = 0;
  run_here ((GtxCoroutine) await_until_gone, g_main_context_new ());
  g_assert_cmpint (n_freed, ==, 1);
}

/* A source of the user's, which goes with the context as well: others know
 * nothing of that yet. */
typedef struct
{
  GSource source;
  GtxFuture *future;
  gboolean in_finalize;
} LastSource;

static gpointer
set_in_thread (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return NULL;
}

static void
set_meanwhile (gpointer data)
{
  LastSource *source = data;

  g_thread_join (g_thread_new ("set", set_in_thread, source->future));
}

static void
last_source_finalize (GSource *source)
{
  if (((LastSource *) (void *) source)->in_finalize)
    set_meanwhile (source);
}

static gboolean
last_source_not_ready (GSource *source)
{
  return FALSE;
}

static void
let_go_with_source (gboolean in_finalize)
{
  static GSourceFuncs funcs = { NULL, last_source_not_ready, NULL, last_source_finalize, NULL, NULL };
  GMainContext *context = g_main_context_new ();
  GSource *source = g_source_new (&funcs, sizeof (LastSource));
  g_autoptr (GtxFuture) future = NULL;

  n_freed = 0;
  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  gtx_future_add_done_callback (future, ignore_done, g_strdup ("data"), count_free);
  g_main_context_pop_thread_default (context);
  ((LastSource *) (void *) source)->future = future;
  ((LastSource *) (void *) source)->in_finalize = in_finalize;
  if (!in_finalize)
    g_source_set_callback (source, NULL, source, set_meanwhile);
  g_source_set_priority (source, G_PRIORITY_LOW);
  g_source_attach (source, context);
  g_source_unref (source);

  g_main_context_unref (context);
  g_assert_true (gtx_future_is_done (future));
  g_assert_cmpint (n_freed, ==, 1);
}

static void
test_set_when_context_was_freed (void)
{
  let_go_with_source (TRUE);
}

static void
test_set_while_context_goes (void)
{
  let_go_with_source (FALSE);
}

/* What is made while a task has pushed another context belongs to that one. */
static gboolean
count (gint *n, GError **error)
{
  (*n)++;
  return TRUE;
}

static gboolean
push_another (GMainContext *context, GError **error)
{
  g_autoptr (GtxTask) task = NULL;
  gint n = 0;

  g_main_context_push_thread_default (context);
  task = gtx_create_task (count, &n, NULL);
  g_main_context_pop_thread_default (context);
  gtx_sleep (0, NULL);
  gtx_sleep (0, NULL);
  g_assert_cmpint (n, ==, 0);
  g_main_context_iteration (context, FALSE);
  g_assert_cmpint (n, ==, 1);
  return gtx_await (task, error);
}

static void
test_push_another (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  run_here ((GtxCoroutine) push_another, context);
}

static gboolean
use_nothing (char *data, GError **error)
{
  g_assert_not_reached ();
}

static void
assert_gone (GtxTask *task)
{
  g_assert_true (gtx_future_is_done (task));
  g_assert_error (gtx_future_get_error (task), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_cmpint (n_freed, ==, 1);
}

static void
test_context_never_iterated (void)
{
  g_autoptr (GtxTask) task = NULL;
  GMainContext *context = g_main_context_new ();

  n_freed = 0;
  task = gtx_create_task_in (context, use_nothing, g_strdup ("data"), count_free);
  g_main_context_unref (context);
  assert_gone (task);
}

static void
test_context_gone_before_it_began (void)
{
  g_autoptr (GtxTask) task = NULL;
  GMainContext *context = g_main_context_new ();

  n_freed = 0;
  g_main_context_push_thread_default (context);
  task = gtx_create_task (use_nothing, g_strdup ("data"), count_free);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  assert_gone (task);
}

/* Nobody runs its callbacks any more, and what they have is freed. */
static void
test_started_when_context_was_gone (void)
{
  g_autoptr (GtxTask) task = NULL;
  GMainContext *context = g_main_context_new ();

  n_freed = 0;
  g_main_context_push_thread_default (context);
  task = gtx_task_new (use_nothing, g_strdup ("data"), count_free);
  g_main_context_pop_thread_default (context);
  gtx_future_add_done_callback (task, never_called, g_strdup ("of a callback"), count_free);
  g_main_context_unref (context);
  gtx_task_start (task);
  g_assert_error (gtx_future_get_error (task), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_cmpint (n_freed, ==, 2);
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  g_object_unref (task);
  g_assert_null (task);
}

static gpointer
iterate (gpointer context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
  return NULL;
}

static void
test_dispatched_by_another (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxFuture) future = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  task = gtx_create_task (await_what, (GtxTask *) (gpointer) future, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  gtx_future_set_result (future, NULL, NULL);
  g_main_context_pop_thread_default (context);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A main context whose tasks belong to another thread*");
  g_thread_join (g_thread_new ("other", iterate, context));
  g_test_assert_expected_messages ();
  g_assert_false (gtx_future_is_done (task));

  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_true (gtx_future_is_done (task));
}

/* ---- Tasks started in another context ---- */

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

/* From inside the loop, which may not have begun yet. */
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

/* The main loop asks the sources of a scheduler as soon as each is there: many loops,
 * since it takes chance to go wrong. */
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
      g_usleep (50);            /* it likely turns then: no harm otherwise */
      run_here ((GtxCoroutine) cancel_in_worker, &worker);
      worker_stop (&worker);
    }
}

/* Two threads await the same tasks, of a third, at the same time: many, since
 * it takes chance to go wrong. */
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

/* Tasks of two contexts that await one another, and a third that awaits them:
 * a request does not go round for ever. */
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

/* A request that is passed on to a future of another context, which is set
 * before it comes there, is not lost. */
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

/* What a thread leaves is cancelled there. */
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
  g_test_add_func ("/threads/each-its-own", test_each_its_own);
  g_test_add_func ("/threads/await", test_await_across);
  g_test_add_func ("/threads/cancel", test_cancel_across);
  g_test_add_func ("/threads/cancel/awaiting", test_cancel_awaiting_across);
  g_test_add_func ("/threads/cancel/late", test_cancel_late);
  g_test_add_func ("/threads/cancel/cancellable", test_cancellable);
  g_test_add_func ("/threads/freed-at-home", test_freed_at_home);
  g_test_add_func ("/threads/freed-at-home/thread-ended", test_freed_at_home_of_ended_thread);
  g_test_add_func ("/threads/context-gone", test_context_gone);
  g_test_add_func ("/threads/context-gone/while-awaited", test_context_gone_while_awaited);
  g_test_add_func ("/threads/context-gone/never-iterated", test_context_never_iterated);
  g_test_add_func ("/threads/context-gone/before-it-began", test_context_gone_before_it_began);
  g_test_add_func ("/threads/context-gone/started", test_started_when_context_was_gone);
  g_test_add_func ("/threads/context-gone/going", test_set_while_context_goes);
  g_test_add_func ("/threads/context-gone/freed", test_set_when_context_was_freed);
  g_test_add_func ("/threads/push-another", test_push_another);
  g_test_add_func ("/threads/dispatched-by-another", test_dispatched_by_another);
  g_test_add_func ("/threads/create-in", test_create_in);
  g_test_add_func ("/threads/create-in/cancelled", test_create_in_cancelled);
  g_test_add_func ("/threads/create-in/turning", test_create_in_turning);
  g_test_add_func ("/threads/create-in/left", test_create_in_left);
  g_test_add_func ("/threads/await-unstarted/by-two", test_await_unstarted_by_two);
  g_test_add_func ("/threads/cancel/failed", test_cancel_failed);
  g_test_add_func ("/threads/cancel/awaiting/failed", test_cancel_awaiting_failed);
  g_test_add_func ("/threads/cancel/ring", test_cancel_ring);
  return g_test_run ();
}
