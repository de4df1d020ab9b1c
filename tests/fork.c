/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child process may do nothing with the tasks of its parent, and may run tasks of its
 * own. */

#define _GNU_SOURCE             /* pipe2 () */

#include "fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOW (RUNNING_ON_VALGRIND || UNDER_ASAN || UNDER_TSAN)

/* A pipe into which children write their names. */
static int ends[2];

static gboolean
say_who_runs (gpointer data, GError **error)
{
  pid_t parent = getpid ();

  for (;;)
    {
      if (!gtx_sleep (0.001, error))
        return FALSE;
      if (getpid () != parent)
        g_assert_cmpint (write (ends[1], "copied", 6), ==, 6);
    }
}

/* The child has ended, so its output is complete. */
static char *
read_all (void)
{
  char buffer[4096];
  gssize n;

  n = read (ends[0], buffer, sizeof (buffer));
  g_assert_cmpint (n, >=, 0);
  close (ends[0]);
  return g_strndup (buffer, (gsize) n);
}

typedef void (*InChild) (void);

/* Forks, and lets the child do something; the parent and its tasks go on. */
static gboolean
fork_and_await (InChild in_child, int *wait_status, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (say_who_runs, NULL, NULL);
  pid_t pid;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_true (gtx_sleep (0.005, error));
  pid = fork ();
  if (pid == 0)
    in_child ();
  g_assert_cmpint (pid, >, 0);
  g_assert_true (gtx_await_child (pid, wait_status, error));
  close (ends[1]);

  g_assert_false (gtx_future_is_done (other));
  gtx_cancel (other);
  g_assert_false (gtx_await (other, NULL));
  return gtx_sleep (0.001, error);
}

/* When a child ends, Valgrind looks for leaks, and finds memory of threads that exist
 * only in the parent.  Valgrind does not follow into another program. */
static void
leave (int status)
{
  char digits[] = { (char) ('0' + status), 0 };

  if (RUNNING_ON_VALGRIND)
    execlp ("sh", "sh", "-c", "exit $0", digits, NULL);
  _exit (status);
}

/* Calls that are always safe. */
static void
write_and_leave (void)
{
  leave (write (ends[1], "child", 5) == 5 ? 7 : 1);
}

static gboolean
test_fork (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (fork_and_await (write_and_leave, &wait_status, error));
  g_assert_cmpint (WEXITSTATUS (wait_status), ==, 7);
  output = read_all ();
  g_assert_cmpstr (output, ==, "child");
  return TRUE;
}

static void
exec_echo (void)
{
  dup2 (ends[1], STDOUT_FILENO);
  execlp ("echo", "echo", "from", "exec", NULL);
}

static gboolean
test_fork_and_exec (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (fork_and_await (exec_echo, &wait_status, error));
  g_assert_cmpint (wait_status, ==, 0);
  output = read_all ();
  g_assert_cmpstr (output, ==, "from exec\n");
  return TRUE;
}

