/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/shield.h"

#include "task-private.h"

static void
on_inner_done (gpointer future,
               gpointer outer)
{
  GtxFuture *inner = future;

  /* That one was cancelled in the same round: an error stays the inner one's to tell of. */
  if (gtx_future_done (outer))
    return;
  if (gtx_future_state (inner) == GTX_FUTURE_CANCELLED)
    gtx_cancel (outer);
  else if (inner->error)
    gtx_future_set_error (outer, g_error_copy (gtx_future_get_error (inner)));
  else
    gtx_future_finish_as (outer, inner);
}

/* The inner one forgets an outer one that has no use for it any more: a long
 * wait may be shielded many times. */
static void
on_outer_done (gpointer outer,
               gpointer reference)
{
  GtxFuture *inner = g_weak_ref_get (reference);

  if (inner && !gtx_future_done (inner))
    gtx_future_remove_done_callback (inner, on_inner_done, outer);
  g_clear_object (&inner);
}

static void
weak_ref_free (gpointer reference)
{
  g_weak_ref_clear (reference);
  g_free (reference);
}

static void
forget_when_done (GtxFuture *outer,
                  GtxFuture *inner)
{
  GWeakRef *reference = g_new (GWeakRef, 1);

  g_weak_ref_init (reference, inner);
  gtx_future_add_done_callback (outer, on_outer_done, reference, weak_ref_free);
}

/**
 * gtx_shield:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Makes a future that ends as @future does, and can be cancelled without it:
 * asyncio's `shield()`.
 *
 * A task that awaits what is returned and is cancelled leaves @future alone.
 * Where @future is done already, it is @future itself.  A task that was not
 * started is.  The result stays that of @future: it is lent while either
 * lives, and who takes it from one takes it from both.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a future
 *
 * Since: 0.1
 */
GtxFuture *
gtx_shield (gpointer future)
{
  GtxFuture *outer;

  if (!gtx_future_check (future, G_STRFUNC))
    return NULL;
  if (gtx_future_done (future))
    return g_object_ref (future);

  gtx_task_ensure_started (future);
  outer = gtx_future_new ();
  gtx_future_add_done_callback (future, on_inner_done, g_object_ref (outer), g_object_unref);
  /* To take back a callback is for the home of the inner one. */
  if (((GtxFuture *) future)->home == outer->home)
    forget_when_done (outer, future);
  return outer;
}
