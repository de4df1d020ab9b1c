/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "handover.h"

GtxHandover *
gtx_handover_new (GtxTask *task)
{
  GtxHandover *self = g_atomic_rc_box_new0 (GtxHandover);

  self->home = gtx_scheduler_ref (task->parent_instance.home);
  return self;
}

GtxHandover *
gtx_handover_ref (GtxHandover *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
handover_clear (gpointer data)
{
  gtx_scheduler_unref (((GtxHandover *) data)->home);
}

void
gtx_handover_unref (GtxHandover *self)
{
  g_atomic_rc_box_release_full (self, handover_clear);
}

void
gtx_handover_unref_closure (gpointer  self,
                            GClosure *closure)
{
  (void) closure;
  gtx_handover_unref (self);
}

gboolean
gtx_handover_claim (GtxHandover *self)
{
  return g_atomic_int_compare_and_exchange (&self->happened, FALSE, TRUE);
}

static void
wake_at_home (gpointer data)
{
  GtxHandover *self = data;

  if (self->waiter)
    gtx_waiter_wake (self->waiter);
  gtx_handover_unref (self);
}

void
gtx_handover_wake (GtxHandover *self)
{
  gtx_handover_ref (self);
  if (gtx_scheduler_is_local (self->home))
    wake_at_home (self);
  else if (!gtx_scheduler_post (self->home, wake_at_home, self))
    gtx_handover_unref (self);
}

gboolean
gtx_handover_wait (GtxHandover         *self,
                   GtxTask             *task,
                   const GtxWaiterKind *kind)
{
  GtxWaiter waiter;
  gboolean woken;

  gtx_waiter_init (&waiter, task, kind);
  self->waiter = &waiter;
  woken = gtx_waiter_wait (&waiter);
  self->waiter = NULL;
  return woken;
}
