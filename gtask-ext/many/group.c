/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The block of a task group: its beginning, its end, and the wait for its children. */

#include "many/group-private.h"

#include "task/error-private.h"

#include "gtask-ext/error.h"

static gboolean
is_cancelled_error (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/**
 * gtx_task_group_begin:
 * @self: a #GtxTaskGroup that is %GTX_TASK_GROUP_INIT
 *
 * Begins the block: entering asyncio's `TaskGroup`.  Never suspends; to be
 * called in a task.
 *
 * Since: 0.1
 */
void
gtx_task_group_begin (GtxTaskGroup *self)
{
  GtxTask *task = gtx_task_current ();
  GtxGroup *group;

  g_return_if_fail (self != NULL && self->state == NULL);
  if (task == NULL)
    {
      g_critical ("gtx_task_group_begin() was called outside a task, and only a task can wait for children; "
                  "call it in a task");
      return;
    }
  group = g_new0 (GtxGroup, 1);
  group->parent = g_object_ref (task);
  group->n_cancels_before = gtx_task_n_cancels (task);
  if (task->must_cancel)
    group->n_cancels_before--;
  group->errors = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  gtx_handle_list_init (&group->children);
  self->state = group;
}

/**
 * gtx_task_group_set_limit:
 * @self: a #GtxTaskGroup whose block has begun, and that has no children
 * @limit: how many children may run at once; 0 for no limit
 *
 * Limits how many children run at the same time: while that many run,
 * gtx_task_group_create_task() suspends its caller until one of them is done.
 *
 * A child, or a task that descends from a child, does not wait if the wait could be for
 * its own end: if no place is free, it gives its own place to the new child, or that of
 * the nearest child above it which still has one, and the child that gave its place is
 * not counted from then on.  If there is no such place, the caller waits.  So a child
 * that passes its work on does not raise the number that is counted, and children that
 * create children can walk a tree: the children that have created another child may then
 * run beyond the limit.
 *
 * asyncio has no such limit.  Never suspends; to be called in the thread of
 * the group's task.
 *
 * Since: 0.1
 */
void
gtx_task_group_set_limit (GtxTaskGroup *self,
                          guint         limit)
{
  GtxGroup *group;

  g_return_if_fail (self != NULL && self->state != NULL);
  group = self->state;
  g_return_if_fail (gtx_group_is_idle (group));

  g_clear_pointer (&group->places, gtx_places_unref);
  if (limit > 0)
    group->places = gtx_places_new (limit);
}

/**
 * gtx_task_group_set_error_func:
 * @self: a #GtxTaskGroup whose block has begun
 * @func: (nullable) (scope notified): called for each child that fails; %NULL: no function is
 * @data: (nullable): data for @func, which must live as long as the group
 *
 * Lets children fail alone: the group tells @func of a child's error, and goes on.  Such errors are none
 * of gtx_task_group_end(), which succeeds if the block does.
 *
 * The function is told of the errors of all children whose end the group has not seen yet, those included
 * that fail after they were cancelled; of a child that was cancelled it is not told.  If the block fails
 * or is cancelled, the children are cancelled all the same.  To end the group for an error, @func calls
 * gtx_task_group_cancel().  asyncio has no such function; Kotlin's `supervisorScope` is like it.
 *
 * Never suspends; to be called in the thread of the group's task.
 *
 * Since: 0.1
 */
void
gtx_task_group_set_error_func (GtxTaskGroup     *self,
                               GtxTaskErrorFunc  func,
                               gpointer          data)
{
  GtxGroup *group;

  g_return_if_fail (self != NULL && self->state != NULL);
  group = self->state;

  if (gtx_scheduler_is_foreign (group->parent->parent_instance.home, G_STRFUNC))
    return;
  group->error_func = func;
  group->error_data = data;
}

/**
 * gtx_task_group_cancel:
 * @self: a #GtxTaskGroup whose block has begun
 *
 * Ends the group early and without an error: cancels its children and its block, whose
 * gtx_task_group_end() then succeeds.
 *
 * The block, a child or any other code that has the group calls this function when the
 * result has been found; asyncio has no such method before 3.15.  This function only
 * makes requests, and runs no task.  Errors of children are reported all the same, and
 * so are any other request to cancel the group's task and a timeout around the group:
 * the group withdraws only its own request.  Never suspends; to be called in the thread
 * of the group's task.
 *
 * Since: 0.1
 */
void
gtx_task_group_cancel (GtxTaskGroup *self)
{
  GtxGroup *group;

  g_return_if_fail (self != NULL && self->state != NULL);
  group = self->state;

  if (gtx_scheduler_is_foreign (group->parent->parent_instance.home, G_STRFUNC) || group->aborting)
    return;
  group->ended_on_purpose = TRUE;
  if (group->exiting)
    gtx_group_abort_children (group);
  else
    gtx_group_abort (group);
}

/* The waiter of the group's task while it waits for the children. */
typedef struct
{
  GtxWaiter waiter;
  GtxGroup *group;
} GroupWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxGroup *group = ((GroupWaiter *) waiter)->group;

  g_string_append (text, group->aborting ? "a task group that is shutting down" : "a task group");
}

