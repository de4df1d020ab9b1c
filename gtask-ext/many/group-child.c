/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The children of a task group: their starts, their ends, and how all are cancelled. */

#include "many/group-private.h"

#include "gtask-ext/error.h"

void
gtx_group_abort_children (GtxGroup *group)
{
  g_autoptr (GPtrArray) tasks = NULL;

  if (group->aborting)
    return;
  group->aborting = TRUE;
  tasks = g_ptr_array_new_with_free_func (g_object_unref);
  for (GtxHandle *link = group->children.ring.next; link != &group->children.ring; link = link->next)
    g_ptr_array_add (tasks, g_object_ref (GTX_CONTAINER_OF (link, GtxGroupChild, link)->task));
  for (guint i = 0; i < tasks->len; i++)
    if (!gtx_future_done (tasks->pdata[i]))
      gtx_future_cancel_here (tasks->pdata[i]);
}

gboolean
gtx_group_is_idle (const GtxGroup *group)
{
  return gtx_handle_list_is_empty (&group->children) && group->n_creators == 0;
}

static void
tell_if_idle (GtxGroup *group)
{
  if (group->waiter && gtx_group_is_idle (group))
    gtx_waiter_wake (group->waiter);
}

static void
cancel_body (GtxGroup *group)
{
  GtxTask *parent = group->parent;

  group->parent_cancel_requested = TRUE;
  group->made_at = parent->n_settled;
  gtx_task_make_own_request (parent);
}

/* All requests are made before any handler of the program runs, because a handler may run a main
 * loop until the group is gone. */
void
gtx_group_abort (GtxGroup *group)
{
  gtx_requests_hold ();
  gtx_group_abort_children (group);
  cancel_body (group);
  gtx_requests_release ();
}

/* The child still counts as one of the group, because the function may run a main loop, and the group
 * must not end meanwhile. */
static void
tell_error (GtxGroupChild *child)
{
  child->group->error_func (child->task, gtx_future_get_error (child->task), child->group->error_data);
  if (gtx_scheduler_is_running (child->task->parent_instance.home))
    gtx_scheduler_let_go_of_pushed ();
}

static void
on_child_done (GtxHandle *handle)
{
  GtxGroupChild *child = (GtxGroupChild *) handle;
  GtxGroup *group = child->group;
  GtxFuture *future = &child->task->parent_instance;
  gboolean has_failed = gtx_future_state (future) == GTX_FUTURE_FINISHED && future->error;
  gboolean is_told = has_failed && group->error_func;

  if (is_told)
    tell_error (child);
  gtx_handle_unlink (&child->link);
  tell_if_idle (group);

  if (has_failed && !is_told)
    {
      g_ptr_array_add (group->errors, g_error_copy (gtx_future_get_error (future)));
      if (!group->aborting && !group->parent_cancel_requested)
        gtx_group_abort (group);
    }
  g_clear_pointer (&child->place, gtx_place_leave);
  g_object_unref (child->task);
  g_free (child);
}

static gboolean
fail_if_closed (const GtxGroup  *group,
                GError         **error)
{
  const char *why = NULL;

  if (group == NULL)
    why = "The task group has not begun; call gtx_task_group_begin() first";
  else if (group->exiting && gtx_group_is_idle (group))
    why = "The task group has ended; start the task before gtx_task_group_end()";
  else if (group->aborting)
    why = "The task group is shutting down, and starts no more tasks";
  if (why && !(group && group->aborting && gtx_current_task_is_late (error)))
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE, why);
  return why != NULL;
}

/* A group that has not begun, or was ended, has no thread. */
static gboolean
fail_if_elsewhere (const GtxGroup  *group,
                   GError         **error)
{
  if (group == NULL || !gtx_scheduler_is_foreign (group->parent->parent_instance.home, "gtx_task_group_create_task"))
    return FALSE;
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                       "The task group belongs to another thread; start the task there");
  return TRUE;
}

static gboolean
fail_if_foreign (const GtxGroup  *group,
                 const GtxTask   *task,
                 GError         **error)
{
  if (task->parent_instance.home == group->parent->parent_instance.home)
    return FALSE;
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                       "The task belongs to another main context than the group; "
                       "start a task in the group that awaits the other task");
  return TRUE;
}

/* The caller waits only if the group has a limit. */
static gboolean
admit (GtxGroup  *group,
       GtxPlace **place,
       GError   **error)
{
  *place = NULL;
  if (group->places == NULL)
    return TRUE;
  group->n_creators++;
  *place = gtx_places_take (group->places, error);
  if (*place && fail_if_closed (group, error))
    g_clear_pointer (place, gtx_place_leave);
  group->n_creators--;
  if (*place == NULL)
    tell_if_idle (group);
  return *place != NULL;
}

void
gtx_task_group_set_start (GtxTaskGroup   *self,
                          GtxStartFunc    start,
                          gpointer        data,
                          GDestroyNotify  data_free)
{
  GtxGroup *group = self->state;

  if (group->start)
    group->start_data_free (group->start_data);
  group->start = start;
  group->start_data = data;
  group->start_data_free = data_free;
}

static GtxTask *
start (GtxGroup *group,
       GtxTask  *task)
{
  return group->start ? group->start (task, group->start_data) : gtx_task_start (task);
}

/**
 * gtx_task_group_start: (skip)
 * @self: a #GtxTaskGroup whose block has begun
 * @task: (transfer full): a task that was not started
 * @error: return location for a #GError, or %NULL
 *
 * Starts a task in the group: the function behind gtx_task_group_create_task(), where
 * it is described.  Also sets %GTX_ERROR_INVALID_ARGUMENT if @task belongs to another
 * main context.  If it fails, it drops @task.
 *
 * Returns: (transfer none) (nullable): @task, or %NULL with @error set
 *
 * Since: 0.1
 */
GtxTask *
gtx_task_group_start (GtxTaskGroup  *self,
                      GtxTask       *task,
                      GError       **error)
{
  GtxGroup *group;
  GtxPlace *place;
  GtxGroupChild *child;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (GTX_IS_TASK (task) && !task->is_started, NULL);

  group = self->state;
  if (fail_if_elsewhere (group, error) || fail_if_closed (group, error) || fail_if_foreign (group, task, error) ||
      !admit (group, &place, error))
    {
      gtx_cancel (task);
      g_object_unref (task);
      return NULL;
    }

  child = g_new (GtxGroupChild, 1);
  *child = (GtxGroupChild) { .done.run = on_child_done, .group = group, .task = start (group, task), .place = place };
  if (place)
    gtx_place_give (place, task);
  gtx_handle_list_append (&group->children, &child->link);
  /* A task that was cancelled before its start is already done. */
  if (gtx_future_done (&task->parent_instance))
    gtx_scheduler_call_soon (task->parent_instance.home, &child->done);
  else
    gtx_handle_list_append (&task->parent_instance.callbacks, &child->done);
  return task;
}
