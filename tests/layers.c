/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folders of the library are layers: a file includes and calls only code of its own
 * folder or of a lower one.  TEST_SOURCES is the folder of those folders; TEST_NM a command
 * line that lists the symbols of the library's objects. */

#include <gio/gio.h>

#include <string.h>

/* From the lowest to the highest, as docs/inside.md explains them. */
static const char *const folders[] = { "fiber", "loop", "debug", "task", "sync", "many", "outside", "io", "scope", "run", "pool", "gtk4" };

/* Returns -1 if the folder is not one of them. */
static int
level_of (const char *folder,
          gsize       length)
{
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    if (strlen (folders[i]) == length && strncmp (folder, folders[i], length) == 0)
      return (int) i;
  return -1;
}

/* ---- Includes ---- */

/* Returns what is wrong with the includes of a file of @folder, whose text is @text; NULL if
 * nothing is. */
static char *
find_fault (const char *folder,
            const char *text)
{
  g_autoptr (GRegex) include = g_regex_new ("^#\\s*include \"([^\"]*)\"", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  for (g_regex_match (include, text, 0, &match); g_match_info_matches (match); g_match_info_next (match, NULL))
    {
      g_autofree char *path = g_match_info_fetch (match, 1);
      const char *slash = strchr (path, '/');
      int level;

      if (g_str_has_prefix (path, "gtask-ext/") || g_str_has_prefix (path, "gtask-ext-gtk4/") || g_str_equal (path, "gtask-ext.h"))
        continue;
      level = slash ? level_of (path, slash - path) : -1;
      if (level < 0)
        return g_strdup_printf ("\"%s\" is in no folder of the library", path);
      if (level > level_of (folder, strlen (folder)))
        return g_strdup_printf ("\"%s\" is above %s", path, folder);
    }
  return NULL;
}

static void
test_includes (void)
{
  guint n_files = 0;

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *folder = g_build_filename (g_getenv ("TEST_SOURCES"), folders[i], NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
      const char *name;

      g_assert_no_error (error);
      while ((name = g_dir_read_name (dir)))
        {
          g_autofree char *path = g_build_filename (folder, name, NULL);
          g_autofree char *text = NULL;
          g_autofree char *fault = NULL;

          if (!g_str_has_suffix (name, ".c") && !g_str_has_suffix (name, ".h") && !g_str_has_suffix (name, ".S"))
            continue;
          g_assert_true (g_file_get_contents (path, &text, NULL, &error));
          fault = find_fault (folders[i], text);
          if (fault)
            g_test_fail_printf ("%s/%s: %s", folders[i], name, fault);
          n_files++;
        }
    }
  g_assert_cmpuint (n_files, >, 50);
}

/* No other folder has sources of the library. */
static void
test_folders (void)
{
  g_autoptr (GDir) dir = g_dir_open (g_getenv ("TEST_SOURCES"), 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (g_getenv ("TEST_SOURCES"), name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && name[0] != '_')
        g_assert_cmpint (level_of (name, strlen (name)), >=, 0);
      else
        g_assert_false (g_str_has_suffix (name, ".c") || g_str_has_suffix (name, ".h"));
    }
}

/* The test finds an include in the wrong direction. */
static void
test_turned_round (void)
{
  static const struct
  {
    const char *folder;
    const char *text;
    const char *fault;
  } cases[] = {
    { "task", "#include \"fiber/fiber.h\"\n#include <gio/gio.h>\n#include \"gtask-ext/task.h\"\n", NULL },
    { "task", "#include \"task/task-private.h\"\n", NULL },
    { "fiber", "/* A fiber. */\n#include \"task/task-private.h\"\n", "\"task/task-private.h\" is above fiber" },
    { "loop", "#include \"loop/scheduler.h\"\n# include \"outside/token.h\"\n", "\"outside/token.h\" is above loop" },
    { "io", "#include \"stream.h\"\n", "\"stream.h\" is in no folder of the library" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *fault = find_fault (cases[i].folder, cases[i].text);

      g_assert_cmpstr (fault, ==, cases[i].fault);
    }
}

/* ---- Calls ---- */

/* Returns the level of an object, as in ".../io_stream.c.o", or -1. */
static int
level_of_object (const char *object)
{
  const char *name = strrchr (object, '/');
  const char *underscore = strchr (name ? name : object, '_');

  name = name ? name + 1 : object;
  return underscore ? level_of (name, underscore - name) : -1;
}

static GPtrArray *
list_symbols (void)
{
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GRegex) line = g_regex_new ("\\[([^\\]]*)\\]: (\\S+) (\\w)", 0, 0, NULL);
  GPtrArray *symbols = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  g_spawn_command_line_sync (g_getenv ("TEST_NM"), &output, NULL, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (output, "\n", -1);
  for (char **at = lines; *at; at++)
    if (g_regex_match (line, *at, 0, NULL))
      g_ptr_array_add (symbols, g_regex_split (line, *at, 0));
  return symbols;
}

/* A function that is declared in a lower folder may be defined in a higher one: then the
 * includes do not show the call. */
static void
test_calls (void)
{
  g_autoptr (GPtrArray) symbols = NULL;
  g_autoptr (GHashTable) levels = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_calls = 0;

  if (g_getenv ("TEST_NM") == NULL)
    {
      g_test_skip ("There are no objects with symbols");
      return;
    }
  symbols = list_symbols ();
  for (guint i = 0; i < symbols->len; i++)
    {
      char **symbol = symbols->pdata[i];

      g_assert_cmpint (level_of_object (symbol[1]), >=, 0);
      if (g_ascii_isupper (symbol[3][0]) && symbol[3][0] != 'U')
        g_hash_table_insert (levels, symbol[2], GINT_TO_POINTER (level_of_object (symbol[1])));
    }
  for (guint i = 0; i < symbols->len; i++)
    {
      char **symbol = symbols->pdata[i];
      gpointer level;

      if (symbol[3][0] != 'U' || !g_hash_table_lookup_extended (levels, symbol[2], NULL, &level))
        continue;
      n_calls++;
      if (GPOINTER_TO_INT (level) > level_of_object (symbol[1]))
        g_test_fail_printf ("%s uses %s () of %s, which is above it", symbol[1], symbol[2],
                            folders[GPOINTER_TO_INT (level)]);
    }
  g_assert_cmpuint (n_calls, >, 500);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layers/includes", test_includes);
  g_test_add_func ("/layers/folders", test_folders);
  g_test_add_func ("/layers/turned-round", test_turned_round);
  g_test_add_func ("/layers/calls", test_calls);
  return g_test_run ();
}
