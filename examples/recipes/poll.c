/* Asks again and again, for some time, until something is so. */
#include "recipes.h"

typedef struct
{
  guint pages_left;
} Printer;

static gboolean
printer_is_done (Printer *self)
{
  g_print ("%u pages left\n", self->pages_left);
  return self->pages_left-- == 0;
}

/* For what has no signal: gtx_await_signal () and gtx_await_notify () need no polling. */
static gboolean
wait_until_printed (Printer *self, GError **error)
{
  while (!printer_is_done (self))
    if (!gtx_sleep (0.05, error))
      return FALSE;
  return TRUE;
}

static gboolean
print (Printer *self, GError **error)
{
  return gtx_call_with_timeout (0.12, wait_until_printed, self, error);
}

gboolean
recipe_poll (gpointer data, GError **error)
{
  Printer quick = { 2 };
  Printer slow = { 200 };
  g_autoptr (GError) failure = NULL;

  if (!print (&quick, error))
    return FALSE;
  g_print ("printed\n");
  if (!print (&slow, &failure) && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_print ("%s\n", failure ? failure->message : "printed");
  return TRUE;
}
