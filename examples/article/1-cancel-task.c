/* asyncio: create_task(), Task.cancel() */
#include <gtask-ext.h>

static gboolean
my_coroutine (gpointer data, GError **error)
{
  g_print ("Coroutine started\n");
  if (!gtx_sleep (2, error))
    return FALSE;
  g_print ("Coroutine finished\n");
  return TRUE;
}

static gboolean
main_coroutine (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (my_coroutine, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  if (!gtx_sleep (1, error))
    return FALSE;
  g_print ("Cancelling the task...\n");
  gtx_cancel (task);
  if (!gtx_await (task, &failure) &&
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_print ("Task cancelled\n");
  return TRUE;
}

int
main (void)
{
  return gtx_run (main_coroutine, NULL, NULL) ? 0 : 1;
}
