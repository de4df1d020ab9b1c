/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/shield.h"

#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

/* The outer futures find the inner one through a Way, because the inner future may be freed before
 * them.  All shields of a future share one Way: GObject looks for a weak reference among all that
 * an object has. */
typedef struct
{
  GWeakRef inner;
} Way;

/* Invariants:
 * - The callback is set exactly while it may still be called.  It keeps a reference to the outer
 *   future.
 * - The callback and at_end belong to the home of the inner future.
 * - at_end is linked, and holds a reference to the shield, only while the callback is set. */
typedef struct
{
  Way *way;
  GtxScheduler *home;           /* of the inner future */
  GtxFuture *outer;
  GtxDoneCallback *callback;
  GtxHandle at_end;             /* in the home of the inner future, if the outer future has another home */
  GtxScheduler *held;           /* the home of the outer future while virtual time is held in it, or NULL */
  GtxFuture *left;              /* the inner future until it has dropped the callback, or NULL */
} Shield;

static void
way_clear (gpointer way)
{
  g_weak_ref_clear (&((Way *) way)->inner);
}

static void
way_unref (gpointer way)
{
  g_atomic_rc_box_release_full (way, way_clear);
}

static gpointer
way_ref (gpointer way,
         gpointer unused)
{
  return way ? g_atomic_rc_box_acquire (way) : NULL;
}

/* Returns a new reference.  The function takes no lock, because another thread might hold the lock
 * during a fork (). */
static Way *
way_to (GtxFuture *inner)
{
  GQuark quark = g_quark_from_static_string ("gtx-way");
  Way *way = g_object_dup_qdata (G_OBJECT (inner), quark, way_ref, NULL);

  while (way == NULL)
    {
      Way *made = g_atomic_rc_box_new (Way);

      g_weak_ref_init (&made->inner, inner);
      if (!g_object_replace_qdata (G_OBJECT (inner), quark, NULL, made, way_unref, NULL))
        way_unref (made);
      way = g_object_dup_qdata (G_OBJECT (inner), quark, way_ref, NULL);
    }
  return way;
}

static void
shield_clear (gpointer shield)
{
  way_unref (((Shield *) shield)->way);
  gtx_scheduler_unref (((Shield *) shield)->home);
}

static void
shield_unref (gpointer shield)
{
  g_atomic_rc_box_release_full (shield, shield_clear);
}

/* ---- The end of the inner future ---- */

/* Another thread may be making the error of a future that was cancelled. */
static void
end_cancelled (GtxFuture *outer,
               GtxFuture *inner)
{
  const GError *error = __atomic_load_n (&inner->error, __ATOMIC_ACQUIRE);

  gtx_future_finish_cancelled_for (outer, error ? g_error_copy (error) : NULL);
}

static void
on_inner_done (gpointer future,
               gpointer shield)
{
  GtxFuture *inner = future;
  GtxFuture *outer = ((Shield *) shield)->outer;

  /* The outer future was cancelled in the same round.  The inner future keeps its error, so that
   * the library warns of it. */
  if (gtx_future_done (outer))
    return;
  if (gtx_future_state (inner) == GTX_FUTURE_CANCELLED)
    end_cancelled (outer, inner);
  else if (inner->error == NULL)
    gtx_future_finish_as (outer, inner);
  else
    {
      /* The library does not warn that the main context has ended: a caller that has dropped the
       * future need not know. */
      if (g_error_matches (inner->error, GTX_ERROR, GTX_ERROR_CONTEXT_GONE))
        gtx_future_forgive_error (outer);
      if (gtx_future_set_error (outer, g_error_copy (inner->error)))
        gtx_future_forgive_error (inner);
    }
}

/* The home of the inner future is gone and calls no more callbacks.  If the inner future is done,
 * the outer future ends in the same way.  Otherwise the outer future fails, and the library does
 * not warn of that error. */
static void
end_without_home (Shield *shield)
{
  g_autoptr (GtxFuture) inner = g_weak_ref_get (&shield->way->inner);
  GError *error;

  if (inner && gtx_future_done (inner))
    on_inner_done (inner, shield);
  if (gtx_future_done (shield->outer))
    return;
  gtx_future_forgive_error (shield->outer);
  error = g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                               "The shielded future can never end: its main context is gone");
  gtx_future_set_error (shield->outer, error);
}

static void
callback_ends (gpointer data)
{
  Shield *shield = data;

  shield->callback = NULL;
  if (gtx_handle_is_linked (&shield->at_end))
    {
      gtx_handle_unlink (&shield->at_end);
      shield_unref (shield);
    }
  if (gtx_scheduler_get_context (shield->home) == NULL)
    end_without_home (shield);
  g_object_unref (shield->outer);
  shield_unref (shield);
}

