/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other threads, main contexts and processes. */

#include "load.h"

#include <signal.h>

/* ---- Functions in threads ---- */

static gboolean
dawdle (guint *n_turns, GCancellable *cancellable, GError **error)
{
  for (guint n = *n_turns; n > 0; n--)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      g_usleep (200);
      *n_turns -= 1;
    }
  return TRUE;
}

static char *
greet (guint *number, GCancellable *cancellable, GError **error)
{
  if (*number % 8 == 0)
    return load_fail (error), NULL;
  return g_strdup_printf ("number %u", *number);
}

static gboolean
get_greeting (GError **error)
{
  guint number = random_below (1000);
  GError *failure = NULL;
  g_autofree char *greeting = gtx_to_thread_pointer (greet, &number, &failure);
  g_autofree char *expected = g_strdup_printf ("number %u", number);

  if (number % 8 == 0)
    return expect_error ("a thread", failure, LOAD_ERROR, 0, error);
  if (failure)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (g_strcmp0 (greeting, expected) != 0)
    complain ("to_thread: %s came in place of %s", greeting, expected);
  return TRUE;
}

gboolean
load_to_thread (gpointer data, GError **error)
{
  guint n_turns = random_below (10);

  if (random_below (2))
    return get_greeting (error);
  if (!gtx_to_thread (dawdle, &n_turns, error))
    return FALSE;
  if (n_turns > 0)
    complain ("to_thread: it returned before its function did");
  return TRUE;
}

/* ---- Futures that threads complete ---- */

#define N_FUTURES 10

typedef struct
{
  GtxFuture *futures[N_FUTURES];
  guint32 seed;
} Promises;

static gpointer
keep_promises (gpointer data)
{
  Promises *promises = data;

  for (guint i = 0; i < N_FUTURES; i++)
    {
      if (random_below (3) == 0)
        g_usleep (100);
      if (i % 4 == 3)
        gtx_future_set_error (promises->futures[i], g_error_new_literal (LOAD_ERROR, 0, "Broken"));
      else
        gtx_future_set_result (promises->futures[i], g_strdup_printf ("%u", i), g_free);
    }
  return NULL;
}

static gboolean
await_promise (GtxFuture *future, guint i, GError **error)
{
  GError *failure = NULL;
  g_autofree char *result = gtx_await_pointer (future, &failure);
  g_autofree char *expected = g_strdup_printf ("%u", i);

  if (i % 4 == 3)
    return expect_error ("a broken promise", failure, LOAD_ERROR, 0, error);
  if (failure)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (g_strcmp0 (result, expected) != 0)
    complain ("futures: %s came in place of %s", result, expected);
  return TRUE;
}

gboolean
load_futures (gpointer data, GError **error)
{
  Promises promises;
  LoadThread *thread;
  gboolean succeeded = TRUE;

  for (guint i = 0; i < N_FUTURES; i++)
    promises.futures[i] = gtx_future_new ();
  thread = load_thread_start (keep_promises, &promises);
  for (guint i = 0; i < N_FUTURES && succeeded; i++)
    succeeded = await_promise (promises.futures[i], i, error);
  succeeded = load_thread_end (thread, succeeded ? error : NULL) && succeeded;
  for (guint i = 0; i < N_FUTURES; i++)
    {
      g_autoptr (GtxFuture) future = promises.futures[i];

      gtx_future_get_error (future);
    }
  return succeeded;
}

/* ---- Tasks in other contexts ---- */

