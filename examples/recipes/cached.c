/* Shows what is in memory at once, and what has to be loaded later. */
#include "recipes.h"

typedef struct
{
  GHashTable *texts;            /* of strings by name */
  const char *name;
} View;

/* Does not suspend if the text is there. */
static const char *
get_text (View *view, GError **error)
{
  if (!g_hash_table_contains (view->texts, view->name))
    {
      if (!gtx_sleep (0.1, error))                   /* loads it */
        return NULL;
      g_hash_table_insert (view->texts, g_strdup (view->name), g_strdup_printf ("the text of %s", view->name));
    }
  return g_hash_table_lookup (view->texts, view->name);
}

static gboolean
show (View *view, GError **error)
{
  const char *text = get_text (view, error);

  if (text)
    g_print ("shows %s\n", text);
  return text != NULL;
}

/* An eager task runs inside this call until it suspends: there is no empty window for a frame. */
static GtxTask *
open_view (View *view)
{
  GtxTask *task = gtx_create_task_eager (show, view, NULL);

  if (!gtx_future_is_done (task))
    g_print ("shows a spinner\n");
  return task;
}

gboolean
recipe_cached (gpointer data, GError **error)
{
  g_autoptr (GHashTable) texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  View view = { texts, "page 1" };

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GtxTask) task = open_view (&view);

      if (!gtx_await (task, error))
        return FALSE;
    }
  return TRUE;
}
