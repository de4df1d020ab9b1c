/* Waits for several things at once, of which only the one that is taken has happened: all put what happens into
 * one queue. */
#include "recipes.h"

typedef struct
{
  GtxQueue *events;             /* of words */
  GCancellable *button;         /* an object with a signal */
} Desk;

/* A signal's handler cannot wait, so that the queue has no bound. */
static void
on_pressed (GCancellable *button, GtxQueue *events)
{
  gtx_queue_put_nowait (events, g_strdup ("pressed"), NULL);
}

static gboolean
tick (Desk *self, GError **error)
{
  while (gtx_sleep (0.1, error))
    if (!gtx_queue_put (self->events, g_strdup ("tick"), error))
      return FALSE;
  return FALSE;
}

static gboolean
handle_events (Desk *self, GError **error)
{
  for (guint n_ticks = 0; n_ticks < 2; )
    {
      g_autofree char *event = gtx_queue_get (self->events, error);

      if (event == NULL)
        return FALSE;
      n_ticks += g_str_equal (event, "tick");
      g_print ("%s\n", event);
    }
  return TRUE;
}

static gboolean
press_later (GCancellable *button, GError **error)
{
  if (!gtx_sleep (0.15, error))
    return FALSE;
  g_cancellable_cancel (button);
  return TRUE;
}

gboolean
recipe_sources (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) events = gtx_queue_new (0, g_free);
  g_autoptr (GCancellable) button = g_cancellable_new ();
  Desk self = { events, button };
  gulong handler = g_signal_connect (button, "cancelled", G_CALLBACK (on_pressed), events);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, tick, &self, NULL, NULL);
  gtx_task_group_create_task (&group, press_later, button, NULL, NULL);
  handle_events (&self, &failure);
  gtx_task_group_cancel (&group);
  g_signal_handler_disconnect (button, handler);
  return gtx_task_group_end (&group, &failure, error);
}
