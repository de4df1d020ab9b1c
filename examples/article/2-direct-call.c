/* asyncio: a coroutine object that is never awaited */
#include <gtask-ext.h>

static gboolean
sub_coroutine (gpointer data, GError **error)
{
  g_print ("Sub-coroutine started\n");
  if (!gtx_sleep (1, error))
    return FALSE;
  g_print ("Sub-coroutine finished\n");
  return TRUE;
}

static gboolean
main_coroutine (gpointer data, GError **error)
{
  g_print ("Main-coroutine started\n");
  g_object_unref (gtx_task_new (sub_coroutine, NULL, NULL)); /* neither started nor awaited */
  if (!gtx_sleep (2, error))
    return FALSE;
  g_print ("Main-coroutine finished\n");
  return TRUE;
}

int
main (void)
{
  return gtx_run (main_coroutine, NULL, NULL) ? 0 : 1;
}
