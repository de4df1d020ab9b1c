/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry of the tasks of a main context, and what becomes of the tasks when the main context
 * goes. */

#include "task/done-callback.h"
#include "task/exit.h"
#include "task/task-private.h"

#include "debug/debug.h"

#include "gtask-ext/error.h"

typedef struct
{
  GtxHandleList tasks;
  GtxHandle at_end;
  GHashTable *table;            /* see gtx_scheduler_get_table (); made when needed */
  guint64 n_gone_on;
} Registry;

/* ---- When the main context goes ---- */

/* Ends a task that cannot begin any more, because its main context is gone.  A task that was
 * cancelled would not have begun anyway, and ends as cancelled. */
void
gtx_task_end_homeless (GtxTask *self)
{
  GError *error = NULL;

  gtx_task_take_up_request (self);
  if (!self->must_cancel)
    error = g_error_new (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                         "Task %s cannot run: its main context is gone", gtx_task_get_name (self));
  gtx_task_end_without_stack (self, NULL, error);
}

static void
never_step (GtxHandle *handle)
{
}

/* Called when the main context goes.  Tasks that are suspended stay so for ever. */
static void
end_homeless (GtxHandle *handle)
{
  GtxHandleList tasks;
  GtxHandle *link;

  gtx_handle_list_init (&tasks);
  gtx_handle_list_splice (&tasks, &GTX_CONTAINER_OF (handle, Registry, at_end)->tasks);
  while ((link = gtx_handle_list_pop (&tasks)))
    {
      GtxTask *task = GTX_CONTAINER_OF (link, GtxTask, link);

      if (gtx_handle_is_linked (&task->step.handle) && task->step.fiber == NULL)
        gtx_handle_unlink (&task->step.handle);
      if (task->step.fiber == NULL)
        gtx_task_end_homeless (task);
      else
        {
          task->step.handle.run = never_step;
          gtx_future_drop_callbacks (&task->parent_instance);
        }
    }
}

/* ---- The registry ---- */

static void
registry_free (gpointer data)
{
  Registry *self = data;

  g_clear_pointer (&self->table, g_hash_table_unref);
  g_free (self);
}

static const char *
name_of (gpointer task)
{
  return gtx_task_get_name (task);
}

static const char *
function_of (gpointer task)
{
  return ((const GtxTask *) task)->function;
}

static const GtxDebugNames debug_names = { name_of, function_of };

static Registry *
registry_of (GtxScheduler *scheduler)
{
  Registry *self = gtx_scheduler_get_extension (scheduler);

  if (self == NULL)
    {
      self = g_new0 (Registry, 1);
      gtx_handle_list_init (&self->tasks);
      self->at_end.run = end_homeless;
      gtx_scheduler_call_at_end (scheduler, &self->at_end);
      gtx_scheduler_set_extension (scheduler, self, registry_free);
      gtx_debug_scheduler (scheduler, &debug_names);
      gtx_exit_watch ();
    }
  return self;
}

void
gtx_registry_add (GtxTask *task)
{
  gtx_handle_list_append (&registry_of (task->parent_instance.home)->tasks, &task->link);
}

GPtrArray *
gtx_scheduler_list_tasks (GtxScheduler *scheduler)
{
  GtxHandleList *list = &registry_of (scheduler)->tasks;
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (GtxHandle *link = list->ring.next; link != &list->ring; link = link->next)
    g_ptr_array_add (tasks, g_object_ref (GTX_CONTAINER_OF (link, GtxTask, link)));
  return tasks;
}

GHashTable *
gtx_scheduler_get_table (GtxScheduler *scheduler)
{
  Registry *self = registry_of (scheduler);

  if (self->table == NULL)
    self->table = g_hash_table_new (NULL, NULL);
  return self->table;
}

/* The task is started, so that its home has a registry. */
guint64
gtx_task_n_gone_on (const GtxTask *task)
{
  return ((Registry *) gtx_scheduler_get_extension (task->parent_instance.home))->n_gone_on;
}

void
gtx_task_count_going_on (const GtxTask *task)
{
  ((Registry *) gtx_scheduler_get_extension (task->parent_instance.home))->n_gone_on++;
}

/**
 * gtx_all_tasks:
 *
 * Lists the tasks of the thread-default main context that are started and not
 * done, in the order in which they were started: asyncio's `all_tasks()`, which
 * has no order.  Never suspends; to be called in the thread that runs that main
 * context.
 *
 * Returns: (transfer container) (element-type GtxTask): the tasks
 *
 * Since: 0.1
 */
GPtrArray *
gtx_all_tasks (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  GtxVisit visit = gtx_scheduler_enter_home (scheduler, G_STRFUNC);
  GPtrArray *tasks;

  if (visit == GTX_ELSEWHERE)
    return g_ptr_array_new_with_free_func (g_object_unref);
  /* Another thread may have started tasks, whose messages arrive now. */
  gtx_scheduler_run_messages (scheduler);
  tasks = gtx_scheduler_list_tasks (scheduler);
  gtx_scheduler_leave (scheduler, visit);
  return tasks;
}
