/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks and the processes that they start, and tasks and signals. */

#define _GNU_SOURCE             /* pipe2 () */

#include "fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
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

/* A task should end its process in this way, instead of leaving it behind. */
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

/* ---- Descriptors that an executed program inherits ---- */

#define N_DESCRIPTORS 256

static gboolean was_inheritable[N_DESCRIPTORS];
static int n_inheritable_pipes;

/* This function replaces the system's, which lets programs inherit a descriptor if another thread
 * executes one meanwhile. */
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

/* ---- Waiting for children ---- */

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

/* Each task that waits for the signal gets it, and so does each source. */
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
      /* GLib may dispatch its sources in several turns. */
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

/* Sends the next signal after the last one was handled. */
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
  /* ThreadSanitizer delays most signals, and calls the handler itself. */
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
  add_real_coroutine ("/processes/descriptors", test_descriptors);
  add_real_coroutine ("/processes/child-watches", test_child_watches);
  add_real_coroutine ("/processes/signal/sources", test_signal_sources);
  add_real_coroutine ("/processes/signal/handler", test_handler);
  add_real_coroutine ("/processes/signal/handler-on-stack", test_handler_on_stack);
  return g_test_run ();
}
