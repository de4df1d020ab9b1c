/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task waits for the end of a process.  The end may come while the wait is cancelled, and the
 * process may be another program's child. */

#include "unix-pipe.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* The process goes on without the task, and may be awaited again. */
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
  /* The request came first, so the process has not been waited for. */
  g_assert_true (gtx_await_child (child->pid, &child->wait_status, NULL));
  return FALSE;
}

/* Continues a process that has stopped itself, and waits for its end. */
static void
let_end (GPid pid)
{
  siginfo_t info;

  g_assert_cmpint (waitid (P_PID, (id_t) pid, &info, WSTOPPED | WNOWAIT), ==, 0);
  g_assert_cmpint (kill (pid, SIGCONT), ==, 0);
  g_assert_cmpint (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), ==, 0);
}

static gboolean
cancel_in_turn (gpointer task)
{
  g_assert_true (gtx_cancel (task));
  return G_SOURCE_REMOVE;
}

/* The request comes between the end of the process and the task's turn, which another task's main
 * loop delays.  The exit status is not lost. */
static gboolean
test_child_ended_then_cancelled (gpointer data, GError **error)
{
  Child child = { spawn_shell ("kill -STOP $$; exit 3"), -1 };
  g_autoptr (GtxTask) task = gtx_create_task (await_and_sleep, &child, NULL);

  g_assert_true (gtx_sleep (0, error));
  let_end (child.pid);
  g_idle_add_full (G_PRIORITY_DEFAULT, cancel_in_turn, task, NULL);
  g_main_context_iteration (NULL, FALSE);
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

/* In one turn the main loop finds that the process has ended and that the pipe is readable.  It
 * reports the pipe first. */
static gboolean
test_child_ended_and_cancelled (gpointer data, GError **error)
{
  Child child = { spawn_shell ("kill -STOP $$; exit 3"), -1 };
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) canceller = gtx_create_task (cancel_when_readable, &task, NULL);

  open_pipe ();
  g_assert_true (gtx_sleep (0, error));
  task = gtx_create_task (await_and_sleep, &child, NULL);
  g_assert_true (gtx_sleep (0, error));
  let_end (child.pid);
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
await_status (GPid pid, int *wait_status)
{
  g_autoptr (GError) failure = NULL;

  if (gtx_await_child (pid, wait_status, &failure))
    return TRUE;
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return FALSE;
}

typedef struct
{
  pid_t pid;
  GtxTask *other;
} Wait;

static gboolean
await_and_cancel_other (Wait *self, GError **error)
{
  if (!gtx_await_child (self->pid, NULL, error))
    return FALSE;
  gtx_cancel (self->other);
  return TRUE;
}

static gboolean
await_status_and_sleep (Wait *self, GError **error)
{
  int wait_status;

  g_assert_true (gtx_await_child (self->pid, &wait_status, error));
  g_assert_cmpint (WEXITSTATUS (wait_status), ==, 3);
  return gtx_sleep (9, error);
}

/* The second task is cancelled when the first has got the exit status.  The second gets the status
 * before the request. */
static gboolean
test_child_told_and_cancelled (gpointer data, GError **error)
{
  Wait wait = { spawn_shell ("sleep 0.1; exit 3"), NULL };
  g_autoptr (GtxTask) first = gtx_create_task (await_and_cancel_other, &wait, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (await_status_and_sleep, &wait, NULL);

  wait.other = second;
  g_assert_true (gtx_await (first, error));
  g_assert_false (gtx_await (second, NULL));
  g_assert_true (gtx_future_is_cancelled (second));
  return TRUE;
}

/* The wait fails at once; a thread of this process is no child either. */
static gboolean
test_child_of_others (gpointer data, GError **error)
{
  GPid pid = spawn_shell ("exit 3");
  int wait_status;

  g_assert_false (await_status (getppid (), NULL));
  g_assert_false (await_status (getpid (), NULL));
  g_assert_false (await_status (G_MAXINT, NULL));
  g_assert_cmpint (waitpid (pid, &wait_status, 0), ==, pid);
  g_assert_false (await_status (pid, NULL));
  return TRUE;
}

static gboolean
await_in_vain (gpointer pid, GError **error)
{
  g_assert_false (await_status (GPOINTER_TO_INT (pid), NULL));
  note ("lost");
  return TRUE;
}

/* Other code waits for the process at the same time. */
static gboolean
test_child_reaped (gpointer data, GError **error)
{
  GPid pid = spawn_shell ("exec sleep 100");
  g_autoptr (GtxTask) a = gtx_create_task (await_in_vain, GINT_TO_POINTER (pid), NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_in_vain, GINT_TO_POINTER (pid), NULL);

  g_assert_true (gtx_sleep (0, error));
  kill (pid, SIGTERM);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("lost lost");
  return TRUE;
}

/* The kernel forgets children that end: those that are awaited, and those that
 * ended before. */
static gboolean
await_forgotten (GError **error)
{
  GPid pid = spawn_shell ("exec sleep 100");
  g_autoptr (GtxTask) task = gtx_create_task (await_in_vain, GINT_TO_POINTER (pid), NULL);

  g_assert_true (gtx_sleep (0, error));
  kill (pid, SIGTERM);
  g_assert_true (gtx_await (task, error));
  pid = spawn_shell ("exit 3");
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
  return await_in_vain (GINT_TO_POINTER (pid), error);
}

static gboolean
test_child_ignored (gpointer data, GError **error)
{
  struct sigaction action = { .sa_handler = SIG_IGN };
  struct sigaction before;

  g_assert_cmpint (sigaction (SIGCHLD, &action, &before), ==, 0);
  g_assert_true (await_forgotten (error));
  assert_trace ("lost lost");
  /* This setting has no effect in an emulator. */
  if (!UNDER_EMULATOR)
    {
      action = (struct sigaction) { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
      g_assert_cmpint (sigaction (SIGCHLD, &action, NULL), ==, 0);
      g_assert_true (await_forgotten (error));
      assert_trace ("lost lost");
    }
  g_assert_cmpint (sigaction (SIGCHLD, &before, NULL), ==, 0);
  return TRUE;
}

static gboolean
await_and_note_status (gpointer pid, GError **error)
{
  g_autofree char *what = NULL;
  int wait_status;

  if (!gtx_await_child (GPOINTER_TO_INT (pid), &wait_status, error))
    return FALSE;
  what = g_strdup_printf ("%d", WEXITSTATUS (wait_status));
  note (what);
  return TRUE;
}

/* All waiting tasks get the status, and a later call fails. */
static gboolean
test_child_several (gpointer data, GError **error)
{
  GPid pid = spawn_shell ("kill -STOP $$; exit 3");
  GtxTask *tasks[3];

  for (int i = 0; i < 3; i++)
    tasks[i] = gtx_create_task (await_and_note_status, GINT_TO_POINTER (pid), NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (tasks[1]);
  g_assert_false (gtx_await (tasks[1], NULL));
  let_end (pid);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, tasks[0], tasks[2], NULL));
  assert_trace ("3 3");
  g_assert_false (await_status (pid, NULL));
  for (int i = 0; i < 3; i++)
    g_object_unref (tasks[i]);
  return TRUE;
}

/* ---- Without pidfds ---- */

/* An older kernel fails in this way. */
static void
hide_pidfds (void)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { G_N_ELEMENTS (code), code };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit (77);
}

static void
test_without_pidfds (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  const char *argv[] = { program, "-p", "/unix-child", "-s", "/unix-child/without-pidfds", NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "WITHOUT_PIDFDS", "1", TRUE);
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;
  int wait_status;

  g_spawn_sync (NULL, (char **) argv, environment, 0, NULL, NULL, &output, NULL, &wait_status, &error);
  g_assert_no_error (error);
  if (WIFEXITED (wait_status) && WEXITSTATUS (wait_status) == 77)
    {
      g_test_skip ("system calls cannot be filtered here");
      return;
    }
  g_test_message ("%s", output);
  g_assert_cmpint (wait_status, ==, 0);
  g_assert_nonnull (strstr (output, "ok 1 /unix-child/"));
}

static gboolean
test_child_misuse (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await_child (0, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  if (g_getenv ("WITHOUT_PIDFDS"))
    hide_pidfds ();
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/unix-child/status", test_child);
  add_coroutine ("/unix-child/cancelled", test_child_cancelled);
  add_real_coroutine ("/unix-child/ended-then-cancelled", test_child_ended_then_cancelled);
  add_real_coroutine ("/unix-child/ended-and-cancelled", test_child_ended_and_cancelled);
  add_coroutine ("/unix-child/told-and-cancelled", test_child_told_and_cancelled);
  add_coroutine ("/unix-child/of-others", test_child_of_others);
  add_coroutine ("/unix-child/reaped", test_child_reaped);
  add_coroutine ("/unix-child/ignored", test_child_ignored);
  add_coroutine ("/unix-child/several", test_child_several);
  g_test_add_func ("/unix-child/without-pidfds", test_without_pidfds);
  add_coroutine ("/unix-child/misuse", test_child_misuse);
  return g_test_run ();
}
