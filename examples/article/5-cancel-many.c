/* asyncio: cancel several tasks, gather(return_exceptions=True) */
#include <gtask-ext.h>

static gboolean
sub_coroutine (GtxTask *task, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_print ("Sub-coroutine %s started\n", gtx_task_get_name (task));
  if (gtx_sleep (3, &failure))
    g_print ("Sub-coroutine %s finished\n", gtx_task_get_name (task));
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_print ("Sub-coroutine %s cancelled\n", gtx_task_get_name (task));
  return TRUE;
}

static gboolean
main_coroutine (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  const char *names[] = { "Task-1", "Task-2", "Task-3" };

  g_print ("Main-coroutine started\n");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      GtxTask *task = gtx_task_new (sub_coroutine, gtx_current_task (), NULL);

      gtx_task_set_name (task, names[i]);
      g_ptr_array_add (tasks, gtx_task_start (task));
    }
  if (!gtx_sleep (1, error))
    return FALSE;
  g_print ("Cancelling all tasks...\n");
  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);
  if (!gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error))
    return FALSE;
  g_print ("Main-coroutine finished\n");
  return TRUE;
}

int
main (void)
{
  return gtx_run (main_coroutine, NULL, NULL) ? 0 : 1;
}
