/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT in gtx_run().  Each case is a child process, which sends the signal to itself, and has one thread
 * unless it says so: the signal is handled before kill() returns. */

#include "fixture.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED (-1)             /* by SIGINT */

/* Returns with what the child ends. */
static int
end_of (pid_t child)
{
  int status;

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGINT)
    return KILLED;
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

typedef struct
{
  const char *path;
  int (*run) (void);
  int end;
} Case;

/* The test may have been started with SIGINT ignored. */
static void
run_case (gconstpointer data)
{
  const Case *c = data;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      signal (SIGINT, SIG_DFL);
      _exit (c->run ());
    }
  g_assert_cmpint (end_of (child), ==, c->end);
}

static void
interrupt (void)
{
  g_assert_cmpint (kill (getpid (), SIGINT), ==, 0);
}

static void
assert_handler (void (*handler) (int))
{
  struct sigaction action;

  g_assert_cmpint (sigaction (SIGINT, NULL, &action), ==, 0);
  g_assert_true (action.sa_handler == handler);
}

static void
assert_interrupted (GtxCoroutine coroutine)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run_named ("interrupted", coroutine, NULL, &error));
  assert_cancelled (error);
  g_assert_cmpstr (error->message, ==, "The run was interrupted by SIGINT");
  assert_handler (SIG_DFL);
}

/* ---- The first and the second ---- */

static int n_cleaned;

static gboolean
be_interrupted (gpointer data, GError **error)
{
  interrupt ();
  g_assert_false (gtx_sleep (1000, error));
  g_assert_nonnull (strstr ((*error)->message, "SIGINT"));
  g_assert_true (gtx_sleep (0.001, NULL));
  n_cleaned++;
  return FALSE;
}

static int
interrupt_once (void)
{
  for (int i = 1; i <= 3; i++)
    {
      assert_interrupted (be_interrupted);
      g_assert_cmpint (n_cleaned, ==, i);
    }
  return 0;
}

static gboolean
be_interrupted_twice (gpointer data, GError **error)
{
  interrupt ();
  g_assert_false (gtx_sleep (1000, error));
  interrupt ();
  return FALSE;
}

static int
interrupt_twice (void)
{
  gtx_run (be_interrupted_twice, NULL, NULL);
  return 1;
}

static gboolean
be_busy (gpointer data, GError **error)
{
  interrupt ();
  interrupt ();
  return TRUE;
}

/* The task does not go back to the main loop in between. */
static int
interrupt_busy (void)
{
  gtx_run (be_busy, NULL, NULL);
  return 1;
}

/* ---- How the coroutine ends ---- */

static gboolean
carry_on (gpointer data, GError **error)
{
  interrupt ();
  g_assert_false (gtx_sleep (1000, NULL));
  return gtx_sleep (0.001, error);
}

static int
interrupt_in_vain (void)
{
  g_assert_true (gtx_run (carry_on, NULL, NULL));
  assert_handler (SIG_DFL);
  assert_interrupted (be_interrupted);
  return 0;
}

static gboolean
fail_otherwise (gpointer data, GError **error)
{
  interrupt ();
  g_assert_false (gtx_sleep (1000, NULL));
  return fail ("broken", error);
}

static int
interrupt_failing (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (fail_otherwise, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  return 0;
}

static gboolean
return_at_once (gpointer data, GError **error)
{
  interrupt ();
  return TRUE;
}

/* The main loop does not turn between the signal and the end. */
static int
interrupt_last (void)
{
  assert_interrupted (return_at_once);
  return 0;
}

static gboolean
be_cancelled_as_well (gpointer data, GError **error)
{
  interrupt ();
  g_assert_false (gtx_sleep (1000, NULL));
  gtx_cancel (gtx_current_task ());
  return gtx_sleep (1000, error);
}

static int
interrupt_cancelled (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (be_cancelled_as_well, NULL, &error));
  assert_cancelled (error);
  g_assert_null (strstr (error->message, "The run"));
  return 0;
}

