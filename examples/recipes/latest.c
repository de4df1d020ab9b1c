/* Takes the latest value, at most so many times a second: throttle. */
#include "recipes.h"

/* What comes during the sleep replaces what came before it, so that the last value is always shown. */
static gboolean
show_latest (GtxSubscription *subscription, GError **error)
{
  char *value;

  while ((value = gtx_subscription_receive (subscription, NULL, error)))
    {
      g_print ("%s\n", value);
      g_free (value);
      if (!gtx_sleep (0.1, error))
        return FALSE;
    }
  return FALSE;
}

static gboolean
measure (GtxBroadcast *values, GError **error)
{
  for (int i = 0; i < 8; i++)
    {
      gtx_broadcast_send (values, g_strdup_printf ("%d degrees", 20 + i), NULL);
      if (!gtx_sleep (0.03, error))
        return FALSE;
    }
  gtx_broadcast_close (values);
  return TRUE;
}

gboolean
recipe_latest (gpointer data, GError **error)
{
  g_autoptr (GtxBroadcast) values = gtx_broadcast_new (1, (GBoxedCopyFunc) g_strdup, g_free);
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (values);
  g_autoptr (GtxTask) measuring = gtx_create_task (measure, g_object_ref (values), g_object_unref);
  g_autoptr (GError) failure = NULL;

  show_latest (subscription, &failure);
  if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return gtx_await (measuring, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
