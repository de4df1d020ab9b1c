/* asyncio: a coroutine that takes note of its cancellation and returns */
#include <gtask-ext.h>

static gboolean
sub_coroutine (GtxTask *task, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_print ("Sub-coroutine started\n");
  if (gtx_sleep (3, &failure))
    g_print ("Sub-coroutine finished\n");
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_print ("Sub-coroutine cancelled\n");
  return TRUE;
}

static gboolean
main_coroutine (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sub_task = NULL;
  g_autoptr (GError) failure = NULL;

  g_print ("Main-coroutine started\n");
  sub_task = gtx_create_task (sub_coroutine, gtx_current_task (), NULL);
  if (!gtx_sleep (1, error))
    return FALSE;
  g_print ("Cancelling sub-coroutine...\n");
  gtx_cancel (sub_task);
  if (!gtx_await (sub_task, &failure) &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_print ("Sub-coroutine cancelled\n");
  g_print ("Main-coroutine finished\n");
  return TRUE;
}

int
main (void)
{
  return gtx_run (main_coroutine, NULL, NULL) ? 0 : 1;
}
