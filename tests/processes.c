/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks beside the processes that they start, and beside signals. */

#define _GNU_SOURCE             /* pipe2 () */

#include "fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOW (RUNNING_ON_VALGRIND || UNDER_ASAN || UNDER_TSAN)

/* ---- GSubprocess ---- */

static gboolean
tick_until (gboolean *is_over, GError **error)
{
  while (!*is_over)
    if (!gtx_sleep (0.001, error))
      return FALSE;
  note ("ticked");
  return TRUE;
}

static gboolean
test_output (gpointer data, GError **error)
{
  g_autoptr (GSubprocess) process =
    g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, error,
                      "sh", "-c", "cat; exit 3", NULL);
  g_autofree char *output = NULL;

  g_assert_nonnull (process);
  g_subprocess_communicate_utf8_async (process, "a line\n", GTX_ASYNC);
  g_assert_true (g_subprocess_communicate_utf8_finish (process, gtx_await_result (), &output, NULL, error));
  g_assert_cmpstr (output, ==, "a line\n");
  g_subprocess_wait_async (process, GTX_ASYNC);
  g_assert_true (g_subprocess_wait_finish (process, gtx_await_result (), error));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 3);
  return TRUE;
}

/* What a task does that does not leave its process behind. */
static gboolean
run_to_the_end (GSubprocess *process, GError **error)
{
  g_subprocess_wait_async (process, GTX_ASYNC);
  if (g_subprocess_wait_finish (process, gtx_await_result (), error))
    return TRUE;
  g_subprocess_force_exit (process);
  g_subprocess_wait_async (process, GTX_ASYNC);
  g_assert_true (g_subprocess_wait_finish (process, gtx_await_result (), NULL));
  note ("killed");
  return FALSE;
}

static gboolean
test_killed (gpointer data, GError **error)
{
  g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, error, "sleep", "1000", NULL);
  gboolean is_over = FALSE;
  g_autoptr (GtxTask) task = gtx_create_task (run_to_the_end, process, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (tick_until, &is_over, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0.005, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (g_subprocess_get_if_signaled (process));
  g_assert_cmpint (g_subprocess_get_term_sig (process), ==, SIGKILL);
  is_over = TRUE;
  g_assert_true (gtx_await (other, error));
  assert_trace ("killed ticked");
  return TRUE;
}

/* ---- fork () ---- */

/* A pipe, in which children say who they are. */
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

/* The child has ended, and with it what it wrote. */
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

/* Where a child ends Valgrind looks for leaks, and finds what the threads held
 * that are the parent's alone: it does not follow into another program. */
static void
leave (int status)
{
  char digits[] = { (char) ('0' + status), 0 };

  if (RUNNING_ON_VALGRIND)
    execlp ("sh", "sh", "-c", "exit $0", digits, NULL);
  _exit (status);
}

/* What is always safe. */
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

/* Outside of all tasks. */
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

/* No copy of a parent's task runs. */
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

/* On a main context of its own a child has tasks of its own. */
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

/* A child whose coroutine goes back to the copy of the main loop ends there. */
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
test_fork_and_return (gpointer data, GError **error)
{
  pid_t pid;
  g_autoptr (GtxTask) task = gtx_create_task (fork_and_return, &pid, NULL);
  g_autofree char *output = NULL;
  int wait_status;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  gtx_task_set_name (task, "forker");
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_await_child (pid, &wait_status, error));
  close (ends[1]);
  output = read_all ();
  g_assert_nonnull (strstr (output, "forker returned in the child of a fork()"));
  g_assert_true (WIFSIGNALED (wait_status));
  return TRUE;
}

/* Neither in a callback of the main loop, beside tasks that wait. */
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

/* What the task had begun can be ended in the child. */
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

/* Where none has begun the child may go on, as a daemon does. */
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

/* The same where the fork is in a callback of ours, and tasks begin behind it. */
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

/* What other threads were about to do stays as it is in the child for ever. */
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

/* ---- What a program that is executed inherits ---- */

#define N_DESCRIPTORS 256

static gboolean was_inheritable[N_DESCRIPTORS];
static int n_inheritable_pipes;

/* In place of the system's: what it opens is inherited by whatever another
 * thread executes meanwhile. */
