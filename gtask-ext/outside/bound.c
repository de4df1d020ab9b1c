/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are bound to an object, and end with it. */

#include "gtask-ext/object.h"

#include "outside/ties.h"

static void
bond_clear (gpointer data)
{
  GtxBond *self = data;

  if (self->task)
    g_object_unref (self->task);
  else
    g_weak_ref_clear (&self->unstarted);
  gtx_ties_unref (self->ties);
}

static void
bond_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, bond_clear);
}

/* All that is to be done follows when the bond is freed. */
static void
on_bound_done (gpointer task,
               gpointer bond)
{
}

/* Called when the task is done, or will never be. */
static void
bond_leave (gpointer data)
{
  GtxBond *self = data;
  gboolean is_mine;

  g_mutex_lock (&self->ties->mutex);
  is_mine = !self->is_taken;
  self->is_taken = TRUE;
  if (is_mine)
    gtx_handle_unlink (&self->link);
  g_mutex_unlock (&self->ties->mutex);
  /* A message of the object's end may still come, and the data is as good as gone. */
  self->spares = NULL;
  if (is_mine)
    bond_unref (self);
  bond_unref (self);
}

/* NULL: the object is disposed of already. */
static GtxBond *
bond_new (GtxTask   *task,
          GObject   *object,
          GtxSpares  spares,
          gpointer   data)
{
  GtxTies *ties = gtx_ties_of (object);
  GtxBond *self = g_atomic_rc_box_new0 (GtxBond);
  gboolean is_disposed;

  self->ties = ties;
  if (gtx_task_is_unstarted (&task->parent_instance))
    g_weak_ref_init (&self->unstarted, task);
  else
    self->task = g_object_ref (task);
  self->spares = spares;
  self->data = data;
  gtx_ties_lock (ties, object);
  is_disposed = ties->is_disposed;
  if (!is_disposed)
    {
      gtx_ties_watch (ties, object);
      gtx_handle_list_append (&ties->bonds, &g_atomic_rc_box_acquire (self)->link);
    }
  gtx_ties_unlock (ties, object);
  if (is_disposed)
    g_clear_pointer (&self, bond_unref);
  return self;
}

void
gtx_ties_bind (GtxTask   *task,
               GObject   *object,
               GtxSpares  spares,
               gpointer   data)
{
  GtxBond *bond = bond_new (task, object, spares, data);

  if (bond)
    gtx_future_add_done_callback (task, on_bound_done, bond, bond_leave);
  else
    gtx_cancel (task);
}

/**
 * gtx_task_bind:
 * @self: a #GtxTask
 * @object: (type GObject.Object): an object
 *
 * Cancels the task when @object is disposed; for example, the tasks of a window are bound
 * to the window.  A task whose coroutine has returned is no longer cancelled.
 *
 * No reference to @object is kept.  The coroutine should keep a reference to what it
 * uses, or check after each await.  If a task waited for @object or was bound to it
 * before, and @object has been disposed since, @self is cancelled at once.  Never
 * suspends; may be called in any thread that holds references to both, and any thread may
 * dispose of @object.
 *
 * Note that GTK 4 disposes of a closed window only when the last reference goes: a task
 * that holds one itself waits on.  gtx_object_create_task() and gtx_scope_close_then() are for
 * the tasks of a window.
 *
 * Since: 0.1
 */
void
gtx_task_bind (GtxTask  *self,
               gpointer  object)
{
  g_return_if_fail (GTX_IS_TASK (self));
  g_return_if_fail (G_IS_OBJECT (object));

  if (!gtx_future_done (&self->parent_instance))
    gtx_ties_bind (self, object, NULL, NULL);
}

/* ---- The end of the object ---- */

/* Called at home.  A task whose coroutine has returned is not cancelled: the object may go with what
 * the task drops at its end, and the outcome stays. */
static void
cancel_unless_returned (GtxBond *bond,
                        GtxTask *task)
{
  GtxTask *asked = gtx_task_outermost (task);
  gboolean are_its_own = asked->n_standing == 0 || asked->is_its_own;

  if (task->has_returned ||
      (bond->spares && !gtx_future_done (&task->parent_instance) && bond->spares (bond->data)))
    return;
  gtx_future_cancel_here (&task->parent_instance);
  if (!gtx_task_asks_itself (asked))
    return;
  asked->is_its_own = are_its_own;
  if (asked != task)
    gtx_task_count_let_go (task, asked);
}

/* Returns a new reference, or NULL. */
static GtxTask *
dup_task (GtxBond *bond)
{
  return bond->task ? g_object_ref (bond->task) : g_weak_ref_get (&bond->unstarted);
}

static void
cancel_and_unref (gpointer bond)
{
  GtxTask *task = dup_task (bond);

  if (task)
    cancel_unless_returned (bond, task);
  g_clear_object (&task);
  bond_unref (bond);
}

static void
cancel_at_home (GtxBond *bond)
{
  g_autoptr (GtxTask) task = dup_task (bond);
  GtxScheduler *home;
  GtxVisit visit;

  if (task == NULL)
    return;
  home = task->parent_instance.home;
  visit = gtx_scheduler_enter (home);
  if (visit)
    {
      cancel_unless_returned (bond, task);
      gtx_scheduler_leave (home, visit);
      return;
    }
  g_atomic_int_set (&task->parent_instance.is_watched, TRUE);
  if (gtx_scheduler_post (home, cancel_and_unref, g_atomic_rc_box_acquire (bond)))
    return;
  bond_unref (bond);
  gtx_cancel (task);
}

void
gtx_bonds_cancel (GtxHandleList *bonds)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (bonds)))
    {
      GtxBond *bond = GTX_CONTAINER_OF (link, GtxBond, link);

      cancel_at_home (bond);
      bond_unref (bond);
    }
}
