/* asyncio: TaskGroup, ExceptionGroup
 *
 * Copies files into a folder, all of them or none.  If one copy fails, the others are
 * stopped, and their unfinished files are removed: all-or-nothing FILE… FOLDER.  Without
 * arguments the program shows both outcomes on files of its own. */
#include <gtask-ext.h>

#include <glib/gstdio.h>
#include <locale.h>

typedef struct
{
  GFile *from;
  GFile *to;
} Copy;

static void
copy_free (Copy *copy)
{
  g_object_unref (copy->from);
  g_object_unref (copy->to);
  g_free (copy);
}

static gboolean
copy_file (Copy *copy, GError **error)
{
  g_file_copy_async (copy->from, copy->to, G_FILE_COPY_NONE, G_PRIORITY_DEFAULT, GTX_CANCELLABLE,
                     NULL, NULL, GTX_CALLBACK);
  return g_file_copy_finish (copy->from, gtx_await_result (), error);
}

static gboolean
copy_all (GFile **files, guint n_files, GFile *folder, GError **error)
{
  g_autoptr (GPtrArray) made = g_ptr_array_new_with_free_func (g_object_unref);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; failure == NULL && i < n_files; i++)
    {
      g_autofree char *name = g_file_get_basename (files[i]);
      Copy *copy = g_new (Copy, 1);

      copy->from = g_object_ref (files[i]);
      copy->to = g_file_get_child (folder, name);
      g_ptr_array_add (made, g_object_ref (copy->to));
      gtx_task_group_create_task (&group, copy_file, copy, (GDestroyNotify) copy_free, &failure);
    }
  if (gtx_task_group_end (&group, &failure, error))
    return TRUE;

  for (guint i = 0; i < made->len; i++)
    g_file_delete (made->pdata[i], NULL, NULL);
  return FALSE;
}

static gboolean
copy_and_tell (GFile **files, guint n_files, GFile *folder)
{
  g_autoptr (GError) error = NULL;
  gboolean copied = copy_all (files, n_files, folder, &error);

  if (copied)
    g_print ("%u files copied\n", n_files);
  else
    g_print ("Nothing copied: %s\n", error->message);
  for (guint i = 0; error && i < gtx_error_get_n_errors (error); i++)
    g_print ("  - %s\n", gtx_error_get_error (error, i)->message);
  return copied;
}

/* ---- Files to try it on ---- */

static guint
count_files (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder))
    n++;
  return n;
}

static gboolean
show (gpointer data, GError **error)
{
  g_autofree char *from = g_dir_make_tmp ("from-XXXXXX", error);
  g_autofree char *to = g_dir_make_tmp ("to-XXXXXX", error);
  g_autoptr (GFile) folder = g_file_new_for_path (to);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 5; i++)
    {
      g_ptr_array_add (files, g_file_new_build_filename (from, (const char *[]) { "a", "b", "c", "d", "e" }[i], NULL));
      if (i != 3 && !g_file_set_contents (g_file_peek_path (files->pdata[i]), "text", -1, error))
        return FALSE;
    }
  copy_and_tell ((GFile **) files->pdata, files->len, folder);
  g_print ("%u files in the folder\n", count_files (to));
  g_ptr_array_remove_index (files, 3);
  copy_and_tell ((GFile **) files->pdata, files->len, folder);
  g_print ("%u files in the folder\n", count_files (to));

  for (guint i = 0; i < files->len; i++)
    {
      g_autofree char *name = g_file_get_basename (files->pdata[i]);
      g_autofree char *copy = g_build_filename (to, name, NULL);

      g_remove (g_file_peek_path (files->pdata[i]));
      g_remove (copy);
    }
  g_rmdir (from);
  g_rmdir (to);
  return TRUE;
}

static gboolean
main_coroutine (GStrv arguments, GError **error)
{
  guint n = g_strv_length (arguments);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);

  if (n < 2)
    return show (NULL, error);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (files, g_file_new_for_commandline_arg (arguments[i]));
  copy_and_tell ((GFile **) files->pdata, n - 1, files->pdata[n - 1]);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (gtx_run (main_coroutine, argv + 1, &error))
    return 0;
  g_printerr ("all-or-nothing: %s\n", error->message);
  return 1;
}
