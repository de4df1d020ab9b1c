/* Searches as the user types: when the typing pauses, and never for an old text. */
#include "recipes.h"

static gboolean
search (GObject *window, GVariant *text, GError **error)
{
  const char *wanted = g_variant_get_string (text, NULL);

  g_print ("searching %s\n", wanted);
  if (!gtx_sleep (0.2, error))                      /* asks a server */
    return FALSE;
  g_print ("found %s\n", wanted);
  return TRUE;
}

/* Each activation restarts the pause.  If a search is under way, it is cancelled first. */
static GtxCommand *
search_command_new (GObject *window)
{
  GtxCommand *command = gtx_command_new ("search", G_VARIANT_TYPE_STRING, search, window);

  gtx_command_set_mode (command, GTX_COMMAND_RESTART);
  gtx_command_set_delay (command, 0.1);
  return command;
}

gboolean
recipe_debounce (gpointer data, GError **error)
{
  static const char *const typed[] = { "t", "ta", "tas", "task" };
  g_autoptr (GObject) window = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GtxCommand) command = search_command_new (window);

  for (guint i = 0; i < G_N_ELEMENTS (typed); i++)
    {
      g_action_activate (G_ACTION (command), g_variant_new_string (typed[i]));
      if (!gtx_sleep (i == 1 ? 0.15 : 0.02, error))
        return FALSE;
    }
  return gtx_sleep (0.1, error) && gtx_scope_join (gtx_object_get_scope (window), error);
}
