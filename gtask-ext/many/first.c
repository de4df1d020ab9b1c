/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_race () and gtx_any (): one future is taken, the others are cancelled and waited for. */

#include "gtask-ext/first.h"

#include "gtask-ext/error.h"

#include "many/watch.h"
#include "task/error-private.h"

/* On the stack of the task that waits.
 *
 * Invariants:
 * - n_left counts the futures whose end was not seen; the wait is over when none is left.
 * - first does not change once the futures are being ended. */
typedef struct
{
  GtxWaiter waiter;
  GtxWatches futures;
  gboolean wants_success;
  guint n_left;
  GtxFuture *first;             /* the future that is taken, or NULL */
  gboolean is_ending;           /* the others were cancelled */
} Race;

/* ---- The ends of futures ---- */

static gboolean
has_succeeded (GtxFuture *future)
{
  return gtx_future_state (future) == GTX_FUTURE_FINISHED && future->error == NULL;
}

static void
count (Race      *self,
       GtxFuture *future)
{
  self->n_left--;
  if (self->first == NULL && !self->is_ending && (!self->wants_success || has_succeeded (future)))
    self->first = future;
}

static void
on_done (GtxHandle *handle)
{
  GtxWatch *watch = (GtxWatch *) handle;
  Race *self = watch->owner;

  count (self, watch->future);
  if (self->n_left == 0 || (self->first && !self->is_ending))
    gtx_waiter_wake (&self->waiter);
}

static void
count_done (Race *self)
{
  const GtxWatches *futures = &self->futures;

  for (guint i = 0; futures->n_done > 0 && i < futures->length; i++)
    if (!gtx_handle_is_linked (&futures->watches[i].handle))
      count (self, futures->watches[i].future);
}

/* ---- The waits ---- */

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  Race *self = (Race *) waiter;

  g_string_append_printf (text, "%s of %u",
                          self->is_ending ? "the others" : self->wants_success ? "the first success" : "the first",
                          self->futures.length);
}

static void
list_awaited (GtxWaiter *waiter,
              GPtrArray *futures)
{
  gtx_watches_list (&((Race *) waiter)->futures, futures);
}

static const GtxWaiterKind first_kind = { "first", gtx_waiter_cancel, describe, list_awaited, NULL };
static const GtxWaiterKind others_kind = { "first", gtx_waiter_leave_standing, describe, list_awaited, NULL };

/* Cancels the futures that are not done, and waits for them.  A request to cancel that comes meanwhile
 * stands.  The waiter has ended while the futures are cancelled, because a handler of the program may
 * then run a main loop. */
static void
end_others (Race *self)
{
  GtxTask *task = self->waiter.task;

  self->is_ending = TRUE;
  /* The reason of a request that was dealt with before is not this one's. */
  if (self->first && task->n_standing == 0)
    gtx_task_set_reason (task, NULL);
  if (self->n_left > 0)
    gtx_waiter_pass_on (&self->waiter);
  while (self->n_left > 0)
    {
      gtx_waiter_init (&self->waiter, task, &others_kind);
      gtx_waiter_wait_out (&self->waiter);
      if (task->must_cancel)
        task->outlived = TRUE;
    }
}

/* Waits for the future that is taken.  FALSE with @error set if the task was cancelled: then no future
 * is taken. */
static gboolean
wait_for_first (Race    *self,
                GError **error)
{
  if (self->first || self->n_left == 0)
    return TRUE;
  self->waiter.state = GTX_WAITER_PENDING;
  if (gtx_waiter_wait (&self->waiter, error))
    return TRUE;
  self->first = NULL;
  return FALSE;
}

static GError *
all_errors (const GtxWatches *futures)
{
  g_autoptr (GPtrArray) errors = g_ptr_array_new ();

  for (guint i = 0; i < futures->length; i++)
    g_ptr_array_add (errors, (gpointer) gtx_future_get_error (futures->watches[i].future));
  return gtx_error_new_group (errors, "None of the futures succeeded");
}

