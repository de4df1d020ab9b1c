/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/parallel.c beside xargs. */

#include "spawn.h"

#include <signal.h>
#include <string.h>

#define PROGRAM "programs/parallel"

static void
test_arguments (void)
{
  assert_helps (PROGRAM);
  assert_refuses (PROGRAM, "", "wants COMMAND *");
  assert_refuses (PROGRAM, "--jobs 0 true", "--jobs is 0, *");
  assert_refuses (PROGRAM, "--jobs many true", "*many*");
  assert_refuses (PROGRAM, "--timeout 0 true", "--timeout is 0, *");
  assert_refuses (PROGRAM, "--timeout nan true", "--timeout is nan, *");
  assert_refuses (PROGRAM, "--nonsense true", "Unknown option --nonsense");
}

/* ---- Beside xargs ---- */

static void
assert_same_lines (const char *ours, const char *theirs)
{
  g_autoptr (Outcome) ours_sorted = run_program (ours, "env", "LC_ALL=C", "sort", NULL);
  g_autoptr (Outcome) theirs_sorted = run_program (theirs, "env", "LC_ALL=C", "sort", NULL);

  g_assert_cmpstr (ours_sorted->output, ==, theirs_sorted->output);
}

static const char lines[] =
  "one\ntwo words\n'quoted'\n\"twice\"\nback\\slash\n$HOME `id`\n*\n\n--help\n-\n{}\n\377\376\n last";

static void
test_appended (void)
{
  g_autoptr (Outcome) theirs = run_program (lines, "xargs", "-d", "\n", "-n", "1", "-P", "3", "printf", "<%s>\\n", NULL);
  g_autoptr (Outcome) ours = run_program (lines, PROGRAM, "--jobs", "3", "printf", "<%s>\\n", NULL);

  assert_outcome (ours, 0, "", "*");
  g_assert_nonnull (strstr (ours->output, "<two words>"));
  assert_same_lines (ours->output, theirs->output);
}

static void
test_replaced (void)
{
  g_autoptr (Outcome) theirs =
    run_program (lines, "xargs", "-d", "\n", "-I", "{}", "-P", "3", "printf", "<%s>\\n", "a{}b{}", NULL);
  g_autoptr (Outcome) ours = run_program (lines, PROGRAM, "--jobs", "3", "printf", "<%s>\\n", "a{}b{}", NULL);

  assert_outcome (ours, 0, "", "*");
  g_assert_nonnull (strstr (ours->output, "<aonebone>"));
  assert_same_lines (ours->output, theirs->output);
}

/* These options belong to the command. */
static void
test_options (void)
{
  g_autoptr (Outcome) plain = run_program ("a\n", PROGRAM, "echo", "-n", "--jobs", NULL);
  g_autoptr (Outcome) separated = run_program ("a\n", PROGRAM, "--jobs", "1", "--", "echo", "--", "-k", NULL);

  assert_outcome (plain, 0, "", "--jobs a");
  assert_outcome (separated, 0, "", "-- -k a\n");
}

static void
test_many_lines (void)
{
  g_autoptr (Outcome) input = run_program (NULL, "seq", "1", "300", NULL);
  g_autoptr (Outcome) ours = run_program (input->output, PROGRAM, "--jobs", "4", "echo", NULL);

  assert_outcome (ours, 0, "", "*");
  assert_same_lines (ours->output, input->output);
}

static void
test_no_lines (void)
{
  g_autoptr (Outcome) ours = run_program ("", PROGRAM, "echo", NULL);

  assert_outcome (ours, 0, "", "");
}

typedef struct
{
  const char *name;
  const char *command[4];
  int status;
  const char *errors;
} Ending;

static const Ending endings[] = {
  { "well", { "sh", "-c", "exit 0" }, 0, "" },
  { "one", { "sh", "-c", "exit 1" }, 123, "parallel: x: ended with status 1\n*" },
  { "hundred", { "sh", "-c", "exit 100" }, 123, "*status 100\n*" },
  { "255", { "sh", "-c", "exit 255" }, 124, "*status 255\n*" },
  { "killed", { "sh", "-c", "kill -9 $$" }, 125, "*killed by signal 9\n*" },
  { "no-program", { "/etc/passwd" }, 126, "*Permission denied*" },
  { "not-found", { "./no-such-program" }, 127, "*No such file or directory*" },
};

