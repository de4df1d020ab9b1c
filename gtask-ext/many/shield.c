/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/shield.h"

#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

/* How the outer futures find the inner one, which may go before they do: all
 * shields of it share one, for GObject looks for a weak reference among all that
 * an object has. */
typedef struct
{
  GWeakRef inner;
} Way;

/* Invariants:
 * - The callback is set exactly while it may yet be called, and keeps the outer
 *   future; it is of the home of the inner one, and so is at_end.
 * - at_end is linked, and has a reference, only while the callback is set. */
typedef struct
{
  Way *way;
  GtxScheduler *home;           /* of the inner one */
  GtxFuture *outer;
  GtxDoneCallback *callback;
  GtxHandle at_end;             /* where the outer one has another home */
  GtxScheduler *held;           /* that one, for virtual time; or NULL */
  GtxFuture *left;              /* the inner one, while it is told */
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

/* With a reference for the caller.  Without a lock, which another thread might have at a fork (). */
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

/* ---- The inner one is done ---- */

static void
on_inner_done (gpointer future,
               gpointer shield)
{
  GtxFuture *inner = future;
  GtxFuture *outer = ((Shield *) shield)->outer;

  /* That one was cancelled in the same round: an error stays the inner one's to tell of. */
  if (gtx_future_done (outer))
    return;
  if (gtx_future_state (inner) == GTX_FUTURE_CANCELLED)
    gtx_future_finish_cancelled (outer);
  else if (inner->error == NULL)
    gtx_future_finish_as (outer, inner);
  else
    {
      /* Nobody is warned of an end of the main context: who has let go need not know. */
      if (g_error_matches (inner->error, GTX_ERROR, GTX_ERROR_CONTEXT_GONE))
        gtx_future_forgive_error (outer);
      if (gtx_future_set_error (outer, g_error_copy (inner->error)))
        gtx_future_forgive_error (inner);
    }
}

/* Nothing calls back from there any more.  An end of the inner one that nobody told of is told
 * of here; that there will be none is news for those alone who ask. */
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
                               "What is shielded can never end: its main context is gone");
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

/* ---- Across contexts ---- */

static void
home_has_ended (gpointer data)
{
  Shield *shield = data;

  if (shield->callback)
    end_without_home (shield);
  shield_unref (shield);
}

/* What ends with the context may be, or bring, the end of the inner one. */
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

/* Where the callback was added when the context was about to go, this may come too late. */
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

/* ---- The outer one is ---- */

/* The inner one forgets an outer one that has no use for it any more: a long
 * wait may be shielded many times. */
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
      /* The callback may be on its way there. */
      gtx_future_fetch_callbacks (inner);
      forget (shield);
    }
  else if (!gtx_scheduler_post (inner->home, forget, shield))
    {
      /* The callback goes with the inner one, which has no home any more. */
      g_clear_object (&shield->left);
      shield_unref (shield);
    }
  gtx_scheduler_leave (inner->home, visit);
}

/* The outer one keeps its home until then.  Where the context of that is gone this may be any
 * thread, and there is no time any more. */
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
 * Makes a future that ends as @future does, and can be cancelled without it:
 * asyncio's `shield()`.
 *
 * A task that awaits what is returned and is cancelled leaves @future alone; an
 * error of @future that nobody asks for is warned of then, when @future goes.
 * Where @future is done already, it is @future itself.  A task that was not
 * started is.  The result stays that of @future: it is lent while either
 * lives, and who takes it from one takes it from both.  Where the main context of
 * @future goes first it fails with %GTX_ERROR_CONTEXT_GONE.  In virtual time another
 * main context counts as waited for until then.  Never suspends; may be called in any
 * thread.
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
