/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The number of threads of gtx_to_thread (), and calls that find no free thread. */

#define _GNU_SOURCE             /* RTLD_NEXT */

#include "fixture.h"

#include "task/task-private.h"
#include "outside/thread-pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define FEW_THREADS 16
#define FOR_EVER G_MAXINT

/* The functions wait at this gate until it is opened. */
typedef struct
{
  GMutex mutex;
  GCond cond;
  guint n_begun;
  guint n_done;
  gboolean is_open;
} Gate;

static gboolean
pass (Gate *gate, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&gate->mutex);
  gate->n_begun++;
  g_cond_broadcast (&gate->cond);
  while (!gate->is_open)
    g_cond_wait (&gate->cond, &gate->mutex);
  gate->n_done++;
  g_mutex_unlock (&gate->mutex);
  return TRUE;
}

static gboolean
pass_in_thread (Gate *gate, GError **error)
{
  return gtx_to_thread (pass, gate, error);
}

/* The library's own functions call a thread in this way. */
static gboolean
pass_for_function (Gate *gate, GError **error)
{
  return gtx_to_thread_at ("a_function", 0, (GtxThreadFunc) pass, gate, error);
}

static GPtrArray *
create_passing (Gate *gate, guint n)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (tasks, gtx_create_task (pass_in_thread, gate, NULL));
  return tasks;
}

static void
wait_until_begun (Gate *gate, guint n)
{
  g_assert_true (gtx_sleep (0, NULL));
  g_mutex_lock (&gate->mutex);
  while (gate->n_begun < n)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  g_atomic_int_set (&gate->is_open, TRUE);
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

/* ---- The line ---- */

/* Calls that find no free thread wait in line, and are not lost. */
static gboolean
test_line (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, 3 * FEW_THREADS);

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  wait_until_begun (&gate, FEW_THREADS);
  g_assert_cmpuint (gtx_thread_pool_n_threads (), ==, FEW_THREADS);
  g_assert_cmpuint (gate.n_begun, ==, FEW_THREADS);
  open_gate (&gate);
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpuint (gate.n_done, ==, 3 * FEW_THREADS);
  return TRUE;
}

