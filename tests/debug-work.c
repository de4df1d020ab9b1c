/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs of debug.c: they overflow their stacks, use much or little of them, or take long. */

#include "debug-work.h"
#include "fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- Simulated time ---- */

static gint64 now = G_USEC_PER_SEC;

/* This definition replaces GLib's, for the library, too. */
gint64
g_get_monotonic_time (void)
{
  return now;
}

static void
work_for (guint milliseconds)
{
  now += milliseconds * 1000;
}

/* The program has no timer, which would be due neither in GLib's time nor in this one. */
static gboolean
wait_for_ever (GError **error)
{
  g_autoptr (GtxFuture) never = gtx_future_new ();

  return gtx_await (never, error);
}

/* ---- Overflows ---- */

/* The compiler does not optimize an array away if it knows nothing about its use. */
#define KEEP(array) __asm__ volatile ("" : : "r" (array) : "memory")

/* Uses at least @bytes of stack, in small steps. */
static G_GNUC_NO_INLINE int
dig (gssize bytes)
{
  volatile char here[512];

  KEEP (here);
  here[0] = 1;
  return bytes < (gssize) sizeof here ? here[0] : dig (bytes - (gssize) sizeof here) + here[0];
}

/* The frame is larger than any guard, and all but its far end stays untouched. */
static G_GNUC_NO_INLINE int
leap (guint n)
{
  volatile char here[512 * 1024];

  KEEP (here);
  here[0] = 1;
  return n == 0 ? here[0] : leap (n - 1) + here[0];
}

static gboolean
load (gpointer data, GError **error)
{
  dig (1024 * 1024);
  return TRUE;
}

static gboolean
load_named (gpointer data, GError **error)
{
  gtx_task_set_name (gtx_current_task (), "reader");
  return gtx_sleep (0, error) && load (data, error);
}

static gboolean
load_large (gpointer data, GError **error)
{
  leap (1);
  return TRUE;
}

static gboolean
load_in_callback (gpointer data)
{
  dig (1024 * 1024);
  return G_SOURCE_REMOVE;
}

static gboolean
load_below_loop (gpointer data, GError **error)
{
  g_idle_add (load_in_callback, NULL);
  while (g_main_context_iteration (NULL, TRUE))
    ;
  return TRUE;
}

