/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/task-private.h"

#include "gtask-ext/error.h"

/* The awaiting task's step is one of the future's callbacks. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;
} Await;

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

static void
await_describe (GtxWaiter *waiter,
                GString   *text)
{
  GtxFuture *awaited = ((Await *) waiter)->awaited;

  if (gtx_future_is_task (awaited))
    g_string_append_printf (text, "task %s", gtx_task_get_name ((GtxTask *) awaited));
  else
    g_string_append_printf (text, "future %p", (gpointer) awaited);
}

static void
await_list (GtxWaiter *waiter,
            GPtrArray *futures)
{
  g_ptr_array_add (futures, ((Await *) waiter)->awaited);
}

static const GtxWaiterKind await_kind = { "future", gtx_waiter_pass_on, await_describe, await_list };

static inline gboolean
await_here (GtxTask   *task,
            GtxFuture *awaited)
{
  Await await;

  gtx_waiter_init (&await.waiter, task, &await_kind);
  await.awaited = awaited;
  gtx_handle_list_append (&awaited->callbacks, &task->step.handle);
  return gtx_task_suspend (task, &await.waiter);
}

static gboolean
await_open (GtxTask   *task,
            GtxFuture *awaited)
{
  GtxScheduler *home = task->parent_instance.home;
  gboolean woken;

  gtx_scheduler_open (home);
  woken = await_here (task, awaited);
  gtx_scheduler_close (home);
  return woken;
}

/* ---- Across contexts ---- */

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

static const GtxWaiterKind distant_kind = { "future of another context", distant_cancel, distant_describe, NULL };

static gboolean
await_distant (GtxTask   *task,
               GtxFuture *awaited)
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
  woken = gtx_task_suspend (task, &await.waiter);
  gtx_scheduler_release (home);
  return woken && !await.in_ring;
}

/* ---- The public side ---- */

/* What it gives back when the waiting is over. */
static gboolean
end_await (GtxFuture  *awaited,
           gboolean    woken,
           GError    **error)
{
  if (woken && gtx_future_done (awaited))
    return TRUE;
  if (woken)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                         "What is awaited can never end: its main context is gone");
  else
    gtx_set_cancelled_error (error);
  return FALSE;
}

static gboolean
is_itself (GtxTask   *task,
           GtxFuture *awaited)
{
  return awaited == &task->parent_instance ||
         (gtx_future_is_task (awaited) && ((GtxTask *) awaited)->runner == task);
}

static gboolean
await_at_home (GtxTask    *task,
               GtxFuture  *awaited,
               GError    **error)
{
  if (G_UNLIKELY (gtx_task_is_unstarted (awaited)) && gtx_task_run_inside ((GtxTask *) awaited, task))
    return TRUE;
  if (G_UNLIKELY (is_itself (task, awaited)))
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF,
                   "Task %s awaits itself, which would never end", gtx_task_get_name (task));
      return FALSE;
    }
  return end_await (awaited, gtx_future_is_open (awaited) ? await_open (task, awaited) : await_here (task, awaited),
                    error);
}

/* Not inlined, so that who waits at home has none of its variables on the stack. */
G_GNUC_NO_INLINE static gboolean
await_elsewhere (GtxTask    *task,
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
  return end_await (awaited, await_distant (task, awaited), error);
}

/* Waits for @future to be done: FALSE with @error set if that failed. */
static gboolean
await_done (GtxTask    *task,
            GtxFuture  *future,
            GError    **error)
{
  if (gtx_future_done (future))
    return TRUE;
  if (future->home == task->parent_instance.home)
    return await_at_home (task, future, error);
  return await_elsewhere (task, future, error);
}

/* @result: takes it, where it is no NULL, while @future is there for certain.
 * Inlined, it leaves a debugger the frames of the functions that are called. */
static G_ALWAYS_INLINE inline gboolean
await_result (gpointer     future,
              const char  *function,
              gpointer    *result,
              GError     **error)
{
  GtxFuture *self = future;
  GtxTask *task;
  gboolean is_here;
  gboolean succeeded;

  if (!gtx_future_check (future, function))
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                           "What was to be awaited is no GtxFuture");
      return FALSE;
    }
  task = gtx_task_begin_await (function, error);
  if (task == NULL)
    return FALSE;

  is_here = self->home == task->parent_instance.home;
  if (is_here)
    gtx_pins_add (&self->pins, self);
  else
    g_object_ref (self);
  succeeded = await_done (task, self, error) && gtx_future_propagate (self, error) &&
              (result == NULL || gtx_future_take_result (self, result, error));
  if (is_here)
    gtx_pins_drop (&self->pins, self);
  else
    g_object_unref (self);
  return succeeded;
}

/**
 * gtx_await:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until @future is done: asyncio's `await`.
 *
 * What is done already is not waited for, and then nothing else runs and no
 * request to cancel is delivered.  A task that was not started runs inside the
 * current one, as a coroutine does that is awaited.  When the current task is
 * cancelled meanwhile, @future is cancelled for it and waited for.
 *
 * Sets a copy of the error of @future, %G_IO_ERROR_CANCELLED if @future or the
 * current task was cancelled, %GTX_ERROR_NOT_IN_TASK outside a task,
 * %GTX_ERROR_AWAITS_ITSELF if @future is the current task,
 * %GTX_ERROR_CONTEXT_GONE if the main context of @future is no more, and
 * %GTX_ERROR_INVALID_ARGUMENT if @future is no future, or belongs to a main
 * context that the current task has pushed as thread-default.
 *
 * A future of another main context may be awaited.  It is cancelled there, so
 * that a request to cancel, or a timeout, ends this await when that context has
 * answered: not while its thread is blocked, or nobody runs it.
 *
 * Returns: %TRUE exactly when there is no error
 *
 * Since: 0.1
 */
gboolean
gtx_await (gpointer   future,
           GError   **error)
{
  return await_result (future, G_STRFUNC, NULL, error);
}

/**
 * gtx_await_pointer:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until @future is done, as gtx_await() does, and
 * gives its result: the value of asyncio's `await`.
 *
 * As what a call of the coroutine returns, the result is the caller's to free.
 * It is there once: where several want it, or the future is to keep it, see
 * gtx_await_peek_pointer().  The result of gtx_shield() is that of the shielded
 * future.  gtx_future_get_result() has %NULL from then on.
 *
 * Sets the errors that gtx_await() sets, and %GTX_ERROR_INVALID_STATE if the
 * result was taken before; a result may be %NULL without an error, and %NULL
 * may be taken any number of times.
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 0.1
 */
gpointer
gtx_await_pointer (gpointer   future,
                   GError   **error)
{
  gpointer result;

  return await_result (future, G_STRFUNC, &result, error) ? result : NULL;
}

/**
 * gtx_await_peek_pointer:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until @future is done, as gtx_await() does, and
 * lends its result: the value of asyncio's `await`, where several tasks look at
 * it.
 *
 * Sets the errors that gtx_await() sets, and %GTX_ERROR_INVALID_STATE if the
 * result was taken, by gtx_await_pointer() or gtx_task_steal_pointer(); a result
 * may be %NULL without an error.
 *
 * Returns: (transfer none) (nullable): the result, valid while @future lives
 *   and nobody takes it
 *
 * Since: 0.1
 */
gpointer
gtx_await_peek_pointer (gpointer   future,
                        GError   **error)
{
  return await_result (future, G_STRFUNC, NULL, error) ? gtx_future_lend_result (future, error) : NULL;
}