/* Outside of all tasks, the child cannot await. */
static void
try_to_await (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_current_task ());
  g_assert_false (gtx_sleep (0.001, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_false (gtx_run (sleep_long, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
  g_assert_nonnull (strstr (error->message, "fork"));
  leave (write (ends[1], "refused", 7) == 7 ? 0 : 1);
}

static gboolean
test_fork_and_await (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (fork_and_await (try_to_await, &wait_status, error));
  g_assert_cmpint (wait_status, ==, 0);
  output = read_all ();
  g_assert_cmpstr (output, ==, "refused");
  return TRUE;
}

/* The child does not run a copy of the parent's tasks. */
static void
iterate (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*fork*");
  for (int i = 0; i < 10; i++)
    {
      g_usleep (1000);
      g_main_context_iteration (NULL, FALSE);
    }
  g_test_assert_expected_messages ();
  leave (write (ends[1], "iterated", 8) == 8 ? 0 : 1);
}

static gboolean
test_fork_and_iterate (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (fork_and_await (iterate, &wait_status, error));
  output = read_all ();
  g_assert_cmpstr (output, ==, "iterated");
  g_assert_cmpint (wait_status, ==, 0);
  return TRUE;
}

/* In a new main context the child can have its own tasks. */
static void
run_own_tasks (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxCoroutine coroutine = (GtxCoroutine) sleep_and_note;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run_named ("child", coroutine, (gpointer) "5:slept", NULL));
  g_main_context_pop_thread_default (context);
  leave (write (ends[1], trace->str, trace->len) > 0 ? 0 : 1);
}

static gboolean
test_fork_and_run (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (fork_and_await (run_own_tasks, &wait_status, error));
  output = read_all ();
  g_assert_cmpstr (output, ==, "slept");
  g_assert_cmpint (wait_status, ==, 0);
  return TRUE;
}

/* The child can have its own threads. */
static gboolean
say_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  return write (ends[1], "thread", 6) == 6;
}

static gboolean
await_thread (gpointer data, GError **error)
{
  return gtx_to_thread (say_thread, data, error) && gtx_to_thread (say_thread, data, error);
}

static void
run_own_thread (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  leave (!gtx_run (await_thread, NULL, NULL));
}

static gboolean
do_nothing (gpointer data, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static gboolean
test_fork_and_call_in_thread (gpointer data, GError **error)
{
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_true (gtx_to_thread (do_nothing, data, error));
  g_assert_true (fork_and_await (run_own_thread, &wait_status, error));
  output = read_all ();
  g_assert_cmpstr (output, ==, "threadthread");
  g_assert_cmpint (wait_status, ==, 0);
  return gtx_to_thread (do_nothing, data, error);
}

/* A child that returns to the copy of the main loop is aborted there, whether it returns
 * from a coroutine or from the function that frees its data. */
static gboolean
fork_and_return (pid_t *pid, GError **error)
{
  const struct rlimit no_core = { 0, 0 };

  *pid = fork ();
  if (*pid == 0)
    {
      setrlimit (RLIMIT_CORE, &no_core);
      dup2 (ends[1], STDOUT_FILENO);
      dup2 (ends[1], STDERR_FILENO);
      close (ends[1]);
    }
  return TRUE;
}

static gboolean
return_at_once (pid_t *pid, GError **error)
{
  return TRUE;
}

static void
fork_in_free (gpointer pid)
{
  fork_and_return (pid, NULL);
}

static gboolean
assert_aborts_in_child (GtxTask *created, const pid_t *forked, GError **error)
{
  g_autoptr (GtxTask) task = created;
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  gtx_task_set_name (task, "forker");
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_await_child (*forked, &wait_status, error));
  close (ends[1]);
  output = read_all ();
  g_assert_nonnull (strstr (output, "forker returned in the child of a fork()"));
  g_assert_true (WIFSIGNALED (wait_status));
  return TRUE;
}

static gboolean
test_fork_and_return (gpointer data, GError **error)
{
  pid_t pid;

  return assert_aborts_in_child (gtx_create_task (fork_and_return, &pid, NULL), &pid, error);
}

static gboolean
test_fork_in_free (gpointer data, GError **error)
{
  pid_t pid;

  return assert_aborts_in_child (gtx_create_task (return_at_once, &pid, fork_in_free), &pid, error);
}

/* The fork happens in a callback of the main loop, while tasks wait. */
static gboolean
fork_in_callback (gpointer pid)
{
  *(pid_t *) pid = fork ();
  if (*(pid_t *) pid == 0)
    iterate ();
  return G_SOURCE_REMOVE;
}

static gboolean
test_fork_in_callback (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (say_who_runs, NULL, NULL);
  g_autofree char *output = NULL;
  pid_t pid = -1;
  int wait_status;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_timeout_add (1, fork_in_callback, &pid);
  while (pid == -1)
    g_assert_true (gtx_sleep (0.001, error));
  g_assert_true (gtx_await_child (pid, &wait_status, error));
  close (ends[1]);
  output = read_all ();
  g_assert_cmpstr (output, ==, "iterated");
  g_assert_cmpint (wait_status, ==, 0);
  gtx_cancel (other);
  g_assert_false (gtx_await (other, NULL));
  return TRUE;
}

static gboolean
let_others_run (gpointer data, GError **error)
{
  return gtx_sleep (0, error);
}

/* An operation that the task has begun can be ended in the child. */
static gboolean
fork_in_timeout (pid_t *pid, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 1000);
  *pid = fork ();
  if (*pid == 0)
    {
      gtx_timeout_end (&timeout, NULL, NULL);
      leave (7);
    }
  return gtx_timeout_end (&timeout, NULL, error);
}

static gboolean
test_fork_in_timeout (gpointer data, GError **error)
{
  pid_t pid;
  int wait_status;

  g_assert_true (fork_in_timeout (&pid, error));
  g_assert_true (gtx_await_child (pid, &wait_status, error));
  g_assert_cmpint (wait_status, ==, 7 << 8);
  return TRUE;
}

/* If no task has begun, the child may go on, as a daemon does. */
static void
test_fork_between_runs (void)
{
  g_autoptr (GtxTask) task = NULL;
  pid_t pid;
  int wait_status;

  g_assert_true (gtx_run (let_others_run, NULL, NULL));
  task = gtx_create_task (let_others_run, NULL, NULL);
  pid = fork ();
  if (pid == 0)
    leave (gtx_run (await_future, (GtxFuture *) task, NULL) ? 5 : 1);
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  g_assert_cmpint (WEXITSTATUS (wait_status), ==, 5);
  g_assert_true (gtx_run (await_future, (GtxFuture *) task, NULL));
}

static void
fork_when_done (gpointer future, gpointer pid)
{
  *(pid_t *) pid = fork ();
}

/* The fork happens in a callback of the library, after which tasks begin. */
static void
test_fork_in_done_callback (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  GtxTask *tasks[2];
  pid_t pid = -1;
  int wait_status;

  gtx_future_add_done_callback (future, fork_when_done, &pid, NULL);
  gtx_future_set_result (future, NULL, NULL);
  for (int i = 0; i < 2; i++)
    tasks[i] = gtx_create_task (let_others_run, NULL, NULL);
  while (!gtx_future_is_done (tasks[0]) || !gtx_future_is_done (tasks[1]))
    g_main_context_iteration (NULL, TRUE);
  if (pid == 0)
    leave (5);
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  g_assert_cmpint (wait_status, ==, 5 << 8);
  for (int i = 0; i < 2; i++)
    g_object_unref (tasks[i]);
}

