/* Saves what a task has done when it is cancelled, whatever happens meanwhile, but not for ever. */
#include "recipes.h"

static gboolean
save (const char *text, GError **error)
{
  if (!gtx_sleep (0.2, error))
    return FALSE;
  g_print ("saved: %s\n", text);
  return TRUE;
}

static gboolean
edit (const char *text, GError **error)
{
  g_autoptr (GError) failure = NULL;

  gtx_sleep (3600, error);                           /* until the window is closed */
  if (!gtx_call_shielded (5, save, (char *) text, &failure))
    g_printerr ("not saved: %s\n", failure->message);
  return FALSE;
}

/* The second request comes while the text is saved. */
gboolean
recipe_save (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (edit, "a letter", NULL);
  g_autoptr (GError) failure = NULL;

  for (int i = 0; i < 2; i++)
    {
      if (!gtx_sleep (0.1, error))
        return FALSE;
      gtx_cancel (task);
    }
  gtx_await (task, &failure);
  g_print ("%s\n", failure->message);
  return TRUE;
}
