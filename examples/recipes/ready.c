/* Starts a child, and waits until it says that it is ready. */
#include "recipes.h"

typedef struct
{
  const char *name;
  gboolean is_broken;
  GtxFuture *is_ready;
} Service;

static gboolean
serve (Service *self, GError **error)
{
  if (!gtx_sleep (0.1, error))                      /* opens its files and sockets */
    return FALSE;
  if (self->is_broken)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE, "the port is taken");
      return FALSE;
    }
  gtx_future_set_result (self->is_ready, NULL, NULL);
  return gtx_sleep (GTX_FOREVER, error);
}

/* Fails with the child's error if the child fails before it is ready. */
static gboolean
wait_until_ready (GtxTask *child, GtxFuture *is_ready, GError **error)
{
  g_autoptr (GPtrArray) both = g_ptr_array_new ();

  g_ptr_array_add (both, child);
  g_ptr_array_add (both, is_ready);
  if (!gtx_wait (both, GTX_FIRST_COMPLETED, GTX_FOREVER, error))
    return FALSE;
  return gtx_future_is_done (is_ready) || gtx_await (child, error);
}

static gboolean
start_and_stop (Service *self, GError **error)
{
  g_autoptr (GtxFuture) is_ready = self->is_ready = gtx_future_new ();
  g_autoptr (GtxTask) child = gtx_create_task (serve, self, NULL);
  g_autoptr (GError) failure = NULL;

  if (wait_until_ready (child, is_ready, &failure))
    g_print ("%s is ready\n", self->name);
  else
    g_print ("%s: %s\n", self->name, failure->message);
  gtx_cancel (child);
  if (!gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, child, NULL))
    return FALSE;
  if (!gtx_error_is_cancelled (failure))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
recipe_ready (gpointer data, GError **error)
{
  Service good = { .name = "good" };
  Service broken = { .name = "broken", .is_broken = TRUE };

  return start_and_stop (&good, error) && start_and_stop (&broken, error);
}
