/* Asks several mirrors at once, and takes the first answer that is good. */
#include "recipes.h"

typedef struct
{
  const char *name;
  double seconds;
  gboolean is_broken;
} Mirror;

static char *
fetch_from (Mirror *self, GError **error)
{
  if (!gtx_sleep (self->seconds, error))
    return NULL;
  if (self->is_broken)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s does not have it", self->name);
  return self->is_broken ? NULL : g_strdup_printf ("a file from %s", self->name);
}

/* The requests to the other mirrors are cancelled, and have ended when the function returns.  If all fail, the
 * error has the errors of all. */
static char *
fetch (Mirror *mirrors, guint n, GError **error)
{
  g_autoptr (GPtrArray) attempts = g_ptr_array_new_with_free_func (g_object_unref);
  GtxTask *first;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (attempts, gtx_create_task_pointer (fetch_from, &mirrors[i], NULL, g_free));
  first = gtx_any (attempts, error);
  return first ? gtx_await_pointer (first, error) : NULL;
}

gboolean
recipe_mirrors (gpointer data, GError **error)
{
  Mirror all[] = { { "Oslo", 0.3, FALSE }, { "Graz", 0.1, TRUE }, { "Rome", 0.2, FALSE }, { "Bonn", 0.1, TRUE } };
  g_autofree char *file = fetch (all, 4, error);
  g_autofree char *none = NULL;
  g_autoptr (GError) failure = NULL;

  if (file == NULL)
    return FALSE;
  g_print ("%s\n", file);
  all[0].is_broken = all[2].is_broken = TRUE;
  none = fetch (all, 3, &failure);
  if (gtx_error_is_cancelled (failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_print ("%s\n", none ? none : failure->message);
  return TRUE;
}
