/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/scheduler-private.h"

/* ---- The lists; the scheduler's mutex is locked ---- */

static void
put_in (GtxOnlooker   *self,
        GtxScheduler  *scheduler,
        GtxOnlooker  **list)
{
  gtx_handle_list_append (&scheduler->onlookers, &self->link);
  self->next = *list;
  self->previous = list;
  if (self->next)
    self->next->previous = &self->next;
  *list = self;
}

static void
take_out (GtxOnlooker *self)
{
  gtx_handle_unlink (&self->link);
  *self->previous = self->next;
  if (self->next)
    self->next->previous = self->previous;
  self->previous = NULL;
}

static void
prepend (GtxHandleList *list,
         GtxHandle     *handle)
{
  handle->next = list->ring.next;
  handle->previous = &list->ring;
  list->ring.next->previous = handle;
  list->ring.next = handle;
}

/* ---- Telling; nothing is locked ---- */

/* Of a thread: a GtxHandleList of the onlookers that it is telling; NULL: none.  This is no __thread
 * variable, since there is little room for those in a library that is loaded late. */
static GPrivate being_told = G_PRIVATE_INIT (NULL);

/* An onlooker may end something that has onlookers itself: those are told next, and not inside the
 * first one, since there may be more than the stack is deep. */
static void
tell (GtxHandleList *onlookers)
{
  GtxHandleList *outer = g_private_get (&being_told);
  GtxHandle *link;

  if (outer)
    {
      gtx_handle_list_splice (outer, onlookers);
      return;
    }
  g_private_set (&being_told, onlookers);
  while ((link = gtx_handle_list_pop (onlookers)))
    link->run (link);
  g_private_set (&being_told, NULL);
}

/* ---- For other files ---- */

gboolean
gtx_onlooker_add (GtxOnlooker   *self,
                  GtxScheduler  *scheduler,
                  GtxOnlooker  **list)
{
  gboolean added;

  g_mutex_lock (&scheduler->mutex);
  added = scheduler->base.context && !scheduler->closed;
  if (added)
    put_in (self, scheduler, list);
  g_mutex_unlock (&scheduler->mutex);
  return added;
}

gboolean
gtx_onlooker_remove (GtxOnlooker  *self,
                     GtxScheduler *scheduler)
{
  gboolean removed;

  g_mutex_lock (&scheduler->mutex);
  removed = self->previous != NULL;
  if (removed)
    take_out (self);
  g_mutex_unlock (&scheduler->mutex);
  return removed;
}

/* The list has the last one first. */
void
gtx_onlookers_tell (GtxOnlooker  **list,
                    GtxScheduler  *scheduler,
                    GtxHandle     *last)
{
  GtxHandleList onlookers;
  GtxOnlooker *onlooker;

  gtx_handle_list_init (&onlookers);
  g_mutex_lock (&scheduler->mutex);
  while ((onlooker = *list))
    {
      take_out (onlooker);
      prepend (&onlookers, &onlooker->link);
    }
  g_mutex_unlock (&scheduler->mutex);
  if (last)
    gtx_handle_list_append (&onlookers, last);
  tell (&onlookers);
}

void
gtx_scheduler_tell_onlookers (GtxScheduler *self)
{
  GtxHandleList onlookers;
  GtxHandle *link;

  gtx_handle_list_init (&onlookers);
  g_mutex_lock (&self->mutex);
  while ((link = self->onlookers.ring.next) != &self->onlookers.ring)
    {
      take_out (GTX_CONTAINER_OF (link, GtxOnlooker, link));
      gtx_handle_list_append (&onlookers, link);
    }
  g_mutex_unlock (&self->mutex);
  tell (&onlookers);
}
