/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/library: count-words, beside wc. */

#include "spawn.h"

#include <signal.h>
#include <stdio.h>

#define PROGRAM "library/count-words"

static void
test_arguments (void)
{
  assert_helps (PROGRAM);
  assert_refuses (PROGRAM, "", "wants FILE*");
  assert_refuses (PROGRAM, "--nonsense", "Unknown option --nonsense");
}

typedef struct
{
  const char *name;
  const char *text;
} Text;

static const Text texts[] = {
  { "empty", "" },
  { "newline", "\n" },
  { "word", "word" },
  { "line", "two words\n" },
  { "blanks", "  a\tb\vc\fd\re \n\n f" },
};

static void
assert_as_wc (const char *path)
{
  g_autoptr (Outcome) ours = run_program (NULL, PROGRAM, path, NULL);
  g_autoptr (Outcome) theirs = run_program (NULL, "env", "LC_ALL=C", "wc", path, NULL);
  guint64 our_numbers[3];
  guint64 their_numbers[3];
  const char *format = "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " /*";

  assert_outcome (ours, 0, "", "* * * /*\n");
  g_assert_cmpint (sscanf (ours->output, format, &our_numbers[0], &our_numbers[1], &our_numbers[2]), ==, 3);
  g_assert_cmpint (sscanf (theirs->output, format, &their_numbers[0], &their_numbers[1], &their_numbers[2]), ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpuint (our_numbers[i], ==, their_numbers[i]);
}

static void
test_text (gconstpointer data)
{
  const Text *text = data;
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "text", NULL);

  g_assert_true (g_file_set_contents (path, text->text, -1, NULL));
  assert_as_wc (path);
  remove_folder (folder);
}

/* The file has many chunks, and words across their borders. */
static void
test_large (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "text", NULL);
  g_autoptr (Outcome) text = run_program (NULL, "seq", "-s", " word ", "100000", NULL);

  g_assert_true (g_file_set_contents (path, text->output, -1, NULL));
  assert_as_wc (path);
  remove_folder (folder);
}

static void
test_several (void)
{
  g_autoptr (Outcome) outcome = run_program (NULL, PROGRAM, "/no/such/file", "/dev/null", NULL);

  assert_outcome (outcome, 1, "count-words: /no/such/file: *No such file or directory\n", "0 0 0 /dev/null\n");
}

/* One of the files is endless. */
static void
interrupt (int signum)
{
  Running *program = start_program (PROGRAM, "/dev/zero", "/dev/null", NULL);
  g_autoptr (Outcome) outcome = NULL;

  await_line (program, "0 0 0 /dev/null");
  outcome = end_program (program, signum);
  assert_outcome (outcome, 128 + signum, "", "");
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
  g_test_add_func ("/programs/word-count/arguments", test_arguments);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *path = g_strconcat ("/programs/word-count/", texts[i].name, NULL);

      g_test_add_data_func (path, &texts[i], test_text);
    }
  g_test_add_func ("/programs/word-count/large", test_large);
  g_test_add_func ("/programs/word-count/several", test_several);
  g_test_add_func ("/programs/word-count/interrupted", test_interrupted);
  return g_test_run ();
}
