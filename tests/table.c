/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks that the tests named in README.md's tables exist. */

#include <glib.h>
#include <gio/gio.h>

#include <string.h>

static char *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* Returns all C files of this folder as one text. */
static char *
read_sources (void)
{
  const char *folder = g_test_get_dir (G_TEST_DIST);
  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  g_autoptr (GString) sources = g_string_new (NULL);
  const char *name;

  g_assert_nonnull (files);
  while ((name = g_dir_read_name (files)))
    if (g_str_has_suffix (name, ".c"))
      {
        g_autofree char *path = g_build_filename (folder, name, NULL);
        g_autofree char *text = read_file (path);

        g_string_append (sources, text);
      }
  return g_string_free (g_steal_pointer (&sources), FALSE);
}

/* ---- Rows ---- */

typedef struct
{
  char *section;                /* CPython's file */
  char *methods;                /* "Class: method, method" */
  char *here;
} Row;

static void
row_free (Row *row)
{
  g_free (row->section);
  g_free (row->methods);
  g_free (row->here);
  g_free (row);
}

static Row *
row_of (const char *section, const char *line)
{
  g_auto (GStrv) cells = g_strsplit (line, " | ", 2);
  Row *row = g_new0 (Row, 1);

  if (cells[1] == NULL || !g_str_has_suffix (cells[1], " |"))
    g_error ("README.md: not a row of two cells: %s", line);
  row->section = g_strdup (section);
  row->methods = g_strdup (cells[0] + strlen ("| "));
  row->here = g_strndup (cells[1], strlen (cells[1]) - strlen (" |"));
  return row;
}

static GPtrArray *
read_rows (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "README.md", NULL);
  g_autofree char *text = read_file (path);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  const char *section = NULL;

  for (char **line = lines; *line; line++)
    if (g_str_has_prefix (*line, "### test_"))
      section = *line + strlen ("### ");
    else if (section && g_str_has_prefix (*line, "| ") && !g_str_has_prefix (*line, "| CPython |"))
      g_ptr_array_add (rows, row_of (section, *line));
  g_assert_cmpuint (rows->len, >, 100);
  return rows;
}

/* ---- Checks ---- */

/* Returns whether @name is a test, a scenario or a file of this folder.  Other names are words of C
 * or Python. */
static gboolean
is_there (const char *name, const char *sources)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", name);
  g_autofree char *path = NULL;

  if (name[0] == '/')
    return strstr (sources, quoted) != NULL;
  if (g_str_has_prefix (name, "cases/"))
    path = g_test_build_filename (G_TEST_DIST, "conformance", name, NULL);
  else
    path = g_test_build_filename (G_TEST_DIST, name, NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static gboolean
names_something (const char *name)
{
  return name[0] == '/' || g_str_has_prefix (name, "cases/") || g_str_has_suffix (name, ".c");
}

/* Returns the number of names. */
static guint
check_names (const Row *row, const char *sources)
{
  g_auto (GStrv) parts = g_strsplit (row->here, "`", -1);
  guint n = 0;

  for (guint i = 1; i < g_strv_length (parts); i += 2)
    if (names_something (parts[i]))
      {
        if (!is_there (parts[i], sources))
          g_error ("README.md: %s: %s names %s, which is not there", row->section, row->methods, parts[i]);
        n++;
      }
  return n;
}

/* Each row names existing tests, or gives a reason after a dash. */
static void
test_rows (void)
{
  g_autoptr (GPtrArray) rows = read_rows ();
  g_autofree char *sources = read_sources ();

  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = rows->pdata[i];
      guint n = check_names (row, sources);

      if (n == 0 && !(g_str_has_prefix (row->here, "— ") && strlen (row->here) > strlen ("— ") + 10))
        g_error ("README.md: %s: %s has neither a test nor a reason", row->section, row->methods);
    }
}

/* No method of CPython is listed twice. */
static void
test_methods (void)
{
  g_autoptr (GPtrArray) rows = read_rows ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = rows->pdata[i];
      g_auto (GStrv) halves = g_strsplit (row->methods, ": ", 2);
      g_auto (GStrv) methods = halves[1] ? g_strsplit (halves[1], ", ", -1) : NULL;

      if (methods == NULL)
        g_error ("README.md: %s: no class in %s", row->section, row->methods);
      for (char **method = methods; *method; method++)
        {
          char *full = g_strdup_printf ("%s %s.%s", row->section, halves[0], *method);

          if (!g_hash_table_add (seen, full))
            g_error ("README.md: %s: %s.%s is there twice", row->section, halves[0], *method);
        }
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/table/rows", test_rows);
  g_test_add_func ("/table/methods", test_methods);
  return g_test_run ();
}
