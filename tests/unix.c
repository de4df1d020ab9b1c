/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>

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

/* While it is awaited. */
static gboolean
test_fd_closed_meanwhile (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  open_pipe ();
  a = gtx_create_task (await_readable, NULL, NULL);
  b = gtx_create_task (await_readable, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  close_pipe ();
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_await (i ? b : a, &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
    }
  assert_trace ("");
  return TRUE;
}

/* ---- Several on one descriptor ---- */

static void
open_sockets (void)
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
}

/* Its word is "CONDITION:WORD". */
static gboolean
await_and_note (const char *what, GError **error)
{
  const char *word = strchr (what, ':') + 1;
  GIOCondition condition = gtx_await_fd (ends[0], (GIOCondition) atoi (what), error);
  g_autofree char *came = g_strdup_printf ("%s=%d", word, (int) condition);

  note (came);
  return condition != 0;
}

#define IN "1:"
#define OUT "4:"
#define IN_OUT "5:"

/* Each gets what it asked for, in the order in which they came. */
static gboolean
test_fd_several (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (await_and_note, IN "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_and_note, OUT "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (await_and_note, IN_OUT "c", NULL);
  g_autoptr (GtxTask) d = gtx_create_task (await_and_note, IN "d", NULL);
  g_autoptr (GtxTask) e = NULL;

  open_sockets ();
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, b, c, NULL));
  assert_trace ("b=4 c=4");
  e = gtx_create_task (await_and_note, IN_OUT "e", NULL);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, d, e, NULL));
  assert_trace ("a=1 d=1 e=5");
  close_pipe ();
  return TRUE;
}

/* What nobody waits for any more does not wake the main loop again and again. */
static gboolean
test_fd_leaves (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = gtx_create_task (await_and_note, IN "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (await_and_note, IN "c", NULL);
  guint n = 0;

  open_sockets ();
  g_assert_true (gtx_sleep (0, error));
  a = gtx_create_task (await_and_note, IN_OUT "a", NULL);
  g_assert_true (gtx_await (a, error));
  gtx_cancel (b);
  g_assert_false (gtx_await (b, NULL));
  assert_trace ("a=4 b=0");
  g_assert_true (gtx_sleep (0.02, error));
  while (g_main_context_iteration (NULL, FALSE))
    g_assert_cmpuint (++n, <, 100);
  close (ends[1]);
  ends[1] = -1;
  g_assert_true (gtx_await (c, error));
  assert_trace ("c=17");
  close_pipe ();
  return TRUE;
}

static gboolean
run_loop_when_readable (GtxTask **other, GError **error)
{
  if (gtx_await_fd (ends[0], G_IO_IN, error) == 0)
    return FALSE;
  g_assert_cmpint (write (ends[0], "y", 1), ==, 1);
  *other = gtx_create_task (await_and_note, IN "other", NULL);
  while (!gtx_future_is_done (*other))
    g_main_context_iteration (NULL, TRUE);
  note ("loop");
  return TRUE;
}

/* The task that it wakes runs the main loop, in which another waits for it. */
static gboolean
test_fd_nested (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (run_loop_when_readable, &other, NULL);

  open_sockets ();
  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("other=1 loop");
  close_pipe ();
  return TRUE;
}

static gboolean
read_all (gpointer data, GError **error)
{
  char byte;

  do
    {
      if (gtx_await_fd (ends[0], G_IO_IN, error) == 0 || read (ends[0], &byte, 1) < 0)
        return FALSE;
      note ((char[]) { byte, '\0' });
    }
  while (byte != 'c');
  return TRUE;
}

static gboolean
test_fd_again (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (read_all, NULL, NULL);

  open_pipe ();
  for (const char *byte = "abc"; *byte; byte++)
    {
      g_assert_cmpint (write (ends[1], byte, 1), ==, 1);
      g_assert_true (gtx_sleep (0.001, error));
    }
  g_assert_true (gtx_await (task, error));
  assert_trace ("a b c");
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
count_signal (gpointer n)
{
  ++*(guint *) n;
  return G_SOURCE_CONTINUE;
}

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
is_default (int signum)
{
  struct sigaction action;

  g_assert_cmpint (sigaction (signum, NULL, &action), ==, 0);
  return action.sa_handler == SIG_DFL;
}

static gboolean
await_three (gpointer data, GError **error)
{
  for (int i = 0; i < 3; i++)
    {
      if (!await_usr1 (NULL, error))
        return FALSE;
      /* What comes now is for the next time. */
      kill (getpid (), SIGUSR1);
      g_assert_true (gtx_sleep (0.02, error));
      kill (getpid (), SIGUSR1);
      g_assert_true (gtx_sleep (0.02, error));
      note ("slept");
    }
  return TRUE;
}

/* The program lives, and the second wait is for what came before it. */
static gboolean
test_signal_between (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_three, NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  g_assert_true (gtx_await (task, error));
  assert_trace ("signal slept signal slept signal slept");
  g_assert_true (is_default (SIGUSR1));
  return TRUE;
}

static gboolean
await_twice (gpointer data, GError **error)
{
  return await_usr1 (NULL, error) && await_usr1 (NULL, error);
}

/* It is given back with the end of the last task that has awaited it. */
static gboolean
test_signal_given_back (gpointer data, GError **error)
{
  g_autoptr (GtxTask) once = gtx_create_task (await_usr1, NULL, NULL);
  g_autoptr (GtxTask) twice = gtx_create_task (await_twice, NULL, NULL);

  g_assert_true (is_default (SIGUSR1));
  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  g_assert_true (gtx_await (once, error));
  g_assert_false (is_default (SIGUSR1));
  kill (getpid (), SIGUSR1);
  g_assert_true (gtx_await (twice, error));
  g_assert_true (is_default (SIGUSR1));
  assert_trace ("signal signal signal");
  return TRUE;
}

static gboolean
await_in_spite (gpointer data, GError **error)
{
  g_assert_false (gtx_await_unix_signal (SIGUSR1, NULL));
  note ("cancelled");
  return await_usr1 (NULL, error);
}

/* It comes between the request and the task's turn. */
static gboolean
test_signal_and_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_in_spite, NULL, NULL);
  guint n_seen = 0;
  guint source = g_unix_signal_add (SIGUSR1, count_signal, &n_seen);

  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  /* The main loop knows of it by then, and tells nobody. */
  g_usleep (20000);
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("cancelled signal");
  g_source_remove (source);
  return TRUE;
}

