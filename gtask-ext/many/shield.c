/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/shield.h"

#include "many/way.h"
#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

/* Invariants:
 * - If both futures have one home, and the thread that makes the shield runs it, the callback is set
 *   while it may still be called.  It belongs to that home.
 * - Otherwise the onlooker is among those of the inner future until it is told or removed: the outer
 *   future ends even if nobody runs the home of the inner one any more.
 * - The callback, or the onlooker, keeps a reference to the outer future and one to the shield. */
typedef struct
{
  GtxWay *way;                  /* to the inner future, which may be freed before the outer ones */
  GtxScheduler *home;           /* of the inner future */
  GtxFuture *outer;
  GtxDoneCallback *callback;
  GtxOnlooker onlooker;
  GtxScheduler *held;           /* the home of the outer future while virtual time is held in it, or NULL */
} Shield;

static void
shield_clear (gpointer shield)
{
  gtx_way_unref (((Shield *) shield)->way);
  gtx_scheduler_unref (((Shield *) shield)->home);
}

static void
shield_unref (gpointer shield)
{
  g_atomic_rc_box_release_full (shield, shield_clear);
}

/* ---- The end of the inner future ---- */

static void
on_inner_done (gpointer future,
               gpointer shield)
{
  GtxFuture *outer = ((Shield *) shield)->outer;

  /* The outer future was cancelled in the same round.  The inner future keeps its error, so that
   * the library warns of it. */
  if (!gtx_future_done (outer))
    gtx_future_finish_like (outer, future);
}

/* The home of the inner future is gone, and the library does not warn of this error. */
static void
fail_without_home (GtxFuture *outer)
{
  GError *error = g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                                       "The shielded future can never end: its main context is gone");

  gtx_future_fail_quietly (outer, error);
}

/* The callback or the onlooker lets go of the shield.  If the inner future is not done, it is being
 * freed, unless its home is gone; nobody can set it then, and the outer future stays as it is. */
static void
let_go (Shield   *shield,
        gboolean  is_homeless)
{
  g_autoptr (GtxFuture) inner = gtx_way_go (shield->way);

  if (inner && gtx_future_done (inner))
    on_inner_done (inner, shield);
  else if (is_homeless && !gtx_future_done (shield->outer))
    fail_without_home (shield->outer);
  g_object_unref (shield->outer);
  shield_unref (shield);
}

static gboolean
has_lost_home (const Shield *shield)
{
  return gtx_scheduler_get_context (shield->home) == NULL;
}

static void
callback_ends (gpointer data)
{
  Shield *shield = data;

  shield->callback = NULL;
  let_go (shield, has_lost_home (shield));
}

/* Called in any thread. */
static void
onlooker_is_told (GtxHandle *link)
{
  Shield *shield = GTX_CONTAINER_OF (link, Shield, onlooker.link);

  let_go (shield, has_lost_home (shield));
}

/* ---- The beginning ---- */

/* FALSE if the home of the inner future is another thread's. */
static gboolean
begin_here (Shield    *shield,
            GtxFuture *inner)
{
  GtxVisit visit = gtx_scheduler_enter (shield->home);

  if (visit)
    gtx_future_call_back (inner, on_inner_done, shield, callback_ends, &shield->callback);
  gtx_scheduler_leave (shield->home, visit);
  return visit != GTX_ELSEWHERE;
}

/* Virtual time counts the other main context as waited for. */
static void
hold (Shield       *shield,
      GtxScheduler *home)
{
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    {
      shield->held = home;
      gtx_scheduler_hold (home);
    }
  gtx_scheduler_leave (home, visit);
}

static void
begin (Shield    *shield,
       GtxFuture *inner)
{
  g_atomic_rc_box_acquire (shield);
  g_object_ref (shield->outer);
  if (shield->outer->home != shield->home)
    hold (shield, shield->outer->home);
  else if (begin_here (shield, inner))
    return;
  shield->onlooker.link.run = onlooker_is_told;
  if (!gtx_future_look_on (inner, &shield->onlooker))
    let_go (shield, TRUE);
}

/* ---- The end of the outer future ---- */

/* The inner future lets go of an outer future that no longer needs it, because a program may shield a
 * long wait many times. */
static void
on_outer_done (gpointer outer,
               gpointer data)
{
  Shield *shield = data;
  g_autoptr (GtxFuture) inner = NULL;

  if (shield->callback == NULL)
    {
      if (gtx_onlooker_remove (&shield->onlooker, shield->home))
        let_go (shield, FALSE);
      return;
    }
  inner = gtx_way_go (shield->way);
  if (inner && !gtx_future_done (inner))
    gtx_future_take_back (inner, shield->callback);
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
  shield->way = gtx_way_to (future);
  shield->home = gtx_scheduler_ref (((GtxFuture *) future)->home);
  shield->outer = outer;
  begin (shield, future);
  gtx_future_call_back (outer, on_outer_done, shield, outer_ends, NULL);
  return outer;
}