static gboolean
never_called (gpointer data, GCancellable *cancellable, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
call_it (gpointer data, GError **error)
{
  return gtx_to_thread (never_called, data, error);
}

/* A call that is cancelled in line does not wait for a thread, and its function is never called. */
static gboolean
test_cancelled_in_line (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS);
  g_autoptr (GtxTask) last = gtx_create_task (call_it, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (last);
  gtx_cancel (last);
  g_assert_false (gtx_await (last, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (last));
  open_gate (&gate);
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  /* A cancelled call has left the line when a call behind it runs. */
  return pass_in_thread (&gate, error);
}

static gboolean
cancel_itself_and_call (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_to_thread (never_called, data, error);
}

/* The request is there before the call, or comes from the GCancellable. */
static gboolean
test_cancelled_before (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS);
  g_autoptr (GtxTask) last = gtx_create_task (cancel_itself_and_call, NULL, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (call_it, NULL, NULL);

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  g_assert_true (gtx_sleep (0, error));
  g_cancellable_cancel (gtx_task_get_cancellable (other));
  g_assert_false (gtx_await (last, NULL));
  g_assert_true (gtx_future_is_cancelled (last));
  g_assert_false (gtx_await (other, NULL));
  g_assert_true (gtx_future_is_cancelled (other));
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static GtxTask *suspended_for_ever;

static void
cancel_other (gpointer future, gpointer other)
{
  gtx_cancel (other);
}

/* The task has the last reference to its main context, which goes when the task is cancelled.  A
 * callback at that end makes another request. */
static gboolean
test_last_of_context (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS);
  g_autoptr (GtxTask) other = gtx_create_task (sleep_long, NULL, NULL);
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) not_begun = NULL;

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  suspended_for_ever = gtx_create_task_in (context, call_it, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_main_context_iteration (context, FALSE);
  not_begun = gtx_create_task_in (context, sleep_long, NULL, NULL);
  gtx_future_add_done_callback (not_begun, cancel_other, other, NULL);
  g_main_context_unref (context);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A main context goes away with 1 suspended task*");
  g_assert_true (gtx_cancel (suspended_for_ever));
  g_test_assert_expected_messages ();
  g_assert_error (gtx_future_get_error (not_begun), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_false (gtx_await (other, NULL));
  g_assert_true (gtx_future_is_cancelled (other));
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static char *
description_of (GtxTask *task)
{
  g_autoptr (GString) tree = g_string_new (NULL);
  const char *line;

  gtx_scheduler_describe_tasks (gtx_scheduler_get (), tree);
  line = strstr (tree->str, gtx_task_get_name (task));
  g_assert_nonnull (line);
  return g_strndup (line, strcspn (line, "\n"));
}

static gboolean
test_described_by_function (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GtxTask) first = gtx_create_task (pass_for_function, &gate, NULL);
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS - 1);
  g_autoptr (GtxTask) last = gtx_create_task (pass_for_function, &gate, NULL);
  g_autofree char *with_thread = NULL;
  g_autofree char *without = NULL;

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  wait_until_begun (&gate, FEW_THREADS);
  with_thread = description_of (first);
  without = description_of (last);
  g_assert_true (g_str_has_suffix (with_thread, ": waits for the thread for a_function()"));
  g_assert_true (g_str_has_suffix (without, ": waits for a free thread for a_function()"));
  open_gate (&gate);
  return gtx_gather_list (GTX_GATHER_NONE, error, first, last, NULL) && gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
test_described (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS);
  g_autoptr (GtxTask) last = gtx_create_task (pass_in_thread, &gate, NULL);
  g_autofree char *with_thread = NULL;
  g_autofree char *without = NULL;

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  wait_until_begun (&gate, FEW_THREADS);
  with_thread = description_of (g_ptr_array_index (tasks, 0));
  without = description_of (last);
  g_assert_true (g_regex_match_simple ("waits for the thread started at .*thread-pool.c:\\d+$", with_thread, 0, 0));
  g_assert_true (g_regex_match_simple ("waits for a free thread at .*thread-pool.c:\\d+$", without, 0, 0));
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error) && gtx_await (last, error);
}

/* ---- More, and fewer ---- */

/* All calls are needed at once, so the pool must have as many threads. */
static gboolean
test_grows (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, 3 * FEW_THREADS);

  gtx_thread_pool_set_patience (100, FOR_EVER);
  wait_until_begun (&gate, 3 * FEW_THREADS);
  g_assert_cmpuint (gtx_thread_pool_n_threads (), >=, 3 * FEW_THREADS);
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Calls that block for ever delay other calls only once. */
static gboolean
test_beside_blocked (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  Gate open = { .is_open = TRUE };
  guint n_threads = MAX (gtx_thread_pool_n_threads (), FEW_THREADS);
  g_autoptr (GPtrArray) tasks = create_passing (&gate, n_threads);

  gtx_thread_pool_set_patience (1000, FOR_EVER);
  wait_until_begun (&gate, n_threads);
  g_assert_true (pass_in_thread (&open, error));
  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  for (guint i = 0; i < 10; i++)
    g_assert_true (pass_in_thread (&open, error));
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
open_from_thread (Gate *gate, GCancellable *cancellable, GError **error)
{
  open_gate (gate);
  return TRUE;
}

static gboolean
open_in_thread (Gate *gate, GError **error)
{
  return gtx_to_thread (open_from_thread, gate, error);
}

/* Calls that come faster than the pool's patience get a thread, too. */
static gboolean
test_stream_beside_blocked (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  Gate open = { .is_open = TRUE };
  guint n_threads = MAX (gtx_thread_pool_n_threads (), FEW_THREADS);
  g_autoptr (GPtrArray) tasks = create_passing (&gate, n_threads);

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  wait_until_begun (&gate, n_threads);
  gtx_thread_pool_set_patience (50000, FOR_EVER);
  g_ptr_array_add (tasks, gtx_create_task (open_in_thread, &gate, NULL));
  while (!g_atomic_int_get (&gate.is_open))
    {
      g_ptr_array_add (tasks, gtx_create_task (pass_in_thread, &open, NULL));
      g_assert_true (gtx_sleep (0.005, error));
    }
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Idle threads end, and new ones start when there is work. */
static gboolean
test_ends (gpointer data, GError **error)
{
  gtx_thread_pool_set_patience (FOR_EVER, 0);
  for (guint i = 0; i < 20; i++)
    {
      Gate gate = { .n_begun = 0 };
      g_autoptr (GPtrArray) tasks = create_passing (&gate, 2 * FEW_THREADS);

      wait_until_begun (&gate, FEW_THREADS);
      open_gate (&gate);
      g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
      g_assert_cmpuint (gate.n_done, ==, 2 * FEW_THREADS);
      if (i % 2)
        while (gtx_thread_pool_n_threads () > 0)
          g_thread_yield ();
    }
  return TRUE;
}

/* ---- Threads that cannot be started ---- */

#if !UNDER_ASAN && !UNDER_TSAN
static gint n_threads_left = G_MAXINT;
static gint n_failures;

/* These definitions replace the C library's. */
int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*func) (void *), void *data)
{
  int (*real) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

  *(void **) &real = dlsym (RTLD_NEXT, "pthread_create");
  if (g_atomic_int_add (&n_threads_left, -1) <= 0 || g_atomic_int_add (&n_failures, -1) > 0)
    return EAGAIN;
  return real (thread, attributes, func, data);
}

static gboolean
do_without_threads (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = NULL;
  g_autoptr (GError) failure = NULL;
  Gate gate = { .is_open = TRUE };

  g_atomic_int_set (&n_threads_left, 0);
  g_assert_false (gtx_to_thread (never_called, data, &failure));
  g_assert_error (failure, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN);

  /* One of the threads watches, and two do the work. */
  g_atomic_int_set (&n_threads_left, 3);
  tasks = create_passing (&gate, 3 * FEW_THREADS);
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpuint (gate.n_done, ==, 3 * FEW_THREADS);
  g_assert_cmpuint (gtx_thread_pool_n_threads (), <=, 2);
  g_atomic_int_set (&n_threads_left, G_MAXINT);
  return pass_in_thread (&gate, error);
}

/* The thread that all others wait for cannot be started at the first attempt, nor at the second. */
static gboolean
try_again (gpointer data, GError **error)
{
  Gate gate = { .n_begun = 0 };
  g_autoptr (GPtrArray) tasks = create_passing (&gate, FEW_THREADS);
  g_autoptr (GtxTask) last = NULL;

  gtx_thread_pool_set_patience (FOR_EVER, FOR_EVER);
  wait_until_begun (&gate, FEW_THREADS);
  g_atomic_int_set (&n_failures, 2);
  gtx_thread_pool_set_patience (100, FOR_EVER);
  last = gtx_create_task (pass_in_thread, &gate, NULL);
  wait_until_begun (&gate, FEW_THREADS + 1);
  g_assert_cmpint (g_atomic_int_get (&n_failures), <, 0);
  open_gate (&gate);
  return gtx_gather (tasks, GTX_GATHER_NONE, error) && gtx_await (last, error);
}

/* All tests of a process share the threads, and this test needs a process without any. */
static void
run_in_process (gconstpointer coroutine)
{
  if (g_test_subprocess ())
    {
      g_assert_true (gtx_run_named ("process", *(const GtxCoroutine *) coroutine, NULL, NULL));
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

static const GtxCoroutine without_threads = do_without_threads;
static const GtxCoroutine with_failures = try_again;
#endif

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/thread-pool/line", test_line);
  add_real_coroutine ("/thread-pool/cancelled-in-line", test_cancelled_in_line);
  add_real_coroutine ("/thread-pool/cancelled-before", test_cancelled_before);
  add_real_coroutine ("/thread-pool/last-of-context", test_last_of_context);
  add_real_coroutine ("/thread-pool/described", test_described);
  add_real_coroutine ("/thread-pool/described/by-function", test_described_by_function);
  add_real_coroutine ("/thread-pool/grows", test_grows);
  add_real_coroutine ("/thread-pool/beside-blocked", test_beside_blocked);
  add_real_coroutine ("/thread-pool/beside-blocked/stream", test_stream_beside_blocked);
  add_real_coroutine ("/thread-pool/ends", test_ends);
#if !UNDER_ASAN && !UNDER_TSAN
  g_test_add_data_func ("/thread-pool/none", &without_threads, run_in_process);
  g_test_add_data_func ("/thread-pool/none/at-first", &with_failures, run_in_process);
#endif
  return g_test_run ();
}
