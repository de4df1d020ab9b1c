/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of other threads that are gone when their tasks are awaited or cancelled; and the thread
 * that may dispatch a context. */

#include "fixture.h"
#include "thread-run.h"

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

/* The code that holds the context drops it while the future is awaited. */
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

/* A source of the user goes together with the context.  Other code does not know yet that the
 * context is gone. */
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

/* A future that is made while a task has pushed another context belongs to that
 * context. */
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

/* No thread calls its callbacks any more, and their data is freed. */
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

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads/context-gone", test_context_gone);
  g_test_add_func ("/threads/context-gone/while-awaited", test_context_gone_while_awaited);
  g_test_add_func ("/threads/context-gone/never-iterated", test_context_never_iterated);
  g_test_add_func ("/threads/context-gone/before-it-began", test_context_gone_before_it_began);
  g_test_add_func ("/threads/context-gone/started", test_started_when_context_was_gone);
  g_test_add_func ("/threads/context-gone/going", test_set_while_context_goes);
  g_test_add_func ("/threads/context-gone/freed", test_set_when_context_was_freed);
  g_test_add_func ("/threads/push-another", test_push_another);
  g_test_add_func ("/threads/dispatched-by-another", test_dispatched_by_another);
  return g_test_run ();
}