/* It comes, and whoever hears of it first cancels the other one before that has its turn. */
static gboolean
hear_and_cancel (GtxTask *other, GError **error)
{
  if (!gtx_await_unix_signal (SIGUSR1, error))
    return FALSE;
  gtx_cancel (other);
  return TRUE;
}

static gboolean
start_in_spite (GtxTask **other, GError **error)
{
  g_assert_true (gtx_sleep (0, error));
  return await_in_spite (NULL, error);
}

static gboolean
test_signal_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (start_in_spite, (GtxTask **) NULL, NULL);
  g_autoptr (GtxTask) first = gtx_create_task (hear_and_cancel, other, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  g_assert_true (gtx_await (other, error));
  g_assert_true (gtx_await (first, error));
  assert_trace ("cancelled signal");
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
  /* It was not asked how it ended. */
  g_assert_true (gtx_await_child (child->pid, &child->wait_status, NULL));
  return FALSE;
}

/* One that has stopped itself. */
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

/* The request comes between the process's end and the task's turn, which it
 * does not get while the main loop is run from another: its end is not lost. */
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

/* The main loop finds in one turn that the process has ended and that the pipe
 * is readable, and tells of the pipe first. */
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

/* Who is cancelled when another has asked how it ended is told so first. */
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

/* An error at once, and a thread of ours is none either. */
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

/* Somebody else asks while it is awaited. */
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
  /* To an emulator this says nothing. */
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

/* All that wait are told, and nobody later. */
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

/* As an older kernel answers. */
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
  const char *argv[] = { program, "-p", "/unix/child", NULL };
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
  g_assert_nonnull (strstr (output, "ok 1 /unix/child/"));
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
  if (g_getenv ("WITHOUT_PIDFDS"))
    hide_pidfds ();
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/unix/fd/readable", test_fd);
  add_coroutine ("/unix/fd/closed", test_fd_closed);
  add_coroutine ("/unix/fd/cancelled", test_fd_cancelled);
  add_real_coroutine ("/unix/fd/timeout", test_fd_timeout);
  add_coroutine ("/unix/fd/closed-meanwhile", test_fd_closed_meanwhile);
  add_coroutine ("/unix/fd/several", test_fd_several);
  add_real_coroutine ("/unix/fd/leaves", test_fd_leaves);
  add_coroutine ("/unix/fd/nested", test_fd_nested);
  add_real_coroutine ("/unix/fd/again", test_fd_again);
  add_coroutine ("/unix/fd/misuse", test_fd_misuse);
  add_real_coroutine ("/unix/signal/all", test_signal);
  add_real_coroutine ("/unix/signal/cancelled", test_signal_cancelled);
  add_real_coroutine ("/unix/signal/between", test_signal_between);
  add_real_coroutine ("/unix/signal/given-back", test_signal_given_back);
  add_real_coroutine ("/unix/signal/and-cancelled", test_signal_and_cancelled);
  add_real_coroutine ("/unix/signal/then-cancelled", test_signal_then_cancelled);
  add_coroutine ("/unix/signal/misuse", test_signal_misuse);
  add_coroutine ("/unix/child/status", test_child);
  add_coroutine ("/unix/child/cancelled", test_child_cancelled);
  add_real_coroutine ("/unix/child/ended-then-cancelled", test_child_ended_then_cancelled);
  add_real_coroutine ("/unix/child/ended-and-cancelled", test_child_ended_and_cancelled);
  add_coroutine ("/unix/child/told-and-cancelled", test_child_told_and_cancelled);
  add_coroutine ("/unix/child/of-others", test_child_of_others);
  add_coroutine ("/unix/child/reaped", test_child_reaped);
  add_coroutine ("/unix/child/ignored", test_child_ignored);
  add_coroutine ("/unix/child/several", test_child_several);
  g_test_add_func ("/unix/without-pidfds", test_without_pidfds);
  add_coroutine ("/unix/child/misuse", test_child_misuse);
  g_test_add_func ("/unix/outside", test_outside);
  return g_test_run ();
}