static void
test_ending (gconstpointer data)
{
  const Ending *ending = data;
  g_autofree char *path = find_program (PROGRAM);
  const char *ours[6] = { path };
  const char *theirs[6] = { "xargs" };
  g_autoptr (Outcome) our_end = NULL;
  g_autoptr (Outcome) their_end = NULL;

  for (int i = 0; ending->command[i]; i++)
    ours[i + 1] = theirs[i + 1] = ending->command[i];
  their_end = run_program_in (".", "x\n", theirs);
  our_end = run_program_in (".", "x\n", ours);
  g_assert_cmpint (their_end->status, ==, ending->status);
  assert_outcome (our_end, ending->status, ending->errors, "");
}

/* ---- At once, and in order ---- */

/* Each command waits until three have run at the same time.  With fewer it would wait for ever. */
static void
test_jobs (void)
{
  char *folder = make_folder ();
  g_autofree char *program = find_program (PROGRAM);
  const char *command[] = { program, "--jobs", "3", "sh", "-c",
                            "mkdir run.$0; ls | grep -c run\n"
                            "until [ -e three ]; do [ $(ls | grep -c run) -ge 3 ] && : >three; sleep 0.01; done\n"
                            "rmdir run.$0", NULL };
  g_autoptr (Outcome) outcome = run_program_in (folder, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", command);

  assert_outcome (outcome, 0, "", "*");
  g_assert_cmpuint (strlen (outcome->output), ==, 18);
  for (const char *number = outcome->output; *number; number += 2)
    g_assert_true (*number >= '1' && *number <= '3');
  remove_folder (folder);
}

/* Each command prints to both outputs before the other has ended. */
static void
test_not_interleaved (void)
{
  char *folder = make_folder ();
  g_autofree char *program = find_program (PROGRAM);
  const char *command[] = { program, "--jobs", "2", "sh", "-c",
                            "echo $0; echo e$0 >&2; : >$0; until [ -e 1 ] && [ -e 2 ]; do sleep 0.01; done\n"
                            "echo $0; echo e$0 >&2", NULL };
  g_autoptr (Outcome) outcome = run_program_in (folder, "1\n2\n", command);

  g_assert_cmpint (outcome->status, ==, 0);
  if (g_str_has_prefix (outcome->output, "1"))
    assert_outcome (outcome, 0, "e1\ne1\ne2\ne2\n", "1\n1\n2\n2\n");
  else
    assert_outcome (outcome, 0, "e2\ne2\ne1\ne1\n", "2\n2\n1\n1\n");
  remove_folder (folder);
}

static void
test_long_output (void)
{
  g_autoptr (Outcome) outcome = run_program ("1\n2\n", PROGRAM, "--jobs", "2", "seq", "{}", "200000", NULL);
  g_autoptr (Outcome) one = run_program (NULL, "seq", "1", "200000", NULL);
  g_autoptr (Outcome) two = run_program (NULL, "seq", "2", "200000", NULL);

  assert_outcome (outcome, 0, "", "*");
  g_assert_cmpuint (strlen (outcome->output), ==, strlen (one->output) + strlen (two->output));
  g_assert_nonnull (strstr (outcome->output, one->output));
}

/* ---- Failures ---- */

static void
test_stops (void)
{
  g_autoptr (Outcome) outcome = run_program ("0\n7\n0\n0\n", PROGRAM, "--jobs", "1", "sh", "-c", "echo $0; exit $0", NULL);

  assert_outcome (outcome, 123, "parallel: 7: ended with status 7\nparallel: 1 of 2 failed\n", "0\n7\n");
}

static void
test_keeps_going (void)
{
  g_autoptr (Outcome) outcome =
    run_program ("0\n7\n0\n255\n", PROGRAM, "--jobs", "1", "--keep-going", "sh", "-c", "echo $0; exit $0", NULL);

  assert_outcome (outcome, 124, "*: 7: ended with status 7\n*: 255: ended with status 255\nparallel: 2 of 4 failed\n",
                  "0\n7\n0\n255\n");
}

/* A worker that waits for a line stops waiting. */
static void
test_stops_reading (void)
{
  Running *program = start_program (PROGRAM, "--jobs", "2", "sh", "-c", "echo $0; exit 1", NULL);
  GOutputStream *input = g_subprocess_get_stdin_pipe (running_get_process (program));
  g_autoptr (GError) error = NULL;
  g_autoptr (Outcome) outcome = NULL;

  g_output_stream_write_all (input, "first\n", 6, NULL, NULL, &error);
  g_assert_no_error (error);
  outcome = end_program (program, 0);
  assert_outcome (outcome, 123, "*1 of 1 failed\n", "first\n");
}

/* ---- Time-outs and interruption ---- */

/* The command is ended with the processes that it started, and the output until then is printed. */
static void
test_time_out (void)
{
  g_autoptr (Outcome) outcome =
    run_program ("1\n", PROGRAM, "--timeout", "1.5", "sh", "-c", "sleep 1000 & echo $!; wait", NULL);

  assert_outcome (outcome, 125, "parallel: 1: Timed out\nparallel: 1 of 1 failed\n", "*\n");
  g_assert_cmpint (atoi (outcome->output), >, 0);
  g_assert_true (is_gone (atoi (outcome->output)));
}

static void
test_time_out_of_the_stubborn (void)
{
  g_autoptr (Outcome) outcome =
    run_program ("1\n", PROGRAM, "--timeout", "1.5", "sh", "-c",
                 "trap '' TERM; echo $$; while :; do sleep 1000; done", NULL);

  assert_outcome (outcome, 125, "parallel: 1: Timed out\n*", "*\n");
  g_assert_cmpint (atoi (outcome->output), >, 0);
  g_assert_true (is_gone (atoi (outcome->output)));
}

static void
test_in_time (void)
{
  g_autoptr (Outcome) outcome = run_program ("1\n2\n", PROGRAM, "--timeout", "60", "echo", NULL);

  assert_outcome (outcome, 0, "", "?\n?\n");
}

/* Returns the process that a command started: the command writes its number to a FIFO. */
static int
read_pid (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpint (atoi (text), >, 0);
  return atoi (text);
}

/* Two commands run, and a third waits. */
static void
interrupt (int signum)
{
  char *folder = make_folder ();
  g_autofree char *one = g_build_filename (folder, "1", NULL);
  g_autofree char *two = g_build_filename (folder, "2", NULL);
  g_autoptr (Outcome) made = run_program (NULL, "mkfifo", one, two, NULL);
  g_autoptr (Outcome) outcome = NULL;
  Running *program;
  GOutputStream *input;
  int pids[2];

  assert_outcome (made, 0, "", "");
  program = start_program (PROGRAM, "--jobs", "2", "sh", "-c",
                           "sleep 1000 & echo $! >\"$0/$1\"; wait", folder, NULL);
  input = g_subprocess_get_stdin_pipe (running_get_process (program));
  g_output_stream_write_all (input, "1\n2\n3\n", 6, NULL, NULL, NULL);
  pids[0] = read_pid (folder, "1");
  pids[1] = read_pid (folder, "2");
  outcome = end_program (program, signum);
  assert_outcome (outcome, 128 + signum, "", "");
  g_assert_true (is_gone (pids[0]));
  g_assert_true (is_gone (pids[1]));
  remove_folder (folder);
}

static void
test_interrupted (void)
{
  interrupt (SIGINT);
  interrupt (SIGTERM);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/parallel/arguments", test_arguments);
  g_test_add_func ("/programs/parallel/appended", test_appended);
  g_test_add_func ("/programs/parallel/replaced", test_replaced);
  g_test_add_func ("/programs/parallel/options", test_options);
  g_test_add_func ("/programs/parallel/many-lines", test_many_lines);
  g_test_add_func ("/programs/parallel/no-lines", test_no_lines);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *path = g_strconcat ("/programs/parallel/ending/", endings[i].name, NULL);

      g_test_add_data_func (path, &endings[i], test_ending);
    }
  g_test_add_func ("/programs/parallel/jobs", test_jobs);
  g_test_add_func ("/programs/parallel/not-interleaved", test_not_interleaved);
  g_test_add_func ("/programs/parallel/long-output", test_long_output);
  g_test_add_func ("/programs/parallel/stops", test_stops);
  g_test_add_func ("/programs/parallel/keeps-going", test_keeps_going);
  g_test_add_func ("/programs/parallel/stops-reading", test_stops_reading);
  g_test_add_func ("/programs/parallel/time-out", test_time_out);
  g_test_add_func ("/programs/parallel/time-out-of-the-stubborn", test_time_out_of_the_stubborn);
  g_test_add_func ("/programs/parallel/in-time", test_in_time);
  g_test_add_func ("/programs/parallel/interrupted", test_interrupted);
  return g_test_run ();
}
