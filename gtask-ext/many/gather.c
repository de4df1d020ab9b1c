/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/gather.h"

#include "many/watch.h"
#include "task/error-private.h"

#include <stdarg.h>

/* This is asyncio's _GatheringFuture, on the stack of the task that awaits it. */
typedef struct
{
  GtxWaiter waiter;
  GtxGatherFlags flags;
  GtxWatches members;
  GPtrArray *named;             /* the futures with their repeats: each entry gets a request that is passed
                                 * on; NULL: there are no repeats */
  guint n_done;
  gboolean ended;
  GtxFuture *failed;            /* the future whose error ends the gathering, or NULL */
} Gathering;

static void
end (Gathering *self,
     GtxFuture *failed)
{
  self->ended = TRUE;
  self->failed = failed;
  gtx_waiter_wake (&self->waiter);
}

static void
count_member (Gathering *self,
              GtxFuture *future)
{
  gboolean has_failed = gtx_future_state (future) == GTX_FUTURE_CANCELLED || future->error;

  self->n_done++;
  gtx_future_forgive_error (future);
  if (self->ended)
    return;
  if (has_failed && !(self->flags & GTX_GATHER_RETURN_ERRORS))
    end (self, future);
  else if (self->n_done == self->members.length)
    end (self, NULL);
}

static void
on_member_done (GtxHandle *handle)
{
  GtxWatch *member = (GtxWatch *) handle;

  count_member (member->owner, member->future);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "a gathering of %u", ((Gathering *) waiter)->members.length);
}

static void
list_members (GtxWaiter *waiter,
              GPtrArray *futures)
{
  Gathering *self = (Gathering *) waiter;

  if (self->ended)
    return;
  if (self->named == NULL)
    gtx_watches_list (&self->members, futures);
  else
    for (guint i = 0; i < self->named->len; i++)
      if (!gtx_future_done (self->named->pdata[i]))
        g_ptr_array_add (futures, self->named->pdata[i]);
}

static const GtxWaiterKind gathering_kind = { "gather", gtx_waiter_pass_on, describe, list_members, NULL };

static void
count_done_members (Gathering *self)
{
  const GtxWatches *members = &self->members;

  for (guint i = 0; members->n_done > 0 && i < members->length; i++)
    if (!gtx_handle_is_linked (&members->watches[i].handle))
      count_member (self, members->watches[i].future);
}

/* When the gathering ends early, its pending members go on.  The library does not warn of their
 * errors. */
static void
drop_members (Gathering *self)
{
  if (self->ended && self->n_done < self->members.length)
    for (guint i = 0; i < self->members.length; i++)
      gtx_future_forgive_error (self->members.watches[i].future);
  gtx_watches_clear (&self->members);
}

/* Returns FALSE with @error set if the gathering failed or was cancelled. */
static gboolean
gather (GtxTask         *task,
        GPtrArray       *futures,
        GtxGatherFlags   flags,
        GError         **error)
{
  Gathering self = { .flags = flags };
  gboolean cancelled = FALSE;
  gboolean succeeded = FALSE;

  gtx_waiter_init (&self.waiter, task, &gathering_kind);
  self.waiter.state = GTX_WAITER_WOKEN;
  gtx_watches_init (&self.members, futures, on_member_done, &self);
  if (self.members.length < futures->len)
    {
      self.named = g_ptr_array_new ();
      g_ptr_array_extend (self.named, futures, NULL, NULL);
    }
  count_done_members (&self);
  if (!self.ended)
    {
      self.waiter.state = GTX_WAITER_PENDING;
      cancelled = !gtx_waiter_wait (&self.waiter, NULL);
    }

  if (cancelled || (self.failed == NULL && self.waiter.passed_on))
    gtx_set_cancelled_error_for (error, task->reason);
  else
    succeeded = self.failed == NULL || gtx_future_propagate (self.failed, error);
  drop_members (&self);
  g_clear_pointer (&self.named, g_ptr_array_unref);
  return succeeded;
}

/**
 * gtx_gather:
 * @futures: (element-type GtxFuture): futures and tasks of the current task's main
 *   context; a future may be there twice
 * @flags: how errors are taken
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until all of @futures are done: asyncio's
 * `gather()`.
 *
 * Starts the tasks that were not started.  Without %GTX_GATHER_RETURN_ERRORS the first
 * error ends the wait and is set; the other futures go on.  With the flag every future
 * keeps its own error and result, which gtx_future_get_error() and
 * gtx_future_get_result() return.  When the current task is cancelled, the futures that
 * are not done are cancelled, and the wait goes on.  Errors count as retrieved.
 *
 * Sets %G_IO_ERROR_CANCELLED if the current task was cancelled (or, without the flag, a
 * future was), %GTX_ERROR_NOT_IN_TASK outside a task, %GTX_ERROR_AWAITS_ITSELF if the
 * current task is in @futures, and %GTX_ERROR_INVALID_ARGUMENT if an element of @futures
 * cannot be gathered.
 *
 * Returns: %TRUE when all are done (and, without the flag, succeeded), %FALSE
 *   with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_gather (GPtrArray       *futures,
            GtxGatherFlags   flags,
            GError         **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);

  g_return_val_if_fail (futures != NULL, FALSE);
  if (task == NULL || !gtx_watches_check (task, futures, G_STRFUNC, error))
    return FALSE;
  return futures->len == 0 || gather (task, futures, flags, error);
}

/**
 * gtx_gather_list: (skip)
 * @flags: how errors are taken
 * @error: return location for a #GError, or %NULL
 * @first_future: (type GtxFuture): the first future or task
 * @...: more futures or tasks, and then %NULL
 *
 * Suspends the current task until all the futures that are named are done: gtx_gather()
 * for a few futures.  Sets the errors that gtx_gather() sets.
 *
 * Returns: what gtx_gather() returns
 *
 * Since: 0.1
 */
gboolean
gtx_gather_list (GtxGatherFlags   flags,
                 GError         **error,
                 gpointer         first_future,
                 ...)
{
  GPtrArray *futures = g_ptr_array_new ();
  gboolean succeeded;
  va_list rest;

  va_start (rest, first_future);
  for (gpointer future = first_future; future; future = va_arg (rest, gpointer))
    g_ptr_array_add (futures, future);
  va_end (rest);

  succeeded = gtx_gather (futures, flags, error);
  g_ptr_array_unref (futures);
  return succeeded;
}