static gboolean
fault_elsewhere (gpointer data, GError **error)
{
  volatile char *page = mmap (NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  *page = 1;
  return TRUE;
}

static gboolean
fault_far_below (gpointer data, GError **error)
{
  static volatile gsize lowest = 4096;

  *(volatile char *) GSIZE_TO_POINTER (lowest) = 1;
  return TRUE;
}

static gboolean
fault_in_callback (gpointer data)
{
  return fault_far_below (NULL, NULL);
}

static gboolean
fault_outside (gpointer data, GError **error)
{
  g_idle_add (fault_in_callback, NULL);
  return wait_for_ever (error);
}

static gboolean
send_fault (gpointer data, GError **error)
{
  raise (SIGSEGV);
  return TRUE;
}

static gboolean
run_in_small_stack (GtxCoroutine *coroutine, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new_named ("load", *coroutine, NULL, NULL);

  gtx_task_set_stack_size (task, 64 * KIB);
  return gtx_await (gtx_task_start (task), error);
}

static gpointer
run_in_thread (gpointer coroutine)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  gtx_run (run_in_small_stack, (GtxCoroutine *) coroutine, NULL);
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* ---- Handlers that were there before ---- */

static void
say (const char *text)
{
  if (write (STDERR_FILENO, text, strlen (text)) < 0)
    _exit (1);
}

static void
handle (int signum)
{
  static int n_times;

  say ("handled\n");
  if (++n_times > 1)
    _exit (8);
}

static void
handle_and_exit (int signum, siginfo_t *info, void *context)
{
  say (info->si_signo == signum && context ? "handled fully\n" : "?\n");
  _exit (7);
}

/* A sanitizer's handler would be in the way, unless the test is about that handler. */
static void
install_handler (int signum, const char *which)
{
  struct sigaction action = { .sa_handler = SIG_DFL };

  if (strcmp (which, "sanitizer") == 0)
    return;
  if (strcmp (which, "exit") == 0)
    action = (struct sigaction) { .sa_sigaction = handle_and_exit, .sa_flags = SA_SIGINFO };
  else if (strcmp (which, "once") == 0)
    action = (struct sigaction) { .sa_handler = handle, .sa_flags = (int) SA_RESETHAND };
  else if (strcmp (which, "return") == 0)
    action.sa_handler = handle;
  else if (strcmp (which, "ignore") == 0)
    action.sa_handler = SIG_IGN;
  sigaction (signum, &action, NULL);
}

/* ---- Stack use ---- */

static gboolean
shallow (gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
deep (gpointer data, GError **error)
{
  dig (40 * KIB);
  return gtx_sleep (0, error);
}

static gboolean
deep_for_ever (gpointer data, GError **error)
{
  dig (200 * KIB);
  return wait_for_ever (error);
}

/* The shallow tasks run on the stacks that the deep ones have left. */
static gboolean
use_stacks (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (deep, NULL, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (deep, NULL, NULL);
  g_autoptr (GtxTask) third = NULL;
  g_autoptr (GtxTask) fourth = NULL;

  if (!gtx_await (first, error) || !gtx_await (second, error))
    return FALSE;
  third = gtx_create_task (shallow, NULL, NULL);
  if (!gtx_await (third, error))
    return FALSE;
  fourth = gtx_task_new (deep_for_ever, NULL, NULL);
  gtx_task_set_stack_size (fourth, 512 * KIB);
  gtx_task_start (fourth);
  if (gtx_sleep (0, error))
    exit (0);
  return FALSE;
}

/* ---- Slow tasks ---- */

/* Quick tasks switch straight to one another, and read the clock seldom. */
static gboolean
crunch (guint *milliseconds, GError **error)
{
  for (guint i = 0; i < 200; i++)
    {
      if (i % 100 == 50)
        work_for (*milliseconds);
      if (!gtx_sleep (0, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
crunch_at_end (gpointer data, GError **error)
{
  work_for (300);
  return TRUE;
}

static gboolean
crunch_in_turns (gpointer data, GError **error)
{
  static guint short_time = 60, long_time = 150;
  g_autoptr (GtxTask) first = gtx_create_task (crunch, &short_time, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (crunch, &long_time, NULL);
  g_autoptr (GtxTask) third = gtx_create_task (crunch, &short_time, NULL);
  g_autoptr (GtxTask) fourth = gtx_create_task (crunch_at_end, NULL, NULL);

  return gtx_await (first, error) && gtx_await (second, error) && gtx_await (third, error) &&
         gtx_await (fourth, error);
}

/* It is not the creator who keeps the main loop while its eager task runs. */
static gboolean
crunch_eagerly (gpointer data, GError **error)
{
  static guint short_time = 60, long_time = 150;
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  if (!gtx_sleep (0, error))
    return FALSE;
  work_for (120);
  first = gtx_create_task_eager (crunch_at_end, NULL, NULL);
  work_for (long_time);
  second = gtx_create_task_eager (crunch, &short_time, NULL);
  work_for (short_time);
  return gtx_await (second, error);
}

static gboolean
work_in_callback (gpointer milliseconds)
{
  work_for (GPOINTER_TO_UINT (milliseconds));
  return G_SOURCE_REMOVE;
}

static gint
poll_for_long (GPollFD *descriptors, guint n_descriptors, gint timeout)
{
  work_for (200);
  return 0;
}

/* The main loop has its turns during the call. */
static gboolean
run_dialog (gpointer data, GError **error)
{
  g_main_context_set_poll_func (NULL, poll_for_long);
  for (guint i = 0; i < 5; i++)
    {
      g_idle_add (work_in_callback, GUINT_TO_POINTER (70));
      g_main_context_iteration (NULL, TRUE);
    }
  g_main_context_set_poll_func (NULL, NULL);
  return TRUE;
}

/* ---- The program that is tested ---- */

static const struct
{
  const char *name;
  GtxCoroutine coroutine;
} works[] = {
  { "load", load },
  { "load-named", load_named },
  { "load-large", load_large },
  { "load-below-loop", load_below_loop },
  { "fault-elsewhere", fault_elsewhere },
  { "fault-far-below", fault_far_below },
  { "fault-outside", fault_outside },
  { "send-fault", send_fault },
  { "use-stacks", use_stacks },
  { "crunch", crunch_in_turns },
  { "crunch-eagerly", crunch_eagerly },
  { "run-dialog", run_dialog },
};

int
work (const char *what, const char *how)
{
  const struct rlimit no_core = { 0, 0 };
  GtxCoroutine coroutine = NULL;

  setrlimit (RLIMIT_CORE, &no_core);
  install_handler (SIGSEGV, how);
  for (guint i = 0; i < G_N_ELEMENTS (works); i++)
    if (strcmp (what, works[i].name) == 0)
      coroutine = works[i].coroutine;
  if (strcmp (how, "thread") == 0)
    g_thread_join (g_thread_new ("other", run_in_thread, &coroutine));
  else if (strcmp (how, "plain") == 0)
    gtx_run_named (what, coroutine, NULL, NULL);
  else
    gtx_run (run_in_small_stack, &coroutine, NULL);
  return 0;
}
