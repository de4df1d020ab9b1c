/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sync/shared-line.h"

/* ---- The task ---- */

typedef struct
{
  GtxHandle at_end;
  gpointer object;
  gpointer item;
  GDestroyNotify item_free;
} Pause;

static void
context_gone (GtxHandle *at_end)
{
  Pause *self = GTX_CONTAINER_OF (at_end, Pause, at_end);

  if (self->item_free)
    self->item_free (self->item);
  g_object_unref (self->object);
}

gboolean
gtx_shared_let_others_run (GtxTask         *task,
                           gpointer         object,
                           gpointer         item,
                           GDestroyNotify   item_free,
                           GError         **error)
{
  GtxScheduler *home = task->parent_instance.home;
  Pause pause;
  gboolean goes_on;

  if (G_LIKELY (!gtx_scheduler_is_over (home)))
    return TRUE;
  pause = (Pause) { .at_end.run = context_gone, .object = object, .item = item, .item_free = item_free };
  gtx_scheduler_call_at_end (home, &pause.at_end);
  goes_on = gtx_task_let_others_run (task, error);
  gtx_handle_unlink (&pause.at_end);
  return goes_on;
}

/* Other threads may end the wait, so that virtual time is open to them. */
static GtxScheduler *
enter (GtxSharedWaiter *self)
{
  GtxScheduler *home = self->base.task->parent_instance.home;

  gtx_scheduler_call_at_end (home, &self->at_end);
  gtx_scheduler_open (home);
  return home;
}

static void
go_on (GtxSharedWaiter *self,
       GtxScheduler    *home)
{
  gtx_scheduler_close (home);
  gtx_handle_unlink (&self->at_end);
}

gboolean
gtx_shared_waiter_wait (GtxSharedWaiter  *self,
                        GError          **error)
{
  GtxScheduler *home = enter (self);
  gboolean woken = gtx_waiter_wait (&self->base, error);

  go_on (self, home);
  return woken;
}

gboolean
gtx_shared_waiter_wait_out (GtxSharedWaiter *self)
{
  GtxScheduler *home = enter (self);
  gboolean woken = gtx_waiter_wait_out (&self->base);

  go_on (self, home);
  return woken;
}

void
gtx_shared_waiter_leave (GtxSharedWaiter *self)
{
  g_mutex_lock (self->mutex);
  if (self->outcome == GTX_SHARED_OPEN)
    {
      gtx_handle_unlink (&self->link);
      self->outcome = GTX_SHARED_LEFT;
    }
  g_mutex_unlock (self->mutex);
}

gboolean
gtx_shared_waiter_cancel (GtxWaiter *waiter)
{
  GtxSharedWaiter *self = (GtxSharedWaiter *) waiter;

  gtx_shared_waiter_leave (self);
  return self->outcome == GTX_SHARED_LEFT && gtx_waiter_cancel (waiter);
}

/* ---- Those who decide ---- */

gboolean
gtx_shared_line_serve (GtxHandleList *line,
                       GtxHandleList *woken)
{
  GtxHandle *link = gtx_handle_list_pop (line);

  if (link == NULL)
    return FALSE;
  gtx_shared_waiter_at (link)->outcome = GTX_SHARED_SERVED;
  gtx_handle_list_append (woken, link);
  return TRUE;
}

void
gtx_shared_line_refuse_all (GtxHandleList *line,
                            GtxHandleList *woken)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (line)))
    {
      gtx_shared_waiter_at (link)->outcome = GTX_SHARED_REFUSED;
      gtx_handle_list_append (woken, link);
    }
}

static void
wake_at_home (gpointer data)
{
  gtx_waiter_wake (&((GtxSharedWaiter *) data)->base);
}

/* A message is not taken if the main context has gone: then at_end has run, or is about to. */
static void
wake (GtxSharedWaiter *self)
{
  GtxScheduler *home = self->base.task->parent_instance.home;

  if (gtx_scheduler_is_local (home))
    gtx_waiter_wake (&self->base);
  else
    gtx_scheduler_post (home, wake_at_home, self);
}

void
gtx_shared_line_wake_slowly (GtxHandleList *woken)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (woken)))
    wake (gtx_shared_waiter_at (link));
}
