/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Done callbacks that end with an object. */

#include "gtask-ext/object.h"

#include "many/way.h"
#include "outside/ties.h"
#include "task/done-callback.h"

/* The done callback holds a reference, and so does the list of the object's bonds. */
typedef struct
{
  GtxBond bond;
  GtxWay *way;                  /* to the future, which may be freed first */
  GtxScheduler *home;           /* of the future */
  GtxDoneFunc func;
  GtxDoneCallback *callback;    /* touched in the home only, once the callback is added; NULL: it has ended */
} Tied;

static void
tied_clear (gpointer data)
{
  Tied *self = data;

  gtx_scheduler_unref (self->home);
  gtx_way_unref (self->way);
  gtx_ties_unref (self->bond.ties);
}

static void
tied_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, tied_clear);
}

static void
on_done (gpointer future,
         gpointer data)
{
  Tied *self = data;
  GObject *object = gtx_ties_get_object (self->bond.ties);

  if (object && gtx_bond_is_whole (&self->bond))
    self->func (future, object);
  g_clear_object (&object);
}

static void
callback_ends (gpointer data)
{
  Tied *self = data;

  self->callback = NULL;
  if (gtx_bond_untie (&self->bond))
    tied_unref (self);
  tied_unref (self);
}

/* ---- The end of the object ---- */

/* The future takes the callback back, since it may outlive many objects.  If it is done, the callback is
 * due, and finds that the object has ended. */
static void
take_back_and_unref (gpointer data)
{
  Tied *self = data;
  g_autoptr (GtxFuture) future = gtx_way_go (self->way);

  if (future)
    gtx_future_fetch_callbacks (future);
  if (future && self->callback && !gtx_future_done (future))
    gtx_future_take_back (future, self->callback);
  tied_unref (self);
}

/* If the main context is gone, the callback is freed with the future. */
static void
cut (GtxBond *bond)
{
  Tied *self = (Tied *) bond;
  GtxScheduler *home = gtx_scheduler_ref (self->home);
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    take_back_and_unref (self);
  else if (!gtx_scheduler_post (home, take_back_and_unref, self))
    tied_unref (self);
  gtx_scheduler_leave (home, visit);
  gtx_scheduler_unref (home);
}

/* The callback is added first, so that the end of the object finds it; it may be called, and end, before
 * it is tied. */
static void
begin (Tied      *self,
       GtxFuture *future,
       GObject   *object)
{
  g_atomic_rc_box_acquire (self);
  gtx_future_call_back_with_locals (future, on_done, self, callback_ends, &self->callback);
  if (!gtx_bond_tie (&self->bond, object))
    cut (&self->bond);
}

/**
 * gtx_future_add_done_callback_object:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @callback: called with @object as its data once @future is done
 * @object: (type GObject.Object): an object; no reference of it is kept
 *
 * Adds a done callback that ends with an object, as g_signal_connect_object() connects a handler.
 *
 * @callback is called as that of gtx_future_add_done_callback() is, and @object is alive meanwhile.
 * If @object is disposed before, @callback is taken back and never called; it is not added if a task
 * or callback was tied to @object before, and @object has been disposed since.  No other function
 * removes @callback.  Never suspends; may be called in any thread that holds references to both, and
 * any thread may dispose of @object.
 *
 * Since: 0.1
 */
void
gtx_future_add_done_callback_object (gpointer     future,
                                     GtxDoneFunc  callback,
                                     gpointer     object)
{
  g_autoptr (GObject) alive = NULL;
  Tied *tied;

  g_return_if_fail (callback != NULL);
  g_return_if_fail (G_IS_OBJECT (object));
  if (!gtx_future_may_call_back (future, G_STRFUNC))
    return;

  tied = g_atomic_rc_box_new0 (Tied);
  tied->bond.ties = gtx_ties_of (object);
  tied->bond.cut = cut;
  tied->way = gtx_way_to (future);
  tied->home = gtx_scheduler_ref (((GtxFuture *) future)->home);
  tied->func = callback;
  gtx_ties_watch_end (tied->bond.ties, object);
  alive = gtx_ties_get_object (tied->bond.ties);
  if (alive)
    begin (tied, future, object);
  else
    tied_unref (tied);
}
