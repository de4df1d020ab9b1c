/* asyncio has no such thing: its tasks share one processor.
 *
 * Computes the SHA-256 of files on all processors, and prints them in the order of the
 * arguments: all-processors [FILE…] */
#include <gtask-ext.h>

typedef struct
{
  const char *path;
  char *digest;
} Item;

/* Runs in a thread of the pool.  Reading suspends the task, and another one goes on. */
static gboolean
hash_file (Item *item, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (item->path);
  g_autofree char *text = NULL;
  gsize length;

  if (!gtx_file_load_contents (file, &text, &length, NULL, error))
    return FALSE;
  item->digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text, length);
  return TRUE;
}

/* If a file cannot be read, the others are cancelled. */
static gboolean
hash_all (GArray *items, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_pool (&group, NULL);      /* the word that spreads them */
  gtx_task_group_set_limit (&group, 4 * gtx_pool_get_n_threads (gtx_pool_get_default ()));
  for (guint i = 0; i < items->len && failure == NULL; i++)
    gtx_task_group_create_task (&group, hash_file, &g_array_index (items, Item, i), NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

static void
item_clear (gpointer item)
{
  g_free (((Item *) item)->digest);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GArray) items = g_array_new (FALSE, TRUE, sizeof (Item));
  g_autoptr (GError) error = NULL;

  g_array_set_clear_func (items, item_clear);
  for (int i = 1; i < argc; i++)
    g_array_append_val (items, ((Item) { .path = argv[i] }));
  if (!gtx_run (hash_all, items, &error))
    {
      g_printerr ("all-processors: %s\n", error->message);
      return 1;
    }
  for (guint i = 0; i < items->len; i++)
    g_print ("%s  %s\n", g_array_index (items, Item, i).digest, g_array_index (items, Item, i).path);
  return 0;
}
