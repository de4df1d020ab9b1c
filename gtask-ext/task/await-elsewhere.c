/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task awaits a future of another main context, and how a request to cancel gets there. */

#include "task/await-elsewhere.h"
#include "task/crossing.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

/* A task's wait for a future of another main context, which it looks on.
 *
 * Invariants:
 * - All fields but the onlooker's are used in the task's home only.  The home of the future reads those
 *   that do not change, while it makes a request.
 * - n_answers counts the messages to come that have this address: that the future is over, and one for
 *   each request that has not been withdrawn.  The last one wakes the waiter.  From then on no code uses
 *   the address: the task may go on at any time, and this is gone then.
 * - When the future is over, nobody need run its home any more.  So the requests that are still on their
 *   way are withdrawn then.  The thread that has begun to make a request answers it. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;           /* the caller has a reference */
  GtxOnlooker onlooker;
  guint n_answers;              /* to come while the waiter is pending */
  GtxHandleList requests;       /* that were neither answered nor withdrawn */
  GtxCrossingPoint point;       /* for requests */
  gboolean in_ring;             /* a request has come back to this wait */
} DistantAwait;

/* A request, from its making to its answer.
 *
 * Invariant: the state changes once.  Either the home of the awaited future begins to make the request,
 * posts it back as the answer, and the task's home frees it.  Or the task's home withdraws it, and the
 * other home frees it when it arrives there, without a look at the wait, which may be gone. */
typedef struct
{
  GtxHandle link;               /* in the requests of the wait */
  DistantAwait *await;
  gint state;                   /* atomic */
  gboolean was_made;
} Request;

enum
{
  ON_ITS_WAY,
  BEGUN,
  WITHDRAWN
};

static gboolean
stop_on_its_way (Request *self,
                 gint     state)
{
  return g_atomic_int_compare_and_exchange (&self->state, ON_ITS_WAY, state);
}

/* ---- Answers, in the task's home ---- */

/* Lets a request stand that was not taken in the other main context, unless it was withdrawn. */
static void
let_stand (GtxTask *task)
{
  if (task->n_cancels > 0)
    task->must_cancel = TRUE;
}

/* A future that took a request, but went with its main context instead of ending, leaves the request
 * standing. */
static void
answered (DistantAwait *await)
{
  if (--await->n_answers > 0)
    return;
  if (await->point.latest > 0 && !gtx_future_done (await->awaited))
    let_stand (await->waiter.task);
  gtx_waiter_wake (&await->waiter);
}

static void
request_answered (gpointer data)
{
  Request *request = data;
  DistantAwait *await = request->await;

  if (!request->was_made)
    let_stand (await->waiter.task);
  gtx_handle_unlink (&request->link);
  g_free (request);
  answered (await);
}

/* The other home may free a request as soon as it is withdrawn. */
static void
withdraw_requests (DistantAwait *await)
{
  GtxHandleList begun;
  GtxHandle *link;

  gtx_handle_list_init (&begun);
  while ((link = gtx_handle_list_pop (&await->requests)))
    if (stop_on_its_way (GTX_CONTAINER_OF (link, Request, link), WITHDRAWN))
      {
        let_stand (await->waiter.task);
        await->n_answers--;
      }
    else
      gtx_handle_list_append (&begun, link);
  gtx_handle_list_splice (&await->requests, &begun);
}

/* Called when the future is done, or never will be. */
static void
over (gpointer data)
{
  withdraw_requests (data);
  answered (data);
}

/* ---- Elsewhere ---- */

/* Called in any thread. */
static void
post_over (GtxHandle *link)
{
  DistantAwait *await = GTX_CONTAINER_OF (link, DistantAwait, onlooker.link);

  gtx_scheduler_post (await->waiter.task->parent_instance.home, over, await);
}