int
pipe (int fds[2])
{
  n_inheritable_pipes++;
  return pipe2 (fds, 0);
}

static gboolean
is_inheritable (int fd)
{
  int flags = fcntl (fd, F_GETFD);

  return flags >= 0 && !(flags & FD_CLOEXEC);
}

static gboolean
sleep_in_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  g_usleep (1000);
  return TRUE;
}

static gboolean
test_descriptors (gpointer data, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;

  g_assert_true (gtx_sleep (0.001, error));
  g_assert_true (gtx_to_thread (sleep_in_thread, NULL, error));
  g_file_query_info_async (file, "standard::type", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
  info = g_file_query_info_finish (file, gtx_await_result (), error);
  g_assert_nonnull (info);
  for (int fd = 0; fd < N_DESCRIPTORS; fd++)
    g_assert_true (was_inheritable[fd] || !is_inheritable (fd));
  g_assert_cmpint (n_inheritable_pipes, ==, 0);
  return TRUE;
}

/* ---- Who waits for children ---- */

#define N_CHILDREN 5

static void
on_ended (GPid pid, int wait_status, gpointer sum)
{
  *(int *) sum += WEXITSTATUS (wait_status);
}

static gboolean
await_and_add (int *sum, GError **error)
{
  int wait_status;

  if (!gtx_await_child (spawn_shell ("exit 100"), &wait_status, error))
    return FALSE;
  *sum += WEXITSTATUS (wait_status);
  return TRUE;
}

static gboolean
test_child_watches (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  int sum = 0;

  for (int i = 0; i < N_CHILDREN; i++)
    {
      g_child_watch_add (spawn_shell ("exit 1"), on_ended, &sum);
      g_ptr_array_add (tasks, gtx_create_task (await_and_add, &sum, NULL));
    }
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  while (sum < N_CHILDREN * 101)
    g_assert_true (gtx_sleep (0.001, error));
  g_assert_cmpint (sum, ==, N_CHILDREN * 101);
  return TRUE;
}

/* ---- Signals ---- */

static gboolean
count_signal (gpointer n)
{
  ++*(guint *) n;
  return G_SOURCE_CONTINUE;
}

static gboolean
await_usr1 (guint *n, GError **error)
{
  if (!gtx_await_unix_signal (SIGUSR1, error))
    return FALSE;
  ++*n;
  return TRUE;
}

/* Each gets it that waits for it, and those that stay go on to. */
static gboolean
test_signal_sources (gpointer data, GError **error)
{
  guint n_seen[4] = { 0 };
  guint a = g_unix_signal_add (SIGUSR1, count_signal, &n_seen[0]);
  guint b = g_unix_signal_add (SIGUSR1, count_signal, &n_seen[1]);

  for (guint i = 1; i <= 100; i++)
    {
      g_autoptr (GtxTask) c = gtx_create_task (await_usr1, &n_seen[2], NULL);
      g_autoptr (GtxTask) d = gtx_create_task (await_usr1, &n_seen[3], NULL);

      g_assert_true (gtx_sleep (0, error));
      g_assert_cmpint (kill (getpid (), SIGUSR1), ==, 0);
      g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, c, d, NULL));
      g_assert_true (n_seen[2] == i && n_seen[3] == i);
      /* GLib may tell its sources in several turns. */
      while (n_seen[0] < i || n_seen[1] < i)
        g_assert_true (gtx_sleep (0, error));
    }
  kill (getpid (), SIGUSR1);
  while (n_seen[0] == 100 || n_seen[1] == 100)
    g_assert_true (gtx_sleep (0.001, error));
  g_source_remove (a);
  g_source_remove (b);
  return TRUE;
}

/* ---- Handlers that run wherever the thread is ---- */

static gint n_handled;
static gint n_on_alternate_stack;
static guint8 *alternate_stack;

#define ALTERNATE_SIZE 65536

static void
handle (int signum)
{
  volatile guint8 room[2048];

  memset ((guint8 *) room, signum, sizeof (room));
  if (room > alternate_stack && room < alternate_stack + ALTERNATE_SIZE)
    g_atomic_int_inc (&n_on_alternate_stack);
  g_atomic_int_inc (&n_handled);
}

