/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel on their way from one main context to another. */

#include "task/crossing.h"
#include "task/task-private.h"

/* When a request forks, its branches share the crossings before the fork. */
struct _GtxCrossing
{
  gatomicrefcount ref_count;
  GtxCrossing *before;          /* NULL: this is the first one of the request */
  gpointer data;
  guint64 point;                /* number of the wait that it crosses at */
  guint64 request;
};

/* The last crossing of the request that this thread makes; NULL: the request begins here. */
static __thread GtxCrossing *last_crossing;

void
gtx_crossing_point_init (GtxCrossingPoint *self)
{
  static guint64 n_points;

  self->number = __atomic_add_fetch (&n_points, 1, __ATOMIC_RELAXED);
  self->latest = 0;
}

/* A request that is later than all that have crossed here has not. */
gboolean
gtx_crossing_point_was_passed (const GtxCrossingPoint *self)
{
  if (last_crossing == NULL || last_crossing->request > self->latest)
    return FALSE;
  for (const GtxCrossing *crossing = last_crossing; crossing; crossing = crossing->before)
    if (crossing->point == self->number)
      return TRUE;
  return FALSE;
}

void
gtx_crossing_point_count (GtxCrossingPoint *self,
                          guint64           request)
{
  self->latest = MAX (self->latest, request);
}

GtxCrossing *
gtx_crossing_new (const GtxCrossingPoint *point,
                  gpointer                data)
{
  static guint64 n_requests;
  GtxCrossing *self = g_new (GtxCrossing, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->data = data;
  self->point = point->number;
  self->before = last_crossing;
  if (last_crossing)
    g_atomic_ref_count_inc (&last_crossing->ref_count);
  self->request = last_crossing ? last_crossing->request : __atomic_add_fetch (&n_requests, 1, __ATOMIC_RELAXED);
  return self;
}

/* A loop, since there may be more crossings than the stack is deep. */
void
gtx_crossing_unref (GtxCrossing *self)
{
  while (self && g_atomic_ref_count_dec (&self->ref_count))
    {
      GtxCrossing *before = self->before;

      g_free (self);
      self = before;
    }
}

guint64
gtx_crossing_get_request (const GtxCrossing *self)
{
  return self->request;
}

gpointer
gtx_crossing_get_data (const GtxCrossing *self)
{
  return self->data;
}

/* Handlers run after last_crossing is reset: their requests have not crossed here. */
gboolean
gtx_crossing_cancel (GtxCrossing *self,
                     GtxFuture   *future)
{
  GtxCrossing *outer = last_crossing;
  gboolean made;

  gtx_requests_hold ();
  last_crossing = self;
  made = gtx_future_cancel_here (future);
  last_crossing = outer;
  gtx_requests_release ();
  gtx_crossing_unref (self);
  return made;
}
