/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of several threads: each with tasks of its own, which await and cancel one another. */

#include "fixture.h"
#include "thread-run.h"

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

      /* The list has no tasks of other threads. */
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
  GAsyncQueue *tasks;           /* tasks of the thread, for the main thread */
  GtxFuture *enough;            /* a future of the main thread, with which the thread may end */
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

/* ---- Errors that no code retrieves ---- */

static gpointer
cancel_future_in_thread (gpointer future)
{
  g_assert_false (gtx_cancel (future));
  return NULL;
}

/* As in asyncio: code that cancels does not retrieve the error, so there is no
 * warning. */
static void
test_cancel_failed (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_error (future, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "broken"));
  g_thread_join (g_thread_new ("cancel", cancel_future_in_thread, future));
}

/* The awaiting task is cancelled when the future has failed and the task's context does not know it
 * yet. */
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

/* The thread of a context has ended.  The next thread is another one, even if it is at the same
 * address. */
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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads/each-its-own", test_each_its_own);
  g_test_add_func ("/threads/await", test_await_across);
  g_test_add_func ("/threads/cancel", test_cancel_across);
  g_test_add_func ("/threads/cancel/awaiting", test_cancel_awaiting_across);
  g_test_add_func ("/threads/cancel/cancellable", test_cancellable);
  g_test_add_func ("/threads/freed-at-home", test_freed_at_home);
  g_test_add_func ("/threads/freed-at-home/thread-ended", test_freed_at_home_of_ended_thread);
  g_test_add_func ("/threads/cancel/failed", test_cancel_failed);
  g_test_add_func ("/threads/cancel/awaiting/failed", test_cancel_awaiting_failed);
  return g_test_run ();
}
