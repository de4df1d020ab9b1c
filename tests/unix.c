/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks wait for descriptors and Unix signals. */

#include "unix-pipe.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

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

/* The descriptor is closed during the wait. */
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

/* @what is "CONDITION:WORD". */
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

/* Each task gets the condition that it waits for, in the order of the tasks. */
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

/* A condition for which no task waits any more does not wake the main loop again and again. */
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

/* The woken task runs the main loop, in which another task waits for the descriptor. */
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
      /* This signal is for the next wait. */
      kill (getpid (), SIGUSR1);
      g_assert_true (gtx_sleep (0.02, error));
      kill (getpid (), SIGUSR1);
      g_assert_true (gtx_sleep (0.02, error));
      note ("slept");
    }
  return TRUE;
}

/* The signal does not kill the program.  The second wait gets a signal that came before it. */
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

/* The signal gets its previous action back when the last task that has awaited it ends. */
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

/* The signal comes between the request and the task's turn. */
static gboolean
test_signal_and_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_in_spite, NULL, NULL);
  guint n_seen = 0;
  guint source = g_unix_signal_add (SIGUSR1, count_signal, &n_seen);

  g_assert_true (gtx_sleep (0, error));
  kill (getpid (), SIGUSR1);
  /* The main loop has noticed the signal by then, and has told no task. */
  g_usleep (20000);
  gtx_cancel (task);
  g_assert_true (gtx_await (task, error));
  assert_trace ("cancelled signal");
  g_source_remove (source);
  return TRUE;
}

/* The signal comes, and the first task that gets it cancels the other before that task's turn. */
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

/* ---- Outside of a task ---- */

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
  g_test_add_func ("/unix/outside", test_outside);
  return g_test_run ();
}
