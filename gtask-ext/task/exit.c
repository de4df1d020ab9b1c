/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that have not ended when the process exits. */

#include "task/exit.h"

#include "loop/scheduler-private.h"
#include "task/task-private.h"

/* Whether the tasks are, or would be, the calling thread's: other threads go on meanwhile. */
static gboolean
is_mine (GtxScheduler *self)
{
  return gtx_scheduler_is_dispatched_here (self) ||
         (__atomic_load_n (&self->dispatcher, __ATOMIC_RELAXED) == 0 && !gtx_scheduler_is_parents (self));
}

/* Looks at the default main context.  A task that exits has decided so. */
static void
warn_of_tasks (void)
{
  GtxScheduler *scheduler = gtx_scheduler_for_context (NULL);
  g_autoptr (GPtrArray) tasks = NULL;

  if (gtx_task_current () || !is_mine (scheduler))
    return;
  tasks = gtx_scheduler_list_tasks (scheduler);
  if (tasks->len > 0)
    gtx_scheduler_log_tasks (scheduler, G_LOG_LEVEL_WARNING,
                             "The program exits, and %u of its tasks ha%s not ended: call gtx_cancel_all() first, "
                             "or gtx_application_attach() in an application",
                             tasks->len, tasks->len == 1 ? "s" : "ve");
}

void
gtx_exit_watch (void)
{
  static gsize is_watched;

  if (!g_once_init_enter (&is_watched))
    return;
  atexit (warn_of_tasks);
  g_once_init_leave (&is_watched, TRUE);
}
