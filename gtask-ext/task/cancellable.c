/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task's GCancellable: cancelling it, in any thread, cancels the task. */

#include "task/task-private.h"

/* This is a class of its own, not a signal handler: there is no handler to connect
 * for each task, and none to disconnect while another thread emits.
 *
 * Invariants: the task is NULL from retirement on.  taken says that a request
 * through this object was counted, or that there was none: the object shows a
 * request that was made in another way, or is about to. */
struct _GtxTaskCancellable
{
  GCancellable parent_instance;
  GtxScheduler *home;
  GWeakRef task;                /* any thread may drop the task's last reference */
  gboolean taken;
  gint has_emitted;             /* its handlers have run, except those connected with G_CONNECT_AFTER */
  gint n_renewals;
};

typedef struct
{
  GCancellableClass parent_class;
} GtxTaskCancellableClass;

GType gtx_task_cancellable_get_type (void) G_GNUC_CONST;

G_DEFINE_TYPE (GtxTaskCancellable, gtx_task_cancellable, G_TYPE_CANCELLABLE)

typedef struct
{
  GtxTaskCancellable *cancellable;
  gint n_renewals;              /* of the cancellable, when the request was made */
} Request;

/* A request from before a renewal was taken up then, and is not made again. */
static void
make_request (gpointer data)
{
  Request *request = data;
  GtxTaskCancellable *self = request->cancellable;
  g_autoptr (GtxFuture) task = g_weak_ref_get (&self->task);

  if (task && !self->taken && request->n_renewals == self->n_renewals)
    {
      self->taken = TRUE;
      gtx_future_cancel_here (task);
    }
  g_object_unref (self);
  g_free (request);
}

static void
gtx_task_cancellable_cancelled (GCancellable *cancellable)
{
  GtxTaskCancellable *self = (GtxTaskCancellable *) cancellable;
  GtxVisit visit = gtx_scheduler_enter (self->home);
  Request *request = g_new (Request, 1);

  request->cancellable = g_object_ref (self);
  request->n_renewals = g_atomic_int_get (&self->n_renewals);
  g_atomic_int_set (&self->has_emitted, TRUE);
  if (visit)
    {
      make_request (request);
      gtx_scheduler_leave (self->home, visit);
    }
  else if (!gtx_scheduler_post (self->home, make_request, request))
    {
      g_object_unref (self);
      g_free (request);
    }
}

static void
gtx_task_cancellable_finalize (GObject *object)
{
  GtxTaskCancellable *self = (GtxTaskCancellable *) object;

  g_weak_ref_clear (&self->task);
  gtx_scheduler_unref (self->home);
  G_OBJECT_CLASS (gtx_task_cancellable_parent_class)->finalize (object);
}

static void
gtx_task_cancellable_class_init (GtxTaskCancellableClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_task_cancellable_finalize;
  G_CANCELLABLE_CLASS (class)->cancelled = gtx_task_cancellable_cancelled;
}

static void
gtx_task_cancellable_init (GtxTaskCancellable *self)
{
}

GtxTaskCancellable *
gtx_task_cancellable_new (GtxTask *task)
{
  GtxTaskCancellable *self = g_object_new (gtx_task_cancellable_get_type (), NULL);

  self->home = gtx_scheduler_ref (task->parent_instance.home);
  g_weak_ref_init (&self->task, task);
  /* The new object has no handlers that this could run. */
  if (task->must_cancel && gtx_task_cancellable_is_to_show (self))
    g_cancellable_cancel (&self->parent_instance);
  return self;
}

static gboolean
is_cancelled (GtxTaskCancellable *self)
{
  return g_cancellable_is_cancelled (&self->parent_instance);
}

gboolean
gtx_task_cancellable_is_taken (GtxTaskCancellable *self)
{
  return self->taken;
}

gboolean
gtx_task_cancellable_take (GtxTaskCancellable *self)
{
  if (self->taken || !is_cancelled (self))
    return FALSE;
  self->taken = TRUE;
  return TRUE;
}

gboolean
gtx_task_cancellable_is_to_show (GtxTaskCancellable *self)
{
  /* If another thread has cancelled it first, that is one more request. */
  if (is_cancelled (self))
    return FALSE;
  self->taken = TRUE;
  return TRUE;
}

void
gtx_cancellable_show (GCancellable *cancellable)
{
  /* It may have been renewed since the request was made. */
  if (G_TYPE_CHECK_INSTANCE_TYPE (cancellable, gtx_task_cancellable_get_type ()) &&
      !((GtxTaskCancellable *) cancellable)->taken)
    return;
  g_cancellable_cancel (cancellable);
}

/* g_cancellable_reset () waits for handlers to return: for ever, if one of them is below on this
 * stack, or waits in another thread for this one. */
void
gtx_task_cancellable_renew (GtxTaskCancellable *self)
{
  g_assert (self->taken);
  if (is_cancelled (self))
    {
      if (!g_atomic_int_get (&self->has_emitted))
        return;
      g_atomic_int_set (&self->has_emitted, FALSE);
      g_atomic_int_inc (&self->n_renewals);
      g_cancellable_reset (&self->parent_instance);
    }
  self->taken = FALSE;
}

void
gtx_task_cancellable_retire (GtxTaskCancellable *self)
{
  g_weak_ref_set (&self->task, NULL);
  g_object_unref (self);
}

/* ---- The GCancellable of a task ---- */

void
gtx_task_take_up_by_cancellable (GtxTask *self)
{
  if (!gtx_task_cancellable_take (self->cancellable))
    return;
  /* A task that waits is cancelled as gtx_cancel () would. */
  if (self->waiter)
    {
      gtx_task_cancel (&self->parent_instance);
      return;
    }
  gtx_task_set_reason (self, NULL);
  self->n_cancels++;
  self->n_standing++;
  self->must_cancel = TRUE;
  self->outlived = TRUE;
  self->is_its_own = FALSE;
}

void
gtx_task_retire_cancellable (GtxTask *self)
{
  /* If another thread has cancelled it just now, that request is yet to come. */
  if (!gtx_task_cancellable_is_taken (self->cancellable))
    return;
  if (G_UNLIKELY (self->operation && gtx_task_operation_kind (self)->has_lent (self)))
    gtx_task_cancellable_renew (self->cancellable);
  else
    gtx_task_cancellable_retire (g_steal_pointer (&self->cancellable));
}
