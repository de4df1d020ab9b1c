/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/await-elsewhere.h"

#include "gtask-ext/error.h"

/* The awaiting task's step is one of the future's callbacks. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;
} Await;

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

static gboolean
await_is_over (GtxWaiter *waiter)
{
  return gtx_future_done (((Await *) waiter)->awaited);
}

static const GtxWaiterKind await_kind = { "future", gtx_waiter_pass_on, await_describe, await_list, await_is_over };

static inline gboolean
await_here (GtxTask    *task,
            GtxFuture  *awaited,
            GError    **error)
{
  Await await;

  gtx_waiter_init (&await.waiter, task, &await_kind);
  await.awaited = awaited;
  gtx_handle_list_append (&awaited->callbacks, &task->step.handle);
  return gtx_waiter_wait (&await.waiter, error);
}

static gboolean
await_open (GtxTask    *task,
            GtxFuture  *awaited,
            GError    **error)
{
  GtxScheduler *home = task->parent_instance.home;
  gboolean woken;

  gtx_scheduler_open (home);
  woken = await_here (task, awaited, error);
  gtx_scheduler_close (home);
  return woken;
}

/* ---- Public functions ---- */

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
                   "Task %s awaits itself, which would never end; await another task", gtx_task_get_name (task));
      return FALSE;
    }
  return gtx_future_is_open (awaited) ? await_open (task, awaited, error) : await_here (task, awaited, error);
}

/* Waits for @future to be done: FALSE with @error set if that failed. */
static gboolean
await_done (GtxTask    *task,
            GtxFuture  *future,
            GError    **error)
{
  if (gtx_future_done (future))
    return TRUE;
  if (!(future->home == task->parent_instance.home ? await_at_home (task, future, error)
                                                   : gtx_await_elsewhere (task, future, error)))
    return FALSE;
  if (G_LIKELY (gtx_future_done (future)))
    return TRUE;
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                       "The awaited future can never end: its main context is gone");
  return FALSE;
}

/* @result: if not NULL, set to the result, which is taken while @future certainly exists.
 * Inlined, so that a debugger shows the frames of the public functions only. */
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
                           "gtx_await() takes a GtxFuture, and was given something else");
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
 * If @future is done already, this does not suspend: nothing else runs, and no
 * request to cancel is delivered.  A task that was not started runs inside the
 * current one, as an awaited coroutine does.  When the current task is
 * cancelled meanwhile, @future is cancelled for it and waited for.
 *
 * Sets a copy of the error of @future, %G_IO_ERROR_CANCELLED if @future or the
 * current task was cancelled, %GTX_ERROR_NOT_IN_TASK outside a task,
 * %GTX_ERROR_AWAITS_ITSELF if @future is the current task, %GTX_ERROR_CONTEXT_GONE
 * if the main context of @future is gone, and %GTX_ERROR_INVALID_ARGUMENT if
 * @future is not a future, or belongs to a main context that the current task has
 * pushed as thread-default.
 *
 * A future of another main context may be awaited, even if no thread runs that any
 * more when the future is done.  A request to cancel, or a timeout, is passed on to
 * that main context, and ends this await only when that main context has answered,
 * or @future is done: not while its thread is blocked, or while no thread runs it.
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
 * Suspends the current task until @future is done, as gtx_await() does, and returns
 * its result: the value of asyncio's `await`.
 *
 * The caller frees the result, as it would free what a call of the coroutine
 * returns.  A result can be taken once: if several tasks want it, or the future is
 * to keep it, see gtx_await_peek_pointer().  The result of gtx_shield() is that of
 * the shielded future.  gtx_future_get_result() returns %NULL from then on.
 *
 * Sets the errors that gtx_await() sets, and %GTX_ERROR_INVALID_STATE if the result
 * was taken before.  A result may be %NULL without an error, and %NULL may be taken
 * any number of times.
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
 * Suspends the current task until @future is done, as gtx_await() does, and lends
 * its result: the value of asyncio's `await`, for a result that several tasks use.
 *
 * Sets the errors that gtx_await() sets, and %GTX_ERROR_INVALID_STATE if the result
 * was taken, by gtx_await_pointer() or gtx_task_steal_pointer().  A result may be
 * %NULL without an error.
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
