/* Takes what is in a folder, some files at a time, before all of it was read. */
#include "recipes.h"

#include <glib/gstdio.h>

/* GIO would drop the files that it has read when it is cancelled, so that it is not told: a request to cancel waits
 * for these files, and ends the next wait of the task.  Returns NULL at the end, and with @error set. */
GList *
next_files (GFileEnumerator *folder, GError **error)
{
  g_file_enumerator_next_files_async (folder, 50, G_PRIORITY_DEFAULT, NULL, GTX_CALLBACK);
  return g_file_enumerator_next_files_finish (folder, gtx_await_result (), error);
}

static gboolean
show_files (GFile *file, GError **error)
{
  g_autoptr (GFileEnumerator) folder = NULL;
  g_autoptr (GError) failure = NULL;
  GList *files;

  g_file_enumerate_children_async (file, G_FILE_ATTRIBUTE_STANDARD_NAME, G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                                   GTX_ASYNC);
  folder = g_file_enumerate_children_finish (file, gtx_await_result (), error);
  if (folder == NULL)
    return FALSE;
  while ((files = next_files (folder, &failure)))
    {
      g_print ("%u files\n", g_list_length (files));
      g_list_free_full (files, g_object_unref);
    }
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

#define N_FILES 120

static char *
path_of (const char *folder, guint i)
{
  g_autofree char *name = g_strdup_printf ("file-%u", i);

  return g_build_filename (folder, name, NULL);
}

gboolean
recipe_folder (gpointer data, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp (NULL, error);
  g_autoptr (GFile) file = folder ? g_file_new_for_path (folder) : NULL;
  gboolean succeeded = folder != NULL;

  for (guint i = 0; succeeded && i < N_FILES; i++)
    {
      g_autofree char *path = path_of (folder, i);

      succeeded = g_file_set_contents (path, "", 0, error);
    }
  succeeded = succeeded && show_files (file, error);
  for (guint i = 0; folder && i < N_FILES; i++)
    {
      g_autofree char *path = path_of (folder, i);

      g_unlink (path);
    }
  if (folder)
    g_rmdir (folder);
  return succeeded;
}
