/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "file-cases.h"

#include <gtask-ext.h>

#include <string.h>

/* ---- Contents ---- */

static char *
load_contents (GFile *file, gboolean ours, GError **error)
{
  g_autofree char *contents = NULL;
  g_autofree char *etag = NULL;
  gsize length = 0;
  gboolean succeeded = ours ? gtx_file_load_contents (file, &contents, &length, &etag, error)
                            : g_file_load_contents (file, NULL, &contents, &length, &etag, error);

  return succeeded ? g_strdup_printf ("%s %d", contents, (int) length) : NULL;
}

static char *
load_bytes (GFile *file, gboolean ours, GError **error)
{
  g_autofree char *etag = NULL;
  g_autoptr (GBytes) bytes = ours ? gtx_file_load_bytes (file, &etag, error)
                                  : g_file_load_bytes (file, NULL, &etag, error);

  return bytes ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : NULL;
}

static char *
replace_contents (GFile *file, gboolean ours, GError **error)
{
  g_autofree char *etag = NULL;
  gboolean succeeded;

  if (ours)
    succeeded = gtx_file_replace_contents (file, "new", 3, NULL, TRUE, G_FILE_CREATE_NONE, &etag, error);
  else
    succeeded = g_file_replace_contents (file, "new", 3, NULL, TRUE, G_FILE_CREATE_NONE, &etag, NULL, error);
  return succeeded ? g_strdup (etag ? "an etag" : "none") : NULL;
}

static char *
replace_other (GFile *file, gboolean ours, GError **error)
{
  gboolean succeeded;

  if (ours)
    succeeded = gtx_file_replace_contents (file, "new", 3, "other", FALSE, G_FILE_CREATE_NONE, NULL, error);
  else
    succeeded = g_file_replace_contents (file, "new", 3, "other", FALSE, G_FILE_CREATE_NONE, NULL, NULL, error);
  return succeeded ? g_strdup ("replaced") : NULL;
}

/* ---- Streams ---- */

static char *
read_some (GFile *file, gboolean ours, GError **error)
{
  g_autoptr (GFileInputStream) stream = ours ? gtx_file_read (file, error) : g_file_read (file, NULL, error);
  char buffer[5] = "";

  if (stream == NULL || g_input_stream_read (G_INPUT_STREAM (stream), buffer, 4, NULL, error) < 0)
    return NULL;
  return g_strdup (buffer);
}

/* Takes @stream. */
static char *
write_and_close (GFileOutputStream *stream, GError **error)
{
  gboolean succeeded;

  if (stream == NULL)
    return NULL;
  succeeded = g_output_stream_write_all (G_OUTPUT_STREAM (stream), "new", 3, NULL, NULL, error) &&
              g_output_stream_close (G_OUTPUT_STREAM (stream), NULL, error);
  g_object_unref (stream);
  return succeeded ? g_strdup ("written") : NULL;
}

static char *
replace (GFile *file, gboolean ours, GError **error)
{
  return write_and_close (ours ? gtx_file_replace (file, NULL, TRUE, G_FILE_CREATE_NONE, error)
                               : g_file_replace (file, NULL, TRUE, G_FILE_CREATE_NONE, NULL, error), error);
}

static char *
append_to (GFile *file, gboolean ours, GError **error)
{
  return write_and_close (ours ? gtx_file_append_to (file, G_FILE_CREATE_NONE, error)
                               : g_file_append_to (file, G_FILE_CREATE_NONE, NULL, error), error);
}

/* ---- What is known ---- */

#define ATTRIBUTES "standard::name,standard::type,standard::size"

static char *
describe (GFileInfo *info)
{
  GFileType type = g_file_info_get_file_type (info);

  /* File systems have sizes of their own for folders. */
  return g_strdup_printf ("%s:%d:%d", g_file_info_get_name (info), type,
                          type == G_FILE_TYPE_REGULAR ? (int) g_file_info_get_size (info) : 0);
}

static char *
query_info (GFile *file, gboolean ours, GError **error)
{
  g_autoptr (GFileInfo) info = NULL;

  info = ours ? gtx_file_query_info (file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, error)
              : g_file_query_info (file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, error);
  return info ? describe (info) : NULL;
}

