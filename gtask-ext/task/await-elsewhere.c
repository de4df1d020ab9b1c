/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a task awaits a future of another main context, and how a request to cancel gets there. */

#include "task/await-elsewhere.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

/* A future of another context has a callback there that posts back; but for
 * the waiter this is that context's until then.
 *
 * Invariant: n_answers counts what is under way and knows its address.  The last of these to
 * answer wakes the waiter, and from then on nothing is told of it: the task may go on at any
 * time, and it is no more. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;
  GtxHandle handle;             /* among the callbacks */
  GtxHandle at_end;             /* of the other context */
  guint n_answers;              /* to come, while the waiter is pending; of its home */
  guint64 number;
  guint64 latest;               /* of the requests that were passed on, by number; 0: none was */
  gboolean in_ring;             /* a request has come back to it */
} DistantAwait;

/* A request on its way from one context to another, and the crossings that it has come by.  Where
 * it forks they have these in common. */
typedef struct _Crossing Crossing;
struct _Crossing
{
  gatomicrefcount ref_count;
  Crossing *before;             /* NULL: the request began there */
  DistantAwait *await;          /* which is there until the request is made behind it */
  guint64 number;               /* that one's */
  guint64 request;              /* the request's: a later one has a higher one */
};

/* The last one of the request that is being made in this thread; NULL: it begins here. */
static __thread Crossing *last_crossing;

/* A request that nobody there has taken, unless it was withdrawn. */
static void
let_stand (GtxTask *task)
{
  if (task->n_cancels > 0)
    task->must_cancel = TRUE;
}

/* One answer from there is that it has ended, and each request has one.  Who took a request, and
 * went with the context instead of ending, cannot be told of it. */
static void
distant_answered (gpointer data)
{
  DistantAwait *await = data;

  if (--await->n_answers > 0)
    return;
  if (await->latest > 0 && !gtx_future_done (await->awaited))
    let_stand (await->waiter.task);
  gtx_waiter_wake (&await->waiter);
}

/* A request came there when it had ended. */
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

static Crossing *
crossing_new (DistantAwait *await)
{
  static guint64 n_requests;
  Crossing *self = g_new (Crossing, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->await = await;
  self->number = await->number;
  self->before = last_crossing;
  if (last_crossing)
    g_atomic_ref_count_inc (&last_crossing->ref_count);
  self->request = last_crossing ? last_crossing->request : __atomic_add_fetch (&n_requests, 1, __ATOMIC_RELAXED);
  return self;
}

/* In a loop, since the way may be longer than the stack is deep. */
static void
crossing_unref (Crossing *self)
{
  while (self && g_atomic_ref_count_dec (&self->ref_count))
    {
      Crossing *before = self->before;

      g_free (self);
      self = before;
    }
}

static void
distant_cancel_there (gpointer data)
{
  Crossing *crossing = data;
  DistantAwait *await = crossing->await;
  Crossing *outer = last_crossing;
  gboolean made;

  /* What handlers ask for has not come this way. */
  gtx_requests_hold ();
  last_crossing = crossing;
  made = gtx_future_cancel_here (await->awaited);
  last_crossing = outer;
  gtx_requests_release ();
  crossing_unref (crossing);
  gtx_scheduler_post (await->waiter.task->parent_instance.home,
                      made ? distant_answered : distant_refused, await);
}

/* One that is later than all that were passed on here has not been here. */
static gboolean
has_come_back (DistantAwait *await)
{
  if (last_crossing == NULL || last_crossing->request > await->latest)
    return FALSE;
  for (Crossing *crossing = last_crossing; crossing; crossing = crossing->before)
    if (crossing->number == await->number)
      return TRUE;
  return FALSE;
}

static void
distant_detach (gpointer data)
{
  DistantAwait *await = data;

  if (gtx_handle_is_linked (&await->at_end))
    distant_tell (await);
  gtx_scheduler_post (await->waiter.task->parent_instance.home, distant_answered, await);
}

/* Tasks of several contexts that await one another: here the ring breaks. */
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
  Crossing *crossing;
  guint64 request;

  /* The task is about to go on, and is told then. */
  if (waiter->state != GTX_WAITER_PENDING)
    return FALSE;
  if (gtx_future_done (await->awaited))
    return gtx_future_cancel_here (await->awaited);
  if (has_come_back (await))
    {
      stop_awaiting (await);
      return FALSE;
    }
  crossing = crossing_new (await);
  request = crossing->request;
  if (!gtx_scheduler_post (await->awaited->home, distant_cancel_there, crossing))
    {
      crossing_unref (crossing);
      return FALSE;
    }
  await->n_answers++;
  await->latest = MAX (await->latest, request);
  /* Who goes on there is not counted here. */
  gtx_task_count_going_on (await->waiter.task);
  return TRUE;
}

/* The name of a task is its own context's to read. */
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
  static guint64 n_awaits;
  GtxScheduler *home = task->parent_instance.home;
  DistantAwait await = {
    .awaited = awaited,
    .handle = { .run = distant_done },
    .at_end = { .run = distant_gone },
    .n_answers = 1,
    .number = __atomic_add_fetch (&n_awaits, 1, __ATOMIC_RELAXED),
  };
  gboolean woken;

  gtx_waiter_init (&await.waiter, task, &distant_kind);
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
  /* The task has it, so that nobody else can run it until the task goes on. */
  if (gtx_scheduler_is_pushed (gtx_scheduler_get_context (awaited->home)))
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                   "What is awaited belongs to a main context that task %s has pushed as thread-default, "
                   "and which nobody runs while it waits: pop it before what is awaited is made",
                   gtx_task_get_name (task));
      return FALSE;
    }
  gtx_task_ensure_started (awaited);
  return await_distant (task, awaited, error);
}
