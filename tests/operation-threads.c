/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures of operations that end in one thread, and are used in another. */

#define _GNU_SOURCE

#include "fixture.h"

#include <dlfcn.h>

typedef struct
{
  GAsyncReadyCallback callback;
  gpointer data;
} Begun;

static void
begin_async (Begun *begun, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  begun->callback = callback;
  begun->data = data;
}

typedef struct
{
  GMainContext *context;
  GtxCoroutine coroutine;
  gpointer data;
} Worker;

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (worker->context);
  g_assert_true (gtx_run (worker->coroutine, worker->data, &error));
  g_assert_no_error (error);
  g_main_context_pop_thread_default (worker->context);
  return NULL;
}

/* Runs @coroutine in a thread, on a context that this returns when the thread has ended. */
static GMainContext *
run_in_worker (GtxCoroutine coroutine, gpointer data)
{
  GMainContext *context = g_main_context_new ();
  Worker worker = { context, coroutine, data };

  g_thread_join (g_thread_new ("worker", work, &worker));
  return context;
}

/* The program has given up on the operation, and has set the future itself. */
static gboolean
give_default (GtxFuture **future, GError **error)
{
  g_autoptr (GTask) task = NULL;
  Begun begun;

  *future = gtx_operation_future_new ();
  begin_async (&begun, GTX_ASYNC_FUTURE (*future));
  gtx_future_set_result (*future, g_strdup ("the default"), count_free);
  task = g_task_new (NULL, NULL, NULL, NULL);
  begun.callback (NULL, G_ASYNC_RESULT (task), begun.data);
  return TRUE;
}

static void
test_set_by_program (void)
{
  GtxFuture *future = NULL;
  g_autoptr (GMainContext) context = run_in_worker ((GtxCoroutine) give_default, &future);

  n_freed = 0;
  g_assert_cmpstr (gtx_future_get_result (future), ==, "the default");
  g_assert_finalize_object (future);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_cmpint (n_freed, ==, 1);
}

/* ---- The main context goes with the future ---- */

static void
note_gone (gpointer gone)
{
  g_atomic_int_set ((gint *) gone, TRUE);
}

static GMainContext *
context_new (gint *gone)
{
  GMainContext *context = g_main_context_new ();
  GSource *source = g_timeout_source_new_seconds (100000);

  g_atomic_int_set (gone, FALSE);
  g_source_set_callback (source, G_SOURCE_FUNC (g_main_loop_quit), gone, note_gone);
  g_source_attach (source, context);
  g_source_unref (source);
  return context;
}

/* The result of the operation is a GTask, which keeps the main context. */
static gboolean
run_operation (GtxFuture **future, GError **error)
{
  Begun begun;
  g_autoptr (GTask) task = NULL;

  *future = gtx_operation_future_new ();
  begin_async (&begun, GTX_ASYNC_FUTURE (*future));
  task = g_task_new (NULL, NULL, begun.callback, begun.data);
  g_task_return_boolean (task, TRUE);
  return gtx_await (*future, error);
}

/* The result of the shield is that of the future. */
static gboolean
run_shielded (GtxFuture **shield, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  g_autoptr (GTask) task = NULL;
  Begun begun;

  begin_async (&begun, GTX_ASYNC_FUTURE (future));
  task = g_task_new (NULL, NULL, begun.callback, begun.data);
  *shield = gtx_shield (future);
  g_task_return_boolean (task, TRUE);
  return gtx_await (*shield, error);
}

/* A thread that has its main context still, but will not run it again. */
typedef struct
{
  GtxCoroutine coroutine;
  GMainContext *context;
  GtxFuture *future;
  GAsyncQueue *stages;          /* each side pushes when it has done its part */
  GAsyncQueue *replies;
} Ending;

static gpointer
run_and_linger (gpointer data)
{
  Ending *ending = data;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (ending->context);
  gtx_run (ending->coroutine, (gpointer) &ending->future, &error);
  g_assert_no_error (error);
  g_async_queue_push (ending->stages, ending);
  g_async_queue_pop (ending->replies);
  g_main_context_pop_thread_default (ending->context);
  g_main_context_unref (ending->context);
  return NULL;
}

static void
drop_while_thread_ends (GtxCoroutine coroutine)
{
  gint gone;
  Ending ending = { coroutine, context_new (&gone), NULL, g_async_queue_new (), g_async_queue_new () };
  GThread *thread = g_thread_new ("lingers", run_and_linger, &ending);

  g_async_queue_pop (ending.stages);
  g_object_unref (ending.future);
  g_async_queue_push (ending.replies, &ending);
  g_thread_join (thread);
  g_assert_true (g_atomic_int_get (&gone));
  g_async_queue_unref (ending.stages);
  g_async_queue_unref (ending.replies);
}

static void
test_dropped (void)
{
  drop_while_thread_ends ((GtxCoroutine) run_operation);
}

static void
test_shield_dropped (void)
{
  drop_while_thread_ends ((GtxCoroutine) run_shielded);
}

static void
not_called (gpointer future, gpointer data)
{
  g_assert_not_reached ();
}

