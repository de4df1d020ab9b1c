/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures of operations that end in one thread, and are used in another. */

#include "fixture.h"

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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation-threads/set-by-program", test_set_by_program);
  return g_test_run ();
}