static GPtrArray *
enumerate_by_gio (GFile *file, GError **error)
{
  g_autoptr (GFileEnumerator) enumerator = NULL;
  GPtrArray *infos;
  GFileInfo *info;

  enumerator = g_file_enumerate_children (file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, error);
  if (enumerator == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func (g_object_unref);
  while ((info = g_file_enumerator_next_file (enumerator, NULL, NULL)))
    g_ptr_array_add (infos, info);
  return infos;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (g_file_info_get_name (*(GFileInfo **) a), g_file_info_get_name (*(GFileInfo **) b));
}

static char *
enumerate (GFile *file, gboolean ours, GError **error)
{
  g_autoptr (GPtrArray) infos = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  infos = ours ? gtx_file_enumerate (file, ATTRIBUTES, G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, error)
               : enumerate_by_gio (file, error);
  if (infos == NULL)
    return NULL;
  g_ptr_array_sort (infos, compare_names);
  for (guint i = 0; i < infos->len; i++)
    {
      g_autofree char *line = describe (infos->pdata[i]);

      g_string_append_printf (text, "%s\n", line);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Making and removing ---- */

static char *
make_directory_with_parents (GFile *file, gboolean ours, GError **error)
{
  gboolean succeeded = ours ? gtx_file_make_directory_with_parents (file, error)
                            : g_file_make_directory_with_parents (file, NULL, error);

  return succeeded ? g_strdup ("made") : NULL;
}

static char *
delete (GFile *file, gboolean ours, GError **error)
{
  gboolean succeeded = ours ? gtx_file_delete (file, error) : g_file_delete (file, NULL, error);

  return succeeded ? g_strdup ("deleted") : NULL;
}

static char *
trash (GFile *file, gboolean ours, GError **error)
{
  gboolean succeeded = ours ? gtx_file_trash (file, error) : g_file_trash (file, NULL, error);

  return succeeded ? g_strdup ("trashed") : NULL;
}

/* ---- Copying and moving, to a file in the same folder ---- */

static GFile *
beside (GFile *file)
{
  g_autoptr (GFile) folder = g_file_get_parent (file);

  return g_file_get_child (folder, "destination");
}

typedef struct
{
  int n_done;
  int n_total;
} Counts;

static void
keep_counts (goffset n_done, goffset n_total, gpointer data)
{
  Counts *counts = data;

  counts->n_done = (int) n_done;
  counts->n_total = (int) n_total;
}

static char *
copy (GFile *file, gboolean ours, GError **error)
{
  g_autoptr (GFile) destination = beside (file);
  Counts counts = { -1, -1 };
  gboolean succeeded;

  if (ours)
    succeeded = gtx_file_copy (file, destination, G_FILE_COPY_NOFOLLOW_SYMLINKS, keep_counts, &counts, error);
  else
    succeeded = g_file_copy (file, destination, G_FILE_COPY_NOFOLLOW_SYMLINKS, NULL, keep_counts, &counts, error);
  return succeeded ? g_strdup_printf ("%d of %d", counts.n_done, counts.n_total) : NULL;
}

static char *
copy_over_itself (GFile *file, gboolean ours, GError **error)
{
  gboolean succeeded = ours ? gtx_file_copy (file, file, G_FILE_COPY_NONE, NULL, NULL, error)
                            : g_file_copy (file, file, G_FILE_COPY_NONE, NULL, NULL, NULL, error);

  return succeeded ? g_strdup ("copied") : NULL;
}

static char *
move (GFile *file, gboolean ours, GError **error)
{
  g_autoptr (GFile) destination = beside (file);
  Counts counts = { -1, -1 };
  gboolean succeeded;

  succeeded = ours ? gtx_file_move (file, destination, G_FILE_COPY_NONE, keep_counts, &counts, error)
                   : g_file_move (file, destination, G_FILE_COPY_NONE, NULL, keep_counts, &counts, error);
  return succeeded ? g_strdup_printf ("%d of %d", counts.n_done, counts.n_total) : NULL;
}

const FileCase file_cases[] = {
  { "load_contents", load_contents, FALSE, FALSE },
  { "load_bytes", load_bytes, FALSE, FALSE },
  { "replace_contents", replace_contents, FALSE, TRUE },
  { "replace_contents, another etag", replace_other, FALSE, FALSE },
  { "read", read_some, FALSE, FALSE },
  { "replace", replace, FALSE, FALSE },
  { "append_to", append_to, FALSE, FALSE },
  { "query_info", query_info, FALSE, FALSE },
  { "enumerate", enumerate, FALSE, TRUE },
  { "make_directory_with_parents", make_directory_with_parents, TRUE, FALSE },
  { "delete", delete, FALSE, FALSE },
  { "trash", trash, FALSE, FALSE },
  { "copy", copy, FALSE, FALSE },
  { "copy, over itself", copy_over_itself, FALSE, FALSE },
  { "move", move, FALSE, FALSE },
};
const guint n_file_cases = G_N_ELEMENTS (file_cases);

/* ---- The tree ---- */

const char *const file_case_names[] = {
  "file", "empty file", "folder", "empty folder", "link", "missing", "missing/below/it", "file/below", NULL
};

static void
make_file (GFile *tree, const char *name, const char *contents)
{
  g_autoptr (GFile) file = g_file_resolve_relative_path (tree, name);
  g_autoptr (GError) error = NULL;

  g_file_replace_contents (file, contents, strlen (contents), NULL, FALSE, G_FILE_CREATE_NONE, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
make_folder (GFile *tree, const char *name)
{
  g_autoptr (GFile) folder = g_file_resolve_relative_path (tree, name);
  g_autoptr (GError) error = NULL;

  g_file_make_directory (folder, NULL, &error);
  g_assert_no_error (error);
}

static void
fill (GFile *tree)
{
  g_autoptr (GFile) link = g_file_get_child (tree, "link");
  g_autoptr (GError) error = NULL;

  make_file (tree, "file", "what is in it");
  make_file (tree, "empty file", "");
  make_folder (tree, "folder");
  make_file (tree, "folder/one", "1");
  make_file (tree, "folder/two", "22");
  make_folder (tree, "folder/three");
  make_folder (tree, "empty folder");
  g_file_make_symbolic_link (link, "nowhere", NULL, &error);
  g_assert_no_error (error);
}

static gboolean
has_file_being_written (GFile *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) names = g_dir_open (g_file_peek_path (folder), 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (names)) != NULL)
    if (g_str_has_prefix (name, ".goutputstream-"))
      return TRUE;
  return FALSE;
}

/* If GIO drops a stream because of a request, it closes the stream after the task got the
 * error, in a thread or in later turns of the main loop. */
static void
wait_for_closing (GFile *tree)
{
  while (has_file_being_written (tree))
    g_assert_true (gtx_sleep (0, NULL));
}

static void
clear (GFile *folder)
{
  g_autoptr (GPtrArray) infos = enumerate_by_gio (folder, NULL);

  for (guint i = 0; i < infos->len; i++)
    {
      g_autoptr (GFile) child = g_file_get_child (folder, g_file_info_get_name (infos->pdata[i]));
      g_autoptr (GError) error = NULL;

      if (g_file_info_get_file_type (infos->pdata[i]) == G_FILE_TYPE_DIRECTORY)
        clear (child);
      g_file_delete (child, NULL, &error);
      g_assert_no_error (error);
    }
}

static GFile *
folder_new (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_dir_make_tmp ("gtask-ext-files-XXXXXX", &error);

  g_assert_no_error (error);
  return g_file_new_for_path (path);
}

GFile *
file_home_new (void)
{
  GFile *home = folder_new ();

  g_setenv ("HOME", g_file_peek_path (home), TRUE);
  g_unsetenv ("XDG_DATA_HOME");
  return home;
}

GFile *
file_tree_new (void)
{
  GFile *tree = folder_new ();

  fill (tree);
  return tree;
}

void
file_tree_restore (GFile *tree)
{
  wait_for_closing (tree);
  clear (tree);
  fill (tree);
}

void
file_tree_remove (GFile *tree)
{
  wait_for_closing (tree);
  clear (tree);
  g_assert_true (g_file_delete (tree, NULL, NULL));
  g_object_unref (tree);
}

static void
print (GFile *folder, GString *text)
{
  g_autoptr (GPtrArray) infos = enumerate_by_gio (folder, NULL);

  g_ptr_array_sort (infos, compare_names);
  for (guint i = 0; i < infos->len; i++)
    {
      g_autoptr (GFile) child = g_file_get_child (folder, g_file_info_get_name (infos->pdata[i]));
      g_autofree char *line = describe (infos->pdata[i]);
      g_autofree char *contents = NULL;

      g_file_load_contents (child, NULL, &contents, NULL, NULL, NULL);
      g_string_append_printf (text, "%s:%s\n", line, contents ? contents : "-");
      if (g_file_info_get_file_type (infos->pdata[i]) == G_FILE_TYPE_DIRECTORY)
        {
          print (child, text);
          g_string_append (text, "..\n");
        }
    }
}

char *
file_tree_print (GFile *tree)
{
  GString *text = g_string_new (NULL);

  print (tree, text);
  return g_string_free (text, FALSE);
}
