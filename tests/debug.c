/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GTX_DEBUG: each of its words in a program of its own, which is this one run
 * with --work. */

#include "fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define KIB ((gsize) 1024)

/* ---- Time that passes as it is told to ---- */

static gint64 now = G_USEC_PER_SEC;

/* What is defined here takes the place of GLib's own in the library. */
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

/* No timer is due in GLib's time and not in that. */
static gboolean
wait_for_ever (GError **error)
{
  g_autoptr (GtxFuture) never = gtx_future_new ();

  return gtx_await (never, error);
}

/* ---- Overflows ---- */

/* What the compiler knows nothing of it does not optimize away. */
#define KEEP(array) __asm__ volatile ("" : : "r" (array) : "memory")

/* Uses some bytes of stack at least, a little at a time. */
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

/* A sanitizer's own is in the way, unless it is what is to be seen. */
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

/* The shallow ones run on the stacks that the deep ones have left. */
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

/* Where tasks are quick they go straight on to one another, and the clock is
 * read seldom. */
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

/* The main loop has its turns all the while. */
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
  { "run-dialog", run_dialog },
};

static int
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

/* ---- What it prints and how it ends ---- */

static char *program;

static void
set_variable (gpointer value)
{
  if (value)
    g_setenv ("GTX_DEBUG", value, TRUE);
  else
    g_unsetenv ("GTX_DEBUG");
}

/* What it printed on standard error; @status: its own, or 128 and the signal
 * that killed it. */
static char *
run (const char *variable, const char *what, const char *how, int *status)
{
  char *command[] = { program, (char *) "--work", (char *) what, (char *) how, NULL };
  char *errors = NULL;
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, command, NULL, G_SPAWN_DEFAULT, set_variable, (gpointer) variable, NULL, &errors,
                status, &error);
  g_assert_no_error (error);
  *status = WIFSIGNALED (*status) ? 128 + WTERMSIG (*status) : WEXITSTATUS (*status);
  g_test_message ("GTX_DEBUG=%s %s %s: %d\n%s", variable ? variable : "", what, how, *status, errors);
  return errors;
}

static void
assert_matches (const char *text, const char *pattern)
{
  if (!g_pattern_match_simple (pattern, text))
    {
      g_test_message ("%s\nis not like\n%s", text, pattern);
      g_test_fail ();
    }
}

/* An emulator tells of each program that a signal ends. */
static void
forget_emulator (char *errors)
{
  char *line = strstr (errors, "qemu: uncaught target signal");

  if (line)
    *line = '\0';
}

static void
assert_ends (const char *variable, const char *what, const char *how, int expected, const char *pattern)
{
  int status;
  g_autofree char *errors = run (variable, what, how, &status);

  forget_emulator (errors);

  assert_matches (errors, pattern);
  g_assert_cmpint (status, ==, expected);
}

#define DIES (128 + SIGSEGV)
#define TASK_2 "gtask-ext: task 'Task-2' (coroutine load) has overflowed its stack of 65536 bytes: *" \
               "gtx_task_set_stack_size ()*gtx_set_default_stack_size ()*\n"

static void
test_named (void)
{
  assert_ends ("stack", "load", "-", DIES, TASK_2);
  assert_ends ("stack", "load-named", "-", DIES, "gtask-ext: task 'reader' (coroutine load) has overflowed*\n");
}

static void
test_in_thread (void)
{
  assert_ends ("stack", "load", "thread", DIES, TASK_2);
}

static void
test_below_loop (void)
{
  assert_ends ("stack", "load-below-loop", "-", DIES, TASK_2);
}

/* This program is compiled with -fstack-clash-protection. */
static void
test_large_frame (void)
{
#ifdef HAVE_STACK_CLASH_PROTECTION
  assert_ends ("stack", "load-large", "-", DIES, TASK_2);
#else
  g_test_skip ("The compiler does not know -fstack-clash-protection");
#endif
}

static void
test_not_asked (void)
{
  assert_ends (NULL, "load", "-", DIES, "");
}

static void
test_elsewhere (void)
{
  assert_ends ("stack", "fault-elsewhere", "-", DIES, "");
  assert_ends ("stack", "fault-far-below", "-", DIES, "");
  assert_ends ("stack", "fault-outside", "exit", 7, "handled fully\n");
  assert_ends ("stack", "fault-elsewhere", "exit", 7, "handled fully\n");
  assert_ends ("stack", "fault-elsewhere", "ignore", DIES, "");
  assert_ends ("stack", "fault-elsewhere", "once", DIES, "handled\n");
  assert_ends ("stack", "fault-elsewhere", "return", 8, "handled\nhandled\n");
}

static void
test_sent (void)
{
  assert_ends ("stack", "send-fault", "-", DIES, "");
  assert_ends ("stack", "send-fault", "exit", 7, "handled fully\n");
  assert_ends ("stack", "send-fault", "return", 0, "handled\n");
  assert_ends ("stack", "send-fault", "once", 0, "handled\n");
  assert_ends ("stack", "send-fault", "ignore", 0, "");
}

static void
test_chained (void)
{
  assert_ends ("stack", "load", "exit", 7, TASK_2 "handled fully\n");
  assert_ends ("stack", "load", "ignore", DIES, TASK_2);
}

