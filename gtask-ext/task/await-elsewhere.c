/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task awaits a future of another main context, and how a request to cancel gets there. */

#include "task/await-elsewhere.h"
#include "task/crossing.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

/* A task's wait for a future of another main context.  The future has a callback there that
 * posts back; until then the handles belong to that main context.
 *
 * Invariant: n_answers counts the answers that are to come from code that has this address.  The last
 * answer wakes the waiter.  From then on no code uses the address: the task may go on at any time, and
 * this is gone then. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;
  GtxHandle handle;             /* among the future's callbacks */
  GtxHandle at_end;             /* runs when the other main context goes */
  guint n_answers;              /* to come while the waiter is pending; used in the task's home only */
  GtxCrossingPoint point;       /* for requests */
  gboolean in_ring;             /* a request has come back to this wait */
} DistantAwait;

/* Lets a request stand that was not taken in the other main context, unless it was withdrawn. */
static void
let_stand (GtxTask *task)
{
  if (task->n_cancels > 0)
    task->must_cancel = TRUE;
}

/* Called for each answer: one says that the future has ended, and each request is answered.  A future
 * that took a request, but went with its main context instead of ending, leaves the request standing. */
static void
distant_answered (gpointer data)
{
  DistantAwait *await = data;

  if (--await->n_answers > 0)
    return;
  if (await->point.latest > 0 && !gtx_future_done (await->awaited))
    let_stand (await->waiter.task);
  gtx_waiter_wake (&await->waiter);
}

/* Called for a request that came when the future had ended. */
static void
distant_refused (gpointer data)
{
  let_stand (((DistantAwait *) data)->waiter.task);
  distant_answered (data);
}

static void
distant_tell (DistantAwait *await)
{
  if (gtx_handle_is_linked (&await->handle))
    gtx_handle_unlink (&await->handle);
  if (gtx_handle_is_linked (&await->at_end))
    gtx_handle_unlink (&await->at_end);
  gtx_scheduler_post (await->waiter.task->parent_instance.home, distant_answered, await);
}

static void
distant_done (GtxHandle *handle)
{
  distant_tell (GTX_CONTAINER_OF (handle, DistantAwait, handle));
}

static void
distant_gone (GtxHandle *handle)
{
  distant_tell (GTX_CONTAINER_OF (handle, DistantAwait, at_end));
}

static void
distant_attach (gpointer data)
{
  DistantAwait *await = data;

  if (gtx_future_done (await->awaited))
    {
      distant_tell (await);
      return;
    }
  gtx_handle_list_append (&await->awaited->callbacks, &await->handle);
  gtx_scheduler_call_at_end (await->awaited->home, &await->at_end);
}

static void
distant_cancel_there (gpointer data)
{
  DistantAwait *await = gtx_crossing_get_data (data);
  gboolean made = gtx_crossing_cancel (data, await->awaited);

  gtx_scheduler_post (await->waiter.task->parent_instance.home,
                      made ? distant_answered : distant_refused, await);
}

static void
distant_detach (gpointer data)
{
  DistantAwait *await = data;

  if (gtx_handle_is_linked (&await->at_end))
    distant_tell (await);
  gtx_scheduler_post (await->waiter.task->parent_instance.home, distant_answered, await);
}

/* Breaks a ring of tasks of several main contexts that await one another. */
static void
stop_awaiting (DistantAwait *await)
{
  await->in_ring = TRUE;
  if (gtx_scheduler_post (await->awaited->home, distant_detach, await))
    await->n_answers++;
}

static gboolean
distant_cancel (GtxWaiter *waiter)
{
  DistantAwait *await = (DistantAwait *) waiter;
  GtxCrossing *crossing;
  guint64 request;

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
  crossing = gtx_crossing_new (&await->point, await);
  request = gtx_crossing_get_request (crossing);
  if (!gtx_scheduler_post (await->awaited->home, distant_cancel_there, crossing))
    {
      gtx_crossing_unref (crossing);
      return FALSE;
    }
  await->n_answers++;
  gtx_crossing_point_count (&await->point, request);
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
    .handle = { .run = distant_done },
    .at_end = { .run = distant_gone },
    .n_answers = 1,
  };
  gboolean woken;

  gtx_waiter_init (&await.waiter, task, &distant_kind);
  gtx_crossing_point_init (&await.point);
  if (!gtx_scheduler_post (awaited->home, distant_attach, &await))
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