static void
list_children (GtxWaiter *waiter,
               GPtrArray *futures)
{
  GtxGroup *group = ((GroupWaiter *) waiter)->group;

  for (GtxHandle *link = group->children.ring.next; link != &group->children.ring; link = link->next)
    g_ptr_array_add (futures, GTX_CONTAINER_OF (link, GtxGroupChild, link)->task);
}

static const GtxWaiterKind group_kind = { "group", gtx_waiter_cancel, describe, list_children, NULL };

/* Waits until the group is idle.  Returns whether the parent was cancelled before the group was
 * aborted; *@failure, if it is NULL, is then set to what the parent was told.  Sets *@swallowed to
 * whether the parent was cancelled at any time during the wait. */
static gboolean
wait_for_children (GtxGroup  *group,
                   gboolean  *swallowed,
                   GError   **failure)
{
  gboolean cancelled_first = FALSE;
  GroupWaiter self = { .group = group };

  *swallowed = FALSE;
  while (!gtx_group_is_idle (group))
    {
      gboolean woken;

      gtx_waiter_init (&self.waiter, group->parent, &group_kind);
      group->waiter = &self.waiter;
      woken = gtx_waiter_wait (&self.waiter, *failure || group->aborting ? NULL : failure);
      group->waiter = NULL;
      if (woken)
        continue;
      *swallowed = TRUE;
      if (!group->aborting)
        {
          cancelled_first = TRUE;
          gtx_group_abort_children (group);
        }
    }
  return cancelled_first;
}

static gboolean
is_cancelled_from_outside (GtxGroup *group)
{
  return gtx_cancelling (group->parent) > group->n_cancels_before;
}

/* Withdraws the group's own request.  Returns whether another request has cancelled the block.
 * @cancelled: a request was delivered in the block, or at its end before the children were
 * cancelled; @swallowed: a request was delivered at its end at any time. */
static gboolean
withdraw_request (GtxGroup *group,
                  gboolean  cancelled,
                  gboolean  swallowed)
{
  if (group->parent_cancel_requested && gtx_task_withdraw_own_request (group->parent, group->made_at) == 0)
    cancelled = FALSE;
  if (!group->ended_on_purpose)
    return cancelled;
  return (cancelled || swallowed) && is_cancelled_from_outside (group);
}

/* Makes a request from outside the group again, because the group's errors must not hide it. */
static void
repeat_request (GtxGroup *group,
                gboolean  is_told)
{
  gboolean is_anothers = gtx_cancelling (group->parent) > 0;

  if (group->ended_on_purpose)
    is_anothers = is_cancelled_from_outside (group) && (is_told || group->parent->must_cancel);
  if (!is_anothers)
    return;
  gtx_uncancel (group->parent);
  gtx_future_cancel_here (&group->parent->parent_instance);
  group->parent->made_anew = is_cancelled_from_outside (group);
}

/* Returns the error that the block ends with, or NULL; takes @failure.  After
 * gtx_task_group_cancel (), a returned cancellation delivers the pending request, unless the
 * group's own request was never delivered: the cancellation then has another cause. */
static GError *
outcome (GtxGroup *group,
         GError   *failure,
         gboolean  cancelled,
         gboolean  swallowed)
{
  gboolean was_told = group->parent->n_settled != group->made_at;
  g_autofree char *heading = NULL;
  guint n_errors;

  cancelled = withdraw_request (group, cancelled || is_cancelled_error (failure), swallowed);
  if (cancelled && group->errors->len == 0)
    {
      if (group->ended_on_purpose && was_told)
        gtx_task_settle_request (group->parent);
      if (gtx_error_tells_reason (failure))
        return failure;
      g_clear_error (&failure);
      gtx_set_cancelled_error (&failure);
      return failure;
    }

  if (failure && !is_cancelled_error (failure))
    g_ptr_array_add (group->errors, g_steal_pointer (&failure));
  g_clear_error (&failure);
  if (group->errors->len == 0)
    return NULL;
  repeat_request (group, cancelled);
  n_errors = group->errors->len;
  heading = g_strdup_printf ("%u error%s in a task group", n_errors, n_errors == 1 ? "" : "s");
  return gtx_error_new_group (group->errors, heading);
}

