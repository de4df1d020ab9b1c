/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "many/places.h"

#include "sync/semaphore-private.h"

#include "gtask-ext/task-local.h"

struct _GtxPlaces
{
  gatomicrefcount n_references;
  GtxSemaphore *free;
};

/* The place of a child, shared by all tasks that descend from the child.  Invariant: a place that
 * is not counted never is again, so nobody looks for it, and the place above takes its part. */
struct _GtxPlace
{
  gatomicrefcount n_references;
  GtxPlaces *places;
  GtxScheduler *home;           /* only compared: no reference is held */
  GtxPlace *above;              /* the place of the task that created the child, in any group */
  gboolean is_counted;
};

GtxPlaces *
gtx_places_new (guint limit)
{
  GtxPlaces *self = g_new (GtxPlaces, 1);

  g_atomic_ref_count_init (&self->n_references);
  self->free = gtx_semaphore_new_for (limit, "a place in a task group");
  return self;
}

void
gtx_places_unref (GtxPlaces *self)
{
  if (!g_atomic_ref_count_dec (&self->n_references))
    return;
  g_object_unref (self->free);
  g_free (self);
}

/* ---- The places above a place ---- */

static GtxPlace *
place_ref (GtxPlace *self)
{
  if (self)
    g_atomic_ref_count_inc (&self->n_references);
  return self;
}

/* In a loop, not recursive: a chain of places may be long. */
static void
place_unref (gpointer place)
{
  GtxPlace *self = place;

  while (self && g_atomic_ref_count_dec (&self->n_references))
    {
      GtxPlace *above = self->above;

      gtx_places_unref (self->places);
      g_free (self);
      self = above;
    }
}

static GtxTaskLocal of_task = GTX_TASK_LOCAL_INIT (place_unref);

/* Returns the next place above that is counted, or NULL; takes those between out of the chain. */
static GtxPlace *
next_above (GtxPlace *self)
{
  while (self->above && !self->above->is_counted)
    {
      GtxPlace *left_out = self->above;

      self->above = place_ref (left_out->above);
      place_unref (left_out);
    }
  return self->above;
}

/* Returns the place of the current task, unless it belongs to another main context. */
static GtxPlace *
current_place (void)
{
  GtxPlace *place = gtx_task_local_get (&of_task);
  GtxTask *task = gtx_task_current ();

  return place && task && place->home == task->parent_instance.home ? place : NULL;
}

static GtxPlace *
nearest_counted (GtxPlaces *self,
                 GtxPlace  *place)
{
  while (place && (place->places != self || !place->is_counted))
    place = next_above (place);
  return place;
}

static GtxPlace *
place_new (GtxPlaces    *self,
           GtxScheduler *home,
           GtxPlace     *above)
{
  GtxPlace *place = g_new (GtxPlace, 1);

  g_atomic_ref_count_init (&place->n_references);
  g_atomic_ref_count_inc (&self->n_references);
  place->places = self;
  place->home = home;
  place->above = place_ref (above);
  place->is_counted = TRUE;
  /* Let go of places that are not counted any more: in an endless row of children, each of which
   * creates the next, each would keep all before it. */
  above = next_above (place);
  if (above)
    next_above (above);
  return place;
}

/* ---- The place of one child ---- */

GtxPlace *
gtx_places_take (GtxPlaces  *self,
                 GError    **error)
{
  GtxTask *task = gtx_task_current ();
  GtxPlace *own = current_place ();
  GtxPlace *giver = gtx_semaphore_locked (self->free) ? nearest_counted (self, own) : NULL;

  if (giver)
    giver->is_counted = FALSE;
  else if (!gtx_semaphore_acquire (self->free, error))
    return NULL;
  return place_new (self, task->parent_instance.home, own);
}

void
gtx_place_give (GtxPlace *self,
                GtxTask  *task)
{
  gtx_task_locals_bind (task, &of_task, place_ref (self));
}

void
gtx_place_leave (GtxPlace *self)
{
  if (self->is_counted)
    gtx_semaphore_release (self->places->free);
  self->is_counted = FALSE;
  place_unref (self);
}
