/* Does something at regular times that do not drift, however long the work takes. */
#include "recipes.h"

#define INTERVAL 0.1

static gboolean
work (double *begin, GError **error)
{
  g_print ("at %.1f\n", gtx_get_time () - *begin);
  return gtx_sleep (0.03, error);
}

/* Each time is computed from the first one, so that small delays do not add up.  The clock is the monotonic one,
 * or that of a test in virtual time. */
static gboolean
work_regularly (double *begin, GError **error)
{
  *begin = gtx_get_time ();
  for (guint n = 1; ; n++)
    if (!work (begin, error) || !gtx_sleep (*begin + n * INTERVAL - gtx_get_time (), error))
      return FALSE;
}

gboolean
recipe_interval (gpointer data, GError **error)
{
  double begin;
  g_autoptr (GError) failure = NULL;

  gtx_call_with_timeout (3.5 * INTERVAL, work_regularly, &begin, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
