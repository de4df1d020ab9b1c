/* asyncio: errors of tasks, gather(return_exceptions=True) */
#include <gtask-ext.h>

static gboolean
sub_coroutine (GtxTask *task, GError **error)
{
  GError *failure;

  g_print ("Sub-coroutine %s started\n", gtx_task_get_name (task));
  if (!gtx_sleep (1, error))
    return FALSE;
  failure = g_error_new (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "An error occurred");
  g_print ("Error in sub-coroutine %s: %s\n", gtx_task_get_name (task), failure->message);
  g_propagate_error (error, failure);
  return FALSE;
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
