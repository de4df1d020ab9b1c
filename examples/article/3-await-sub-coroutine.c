/* asyncio: await a coroutine */
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
  if (!sub_coroutine (NULL, error)) /* calling a coroutine awaits it */
    return FALSE;
  g_print ("Main-coroutine finished\n");
  return TRUE;
}

int
main (void)
{
  return gtx_run (main_coroutine, NULL, NULL) ? 0 : 1;
}
