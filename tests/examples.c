/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The examples run to their end, and print the expected output. */

#include <gio/gio.h>

typedef struct
{
  const char *name;
  const char *argument;
  const char *output;           /* a pattern */
} Program;

static const Program programs[] = {
  { "worker-pool", TEST_SOURCES, "* lines in * files\n" },
  { "pipeline", TEST_SOURCES "/examples.c", "* lines, the longest has * bytes\n" },
  { "race", NULL, "localhost:1: *\nlocalhost:* answers first\n" },
  { "all-or-nothing", NULL,
    "Nothing copied: 1 error in a task group: *\n  - *\n0 files in the folder\n"
    "4 files copied\n4 files in the folder\n" },
  { "all-processors", TEST_SOURCES "/race.c", "????????????????????????????????????????????????????????????????  */race.c\n" },
  { "back-pressure", NULL, "271 of 1000 lines have \"7\"; at most 16 waited\n" },
};

static void
test_program (gconstpointer data)
{
  const Program *program = data;
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, "..", "examples", program->name, NULL);
  char *argv[] = { path, (char *) program->argument, NULL };
  g_autofree char *output = NULL;
  g_autofree char *warnings = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, argv, NULL, 0, NULL, NULL, &output, &warnings, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (warnings, ==, "");
  g_assert_cmpint (status, ==, 0);
  if (!g_pattern_match_simple (program->output, output))
    g_error ("%s printed something else: %s", program->name, output);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      g_autofree char *path = g_strconcat ("/examples/", programs[i].name, NULL);

      g_test_add_data_func (path, &programs[i], test_program);
    }
  return g_test_run ();
}
