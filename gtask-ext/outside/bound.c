/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are bound to an object, and end with it. */

#include "gtask-ext/object.h"

#include "outside/ties.h"
#include "task/done-callback.h"

/* Its done callback holds a reference, and so does the list of the object's bonds. */
typedef struct
{
  GtxBond bond;
  GtxTask *task;
} Bound;

static void
bound_clear (gpointer data)
{
  Bound *self = data;

  g_object_unref (self->task);
  gtx_ties_unref (self->bond.ties);
}

static void
bound_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, bound_clear);
}

static void
on_bound_done (gpointer task,
               gpointer data)
{
  Bound *self = data;

  if (gtx_bond_untie (&self->bond))
    bound_unref (self);
}

/* ---- The end of the object ---- */

/* Called at home.  A task whose coroutine has returned is not cancelled: the object may go with what
 * the task drops at its end, and the outcome stays. */
static void
cancel_unless_returned (GtxTask *task)
{
  GtxTask *asked = gtx_task_outermost (task);
  gboolean are_its_own = asked->n_standing == 0 || asked->is_its_own;

  if (task->has_returned)
    return;
  gtx_future_cancel_here (&task->parent_instance);
  if (!gtx_task_asks_itself (asked))
    return;
  asked->is_its_own = are_its_own;
  if (asked != task)
    gtx_task_count_let_go (task, asked);
}

static void
cancel_unless_returned_and_unref (gpointer task)
{
  cancel_unless_returned (task);
  g_object_unref (task);
}

static void
cancel_at_home (GtxTask *task)
{
  GtxScheduler *home = task->parent_instance.home;
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    {
      cancel_unless_returned (task);
      gtx_scheduler_leave (home, visit);
      return;
    }
  g_atomic_int_set (&task->parent_instance.is_watched, TRUE);
  if (gtx_scheduler_post (home, cancel_unless_returned_and_unref, g_object_ref (task)))
    return;
  g_object_unref (task);
  gtx_cancel (task);
}

static void
cut (GtxBond *bond)
{
  Bound *self = (Bound *) bond;

  cancel_at_home (self->task);
  bound_unref (self);
}

/* ---- Binding ---- */

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
  Bound *bound;

  g_return_if_fail (GTX_IS_TASK (self));
  g_return_if_fail (G_IS_OBJECT (object));

  if (gtx_future_done (&self->parent_instance))
    return;
  bound = g_atomic_rc_box_new0 (Bound);
  bound->bond.ties = gtx_ties_of (object);
  bound->bond.cut = cut;
  bound->task = g_object_ref (self);
  g_atomic_rc_box_acquire (bound);
  if (gtx_bond_tie (&bound->bond, object))
    gtx_future_call_back (&self->parent_instance, on_bound_done, bound, bound_unref, NULL);
  else
    {
      bound_unref (bound);
      bound_unref (bound);
      gtx_cancel (self);
    }
}
