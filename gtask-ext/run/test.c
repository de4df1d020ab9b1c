/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time, for tests. */

#include "gtask-ext/test.h"

#include "many/sleep-future.h"
#include "outside/thread-pool.h"
#include "run/run-private.h"
#include "task/task-private.h"

#ifdef HAVE_SINGLE_THREADED
#include <sys/single_threaded.h>
#endif

/* How many turns of the main loop to run at most when a test ends: sources that are ready may
 * make others ready. */
#define MOST_TURNS 1000

/* How many threads the process has, this one among them; -1: unknown. */
static int
n_threads (void)
{
  g_autoptr (GDir) threads = g_dir_open ("/proc/self/task", 0, NULL);
  int n = 0;

  if (threads == NULL)
    return -1;
  while (g_dir_read_name (threads))
    n++;
  return n;
}

/* Threads that the C library knows nothing of, and that run no code of the program:
 * an emulator has one. */
static int n_foreign_threads;

static void
note_foreign_threads (void)
{
#ifdef HAVE_SINGLE_THREADED
  if (__libc_single_threaded)
    g_atomic_int_set (&n_foreign_threads, MAX (n_threads () - 1, 0));
#endif
}

/* How many other threads the process has that are not the library's own; -1: unknown. */
static int
n_other_threads (void)
{
  int n = n_threads ();

  if (n < 0)
    return -1;
  return n - 1 - g_atomic_int_get (&n_foreign_threads) - (int) gtx_thread_pool_n_of_process ();
}

/* Returns whether no other thread may end the deadlock.  Another thread may set a future, or
 * start a task that does, at any time, even just before it ends: so the process has to be without
 * one for two turns. */
static gboolean
report_stuck (gpointer data,
              GtxStuck how)
{
  gboolean is_alone = n_other_threads () == 0;

  switch (how)
    {
    case GTX_DEADLOCK:
      break;
    case GTX_DEADLOCK_AGAIN:
      if (is_alone)
        gtx_scheduler_log_tasks (data, G_LOG_LEVEL_ERROR,
                                 "Deadlock: nothing is ready, no timer is left, and these tasks wait for ever");
      break;
    case GTX_DEADLOCK_FOR_SECONDS:
      if (!is_alone)
        gtx_scheduler_log_tasks (data, G_LOG_LEVEL_MESSAGE,
                                 "Nothing has happened for seconds, and unless another thread wakes them these "
                                 "tasks wait for ever");
      break;
    case GTX_STANDSTILL_FOR_SECONDS:
      gtx_scheduler_log_tasks (data, G_LOG_LEVEL_MESSAGE,
                               "Nothing has happened for seconds.  The test waits for something outside, such as "
                               "an operation or a thread, and meanwhile virtual time stands still, so that no sleep "
                               "or timeout ends");
      break;
    }
  return is_alone;
}

/* Runs the done callbacks of what ended last, and cancels sleeps in virtual time, so that nothing
 * is left for the next test. */
static void
leave_nothing (GtxScheduler *scheduler,
               GMainContext *context)
{
  g_autoptr (GPtrArray) sleeps = g_ptr_array_new_with_free_func (g_object_unref);

  gtx_sleep_futures_list (scheduler, sleeps);
  g_ptr_array_foreach (sleeps, (GFunc) (void (*) (void)) gtx_cancel, NULL);
  for (guint i = 0; i < MOST_TURNS && g_main_context_iteration (context, FALSE); i++)
    ;
}

/**
 * gtx_test_run_named: (skip)
 *
 * The function behind gtx_test_run(), with the name of its coroutine as an argument, static or interned.
 */
gboolean
gtx_test_run_named (const char    *name,
                    GtxCoroutine   coroutine,
                    gpointer       data,
                    GError       **error)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  gboolean succeeded;

  g_return_val_if_fail (coroutine != NULL, FALSE);

  if (!gtx_run_may_begin (scheduler, context, error))
    return FALSE;
  note_foreign_threads ();
  gtx_scheduler_set_virtual (scheduler, report_stuck, scheduler);
  succeeded = gtx_run_on (scheduler, context, FALSE, name, coroutine, data, error);
  gtx_scheduler_set_real (scheduler);
  leave_nothing (scheduler, context);
  return succeeded;
}

typedef struct
{
  const char *name;
  GtxCoroutine coroutine;
} Test;

static void
run_test (gconstpointer data)
{
  const Test *test = data;
  g_autoptr (GError) error = NULL;

  if (!gtx_test_run_named (test->name, test->coroutine, NULL, &error))
    g_test_fail_printf ("%s failed: %s", test->name, error->message);
}

/**
 * gtx_test_add_func_named: (skip)
 *
 * The function behind gtx_test_add_func(), with the name of its coroutine as an argument, static or interned.
 */
void
gtx_test_add_func_named (const char   *path,
                         const char   *name,
                         GtxCoroutine  coroutine)
{
  /* Keeps all tests reachable: GLib frees the data of a test only when it has run it. */
  static GSList *tests;
  Test *test;

  g_return_if_fail (path != NULL && coroutine != NULL);

  test = g_new (Test, 1);
  test->name = g_intern_string (name);
  test->coroutine = coroutine;
  tests = g_slist_prepend (tests, test);
  g_test_add_data_func (path, test, run_test);
}

/**
 * gtx_test_hold:
 *
 * Stops virtual time until gtx_test_release(), for a test that waits for something
 * outside of the main context that the library does not know, such as a thread, or the
 * answer of a server.
 *
 * Meanwhile no deadlock is reported either.  Pairs of the two calls may be nested.  In
 * real time they do nothing.  Never suspends; to be called in the thread that runs the
 * thread-default main context.
 *
 * Since: 0.1
 */
void
gtx_test_hold (void)
{
  gtx_scheduler_hold_on_purpose (gtx_scheduler_get ());
}

/**
 * gtx_test_release:
 *
 * Ends one gtx_test_hold().  Never suspends; to be called in the thread that runs the
 * thread-default main context.
 *
 * Since: 0.1
 */
void
gtx_test_release (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();

  if (gtx_scheduler_is_held_on_purpose (scheduler))
    gtx_scheduler_release_on_purpose (scheduler);
  else
    g_critical ("gtx_test_release() was called more often than gtx_test_hold(); call it once for each hold");
}