/* ---- Tasks that are left ---- */

static gboolean kills_in_clean_up;

static gboolean
clean_up (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (1000, error));
  if (kills_in_clean_up)
    interrupt ();
  g_assert_true (gtx_sleep (0.001, NULL));
  n_cleaned++;
  return FALSE;
}

static gboolean
leave_task (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (clean_up, NULL, NULL));
  g_assert_true (gtx_sleep (0, error));
  interrupt ();
  return gtx_sleep (1000, error);
}

static int
interrupt_with_others (void)
{
  assert_interrupted (leave_task);
  g_assert_cmpint (n_cleaned, ==, 1);
  return 0;
}

static int
interrupt_clean_up (void)
{
  kills_in_clean_up = TRUE;
  gtx_run (leave_task, NULL, NULL);
  return 1;
}

/* ---- Other handlers ---- */

static int n_handled;

static void
handle (int signum)
{
  n_handled++;
}

static gboolean
on_signal (gpointer data)
{
  n_handled++;
  gtx_event_set (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
go_on (gpointer data, GError **error)
{
  interrupt ();
  return gtx_sleep (0.001, error);
}

static int
keep_handler (void)
{
  signal (SIGINT, handle);
  g_assert_true (gtx_run (go_on, NULL, NULL));
  assert_handler (handle);
  g_assert_cmpint (n_handled, ==, 1);
  return 0;
}

static int
keep_ignored (void)
{
  signal (SIGINT, SIG_IGN);
  g_assert_true (gtx_run (go_on, NULL, NULL));
  assert_handler (SIG_IGN);
  return 0;
}

static gboolean
set_handler (struct sigaction *old, GError **error)
{
  struct sigaction action = { .sa_handler = handle };

  sigaction (SIGINT, &action, old);
  return go_on (NULL, error);
}

static int
set_handler_in_run (void)
{
  struct sigaction old;

  g_assert_true (gtx_run (set_handler, &old, NULL));
  assert_handler (handle);
  g_assert_cmpint (n_handled, ==, 1);
  return 0;
}

/* A handler that calls the one before it, after the run. */
static int
call_old_handler (void)
{
  struct sigaction old;

  g_assert_true (gtx_run (set_handler, &old, NULL));
  old.sa_handler (SIGINT);
  return 1;
}

static gboolean
wait_for_source (GtxEvent *event, GError **error)
{
  guint id = g_unix_signal_add (SIGINT, on_signal, event);
  gboolean waited;

  g_assert_true (gtx_sleep (0.001, error));
  interrupt ();
  waited = gtx_event_wait (event, error);
  g_source_remove (id);
  return waited;
}

static int
add_source_in_run (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();

  g_assert_true (gtx_run (wait_for_source, event, NULL));
  g_assert_cmpint (n_handled, ==, 1);
  return 0;
}

static GtxEvent *handled;

static gboolean
wait_for_handled (gpointer data, GError **error)
{
  interrupt ();
  return gtx_event_wait (handled, error);
}

static int
add_source_before (void)
{
  handled = gtx_event_new ();
  g_unix_signal_add (SIGINT, on_signal, handled);
  g_assert_true (gtx_run (wait_for_handled, NULL, NULL));
  g_assert_cmpint (n_handled, ==, 1);
  return 0;
}

static gboolean
await_signal (gpointer data, GError **error)
{
  return gtx_await_unix_signal (SIGINT, error);
}

static gboolean
await_in_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_signal, NULL, NULL);

  g_assert_true (gtx_sleep (0.001, error));
  interrupt ();
  g_assert_true (gtx_await (task, error));
  if (data)
    interrupt ();
  return TRUE;
}

static int
await_signal_in_run (void)
{
  g_assert_true (gtx_run (await_in_task, NULL, NULL));
  assert_handler (SIG_DFL);
  return 0;
}