typedef struct
{
  pthread_t target;
  gint n;
} Barrage;

/* The next one when the last has been handled. */
static gpointer
send_signals (gpointer data)
{
  const Barrage *barrage = data;

  for (gint i = 0; i < barrage->n; i++)
    {
      pthread_kill (barrage->target, SIGUSR2);
      while (g_atomic_int_get (&n_handled) <= i)
        g_usleep (10);
    }
  return NULL;
}

static gboolean
count_on (const gint *enough, GError **error)
{
  guint64 n = 0;
  double x = 0.25;

  while (g_atomic_int_get (&n_handled) < *enough)
    {
      n++, x += 1;
      g_assert_true (gtx_sleep (0, error));
      g_assert_cmpfloat (x, ==, (double) n + 0.25);
    }
  return TRUE;
}

static gboolean
bear_signals (const int *flags, GError **error)
{
  struct sigaction action = { .sa_handler = handle, .sa_flags = *flags };
  struct sigaction previous;
  Barrage barrage = { pthread_self (), SLOW ? 100 : 1000 };
  GThread *sender;
  g_autoptr (GtxTask) a = gtx_create_task (count_on, &barrage.n, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (count_on, &barrage.n, NULL);

  n_handled = n_on_alternate_stack = 0;
  sigaction (SIGUSR2, &action, &previous);
  sender = g_thread_new ("sender", send_signals, &barrage);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  g_thread_join (sender);
  sigaction (SIGUSR2, &previous, NULL);
  g_assert_cmpint (n_handled, ==, barrage.n);
  /* ThreadSanitizer puts most of them off, and calls the handler itself. */
  if (!UNDER_TSAN)
    g_assert_cmpint (n_on_alternate_stack, ==, *flags & SA_ONSTACK ? barrage.n : 0);
  return TRUE;
}

static gboolean
test_handler (gpointer data, GError **error)
{
  const int flags = SA_RESTART;

  return bear_signals (&flags, error);
}

static gboolean
test_handler_on_stack (gpointer data, GError **error)
{
  const int flags = SA_RESTART | SA_ONSTACK;
  stack_t stack = { .ss_size = ALTERNATE_SIZE };
  stack_t previous;

  stack.ss_sp = alternate_stack = g_malloc (ALTERNATE_SIZE);
  g_assert_cmpint (sigaltstack (&stack, &previous), ==, 0);
  g_assert_true (bear_signals (&flags, error));
  g_assert_cmpint (sigaltstack (&previous, NULL), ==, 0);
  g_clear_pointer (&alternate_stack, g_free);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  for (int fd = 0; fd < N_DESCRIPTORS; fd++)
    was_inheritable[fd] = is_inheritable (fd);
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/processes/await/output", test_output);
  add_real_coroutine ("/processes/await/killed", test_killed);
  add_real_coroutine ("/processes/fork/leave", test_fork);
  add_real_coroutine ("/processes/fork/exec", test_fork_and_exec);
  add_real_coroutine ("/processes/fork/await", test_fork_and_await);
  add_real_coroutine ("/processes/fork/iterate", test_fork_and_iterate);
  add_real_coroutine ("/processes/fork/own-tasks", test_fork_and_run);
  add_real_coroutine ("/processes/fork/return", test_fork_and_return);
  add_real_coroutine ("/processes/fork/in-callback", test_fork_in_callback);
  add_real_coroutine ("/processes/fork/in-timeout", test_fork_in_timeout);
  g_test_add_func ("/processes/fork/between-runs", test_fork_between_runs);
  g_test_add_func ("/processes/fork/in-done-callback", test_fork_in_done_callback);
  g_test_add_func ("/processes/fork/beside-threads", test_fork_beside_threads);
  add_real_coroutine ("/processes/descriptors", test_descriptors);
  add_real_coroutine ("/processes/child-watches", test_child_watches);
  add_real_coroutine ("/processes/signal/sources", test_signal_sources);
  add_real_coroutine ("/processes/signal/handler", test_handler);
  add_real_coroutine ("/processes/signal/handler-on-stack", test_handler_on_stack);
  return g_test_run ();
}
