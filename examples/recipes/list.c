/* Fills a GListModel as values come, many at once: a view is told of them once a frame, and not for each. */
#include "recipes.h"

#define N_AT_ONCE 100           /* what a view can add within a frame */

/* Waits for an item, and takes with it those that are there. */
gboolean
append_next (GListStore *list, GtxQueue *found, GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_object_unref);
  gpointer item = gtx_queue_get (found, error);

  if (item == NULL)
    return FALSE;
  do
    g_ptr_array_add (items, item);
  while (items->len < N_AT_ONCE && (item = gtx_queue_get_nowait (found, NULL)));
  g_list_store_splice (list, g_list_model_get_n_items (G_LIST_MODEL (list)), 0, items->pdata, items->len);
  return TRUE;
}

/* The view draws during the sleep. */
static gboolean
fill (GListStore *list, GtxQueue *found, GError **error)
{
  while (append_next (list, found, error))
    if (!gtx_sleep (1 / 60.0, error))
      return FALSE;
  return FALSE;
}

static gboolean
find (GtxQueue *found, GError **error)
{
  for (guint i = 0; i < 250; i++)
    if (!gtx_queue_put (found, g_cancellable_new (), error) || (i % 30 == 29 && !gtx_sleep (0.001, error)))
      return FALSE;
  gtx_queue_shutdown (found, GTX_SHUTDOWN_DRAIN);
  return TRUE;
}

static void
on_changed (GListModel *list, guint position, guint n_removed, guint n_added, gpointer data)
{
  g_print ("%u more\n", n_added);
}

gboolean
recipe_list (gpointer data, GError **error)
{
  g_autoptr (GListStore) list = g_list_store_new (G_TYPE_CANCELLABLE);
  g_autoptr (GtxQueue) found = gtx_queue_new (0, g_object_unref);
  g_autoptr (GtxTask) finding = gtx_create_task (find, g_object_ref (found), g_object_unref);
  g_autoptr (GError) failure = NULL;

  g_signal_connect (list, "items-changed", G_CALLBACK (on_changed), NULL);
  fill (list, found, &failure);
  if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return gtx_await (finding, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