/**
 * gtx_task_group_end:
 * @self: a #GtxTaskGroup whose block has begun
 * @failure: (inout) (optional): the location of the block's error, if it ended with one:
 *   the error is taken, and the location set to %NULL; or %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until all children are done: leaving asyncio's
 * `TaskGroup`.
 *
 * If the block failed, the children are cancelled first.  When the current task is
 * cancelled, the children are cancelled, too, and still waited for.
 *
 * Sets %GTX_ERROR_GROUP if a child or the block failed: this error holds each of their
 * errors, see gtx_error_get_error(), unless gtx_task_group_set_error_func() has another use for
 * those of children; and %G_IO_ERROR_CANCELLED if the task was cancelled
 * and nothing failed.  To be called once, in the task that began the group: otherwise
 * the children, if there are any, are not waited for, and the block's error is set, or
 * %GTX_ERROR_INVALID_STATE if there is none.
 *
 * Returns: %TRUE if neither the block nor a child whose error counts failed
 *
 * Since: 0.1
 */
gboolean
gtx_task_group_end (GtxTaskGroup  *self,
                    GError       **failure,
                    GError       **error)
{
  g_autoptr (GError) own = failure ? g_steal_pointer (failure) : NULL;
  GtxGroup *group;
  gboolean cancelled;
  gboolean swallowed;

  g_return_val_if_fail (self != NULL, FALSE);
  group = self->state;
  if (group && !group->exiting && group->parent == gtx_task_begin_await (G_STRFUNC, NULL))
    {
      group->exiting = TRUE;
      if (own)
        gtx_group_abort_children (group);
      cancelled = wait_for_children (group, &swallowed, &own);
      own = outcome (group, g_steal_pointer (&own), cancelled, swallowed);
      g_ptr_array_set_size (group->errors, 0);
    }
  else
    {
      g_critical ("gtx_task_group_end: the group has ended, or belongs to another task; call it once, "
                  "in the task that called gtx_task_group_begin()");
      if (own == NULL)
        own = g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_STATE,
                                   "The task group has not begun, or has ended, or belongs to another task");
    }

  if (own == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&own));
  return FALSE;
}

static const GtxWaiterKind left_kind = { "group", gtx_waiter_leave_standing, describe, list_children, NULL };

/* Waits for the children of a group that was left early.  The children were cancelled before.  A
 * request cannot be delivered here, so it stays pending. */
static void
wait_for_children_untold (GtxGroup *group)
{
  GroupWaiter self = { .group = group };

  g_assert (group->aborting);
  while (!gtx_group_is_idle (group))
    {
      gtx_waiter_init (&self.waiter, group->parent, &left_kind);
      group->waiter = &self.waiter;
      gtx_waiter_wait_out (&self.waiter);
      group->waiter = NULL;
    }
}

/* Ends a group that was left early.  No caller gets the group's errors, so the library warns of
 * them. */
static void
end_early (GtxGroup *group)
{
  GtxTask *parent = group->parent;

  gtx_group_abort_children (group);
  wait_for_children_untold (group);
  if (group->parent_cancel_requested)
    gtx_task_withdraw_own_request (parent, group->made_at);
  if (parent->must_cancel)
    parent->outlived = TRUE;
  for (guint i = 0; i < group->errors->len; i++)
    g_warning ("A task group was left before gtx_task_group_end(), and one of its tasks failed: %s",
               ((GError *) group->errors->pdata[i])->message);
}

/**
 * gtx_task_group_clear:
 * @self: a #GtxTaskGroup
 *
 * Frees what a #GtxTaskGroup holds: `g_auto` calls it.  If the block was not ended,
 * cancels the children and suspends until they are done.  If a request to cancel the task
 * comes meanwhile, the next await delivers it.  To be called in the task that began the
 * group.
 *
 * Since: 0.1
 */
void
gtx_task_group_clear (GtxTaskGroup *self)
{
  GtxGroup *group;

  g_return_if_fail (self != NULL);
  group = self->state;
  if (group == NULL)
    return;
  if (!group->exiting && group->parent == gtx_task_begin_await (G_STRFUNC, NULL))
    end_early (group);
  if (!gtx_handle_list_is_empty (&group->children))
    {
      g_critical ("gtx_task_group_clear: called outside the group's task, so the children cannot be waited for; "
                  "call it in the task that called gtx_task_group_begin()");
      return;
    }
  gtx_task_group_set_start (self, NULL, NULL, NULL);
  self->state = NULL;
  g_clear_pointer (&group->places, gtx_places_unref);
  g_ptr_array_unref (group->errors);
  g_object_unref (group->parent);
  g_free (group);
}