static gboolean
take_turns (gint *is_over, GError **error)
{
  while (!g_atomic_int_get (is_over))
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

static gboolean
take_turns_with_another (gint *is_over, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (take_turns, is_over, NULL);

  return take_turns (is_over, error) && gtx_await (other, error);
}

static gpointer
run_turns (gpointer is_over)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (take_turns_with_another, (gint *) is_over, NULL));
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* Work that other threads had not finished stays unfinished in the child for ever. */
static void
test_fork_beside_threads (void)
{
  gint is_over = FALSE;
  GThread *threads[2];

  g_assert_true (gtx_run (let_others_run, NULL, NULL));
  for (int i = 0; i < 2; i++)
    threads[i] = g_thread_new (NULL, run_turns, &is_over);
  for (int i = 0; i < (SLOW ? 100 : 1000); i++)
    {
      pid_t pid = fork ();
      int wait_status;

      if (pid == 0)
        leave (5);
      g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
      g_assert_cmpint (wait_status, ==, 5 << 8);
    }
  g_atomic_int_set (&is_over, TRUE);
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
}

/* A thread that holds the lock of the default main context. */
typedef struct
{
  GMutex mutex;
  GCond changed;
  gboolean has_lock;
  gboolean may_go_on;
} Holder;

static void
hold_lock (gpointer data)
{
  Holder *holder = data;

  g_mutex_lock (&holder->mutex);
  holder->has_lock = TRUE;
  g_cond_signal (&holder->changed);
  while (!holder->may_go_on)
    g_cond_wait (&holder->changed, &holder->mutex);
  g_mutex_unlock (&holder->mutex);
}

static void
let_go_of_nothing (gpointer data)
{
}

static gboolean
go_away (gpointer data)
{
  return G_SOURCE_REMOVE;
}

static void
give_callback (gpointer data, GSource *source, GSourceFunc *func, gpointer *func_data)
{
  *func = go_away;
  *func_data = NULL;
}

static gpointer
dispatch_default (gpointer data)
{
  g_main_context_iteration (NULL, FALSE);
  return NULL;
}

/* GLib asks for the callback under the lock. */
static GThread *
begin_to_hold (Holder *holder)
{
  static GSourceCallbackFuncs funcs = { hold_lock, let_go_of_nothing, give_callback };
  GSource *source = g_idle_source_new ();
  GThread *thread;

  g_source_set_callback_indirect (source, holder, &funcs);
  g_source_attach (source, NULL);
  g_source_unref (source);
  thread = g_thread_new ("holder", dispatch_default, NULL);
  g_mutex_lock (&holder->mutex);
  while (!holder->has_lock)
    g_cond_wait (&holder->changed, &holder->mutex);
  g_mutex_unlock (&holder->mutex);
  return thread;
}

static void
end_holding (Holder *holder, GThread *thread)
{
  g_mutex_lock (&holder->mutex);
  holder->may_go_on = TRUE;
  g_cond_signal (&holder->changed);
  g_mutex_unlock (&holder->mutex);
  g_thread_join (thread);
}

/* No thread in the child releases the lock. */
static void
test_fork_beside_default (void)
{
  Holder holder = { .has_lock = FALSE };
  GThread *thread = begin_to_hold (&holder);
  g_autofree char *output = NULL;
  int wait_status;
  pid_t pid;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      alarm (SLOW ? 60 : 10);
      run_own_thread ();
    }
  close (ends[1]);
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  end_holding (&holder, thread);
  g_assert_cmpint (wait_status, ==, 0);
  output = read_all ();
  g_assert_cmpstr (output, ==, "threadthread");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/fork/leave", test_fork);
  add_real_coroutine ("/fork/exec", test_fork_and_exec);
  add_real_coroutine ("/fork/await", test_fork_and_await);
  add_real_coroutine ("/fork/iterate", test_fork_and_iterate);
  add_real_coroutine ("/fork/own-tasks", test_fork_and_run);
  /* Children of ThreadSanitizer and of emulators may not have threads. */
  if (!UNDER_TSAN && !UNDER_EMULATOR)
    {
      g_test_add_func ("/fork/own-threads/beside-default", test_fork_beside_default);
      add_real_coroutine ("/fork/own-threads", test_fork_and_call_in_thread);
    }
  add_real_coroutine ("/fork/return", test_fork_and_return);
  add_real_coroutine ("/fork/in-free", test_fork_in_free);
  add_real_coroutine ("/fork/in-callback", test_fork_in_callback);
  add_real_coroutine ("/fork/in-timeout", test_fork_in_timeout);
  g_test_add_func ("/fork/between-runs", test_fork_between_runs);
  g_test_add_func ("/fork/in-done-callback", test_fork_in_done_callback);
  g_test_add_func ("/fork/beside-threads", test_fork_beside_threads);
  return g_test_run ();
}
