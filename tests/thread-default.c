/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread-default main context: tasks have their own, whatever code iterates it, and a context
 * that a task pushes is not pushed while the task waits. */

#include "thread-default.h"

/* ---- Contexts that the thread has pushed ---- */

static gboolean
ask_in (GMainContext *context, GError **error)
{
  GMainContext *own = context == g_main_context_default () ? NULL : context;

  g_assert_true (g_main_context_get_thread_default () == own);
  return ask (NULL, error) && gtx_sleep (0.001, error) && ask (NULL, error);
}

static gboolean
ask_often_in (gpointer context, GError **error)
{
  for (int i = 0; i < 30; i++)
    if (!ask_in (context, error) || !gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

static void
test_not_pushed (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, ask_in, context, NULL);

  iterate_until_done (context, task);
  g_assert_null (g_main_context_get_thread_default ());
}

static void
test_another_pushed (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContext) pushed = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, ask_in, context, NULL);
  g_autoptr (GtxTask) of_default = gtx_create_task_in (NULL, ask_in, g_main_context_default (), NULL);

  g_main_context_push_thread_default (pushed);
  iterate_until_done (context, task);
  iterate_until_done (NULL, of_default);
  g_assert_true (g_main_context_get_thread_default () == pushed);
  g_main_context_pop_thread_default (pushed);
  g_assert_null (g_main_context_get_thread_default ());
}

/* ---- Contexts that a task has pushed ---- */

typedef enum
{
  SLEEP,
  YIELD,
  SEMAPHORE,
  TASK,
  N_WAITS
} Wait;

static gboolean
release_later (GtxSemaphore *semaphore, GError **error)
{
  if (!gtx_sleep (0.001, error))
    return FALSE;
  gtx_semaphore_release (semaphore);
  return TRUE;
}

static gboolean
await_by (Wait wait, GtxSemaphore *semaphore, GtxTask *task, GError **error)
{
  switch (wait)
    {
    case SLEEP: return gtx_sleep (0.001, error);
    case YIELD: return gtx_sleep (0, error);
    case SEMAPHORE: return gtx_semaphore_acquire (semaphore, error);
    default: return gtx_await (task, error);
    }
}

/* Holds two pushed contexts during each kind of wait, twice each. */
static gboolean
hold_pushed_over (Wait wait, GError **error)
{
  GMainContext *own = g_main_context_get_thread_default ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (0);
  g_autoptr (GtxTask) first_releaser = gtx_create_task (release_later, semaphore, NULL);
  g_autoptr (GtxTask) second_releaser = gtx_create_task (release_later, semaphore, NULL);
  g_autoptr (GMainContext) first = g_main_context_new ();
  g_autoptr (GMainContext) second = g_main_context_new ();
  gboolean succeeded;

  g_main_context_push_thread_default (first);
  g_main_context_push_thread_default (second);
  succeeded = await_by (wait, semaphore, first_releaser, error);
  g_assert_true (g_main_context_get_thread_default () == second);
  g_main_context_pop_thread_default (second);
  succeeded = succeeded && await_by (wait, semaphore, second_releaser, error);
  g_assert_true (g_main_context_get_thread_default () == first);
  g_main_context_pop_thread_default (first);
  g_assert_true (g_main_context_get_thread_default () == own);
  return succeeded && gtx_await (first_releaser, error) && gtx_await (second_releaser, error);
}

static gboolean
hold_pushed (gpointer data, GError **error)
{
  for (Wait wait = 0; wait < N_WAITS; wait++)
    if (!hold_pushed_over (wait, error))
      return FALSE;
  return TRUE;
}

/* A task pushes after it has waited this often with nothing pushed. */
#define OFTEN 50

