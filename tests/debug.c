/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GTX_DEBUG: each of its words is tested in a process of its own, which runs this program with
 * --work. */

#include "debug-work.h"
#include "fixture.h"

#include <signal.h>
#include <stdlib.h>

static char *program;

static void
set_variable (gpointer value)
{
  if (value)
    g_setenv ("GTX_DEBUG", value, TRUE);
  else
    g_unsetenv ("GTX_DEBUG");
}

/* Returns the program's standard error.  @status: its status, or 128 and the signal that killed
 * it. */
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

/* An emulator reports each program that a signal ends. */
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
  /* The library and the C library use little.  A sanitizer and some processors add much to each
   * frame. */
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
test_slow_eager (void)
{
  assert_ends ("slow", "crunch-eagerly", "plain", 0,
               SLOW ("1", "crunch-eagerly", "0.120") SLOW ("2", "crunch_at_end", "0.300")
               SLOW ("1", "crunch-eagerly", "0.150"));
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
  g_test_add_func ("/debug/slow/eager", test_slow_eager);
  g_test_add_func ("/debug/words", test_words);
  return g_test_run ();
}
