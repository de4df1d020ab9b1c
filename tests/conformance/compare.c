/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares scenarios with the output of CPython's asyncio for them. */

#include <glib.h>
#include <glib/gstdio.h>

#include <string.h>

static char *
run (const char *const *arguments)
{
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               &output, &errors, &status, &error));
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s %s: %s\n%s", arguments[0], arguments[1], error->message, errors);
  return g_steal_pointer (&output);
}

static char *
trace_of (const char *scenario)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "conformance", "scenario", NULL);

  return run ((const char *const[]) { program, scenario, NULL });
}

static void
test_recorded (gconstpointer path)
{
  g_autofree char *stem = g_strndup (path, strlen (path) - strlen (".scenario"));
  g_autofree char *recorded = g_strconcat (stem, ".trace", NULL);
  g_autofree char *expected = NULL;
  g_autofree char *trace = trace_of (path);
  g_autoptr (GError) error = NULL;

  g_file_get_contents (recorded, &expected, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (trace, ==, expected);
}

/* ---- Fresh ones ---- */

#define N_FRESH 200

static gboolean
has_python (void)
{
  static const char *const ask[] = {
    "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 13))", NULL
  };
  int status;

  return g_spawn_sync (NULL, (char **) ask, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, NULL, NULL, &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

static void
compare_seed (const char *generator, const char *oracle, const char *path, int seed, const char *features)
{
  g_autofree char *number = g_strdup_printf ("%d", seed);
  g_autofree char *text = run ((const char *const[]) { "python3", generator, number, features, NULL });
  g_autofree char *expected = NULL;
  g_autofree char *trace = NULL;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  expected = run ((const char *const[]) { "python3", oracle, path, NULL });
  trace = trace_of (path);
  if (strcmp (trace, expected) != 0)
    g_test_message ("seed %d of %s differs:\n%s", seed, features, text);
  g_assert_cmpstr (trace, ==, expected);
}

static void
test_fresh (void)
{
  g_autofree char *generator = g_test_build_filename (G_TEST_DIST, "conformance", "generate.py", NULL);
  g_autofree char *oracle = g_test_build_filename (G_TEST_DIST, "conformance", "oracle.py", NULL);
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;

  if (!has_python ())
    {
      g_test_skip ("there is no Python of 3.13 or newer");
      return;
    }
  folder = g_dir_make_tmp ("scenario-XXXXXX", NULL);
  path = g_build_filename (folder, "scenario", NULL);
  for (int i = 0; i < N_FRESH; i++)
    compare_seed (generator, oracle, path, g_test_rand_int_range (0, G_MAXINT32), i % 2 ? "all,eager" : "all");
  g_remove (path);
  g_rmdir (folder);
}

int
main (int argc, char *argv[])
{
  g_autofree char *corpus = NULL;
  g_autoptr (GDir) folder = NULL;
  const char *name;

  g_test_init (&argc, &argv, NULL);
  corpus = g_test_build_filename (G_TEST_DIST, "conformance", "corpus", NULL);
  folder = g_dir_open (corpus, 0, NULL);
  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)))
    if (g_str_has_suffix (name, ".scenario"))
      {
        g_autofree char *stem = g_strndup (name, strlen (name) - strlen (".scenario"));
        g_autofree char *test = g_strconcat ("/conformance/recorded/", stem, NULL);

        g_test_add_data_func_full (test, g_build_filename (corpus, name, NULL), test_recorded, g_free);
      }
  g_test_add_func ("/conformance/fresh", test_fresh);
  return g_test_run ();
}
