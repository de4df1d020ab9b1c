/* asyncio: Queue, Queue.join(), a pool of worker tasks
 *
 * Counts the lines of the C files below a folder, a few files at a time:
 * worker-pool [FOLDER] */
#include <gtask-ext.h>

#define N_WORKERS 4

typedef struct
{
  GtxQueue *files;              /* of GFile */
  guint n_files;
  gsize n_lines;
} Count;

static gboolean
count_file (Count *count, GFile *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;

  g_file_load_contents_async (file, GTX_ASYNC);
  if (!g_file_load_contents_finish (file, gtx_await_result (), &text, &length, NULL, error))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    count->n_lines += text[i] == '\n';
  count->n_files++;
  return TRUE;
}

/* If a file cannot be read, its name is printed, and the worker goes on with the next
 * one. */
static gboolean
work (Count *count, GError **error)
{
  for (;;)
    {
      g_autoptr (GFile) file = gtx_queue_get (count->files, error);
      g_autoptr (GError) failure = NULL;

      if (file == NULL)
        return FALSE;
      if (!count_file (count, file, &failure))
        g_printerr ("%s: %s\n", g_file_peek_path (file), failure->message);
      gtx_queue_task_done (count->files);
    }
}

static gboolean find_files (Count *count, GFile *folder, GError **error);

static gboolean
add_files (Count *count, GFileEnumerator *folder, GList *some, GError **error)
{
  for (GList *l = some; l; l = l->next)
    {
      g_autoptr (GFile) child = g_file_enumerator_get_child (folder, l->data);
      gboolean added = TRUE;

      if (g_file_info_get_file_type (l->data) == G_FILE_TYPE_DIRECTORY)
        added = find_files (count, child, error);
      else if (g_str_has_suffix (g_file_info_get_name (l->data), ".c"))
        added = gtx_queue_put (count->files, g_steal_pointer (&child), error);
      if (!added)
        return FALSE;
    }
  return TRUE;
}

static gboolean
find_files (Count *count, GFile *folder, GError **error)
{
  g_autoptr (GFileEnumerator) files = NULL;
  GError *failure = NULL;
  gboolean added = TRUE;

  g_file_enumerate_children_async (folder, "standard::name,standard::type",
                                   G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, G_PRIORITY_DEFAULT, GTX_ASYNC);
  files = g_file_enumerate_children_finish (folder, gtx_await_result (), error);
  if (files == NULL)
    return FALSE;

  while (added)
    {
      GList *some;

      g_file_enumerator_next_files_async (files, 64, G_PRIORITY_DEFAULT, GTX_ASYNC);
      some = g_file_enumerator_next_files_finish (files, gtx_await_result (), &failure);
      if (some == NULL)
        break;
      added = add_files (count, files, some, error);
      g_list_free_full (some, g_object_unref);
    }
  if (failure)
    g_propagate_error (error, failure);
  return added && failure == NULL;
}

static gboolean
main_coroutine (GFile *folder, GError **error)
{
  g_autoptr (GtxQueue) files = gtx_queue_new (0, g_object_unref);
  Count count = { .files = files };
  GtxTask *workers[N_WORKERS];
  gboolean succeeded;

  for (guint i = 0; i < N_WORKERS; i++)
    workers[i] = gtx_create_task (work, &count, NULL);

  succeeded = find_files (&count, folder, error) && gtx_queue_join (files, error);

  for (guint i = 0; i < N_WORKERS; i++)
    {
      gtx_cancel (workers[i]);
      gtx_await (workers[i], NULL);
      g_object_unref (workers[i]);
    }
  if (succeeded)
    g_print ("%" G_GSIZE_FORMAT " lines in %u files\n", count.n_lines, count.n_files);
  return succeeded;
}

int
main (int argc, char *argv[])
{
  g_autoptr (GFile) folder = g_file_new_for_commandline_arg (argc > 1 ? argv[1] : "examples");
  g_autoptr (GError) error = NULL;

  if (gtx_run (main_coroutine, folder, &error))
    return 0;
  g_printerr ("worker-pool: %s\n", error->message);
  return 1;
}