static gboolean
wait_often (GtxSemaphore *semaphore, GError **error)
{
  for (int i = 0; i < OFTEN; i++)
    {
      if (!gtx_sleep (0, error))
        return FALSE;
      gtx_semaphore_release (semaphore);
      if (!gtx_semaphore_acquire (semaphore, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
push_late (GtxSemaphore *semaphore, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  if (!wait_often (semaphore, error))
    return FALSE;
  for (int i = 0; i < OFTEN; i++)
    {
      gboolean succeeded;

      g_main_context_push_thread_default (context);
      succeeded = i % 2 == 0 ? gtx_sleep (0, error) : gtx_semaphore_acquire (semaphore, error);
      g_assert_true (g_main_context_get_thread_default () == context);
      g_main_context_pop_thread_default (context);
      if (!succeeded)
        return FALSE;
    }
  return TRUE;
}

static gboolean
count_turn (gpointer n, GError **error)
{
  ++*(int *) n;
  return TRUE;
}

/* The turns of this task are between those of push_late (), and as short. */
static gboolean
release_often (GtxSemaphore *semaphore, GError **error)
{
  int n_ran = 0;

  for (int i = 0; i < 3 * OFTEN; i++)
    {
      g_assert_null (g_main_context_get_thread_default ());
      g_object_unref (gtx_create_task (count_turn, &n_ran, NULL));
      gtx_semaphore_release (semaphore);
      if (!gtx_sleep (0, error))
        return FALSE;
    }
  g_assert_cmpint (n_ran, ==, 3 * OFTEN);
  return TRUE;
}

static gboolean
test_pushed_late (gpointer data, GError **error)
{
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (0);
  g_autoptr (GtxTask) other = gtx_create_task (release_often, semaphore, NULL);
  g_autoptr (GtxTask) task = gtx_create_task (push_late, semaphore, NULL);

  return gtx_gather_list (GTX_GATHER_NONE, error, task, other, NULL);
}

static gboolean
test_pushed_by_tasks (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 10; i++)
    {
      g_ptr_array_add (tasks, gtx_create_task (hold_pushed, NULL, NULL));
      g_ptr_array_add (tasks, gtx_create_task (have_own, NULL, NULL));
    }
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* An operation that is started below a pushed context calls back all the same. */
static gboolean
ask_below_pushed (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  G_GNUC_UNUSED g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);

  return ask (NULL, error) && ask (NULL, error) && g_main_context_get_thread_default () == context;
}

static gboolean
test_operation_below_pushed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (have_own, NULL, NULL);

  return ask_below_pushed (NULL, error) && gtx_await (other, error);
}

/* Objects that are made below the pushed context belong to it, and no thread iterates it. */
static gboolean
test_await_below_pushed (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  G_GNUC_UNUSED g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) refused = NULL;

  g_assert_false (gtx_await (future, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (refused->message, "has pushed as thread-default"));
  return TRUE;
}

/* No other thread can acquire the context during the task. */
static gboolean
try_to_acquire (GMainContext *context, GCancellable *cancellable, GError **error)
{
  g_assert_false (g_main_context_acquire (context));
  return TRUE;
}

static gboolean
test_stays_acquired (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  G_GNUC_UNUSED g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);

  return gtx_to_thread (try_to_acquire, context, error);
}

/* The dialog's loop runs on the task's own context. */
static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
test_nested_loop (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (have_own, NULL, NULL);
  g_autoptr (GtxTask) holder = gtx_create_task (hold_pushed, NULL, NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  G_GNUC_UNUSED g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_timeout_add (20, quit, loop);
  g_main_loop_run (loop);
  g_assert_true (g_main_context_get_thread_default () == context);
  return gtx_await (other, error) && gtx_await (holder, error);
}

/* ---- The default main context, beside another one ---- */

/* Runs @coroutine, which pushes a context, in a main context of its own, beside a task that
 * checks. */
static void
run_beside (GtxCoroutine coroutine, gboolean is_pushed)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, coroutine, context, NULL);
  g_autoptr (GtxTask) other = gtx_create_task_in (context, ask_often_in, context, NULL);

  if (is_pushed)
    g_main_context_push_thread_default (context);
  while (!gtx_future_is_done (task) || !gtx_future_is_done (other))
    {
      g_main_context_iteration (context, TRUE);
      g_assert_true (g_main_context_get_thread_default () == (is_pushed ? context : NULL));
    }
  if (is_pushed)
    g_main_context_pop_thread_default (context);
  g_assert_null (g_main_context_get_thread_default ());
  g_assert_no_error (gtx_future_get_error (task));
  g_assert_no_error (gtx_future_get_error (other));
}

static gboolean
push_default (GMainContext *own, GError **error)
{
  g_autoptr (GMainContext) below = g_main_context_new ();
  GMainContext *contexts[] = { NULL, below, NULL, NULL };

  for (guint n = 1; n <= G_N_ELEMENTS (contexts); n++)
    {
      for (guint i = 0; i < n; i++)
        g_main_context_push_thread_default (contexts[i]);
      for (guint i = n; i-- > 0;)
        {
          if (!gtx_sleep (i % 2 * 0.001, error) || !ask (NULL, error))
            return FALSE;
          g_assert_true (g_main_context_get_thread_default () == contexts[i]);
          g_main_context_pop_thread_default (contexts[i]);
        }
      g_assert_true (g_main_context_get_thread_default () == own);
    }
  return TRUE;
}

static void
test_default_pushed (void)
{
  run_beside ((GtxCoroutine) push_default, FALSE);
  run_beside ((GtxCoroutine) push_default, TRUE);
  assert_default_is_free ();
}

/* The future belongs to the default main context, which no thread runs during the wait. */
static gboolean
await_below_default (gpointer own, GError **error)
{
  g_autoptr (GtxFuture) future = NULL;
  g_autoptr (GError) refused = NULL;

  g_main_context_push_thread_default (NULL);
  future = gtx_future_new ();
  g_assert_false (gtx_await (future, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_main_context_pop_thread_default (NULL);
  return TRUE;
}

static void
test_await_below_default (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, await_below_default, context, NULL);

  iterate_until_done (context, task);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/thread-default/not-pushed", test_not_pushed);
  g_test_add_func ("/thread-default/another-pushed", test_another_pushed);
  add_real_coroutine ("/thread-default/pushed-by-tasks", test_pushed_by_tasks);
  add_real_coroutine ("/thread-default/pushed-late", test_pushed_late);
  add_real_coroutine ("/thread-default/operation-below-pushed", test_operation_below_pushed);
  add_real_coroutine ("/thread-default/await-below-pushed", test_await_below_pushed);
  add_real_coroutine ("/thread-default/stays-acquired", test_stays_acquired);
  add_real_coroutine ("/thread-default/nested-loop", test_nested_loop);
  g_test_add_func ("/thread-default/default-pushed", test_default_pushed);
  g_test_add_func ("/thread-default/await-below-default", test_await_below_default);
  return g_test_run ();
}
