/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scope/patience.h"

#include "task/done-callback.h"

#include "gtask-ext/sleep.h"
#include "gtask-ext/task.h"

/* Set on a task while it is spared. */
static G_DEFINE_QUARK (gtask-ext-spared, spared)

static void
on_time_over (gpointer sleep,
              gpointer data)
{
  GPtrArray *tasks = data;

  for (guint i = 0; i < tasks->len; i++)
    {
      g_object_set_qdata (tasks->pdata[i], spared_quark (), NULL);
      gtx_cancel (tasks->pdata[i]);
    }
}

static void
spare (GPtrArray *tasks,
       GtxTask   *task)
{
  if (g_object_get_qdata (G_OBJECT (task), spared_quark ()))
    return;
  g_object_set_qdata (G_OBJECT (task), spared_quark (), task);
  g_ptr_array_add (tasks, g_object_ref (task));
}

void
gtx_cancel_patiently (GPtrArray *tasks)
{
  g_autoptr (GPtrArray) spared = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtxFuture) sleep = NULL;

  for (guint i = 0; i < tasks->len; i++)
    if (gtx_cancelling (tasks->pdata[i]) > 0)
      spare (spared, tasks->pdata[i]);
    else
      gtx_cancel (tasks->pdata[i]);
  if (spared->len == 0)
    return;
  sleep = gtx_sleep_future (GTX_PATIENCE);
  gtx_future_call_back (sleep, on_time_over, g_steal_pointer (&spared), (GDestroyNotify) g_ptr_array_unref, NULL);
}