/* Called in the home of the awaited future. */
static void
make_request (gpointer data)
{
  Request *request = gtx_crossing_get_data (data);
  DistantAwait *await = request->await;

  if (!stop_on_its_way (request, BEGUN))
    {
      gtx_crossing_unref (data);
      g_free (request);
      return;
    }
  request->was_made = gtx_crossing_cancel (data, await->awaited);
  if (!gtx_scheduler_post (await->waiter.task->parent_instance.home, request_answered, request))
    g_free (request);
}

/* ---- Requests, in the task's home ---- */

/* Breaks a ring of tasks of several main contexts that await one another. */
static void
stop_awaiting (DistantAwait *await)
{
  await->in_ring = TRUE;
  if (gtx_onlooker_remove (&await->onlooker, await->awaited->home))
    over (await);
}

static gboolean
post_request (DistantAwait *await)
{
  Request *request = g_new (Request, 1);
  GtxCrossing *crossing = gtx_crossing_new (&await->point, request);
  guint64 number = gtx_crossing_get_request (crossing);

  *request = (Request) { .await = await, .state = ON_ITS_WAY };
  gtx_handle_list_append (&await->requests, &request->link);
  if (!gtx_scheduler_post (await->awaited->home, make_request, crossing))
    {
      gtx_handle_unlink (&request->link);
      g_free (request);
      gtx_crossing_unref (crossing);
      return FALSE;
    }
  await->n_answers++;
  gtx_crossing_point_count (&await->point, number);
  return TRUE;
}

static gboolean
distant_cancel (GtxWaiter *waiter)
{
  DistantAwait *await = (DistantAwait *) waiter;

  /* The task is about to go on, and is told of the request then. */
  if (waiter->state != GTX_WAITER_PENDING)
    return FALSE;
  if (gtx_future_done (await->awaited))
    return gtx_future_cancel_here (await->awaited);
  if (gtx_crossing_point_was_passed (&await->point))
    {
      stop_awaiting (await);
      return FALSE;
    }
  if (!post_request (await))
    return FALSE;
  /* Tasks that go on in the other main context are not counted in this one. */
  gtx_task_count_going_on (await->waiter.task);
  return TRUE;
}

/* Only a task's own main context may read its name. */
static void
distant_describe (GtxWaiter *waiter,
                  GString   *text)
{
  g_string_append_printf (text, "%s %p of another main context",
                          gtx_future_is_task (((DistantAwait *) waiter)->awaited) ? "task" : "future",
                          (gpointer) ((DistantAwait *) waiter)->awaited);
}

static const GtxWaiterKind distant_kind = { "future of another context", distant_cancel, distant_describe, NULL, NULL };

static gboolean
await_distant (GtxTask    *task,
               GtxFuture  *awaited,
               GError    **error)
{
  GtxScheduler *home = task->parent_instance.home;
  DistantAwait await = {
    .awaited = awaited,
    .onlooker.link.run = post_over,
    .n_answers = 1,
  };
  gboolean woken;

  gtx_waiter_init (&await.waiter, task, &distant_kind);
  gtx_handle_list_init (&await.requests);
  gtx_crossing_point_init (&await.point);
  if (!gtx_future_look_on (awaited, &await.onlooker))
    return TRUE;
  gtx_scheduler_hold (home);
  woken = gtx_waiter_wait (&await.waiter, error);
  gtx_scheduler_release (home);
  if (woken && await.in_ring)
    {
      gtx_set_cancelled_error (error);
      return FALSE;
    }
  return woken;
}

gboolean
gtx_await_elsewhere (GtxTask    *task,
                     GtxFuture  *awaited,
                     GError    **error)
{
  /* The task has acquired the main context, so that no other thread can run it until the task goes on. */
  if (gtx_scheduler_is_pushed (gtx_scheduler_get_context (awaited->home)))
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                   "The future belongs to a main context that task %s has pushed as thread-default, and "
                   "that no thread runs while the task waits: pop the context before the future is made",
                   gtx_task_get_name (task));
      return FALSE;
    }
  gtx_task_ensure_started (awaited);
  return await_distant (task, awaited, error);
}