static void
race_clear (Race *self)
{
  for (guint i = 0; i < self->futures.length; i++)
    if (self->futures.watches[i].future != self->first)
      gtx_future_forgive_error (self->futures.watches[i].future);
  gtx_watches_clear (&self->futures);
}

static gpointer
take_first (GtxTask    *task,
            GPtrArray  *futures,
            gboolean    wants_success,
            GError    **error)
{
  Race self = { .wants_success = wants_success };
  gboolean cancelled;

  gtx_waiter_init (&self.waiter, task, &first_kind);
  self.waiter.state = GTX_WAITER_WOKEN;
  gtx_watches_init (&self.futures, futures, on_done, &self);
  self.n_left = self.futures.length;
  count_done (&self);
  cancelled = !wait_for_first (&self, error);
  end_others (&self);
  /* The error that the caller gets delivers a second request as well. */
  if (cancelled && task->must_cancel)
    gtx_task_settle_request (task);
  else if (!cancelled && self.first == NULL)
    g_propagate_error (error, all_errors (&self.futures));
  race_clear (&self);
  return self.first;
}

static gboolean
check (GtxTask     *task,
       GPtrArray   *futures,
       const char  *function,
       GError     **error)
{
  if (task == NULL || !gtx_watches_check (task, futures, function, error))
    return FALSE;
  if (futures->len == 0)
    g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                 "The array of futures is empty; pass at least one future to %s()", function);
  return futures->len > 0;
}

/**
 * gtx_race:
 * @futures: (element-type GtxFuture): futures and tasks of the current task's main context, at least
 *   one; a future that is there twice counts once
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until one of @futures is done, cancels the others, and waits for them:
 * JavaScript's `Promise.race()`, which leaves the others alone; asyncio has no such function.
 *
 * Starts the tasks that were not started.  If some of @futures are done already, the first of them in
 * @futures is returned, and the others are cancelled and waited for all the same.  The future that is
 * returned may have failed, or may have been cancelled: await it, or look at it.  The others count as
 * lost even if they end well, as a task may that takes no notice of the request: their results are
 * freed with them, and their errors count as retrieved.  A future that is to go on is passed as
 * gtx_shield() of it.
 *
 * When the current task is cancelled while it waits for the first, all are cancelled and waited for,
 * and none is returned.  When it is cancelled later, while it waits for the others, the function
 * returns its future, and the request stands: the next await delivers it.  No future is cancelled
 * twice, so that a task is not disturbed while it cleans up.
 *
 * Sets %G_IO_ERROR_CANCELLED if the current task was cancelled, %GTX_ERROR_NOT_IN_TASK outside a
 * task, %GTX_ERROR_AWAITS_ITSELF if the current task is in @futures, and %GTX_ERROR_INVALID_ARGUMENT
 * if @futures is empty, or an element of it cannot be waited for.  The last three leave @futures
 * alone.
 *
 * Returns: (transfer none) (nullable) (type GtxFuture): the future or task of @futures that was done
 *   first, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_race (GPtrArray  *futures,
          GError    **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  g_return_val_if_fail (futures != NULL, NULL);
  return check (task, futures, G_STRFUNC, error) ? take_first (task, futures, FALSE, error) : NULL;
}

/**
 * gtx_any:
 * @futures: (element-type GtxFuture): futures and tasks of the current task's main context, at least
 *   one; a future that is there twice counts once
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until one of @futures has succeeded, cancels the others, and waits for
 * them: JavaScript's `Promise.any()`, which leaves the others alone; asyncio has no such function.
 *
 * A future that fails, or is cancelled, is out of the race.  All else is as in gtx_race().
 *
 * Sets %GTX_ERROR_GROUP if all have failed: this error holds each of their errors in the order of
 * @futures, see gtx_error_get_error().  Also sets the errors that gtx_race() sets.
 *
 * Returns: (transfer none) (nullable) (type GtxFuture): the future or task of @futures that succeeded
 *   first, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_any (GPtrArray  *futures,
         GError    **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  g_return_val_if_fail (futures != NULL, NULL);
  return check (task, futures, G_STRFUNC, error) ? take_first (task, futures, TRUE, error) : NULL;
}
