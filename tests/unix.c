/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void
open_pipe (void)
{
  g_assert_cmpint (pipe (ends), ==, 0);
}

static void
close_pipe (void)
{
  close (ends[0]);
  if (ends[1] >= 0)
    close (ends[1]);
}

static gboolean
await_readable (gpointer data, GError **error)
{
  GIOCondition condition = gtx_await_fd (ends[0], G_IO_IN, error);

  if (condition == 0)
    return FALSE;
  note (condition & G_IO_IN ? "in" : "");
  note (condition & G_IO_HUP ? "hup" : "");
  return TRUE;
}

static gboolean
test_fd (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  open_pipe ();
  task = gtx_create_task (await_readable, NULL, NULL);
  for (int i = 0; i < 100; i++)
    g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("in ");
  close_pipe ();
  return TRUE;
}

static gboolean
test_fd_closed (gpointer data, GError **error)
{
  open_pipe ();
  close (ends[1]);
  ends[1] = -1;
  g_assert_true (await_readable (NULL, error));
  assert_trace ("hup");
  close_pipe ();
  return TRUE;
}

static gboolean
test_fd_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GError) failure = NULL;

  open_pipe ();
  task = gtx_create_task (await_readable, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  close_pipe ();
  return TRUE;
}

static gboolean
test_fd_timeout (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GError) failure = NULL;

  open_pipe ();
  task = gtx_task_new (await_readable, NULL, NULL);
  g_assert_false (gtx_wait_for (task, 0.01, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  close_pipe ();
  return TRUE;
}

static gboolean
test_fd_misuse (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  open_pipe ();
  close_pipe ();
  g_assert_cmpint (gtx_await_fd (ends[0], G_IO_IN, &failure), ==, 0);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_cmpint (gtx_await_fd (-1, G_IO_IN, &failure), ==, 0);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

/* ---- Signals ---- */

static gboolean
await_usr1 (gpointer data, GError **error)
{
  if (!gtx_await_unix_signal (SIGUSR1, error))
    return FALSE;
  note ("signal");
  return TRUE;
}

static gboolean
test_signal (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_usr1, NULL, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_usr1, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("signal signal");
  return TRUE;
}

static gboolean
test_signal_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_usr1, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_trace ("");
  return TRUE;
}

static gboolean
test_signal_misuse (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await_unix_signal (SIGKILL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

/* ---- Processes ---- */

static gboolean
test_child (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  int wait_status;

  g_assert_true (gtx_await_child (spawn_shell ("exit 3"), &wait_status, error));
  g_assert_false (g_spawn_check_wait_status (wait_status, &failure));
  g_assert_error (failure, G_SPAWN_EXIT_ERROR, 3);
  g_assert_true (gtx_await_child (spawn_shell ("true"), NULL, error));
  return TRUE;
}

static gboolean
await_pid (gpointer pid, GError **error)
{
  return gtx_await_child (GPOINTER_TO_INT (pid), NULL, error);
}

/* It goes on without the task that waited, and may be awaited again. */
static gboolean
test_child_cancelled (gpointer data, GError **error)
{
  GPid pid = spawn_shell ("exec sleep 100");
  g_autoptr (GtxTask) task = gtx_create_task (await_pid, GINT_TO_POINTER (pid), NULL);
  int wait_status;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  kill (pid, SIGTERM);
  g_assert_true (gtx_await_child (pid, &wait_status, error));
  g_assert_true (WIFSIGNALED (wait_status));
  return TRUE;
}

typedef struct
{
  GPid pid;
  int wait_status;
} Child;

static gboolean
await_and_sleep (Child *child, GError **error)
{
  if (gtx_await_child (child->pid, &child->wait_status, error))
    return gtx_sleep (0, error);
  /* GLib had not asked how it ended. */
  g_assert_true (gtx_await_child (child->pid, &child->wait_status, NULL));
  return FALSE;
}

static gboolean
is_reaped (GPid pid)
{
  siginfo_t info;

  return waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0;
}

/* The request comes between the process's end and the task's turn, which it
 * does not get while the main loop is run from another: its end is not lost. */
static gboolean
test_child_ended_then_cancelled (gpointer data, GError **error)
{
  Child child = { spawn_shell ("exit 3"), -1 };
  g_autoptr (GtxTask) task = gtx_create_task (await_and_sleep, &child, NULL);

  g_assert_true (gtx_sleep (0, error));
  while (!is_reaped (child.pid))
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpint (WEXITSTATUS (child.wait_status), ==, 3);
  return TRUE;
}

static gboolean
cancel_when_readable (GtxTask **task, GError **error)
{
  if (!await_readable (NULL, error))
    return FALSE;
  gtx_cancel (*task);
  return TRUE;
}

/* The main loop finds in one turn that the process has ended and that the pipe
 * is readable, and tells of the pipe first. */
static gboolean
test_child_ended_and_cancelled (gpointer data, GError **error)
{
  Child child = { spawn_shell ("kill -STOP $$; exit 3"), -1 };
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) canceller = gtx_create_task (cancel_when_readable, &task, NULL);
  siginfo_t info;

  open_pipe ();
  g_assert_true (gtx_sleep (0, error));
  task = gtx_create_task (await_and_sleep, &child, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (waitid (P_PID, (id_t) child.pid, &info, WSTOPPED | WNOWAIT), ==, 0);
  g_assert_cmpint (kill (child.pid, SIGCONT), ==, 0);
  /* Where there are no pidfds a thread of GLib's asks for the status at once. */
  g_assert_true (waitid (P_PID, (id_t) child.pid, &info, WEXITED | WNOWAIT) == 0 || errno == ECHILD);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  g_assert_true (gtx_await (canceller, error));
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpint (WEXITSTATUS (child.wait_status), ==, 3);
  assert_trace ("in ");
  close_pipe ();
  return TRUE;
}

static gboolean
test_child_misuse (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await_child (0, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (gtx_await_fd (0, G_IO_IN, &error), ==, 0);
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_false (gtx_await_unix_signal (SIGUSR1, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_false (gtx_await_child (getpid (), NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/unix/fd/readable", test_fd);
  add_coroutine ("/unix/fd/closed", test_fd_closed);
  add_coroutine ("/unix/fd/cancelled", test_fd_cancelled);
  add_real_coroutine ("/unix/fd/timeout", test_fd_timeout);
  add_coroutine ("/unix/fd/misuse", test_fd_misuse);
  add_real_coroutine ("/unix/signal/all", test_signal);
  add_real_coroutine ("/unix/signal/cancelled", test_signal_cancelled);
  add_coroutine ("/unix/signal/misuse", test_signal_misuse);
  add_coroutine ("/unix/child/status", test_child);
  add_coroutine ("/unix/child/cancelled", test_child_cancelled);
  add_real_coroutine ("/unix/child/ended-then-cancelled", test_child_ended_then_cancelled);
  add_real_coroutine ("/unix/child/ended-and-cancelled", test_child_ended_and_cancelled);
  add_coroutine ("/unix/child/misuse", test_child_misuse);
  g_test_add_func ("/unix/outside", test_outside);
  return g_test_run ();
}