static void
test_sanitizer (void)
{
  if (UNDER_ASAN)
    assert_ends ("stack", "load", "sanitizer", 1, TASK_2 "*AddressSanitizer*");
  else
    g_test_skip ("There is no sanitizer");
}

#define DEFAULT_STACK (sizeof (gpointer) >= 8 ? 1024 * KIB : 256 * KIB)

static void
assert_row (const char *errors, const char *coroutine, guint n_tasks, gsize least, gsize stack_size)
{
  g_autofree char *pattern = g_strdup_printf ("^%s +(\\d+) +(\\d+) +(\\d+)$", coroutine);
  g_autoptr (GRegex) row = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *tasks = NULL;
  g_autofree char *used = NULL;
  g_autofree char *size = NULL;

  g_assert_true (g_regex_match (row, errors, 0, &match));
  tasks = g_match_info_fetch (match, 1);
  used = g_match_info_fetch (match, 2);
  size = g_match_info_fetch (match, 3);
  g_assert_cmpint (atoi (tasks), ==, n_tasks);
  g_assert_cmpint (atoi (used), >=, least);
  /* What the library and the C library use is little; what a sanitizer and some
   * processors add to each frame is not. */
  g_assert_cmpint (atoi (used), <=, 2 * least + 24 * KIB);
  g_assert_cmpint (atoi (size), ==, stack_size);
}

static void
test_census (void)
{
  int status;
  g_autofree char *errors = run ("census", "use-stacks", "plain", &status);

  g_assert_cmpint (status, ==, 0);
  assert_matches (errors, "coroutine *\ndeep_for_ever *\ndeep *\n");
  assert_row (errors, "deep_for_ever", 1, 200 * KIB, 512 * KIB);
  assert_row (errors, "deep", 2, 40 * KIB, DEFAULT_STACK);
  assert_row (errors, "shallow", 1, 1, DEFAULT_STACK);
  assert_row (errors, "use-stacks", 1, 1, DEFAULT_STACK);
}

static void
test_census_not_asked (void)
{
  if (g_test_subprocess ())
    {
      gtx_print_stack_use ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("Nothing is known of stacks: run the program with GTX_DEBUG=census\n");
}

#define SLOW(number, name, seconds) \
  "*WARNING*: *task 'Task-" number "' (coroutine " name ") kept the main loop for " seconds " s: *" \
  "gtx_sleep (0)*gtx_to_thread ()*\n"

static void
test_slow (void)
{
  assert_ends ("slow", "crunch", "plain", 0,
               SLOW ("5", "crunch_at_end", "0.300") SLOW ("3", "crunch", "0.150") SLOW ("3", "crunch", "0.150"));
}

static void
test_slow_limit (void)
{
  assert_ends ("slow:250", "crunch", "plain", 0, "*" SLOW ("5", "crunch_at_end", "0.300"));
  assert_ends ("slow:400", "crunch", "plain", 0, "");
}

static void
test_slow_not_asked (void)
{
  assert_ends ("stack", "crunch", "plain", 0, "");
}

static void
test_slow_nested (void)
{
  assert_ends ("slow", "run-dialog", "plain", 0, "");
}

static void
test_words (void)
{
  const char *known = "GTX_DEBUG is a list of these words*stack*census*slow*slow:MS*help*\n";
  g_autofree char *wrong = g_strconcat ("gtask-ext: GTX_DEBUG has 'stak', which is unknown.  ", known, NULL);
  g_autofree char *limit = g_strconcat ("gtask-ext: GTX_DEBUG has 'slow:0', which is unknown.  ", known, NULL);

  assert_ends ("help", "crunch", "plain", 0, known);
  assert_ends ("stak", "crunch", "plain", 0, wrong);
  assert_ends ("slow:0", "crunch", "plain", 0, limit);
  assert_ends ("", "crunch", "plain", 0, "");
  assert_ends ("slow:250,,census", "use-stacks", "plain", 0, "coroutine *\n");
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "--work") == 0)
    return work (argv[2], argv[3]);

  g_test_init (&argc, &argv, NULL);
  program = argv[0];
  g_test_add_func ("/debug/stack/named", test_named);
  g_test_add_func ("/debug/stack/in-thread", test_in_thread);
  g_test_add_func ("/debug/stack/below-loop", test_below_loop);
  g_test_add_func ("/debug/stack/large-frame", test_large_frame);
  g_test_add_func ("/debug/stack/not-asked", test_not_asked);
  g_test_add_func ("/debug/stack/elsewhere", test_elsewhere);
  g_test_add_func ("/debug/stack/sent", test_sent);
  g_test_add_func ("/debug/stack/chained", test_chained);
  g_test_add_func ("/debug/stack/sanitizer", test_sanitizer);
  g_test_add_func ("/debug/census", test_census);
  g_test_add_func ("/debug/census/not-asked", test_census_not_asked);
  g_test_add_func ("/debug/slow", test_slow);
  g_test_add_func ("/debug/slow/limit", test_slow_limit);
  g_test_add_func ("/debug/slow/not-asked", test_slow_not_asked);
  g_test_add_func ("/debug/slow/nested", test_slow_nested);
  g_test_add_func ("/debug/words", test_words);
  return g_test_run ();
}
