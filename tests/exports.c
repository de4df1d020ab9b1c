/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each shared library exports the functions that its headers declare, and nothing else.
 * TEST_NM is a command line that lists the exported names of the library, one a line, and
 * TEST_NM_GTK4 those of the library for GTK, if it is built. */

#include <gio/gio.h>

#include <string.h>

static GHashTable *
exported_names (const char *command)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_command_line_sync (command, &output, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);

  lines = g_strsplit (g_strchomp (output), "\n", -1);
  for (char **line = lines; *line; line++)
    {
      const char *exported = strrchr (*line, ' ') + 1;

      /* The linker adds names such as _end, if another library asks for them. */
      if (exported[0] != '_')
        g_hash_table_add (names, g_strdup (exported));
    }
  return names;
}

/* Adds each match of @pattern in @text, with @suffix. */
static void
add_matches (GHashTable *names,
             const char *text,
             const char *pattern,
             const char *suffix)
{
  g_autoptr (GRegex) declaration = NULL;
  g_autoptr (GMatchInfo) match = NULL;
  g_autoptr (GError) error = NULL;

  declaration = g_regex_new (pattern, G_REGEX_MULTILINE, 0, &error);
  g_assert_no_error (error);
  for (g_regex_match (declaration, text, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    {
      g_autofree char *name = g_match_info_fetch (match, 1);

      g_hash_table_add (names, g_strconcat (name, suffix, NULL));
    }
}

static void
add_declared_names (GHashTable *names,
                    const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  add_matches (names, text, "^GTX_API [^;(]*?(\\w+) *\\(", "");
  add_matches (names, text, "^GTX_API\nG_DECLARE_FINAL_TYPE \\(\\w+, (\\w+),", "_get_type");
}

static GHashTable *
declared_names (const char *library)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "..", "include", library, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) headers = g_dir_open (folder, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (headers)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_str_has_suffix (name, ".h"))
        add_declared_names (names, path);
    }
  return names;
}

static void
assert_contains (GHashTable *names,
                 GHashTable *others,
                 const char *complaint)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, others);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (names, name))
      {
        g_test_message ("%s %s", (char *) name, complaint);
        g_test_fail ();
      }
}

static void
check_library (const char *library,
               const char *command,
               guint       n_least)
{
  g_autoptr (GHashTable) exported = NULL;
  g_autoptr (GHashTable) declared = NULL;

  if (command == NULL)
    {
      g_test_skip ("It is not said how to list the library's symbols");
      return;
    }
  exported = exported_names (command);
  declared = declared_names (library);
  g_assert_cmpuint (g_hash_table_size (declared), >=, n_least);
  assert_contains (exported, declared, "is declared and not exported");
  assert_contains (declared, exported, "is exported and not declared");
}

static void
test_exports (void)
{
  check_library ("gtask-ext", g_getenv ("TEST_NM"), 30);
}

static void
test_gtk4 (void)
{
  check_library ("gtask-ext-gtk4", g_getenv ("TEST_NM_GTK4"), 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exports", test_exports);
  g_test_add_func ("/exports/gtk4", test_gtk4);
  return g_test_run ();
}