/* ---- Shields between two main contexts ---- */

static void
home_has_ended (gpointer data)
{
  Shield *shield = data;

  if (shield->callback)
    end_without_home (shield);
  shield_unref (shield);
}

/* The function posts a message because the object that ends with the main context may be the inner
 * future, or may end it. */
static void
home_ends (GtxHandle *handle)
{
  Shield *shield = GTX_CONTAINER_OF (handle, Shield, at_end);

  gtx_scheduler_post (shield->home, home_has_ended, shield);
}

static void
watch_home (gpointer data)
{
  Shield *shield = data;

  if (shield->callback)
    gtx_scheduler_call_at_end (shield->home, &shield->at_end);
  else
    shield_unref (shield);
}

/* If the callback was added when the main context was about to go, posting fails. */
static void
begin_across (Shield    *shield,
              GtxFuture *outer)
{
  GtxVisit visit = gtx_scheduler_enter (outer->home);

  if (visit)
    {
      shield->held = outer->home;
      gtx_scheduler_hold (shield->held);
    }
  gtx_scheduler_leave (outer->home, visit);
  if (gtx_scheduler_post (shield->home, watch_home, g_atomic_rc_box_acquire (shield)))
    return;
  end_without_home (shield);
  shield_unref (shield);
}

/* ---- The end of the outer future ---- */

/* The inner future drops the callback of an outer future that no longer needs it, because a program
 * may shield a long wait many times. */
static void
forget (gpointer data)
{
  Shield *shield = data;
  GtxFuture *inner = g_steal_pointer (&shield->left);

  if (shield->callback && !gtx_future_done (inner))
    gtx_future_take_back (inner, shield->callback);
  g_object_unref (inner);
  shield_unref (shield);
}

static void
on_outer_done (gpointer outer,
               gpointer data)
{
  Shield *shield = data;
  g_autoptr (GtxFuture) inner = g_weak_ref_get (&shield->way->inner);
  GtxVisit visit;

  if (inner == NULL || gtx_future_done (inner))
    return;
  shield->left = g_object_ref (inner);
  g_atomic_rc_box_acquire (shield);
  visit = gtx_scheduler_enter (inner->home);
  if (visit)
    {
      /* The callback may still be on its way to the inner future. */
      gtx_future_fetch_callbacks (inner);
      forget (shield);
    }
  else if (!gtx_scheduler_post (inner->home, forget, shield))
    {
      /* The inner future has lost its home, and frees the callback when it is freed. */
      g_clear_object (&shield->left);
      shield_unref (shield);
    }
  gtx_scheduler_leave (inner->home, visit);
}

/* The outer future keeps its home until now, so that held is valid.  If the main context of that
 * home is gone, this function may run in any thread, and no virtual time has to be released. */
static void
outer_ends (gpointer data)
{
  Shield *shield = data;

  if (shield->held && gtx_scheduler_get_context (shield->held))
    gtx_scheduler_release (shield->held);
  shield_unref (shield);
}

/**
 * gtx_shield:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Makes a future that ends as @future does, and can be cancelled without cancelling
 * @future: asyncio's `shield()`.
 *
 * A task that awaits the returned future and is cancelled leaves @future alone; if the
 * error of @future is not retrieved, the library then warns of it when @future is freed.
 * If @future is done already, @future itself is returned.  A task that was not started is
 * started.  The result stays that of @future: it can be borrowed while either future
 * lives, and taking it from one takes it from both.  If the main context of @future goes
 * away first, the returned future fails with %GTX_ERROR_CONTEXT_GONE.  If @future belongs
 * to another main context, virtual time counts that context as waited for until the
 * returned future is done.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a future
 *
 * Since: 0.1
 */
GtxFuture *
gtx_shield (gpointer future)
{
  Shield *shield;
  GtxFuture *outer;

  if (!gtx_future_check (future, G_STRFUNC))
    return NULL;
  if (gtx_future_done (future))
    return g_object_ref (future);

  gtx_task_ensure_started (future);
  outer = gtx_future_new ();
  shield = g_atomic_rc_box_new0 (Shield);
  shield->way = way_to (future);
  shield->home = gtx_scheduler_ref (((GtxFuture *) future)->home);
  shield->at_end.run = home_ends;
  shield->outer = g_object_ref (outer);
  gtx_future_call_back (future, on_inner_done, g_atomic_rc_box_acquire (shield), callback_ends,
                        &shield->callback);
  if (outer->home != shield->home)
    begin_across (shield, outer);
  gtx_future_add_done_callback (outer, on_outer_done, shield, outer_ends);
  return outer;
}
