/* Takes from queues that belong to others, and loses no item. */
#include "recipes.h"

static char *
take (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error);
}

/* Several may have taken an item, so that each is looked at.  If the task was cancelled, each item goes back, to
 * the end of its queue. */
GPtrArray *
take_from_any (GPtrArray *queues, GError **error)
{
  g_autoptr (GPtrArray) takers = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_free);
  gboolean has_taken;

  for (guint i = 0; i < queues->len; i++)
    g_ptr_array_add (takers, gtx_create_task_pointer (take, queues->pdata[i], NULL, g_free));
  has_taken = gtx_any (takers, error) != NULL;
  for (guint i = 0; i < takers->len; i++)
    {
      char *item = gtx_task_steal_pointer (takers->pdata[i]);

      if (item && has_taken)
        g_ptr_array_add (items, item);
      else if (item)
        gtx_queue_put_nowait (queues->pdata[i], item, NULL);
    }
  return has_taken ? g_steal_pointer (&items) : NULL;
}

static gboolean
put_later (GPtrArray *queues, GError **error)
{
  if (!gtx_sleep (0.01, error))
    return FALSE;
  for (guint i = 0; i < queues->len; i++)
    gtx_queue_put_nowait (queues->pdata[i], g_strdup_printf ("item %u", i), NULL);
  return TRUE;
}

gboolean
recipe_takers (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) queues = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) items = NULL;
  g_autoptr (GtxTask) task = NULL;

  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (queues, gtx_queue_new (0, g_free));
  task = gtx_create_task (put_later, queues, NULL);
  items = take_from_any (queues, error);
  for (guint i = 0; items && i < items->len; i++)
    g_print ("%s\n", (char *) items->pdata[i]);
  return items && gtx_await (task, error);
}
