/* Does something at regular times that do not drift, however long the work takes. */
#include "recipes.h"

/* Each time is computed from the one before, and not from the end of a sleep, so that small delays do not add up.
 * A tick counts when it was waited for: a request to cancel leaves it to the next call. */
gboolean
next_tick (Ticks *self, GError **error)
{
  if (!gtx_sleep_until (self->next, error))
    return FALSE;
  self->next += self->interval;
  return TRUE;
}

static gboolean
work (Ticks *self, GError **error)
{
  g_print ("at %.1f\n", gtx_get_time () - self->begin);
  return gtx_sleep (0.03, error);
}

static gboolean
work_regularly (Ticks *self, GError **error)
{
  self->next = self->begin = gtx_get_time ();
  while (next_tick (self, error))
    if (!work (self, error))
      return FALSE;
  return FALSE;
}

gboolean
recipe_interval (gpointer data, GError **error)
{
  Ticks ticks = { .interval = 0.1 };
  g_autoptr (GError) failure = NULL;

  gtx_call_with_timeout (0.35, work_regularly, &ticks, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
