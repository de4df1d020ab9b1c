/* Asks all, and keeps the answers that come in time. */
#include "recipes.h"

static char *
ask (const char *name, GError **error)
{
  if (!gtx_sleep (strlen (name) / 100.0, error))
    return NULL;
  return g_strdup_printf ("%s answers", name);
}

/* When it returns, each task has ended: with an answer, an error, or because it was cancelled. */
static gboolean
wait_in_time (GPtrArray *tasks, double seconds, GError **error)
{
  gboolean waited = gtx_wait (tasks, GTX_ALL_COMPLETED, seconds, error);

  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);                   /* does nothing to those that are done */
  return gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, waited ? error : NULL) && waited;
}

gboolean
recipe_in_time (gpointer data, GError **error)
{
  static const char *const names[] = { "Ann", "Theodora", "Bob" };
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (tasks, gtx_create_task_pointer (ask, names[i], NULL, g_free));
  if (!wait_in_time (tasks, 0.05, error))
    return FALSE;
  for (guint i = 0; i < tasks->len; i++)
    if (gtx_future_get_error (tasks->pdata[i]) == NULL)
      g_print ("%s\n", (char *) gtx_future_get_result (tasks->pdata[i]));
  return TRUE;
}
