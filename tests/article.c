/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs of the article print the same as their Python originals, whose output is
 * recorded beside this file, and take the same time. */

#include <gio/gio.h>

typedef struct
{
  const char *name;
  double seconds;               /* the time that it sleeps */
  const char *warning;
} Program;

static const Program programs[] = {
  { "1-cancel-task", 1, NULL },
  { "2-direct-call", 2, "*coroutine '*' was never awaited*" },
  { "3-await-sub-coroutine", 1, NULL },
  { "4-cancel-sub-coroutine", 1, NULL },
  { "5-cancel-many", 1, NULL },
  { "6-error-handling", 1, NULL },
};

static char *
recorded_output (const Program *program)
{
  g_autofree char *file = g_strconcat (program->name, ".out", NULL);
  g_autoptr (GError) error = NULL;
  char *output = NULL;

  g_file_get_contents (g_test_get_filename (G_TEST_DIST, "article", file, NULL), &output, NULL, &error);
  g_assert_no_error (error);
  return output;
}

static void
test_program (gconstpointer data)
{
  const Program *program = data;
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, "..", "examples", "article", program->name, NULL);
  g_autofree char *expected = recorded_output (program);
  char *argv[] = { path, NULL };
  g_autofree char *output = NULL;
  g_autofree char *warnings = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  double seconds;
  int status;

  g_spawn_sync (NULL, argv, NULL, 0, NULL, NULL, &output, &warnings, &status, &error);
  g_assert_no_error (error);
  seconds = (g_get_monotonic_time () - start) / 1e6;

  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (output, ==, expected);
  g_assert_true (g_pattern_match_simple (program->warning ? program->warning : "", warnings));
  g_assert_cmpfloat (seconds, >=, program->seconds);
  g_assert_cmpfloat (seconds, <, program->seconds + 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      g_autofree char *path = g_strconcat ("/article/", programs[i].name, NULL);

      g_test_add_data_func (path, &programs[i], test_program);
    }
  return g_test_run ();
}