/* The thread has ended, so that nobody calls the callback. */
static void
add_callback_when_thread_has_ended (GtxCoroutine coroutine)
{
  gint gone;
  GMainContext *context = context_new (&gone);
  GtxFuture *future = NULL;
  Worker worker = { context, coroutine, &future };

  n_freed = 0;
  g_thread_join (g_thread_new ("worker", work, &worker));
  gtx_future_add_done_callback (future, not_called, g_strdup ("data"), count_free);
  g_object_unref (future);
  g_main_context_unref (context);
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_true (gone);
}

static void
test_callback (void)
{
  add_callback_when_thread_has_ended ((GtxCoroutine) run_operation);
}

static void
test_callback_of_shield (void)
{
  add_callback_when_thread_has_ended ((GtxCoroutine) run_shielded);
}

static void
count_call (gpointer future, gpointer n)
{
  (*(gint *) n)++;
}

/* The thread has ended, and another one runs the main context, as long as the future lives. */
static void
test_callback_in_next_thread (void)
{
  gint gone, n = 0;
  GMainContext *context = context_new (&gone);
  GtxFuture *future = NULL;
  Worker worker = { context, (GtxCoroutine) run_operation, &future };

  g_thread_join (g_thread_new ("worker", work, &worker));
  gtx_future_add_done_callback (future, count_call, &n, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_cmpint (n, ==, 1);
  g_object_unref (future);
  g_main_context_unref (context);
  g_assert_true (gone);
}

static gpointer
cancel (gpointer future)
{
  gtx_cancel (future);
  return NULL;
}

/* The operation ends in the last turn of its main context, and a request arrives after that. */
static void
test_request_is_late (void)
{
  gint gone;
  GMainContext *context = context_new (&gone);
  GtxFuture *future;
  GTask *task;
  Begun begun;

  g_main_context_push_thread_default (context);
  future = gtx_operation_future_new ();
  begin_async (&begun, GTX_ASYNC_FUTURE (future));
  task = g_task_new (NULL, NULL, begun.callback, begun.data);
  g_main_context_pop_thread_default (context);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_thread_join (g_thread_new ("cancels", cancel, future));
  /* More urgent than messages. */
  g_task_set_priority (task, G_PRIORITY_HIGH);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
  g_assert_true (g_main_context_iteration (context, FALSE));
  g_assert_true (gtx_future_is_done (future) && !gtx_future_is_cancelled (future));
  g_object_unref (future);
  g_main_context_unref (context);
  g_assert_true (gone);
}

/* ---- A main context stays free ---- */

static guint n_acquired;

/* This definition replaces GLib's.  While another thread has a main context, if only for a moment,
 * g_main_context_push_thread_default () and gtx_run () fail. */
gboolean
g_main_context_acquire (GMainContext *context)
{
  static gboolean (*acquire) (GMainContext *context);

  if (acquire == NULL)
    *(void **) &acquire = dlsym (RTLD_NEXT, "g_main_context_acquire");
  n_acquired++;
  return acquire (context);
}

typedef struct
{
  GtxFuture *future;
  GtxEvent *event;
} Used;

static gboolean
use_both (Used *used, GError **error)
{
  gtx_event_set (used->event);
  return gtx_event_wait (used->event, error) && run_operation (&used->future, error);
}

static gpointer
use_elsewhere (gpointer data)
{
  Used *used = data;

  gtx_event_clear (used->event);
  g_object_unref (used->future);
  return NULL;
}

static void
assert_stays_free (Used *used)
{
  g_object_add_weak_pointer (G_OBJECT (used->future), (gpointer *) &used->future);
  n_acquired = 0;
  g_thread_join (g_thread_new ("elsewhere", use_elsewhere, used));
  g_assert_cmpuint (n_acquired, ==, 0);
  g_assert_null (used->future);
  g_assert_false (gtx_event_is_set (used->event));
}

/* Between the runs of a thread, others use and drop what no task uses any more. */
static void
test_between_runs (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  Used used = { NULL, event };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (gtx_run (use_both, &used, &error));
      g_assert_no_error (error);
      assert_stays_free (&used);
    }
}

static void
test_after_thread (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  Used used = { NULL, event };
  gint gone;
  GMainContext *context = context_new (&gone);
  Worker worker = { context, (GtxCoroutine) use_both, &used };

  g_thread_join (g_thread_new ("worker", work, &worker));
  assert_stays_free (&used);
  g_main_context_unref (context);
  g_assert_true (gone);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation-threads/set-by-program", test_set_by_program);
  g_test_add_func ("/operation-threads/dropped", test_dropped);
  g_test_add_func ("/operation-threads/dropped/shield", test_shield_dropped);
  g_test_add_func ("/operation-threads/callback", test_callback);
  g_test_add_func ("/operation-threads/callback/shield", test_callback_of_shield);
  g_test_add_func ("/operation-threads/callback/next-thread", test_callback_in_next_thread);
  g_test_add_func ("/operation-threads/request", test_request_is_late);
  g_test_add_func ("/operation-threads/stays-free/between-runs", test_between_runs);
  g_test_add_func ("/operation-threads/stays-free/after-thread", test_after_thread);
  return g_test_run ();
}
