/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main contexts that tasks, callbacks and threads leave pushed as thread-default.  No other code
 * runs below them. */

#include "thread-default.h"

static gboolean
leave_pushed (GMainContext *context, GError **error)
{
  g_main_context_push_thread_default (context);
  return TRUE;
}

static gboolean
test_left_pushed (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task (leave_pushed, context, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A task or callback ended before it popped*pop it before");
  if (!gtx_sleep (0.01, error))
    return FALSE;
  g_test_assert_expected_messages ();
  g_assert_null (g_main_context_get_thread_default ());
  g_assert_true (g_main_context_acquire (context));
  g_main_context_release (context);
  return gtx_await (task, error) && ask (NULL, error);
}

/* The next task has its own context.  So have its children, which run there. */
static gboolean
run_children (gpointer data, GError **error)
{
  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GtxTask) child = gtx_create_task (have_own, NULL, NULL);

      g_assert_null (g_main_context_get_thread_default ());
      if (!gtx_wait_for (child, 10, error))
        return FALSE;
    }
  return TRUE;
}

/* The code that ran before has left a context pushed. */
static gboolean
await_next (GtxTask *next, GError **error)
{
  gboolean succeeded;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A task or callback ended before it popped*pop it before");
  succeeded = gtx_await (next, error);
  g_test_assert_expected_messages ();
  return succeeded;
}

static gboolean
test_left_to_next (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task (leave_pushed, context, NULL);
  g_autoptr (GtxTask) next = gtx_create_task (run_children, NULL, NULL);

  return await_next (next, error) && gtx_await (task, error);
}

/* No other code has a reference to the task, so it is freed outside of itself. */
static gboolean
test_left_by_dropped (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) next = NULL;

  g_object_unref (gtx_create_task (leave_pushed, context, NULL));
  next = gtx_create_task (run_children, NULL, NULL);
  return await_next (next, error);
}

static void
push_in_callback (gpointer future, gpointer context)
{
  g_main_context_push_thread_default (context);
}

static gboolean
test_left_by_callback (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) next = NULL;

  gtx_future_add_done_callback (future, push_in_callback, context, NULL);
  gtx_future_set_result (future, NULL, NULL);
  next = gtx_create_task (run_children, NULL, NULL);
  return await_next (next, error);
}

/* The function that frees the data belongs to the task. */
static void
pop_pushed (gpointer context)
{
  g_main_context_pop_thread_default (context);
}

static gboolean
test_popped_with_data (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task (leave_pushed, context, pop_pushed);
  g_autoptr (GtxTask) next = gtx_create_task (run_children, NULL, NULL);

  return gtx_gather_list (GTX_GATHER_NONE, error, task, next, NULL);
}

static gboolean
leave_pushed_in_thread (GMainContext *contexts[2], GCancellable *cancellable, GError **error)
{
  g_main_context_push_thread_default (contexts[0]);
  g_main_context_push_thread_default (contexts[1]);
  return TRUE;
}

/* The thread's next call does not get these contexts. */
static gboolean
test_left_in_thread (gpointer data, GError **error)
{
  g_autoptr (GMainContext) first = g_main_context_new ();
  g_autoptr (GMainContext) second = g_main_context_new ();
  GMainContext *contexts[] = { first, second };

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_to_thread() ran at *.c:* returned *pop it before");
  g_assert_true (gtx_to_thread (leave_pushed_in_thread, contexts, error));
  g_test_assert_expected_messages ();
  for (int i = 0; i < 2; i++)
    {
      g_assert_true (g_main_context_acquire (contexts[i]));
      g_main_context_release (contexts[i]);
    }
  return TRUE;
}

/* The default main context cannot tell whether it is acquired, and no other thread could acquire
 * it. */
static gboolean
leave_default_in_thread (GMainContext *context, GCancellable *cancellable, GError **error)
{
  g_main_context_push_thread_default (NULL);
  if (context)
    g_main_context_push_thread_default (context);
  g_main_context_push_thread_default (NULL);
  return TRUE;
}

static gboolean
acquire_in_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  g_main_context_acquire (NULL);
  return TRUE;
}

static gboolean
leave_default (GMainContext *context, GError **error)
{
  GtxThreadFunc left[] = { (GtxThreadFunc) leave_default_in_thread, acquire_in_thread };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (left); i++)
    {
      g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*gtx_to_thread() ran at *.c:* returned *pop it before");
      g_assert_true (gtx_to_thread (left[i / 2], i % 2 ? context : NULL, error));
      g_test_assert_expected_messages ();
      assert_default_is_free ();
    }
  return TRUE;
}

static void
test_default_left_in_thread (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContext) left = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, leave_default, left, NULL);

  iterate_until_done (context, task);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/thread-default-left/pushed", test_left_pushed);
  add_real_coroutine ("/thread-default-left/to-next", test_left_to_next);
  add_real_coroutine ("/thread-default-left/by-dropped", test_left_by_dropped);
  add_real_coroutine ("/thread-default-left/by-callback", test_left_by_callback);
  add_real_coroutine ("/thread-default-left/popped-with-data", test_popped_with_data);
  add_real_coroutine ("/thread-default-left/in-thread", test_left_in_thread);
  g_test_add_func ("/thread-default-left/default-in-thread", test_default_left_in_thread);
  return g_test_run ();
}
