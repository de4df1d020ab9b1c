/* Takes the last value after a pause, and so waits for a value with a time limit: debounce. */
#include "recipes.h"

static gboolean
take (Typing *self, GError **error)
{
  char *text = gtx_queue_get (self->texts, error);

  if (text == NULL)
    return FALSE;
  g_free (self->last);
  self->last = text;
  return TRUE;
}

/* The last text is kept in @self until it is returned: a request to cancel in the pause leaves it to the next
 * call.  The end of the queue ends the pause. */
char *
text_after_pause (Typing *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (self->last == NULL && !take (self, error))
    return NULL;
  while (gtx_call_with_timeout (0.1, take, self, &failure))
    ;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
      g_error_matches (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return g_steal_pointer (&self->last);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static gboolean
type (GtxQueue *texts, GError **error)
{
  static const char *const typed[] = { "t", "ta", "tas", "task" };

  for (guint i = 0; i < G_N_ELEMENTS (typed); i++)
    if (!gtx_queue_put (texts, g_strdup (typed[i]), error) || !gtx_sleep (i == 1 ? 0.15 : 0.02, error))
      return FALSE;
  gtx_queue_shutdown (texts, GTX_SHUTDOWN_DRAIN);
  return TRUE;
}

gboolean
recipe_pause (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) texts = gtx_queue_new (0, g_free);
  g_autoptr (GtxTask) typing = gtx_create_task (type, g_object_ref (texts), g_object_unref);
  Typing self = { .texts = texts };
  g_autoptr (GError) failure = NULL;
  char *text;

  while ((text = text_after_pause (&self, &failure)))
    {
      g_print ("%s\n", text);
      g_free (text);
    }
  g_free (self.last);
  if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return gtx_await (typing, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