static gpointer
run_loop (gpointer data)
{
  GMainLoop *loop = data;
  GMainContext *context = g_main_loop_get_context (loop);

  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  gtx_cancel_all ();
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gboolean
quit_loop (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
do_it_there (gpointer data, GError **error)
{
  if (!gtx_sleep (random_seconds (0.002), error))
    return FALSE;
  loads_run_any ();
  return TRUE;
}

static gboolean
await_there (GPtrArray *tasks, GError **error)
{
  for (guint i = 0; i < tasks->len; i++)
    {
      g_autoptr (GError) failure = NULL;

      if (random_below (4) == 0)
        gtx_cancel (tasks->pdata[i]);
      if (!gtx_await (tasks->pdata[i], &failure) && !is_cancellation (failure))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
  return TRUE;
}

/* No thread runs the context, and none ever will. */
static gboolean
await_where_nobody_is (GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_create_task_in (context, do_it_there, NULL, NULL);
  GError *failure = NULL;

  g_main_context_unref (context);
  gtx_await (task, &failure);
  return expect_error ("a task whose context is gone", failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE, error);
}

gboolean
load_contexts (gpointer data, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (GPtrArray) tasks = tasks_new ();
  g_autoptr (GSource) quit = g_idle_source_new ();
  LoadThread *thread;
  gboolean succeeded;

  if (random_below (8) == 0)
    return await_where_nobody_is (error);
  thread = load_thread_start (run_loop, loop);
  for (guint n = 1 + random_below (5); n > 0; n--)
    g_ptr_array_add (tasks, gtx_create_task_in (context, do_it_there, NULL, NULL));
  succeeded = await_there (tasks, error);
  tasks_end (tasks);
  g_source_set_callback (quit, quit_loop, loop, NULL);
  g_source_attach (quit, context);
  return load_thread_end (thread, succeeded ? error : NULL) && succeeded;
}

/* ---- Main loops ---- */

static gboolean
run_a_few (gpointer data, GError **error)
{
  for (guint n = 1 + random_below (3); n > 0; n--)
    loads_run_any ();
  if (random_below (2))
    loads_leave_any ();
  return gtx_sleep (0, error);
}

static gpointer
run_fresh_loop (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  if (!gtx_run (run_a_few, NULL, &error))
    complain ("loops: %s", error->message);
  g_main_context_pop_thread_default (context);
  return NULL;
}

gboolean
load_loops (gpointer data, GError **error)
{
  return load_thread_end (load_thread_start (run_fresh_loop, NULL), error);
}

/* ---- Processes ---- */

static gboolean
talk_to_cat (GSubprocess *cat, GError **error)
{
  g_autofree char *sent = g_strdup_printf ("%u\n%u\n", random_seed (), random_seed ());
  g_autofree char *received = NULL;

  g_subprocess_communicate_utf8_async (cat, sent, GTX_ASYNC);
  if (!g_subprocess_communicate_utf8_finish (cat, gtx_await_result (), &received, NULL, error))
    return FALSE;
  if (g_strcmp0 (sent, received) != 0)
    complain ("processes: what came back is not what was sent");
  return TRUE;
}

/* The signal distinguishes this end from one by itself. */
static void
reap (GSubprocess *process)
{
  g_subprocess_send_signal (process, SIGTERM);
  do
    g_subprocess_wait_async (process, GTX_ASYNC);
  while (!g_subprocess_wait_finish (process, gtx_await_result (), NULL));
}

gboolean
load_processes (gpointer data, GError **error)
{
  g_autoptr (GSubprocess) cat = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                                  error, "cat", NULL);
  GError *failure = NULL;

  if (cat == NULL)
    return FALSE;
  talk_to_cat (cat, &failure);
  reap (cat);
  if (failure == NULL)
    return TRUE;
  if (!is_cancellation (failure))
    g_prefix_error (&failure, "cat ended with status %#x: ", g_subprocess_get_status (cat));
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
await_child (GPid pid, GError **error)
{
  GError *failure = NULL;
  int status;

  while (!gtx_await_child (pid, &status, failure ? NULL : &failure))
    kill (pid, SIGKILL);
  if (status != 0 && status != SIGKILL)
    complain ("children: one ended with status %#x", (guint) status);
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

gboolean
load_children (gpointer data, GError **error)
{
  gboolean is_long = random_below (2);
  char *command[] = { (char *) "sleep", (char *) (is_long ? "3600" : "0"), NULL };
  GPid pid;

  if (!g_spawn_async (NULL, command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                      NULL, NULL, &pid, error))
    return FALSE;
  if (is_long)
    kill (pid, SIGKILL);
  return await_child (pid, error);
}