/* When the task has ended, the signal has its default action. */
static int
await_signal_once (void)
{
  gtx_run (await_in_task, (gpointer) "again", NULL);
  return 1;
}

/* ---- Where it is not handled ---- */

static gpointer
run_in_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  gtx_run (go_on, NULL, NULL);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static int
interrupt_thread (void)
{
  g_thread_join (g_thread_new (NULL, run_in_thread, NULL));
  return 1;
}

static int
interrupt_virtual_time (void)
{
  gtx_test_run (go_on, NULL, NULL);
  return 1;
}

/* ---- Children ---- */

static gboolean
outlive_child (gpointer data, GError **error)
{
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      interrupt ();
      _exit (1);
    }
  g_assert_cmpint (end_of (child), ==, KILLED);
  return gtx_sleep (0.001, error);
}

/* The child of a task has no run, and the parent's is not told. */
static int
fork_in_run (void)
{
  g_assert_true (gtx_run (outlive_child, NULL, NULL));
  assert_interrupted (be_interrupted);
  return 0;
}

static gboolean
fork_and_run (gpointer data, GError **error)
{
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();

      g_main_context_push_thread_default (context);
      assert_interrupted (be_interrupted);
      g_main_context_pop_thread_default (context);
      _exit (7);
    }
  g_assert_cmpint (end_of (child), ==, 7);
  return gtx_sleep (0.001, error);
}

static int
fork_run_in_run (void)
{
  g_assert_true (gtx_run (fork_and_run, NULL, NULL));
  assert_interrupted (be_interrupted);
  return 0;
}

static gpointer
interrupt_this_thread (gpointer data)
{
  pthread_kill (pthread_self (), SIGINT);
  return NULL;
}

static gboolean
be_interrupted_elsewhere (gpointer data, GError **error)
{
  g_thread_join (g_thread_new (NULL, interrupt_this_thread, NULL));
  return gtx_sleep (1000, error);
}

/* Another thread gets the signal while this one polls, or is about to. */
static int
interrupt_elsewhere (void)
{
  assert_interrupted (be_interrupted_elsewhere);
  return 0;
}

static const Case cases[] = {
  { "/interrupt/once", interrupt_once, 0 },
  { "/interrupt/twice", interrupt_twice, KILLED },
  { "/interrupt/twice/busy", interrupt_busy, KILLED },
  { "/interrupt/in-vain", interrupt_in_vain, 0 },
  { "/interrupt/failing", interrupt_failing, 0 },
  { "/interrupt/last", interrupt_last, 0 },
  { "/interrupt/cancelled", interrupt_cancelled, 0 },
  { "/interrupt/others", interrupt_with_others, 0 },
  { "/interrupt/others/clean-up", interrupt_clean_up, KILLED },
  { "/interrupt/handler", keep_handler, 0 },
  { "/interrupt/handler/ignored", keep_ignored, 0 },
  { "/interrupt/handler/in-run", set_handler_in_run, 0 },
  { "/interrupt/handler/old", call_old_handler, KILLED },
  { "/interrupt/source", add_source_before, 0 },
  { "/interrupt/source/in-run", add_source_in_run, 0 },
  { "/interrupt/await", await_signal_in_run, 0 },
  { "/interrupt/await/once", await_signal_once, KILLED },
  { "/interrupt/thread", interrupt_thread, KILLED },
  { "/interrupt/thread/elsewhere", interrupt_elsewhere, 0 },
  { "/interrupt/virtual-time", interrupt_virtual_time, KILLED },
  { "/interrupt/fork", fork_in_run, 0 },
  { "/interrupt/fork/run", fork_run_in_run, 0 },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* ThreadSanitizer lets the child of a fork () in a run go on before it handles the signal. */
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    if (!UNDER_TSAN || cases[i].run != fork_in_run)
      g_test_add_data_func (cases[i].path, &cases[i], run_case);
  return g_test_run ();
}
