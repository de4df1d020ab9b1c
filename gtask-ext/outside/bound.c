/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that are bound to an object, and end with it. */

#include "gtask-ext/object.h"

#include "outside/ties.h"
#include "task/done-callback.h"

/* The task's done callback holds a reference, and so does the list of the object's bonds.  A task that was
 * not started when it was bound is dropped by whoever made it, and may never start. */
typedef struct
{
  GtxBond bond;
  GtxTask *task;                /* NULL: was not started when it was bound */
  GWeakRef unstarted;           /* in use if task is NULL */
  GtxSpares spares;             /* NULL: does not */
  gpointer data;                /* valid until the done callback is freed */
} Bound;

static void
bound_clear (gpointer data)
{
  Bound *self = data;

  if (self->task)
    g_object_unref (self->task);
  else
    g_weak_ref_clear (&self->unstarted);
  gtx_ties_unref (self->bond.ties);
}

static void
bound_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, bound_clear);
}

/* All that is to be done follows when the bond is freed. */
static void
on_bound_done (gpointer task,
               gpointer data)
{
}

/* Called when the task is done, or will never be. */
static void
leave (gpointer data)
{
  Bound *self = data;
  gboolean was_tied = gtx_bond_untie (&self->bond);

  /* A message of the object's end may still come, and the data is as good as gone. */
  self->spares = NULL;
  if (was_tied)
    bound_unref (self);
  bound_unref (self);
}

/* ---- The end of the object ---- */

/* Called at home.  A task whose coroutine has returned is not cancelled: the object may go with what
 * the task drops at its end, and the outcome stays. */
static void
cancel_unless_returned (Bound   *self,
                        GtxTask *task)
{
  GtxTask *asked = gtx_task_outermost (task);
  gboolean are_its_own = asked->n_standing == 0 || asked->is_its_own;

  if (task->has_returned ||
      (self->spares && !gtx_future_done (&task->parent_instance) && self->spares (self->data)))
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
dup_task (Bound *self)
{
  return self->task ? g_object_ref (self->task) : g_weak_ref_get (&self->unstarted);
}

static void
cancel_and_unref (gpointer bound)
{
  GtxTask *task = dup_task (bound);

  if (task)
    cancel_unless_returned (bound, task);
  g_clear_object (&task);
  bound_unref (bound);
}

static void
cancel_at_home (Bound *self)
{
  g_autoptr (GtxTask) task = dup_task (self);
  GtxScheduler *home;
  GtxVisit visit;

  if (task == NULL)
    return;
  home = task->parent_instance.home;
  visit = gtx_scheduler_enter (home);
  if (visit)
    {
      cancel_unless_returned (self, task);
      gtx_scheduler_leave (home, visit);
      return;
    }
  g_atomic_int_set (&task->parent_instance.is_watched, TRUE);
  if (gtx_scheduler_post (home, cancel_and_unref, g_atomic_rc_box_acquire (self)))
    return;
  bound_unref (self);
  gtx_cancel (task);
}

static void
cut (GtxBond *bond)
{
  Bound *self = (Bound *) bond;

  cancel_at_home (self);
  bound_unref (self);
}

/* ---- Binding ---- */

static Bound *
bound_new (GtxTask   *task,
           GObject   *object,
           GtxSpares  spares,
           gpointer   data)
{
  Bound *self = g_atomic_rc_box_new0 (Bound);

  self->bond.ties = gtx_ties_of (object);
  self->bond.cut = cut;
  if (gtx_task_is_unstarted (&task->parent_instance))
    g_weak_ref_init (&self->unstarted, task);
  else
    self->task = g_object_ref (task);
  self->spares = spares;
  self->data = data;
  return self;
}

void
gtx_ties_bind (GtxTask   *task,
               GObject   *object,
               GtxSpares  spares,
               gpointer   data)
{
  Bound *self = bound_new (task, object, spares, data);

  g_atomic_rc_box_acquire (self);
  if (gtx_bond_tie (&self->bond, object))
    gtx_future_call_back (&task->parent_instance, on_bound_done, self, leave, NULL);
  else
    {
      bound_unref (self);
      bound_unref (self);
      gtx_cancel (task);
    }
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
