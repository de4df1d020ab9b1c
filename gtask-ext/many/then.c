/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Continuations: a function that runs when a future is done, and a new future of what comes of it. */

#include "many/continuation.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"
#include "gtask-ext/shield.h"

/* ---- The future that the function returns ---- */

static void
second_done (gpointer future,
             gpointer data)
{
  GtxContinuation *self = data;

  if (self->n_answers == 0)
    {
      gtx_continuation_finish_as (self, future);
      self->phase = GTX_OVER;
      return;
    }
  self->phase = GTX_WAITS_FOR_ANSWERS;
  self->ended = g_object_ref (future);
}

static void
second_ends (gpointer data)
{
  GtxContinuation *self = data;

  if (self->phase == GTX_WAITS_FOR_SECOND)
    gtx_continuation_lose (self);
  gtx_continuation_drop_use (self);
}

/* Waits for @second, of the same home, whose reference it takes. */
static void
wait_for_second (GtxContinuation *self,
                 GtxFuture       *second)
{
  gtx_continuation_release_at (&self->awaited);
  self->awaited = second;
  gtx_continuation_add_use (self);
  gtx_future_call_back (second, second_done, self, second_ends, &self->callback);
  if (self->is_to_pass_on)
    {
      self->is_to_pass_on = FALSE;
      gtx_continuation_cancel (&self->parent_instance);
    }
  if (gtx_continuation_keeper (self) == GTX_LET_GO)
    gtx_continuation_let_go (self);
}

static void
fail (GtxContinuation *self,
      GtxError         code,
      const char      *message)
{
  GError *error = g_error_new_literal (GTX_ERROR, code, message);

  if (!gtx_future_finish (&self->parent_instance, NULL, NULL, error))
    g_error_free (error);
}

/* Whether a wait of @end for @future would be a ring, which never ends. */
static gboolean
leads_to (GtxFuture *future,
          GtxFuture *end)
{
  if (future->home != end->home)
    return FALSE;
  while (future && future != end)
    future = gtx_future_class (future)->get_awaited ? gtx_future_class (future)->get_awaited (future) : NULL;
  return future == end;
}

/* Returns a future of the home of @self that ends as @second does, and takes the reference of @second. */
static GtxFuture *
bring_home (GtxContinuation *self,
            GtxFuture       *second)
{
  if (second->home == self->parent_instance.home)
    return second;
  gtx_crossing_point_init (&self->point);
  self->there = second;
  return gtx_shield (second);
}

/* Takes @second, which the function has returned. */
static void
go_on_with (GtxContinuation *self,
            GtxFuture       *second)
{
  GtxFuture *future = &self->parent_instance;

  self->phase = GTX_WAITS_FOR_SECOND;
  if (leads_to (second, future))
    fail (self, GTX_ERROR_AWAITS_ITSELF,
          "The function of gtx_future_then() has returned the new future itself, or one that waits for it, which "
          "would never end; return another future");
  else
    {
      gtx_task_ensure_started (second);
      if (gtx_scheduler_get_context (future->home) && !gtx_future_done (future) && !gtx_future_done (second))
        second = bring_home (self, second);
      if (gtx_future_done (second))
        {
          self->is_cancelled |= self->is_to_pass_on;
          gtx_continuation_finish_as (self, second);
        }
      else if (gtx_scheduler_get_context (future->home) == NULL)
        gtx_continuation_lose (self);
      else if (!gtx_future_done (future))
        {
          wait_for_second (self, second);
          return;
        }
    }
  self->phase = GTX_OVER;
  gtx_continuation_release (second);
}

/* ---- The future that the function is called for ---- */

static gboolean
is_wanted (GtxContinuation *self,
           GtxFuture       *first)
{
  gboolean succeeded = gtx_future_state (first) == GTX_FUTURE_FINISHED && first->error == NULL;

  return !gtx_future_done (&self->parent_instance) && (self->when & (succeeded ? GTX_ON_SUCCESS : GTX_ON_FAILURE));
}

/* Returns NULL if the outcome of @first goes on. */
static GtxFuture *
call_func (GtxContinuation *self,
           GtxFuture       *first)
{
  GtxFuture *second = self->func (first, self->data);

  /* A context that was left pushed would be the home of a shield. */
  if (gtx_scheduler_is_running (first->home))
    gtx_scheduler_let_go_of_pushed ();
  if (second == NULL || gtx_future_check (second, "GtxThenFunc"))
    return second;
  fail (self, GTX_ERROR_INVALID_ARGUMENT,
        "The function of gtx_future_then() must return a GtxFuture, a GtxTask or NULL, and has returned something else");
  return NULL;
}

static void
first_done (gpointer future,
            gpointer data)
{
  GtxContinuation *self = data;
  GtxFuture *second = NULL;

  self->phase = GTX_CALLS;
  if (is_wanted (self, future))
    second = call_func (self, future);
  gtx_continuation_free_data (self);
  if (second)
    {
      /* The function deals with the error. */
      if (self->when == GTX_ON_FAILURE)
        gtx_future_forgive_error (future);
      go_on_with (self, second);
      return;
    }
  self->is_cancelled |= self->is_to_pass_on;
  gtx_continuation_finish_as (self, future);
  self->phase = GTX_OVER;
}

static void
first_ends (gpointer data)
{
  GtxContinuation *self = data;

  if (self->phase == GTX_WAITS_FOR_FIRST)
    gtx_continuation_lose (self);
  gtx_continuation_drop_use (self);
}

/* ---- Beginning ---- */

static void
watch_end_and_unref (gpointer self)
{
  gtx_continuation_watch_end (self);
  g_object_unref (self);
}

static void
begin (GtxContinuation *self)
{
  GtxFuture *future = &self->parent_instance;
  GtxVisit visit;

  gtx_continuation_add_use (self);
  gtx_future_call_back_with_locals (self->awaited, first_done, self, first_ends, &self->callback);
  visit = gtx_scheduler_enter (future->home);
  if (visit)
    gtx_continuation_watch_end (self);
  else if (!gtx_scheduler_post (future->home, watch_end_and_unref, g_object_ref (self)))
    {
      gtx_continuation_lose (self);
      g_object_unref (self);
    }
  gtx_scheduler_leave (future->home, visit);
}

static GtxFuture *
continue_after (gpointer        first,
                guint           when,
                const char     *function,
                GtxThenFunc     func,
                gpointer        data,
                GDestroyNotify  data_free)
{
  GtxContinuation *self;

  if (!gtx_future_may_call_back (first, function))
    {
      if (data_free)
        data_free (data);
      return NULL;
    }
  self = (GtxContinuation *) g_object_new_with_properties (gtx_continuation_get_type (), 0, NULL, NULL);
  gtx_future_set_home (&self->parent_instance, ((GtxFuture *) first)->home);
  self->awaited = g_object_ref (first);
  self->func = func;
  self->data = data;
  self->data_free = data_free;
  self->when = when;
  gtx_task_ensure_started (first);
  begin (self);
  return &self->parent_instance;
}

/**
 * gtx_future_then:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @func: called once @future has succeeded
 * @data: (nullable): for @func
 * @data_free: (nullable): frees @data after the call, or when @func will not be called
 *
 * Makes a future of what @func does after @future, without a task: as libdex's
 * `dex_future_then()` does, and `then()` of JavaScript's promises.
 *
 * @func is called in the round in which a done callback would be, outside of all tasks, with a copy
 * of the task-local values of the code that calls this function.  The new future, of the same home
 * as @future, ends as the future that @func returns, which may belong to any main context, or as
 * @future if @func returns %NULL.  If @future fails or is cancelled, @func is not called, and the
 * outcome goes on: the new future ends in the same way.  A result that goes on stays that of the
 * future that had it first: it can be borrowed while either lives, and taking it from one takes it
 * from both.  An error that goes on is a copy, and counts as retrieved where it came from; unless it
 * was retrieved there before, the library warns if nobody retrieves it from the new future.
 *
 * A request to cancel the new future is passed on to the future that it waits for at that moment,
 * @future or the one that @func returned, and the new future ends as that one does.  If that one is
 * done already, the new future is cancelled, and @func, if it was not called yet, is not called.  A
 * request that comes while @func runs is made to the future that @func returns.
 *
 * The new future keeps @future, but if nobody holds the new future, it is kept itself, and @func is
 * called all the same, for as long as other code keeps @future, as a done callback is.  A task that
 * was not started is started.
 *
 * The new future fails with %GTX_ERROR_AWAITS_ITSELF if @func returns the new future itself or one
 * that waits for it, with %GTX_ERROR_INVALID_ARGUMENT if @func returns no future, and with
 * %GTX_ERROR_CONTEXT_GONE if what it waits for can never end, because its main context is gone.
 *
 * It is a programmer's mistake if @future is no future, or is being freed.  Never suspends; may be
 * called in any thread, and @func runs in the home of @future, where @data is freed, too, as long as
 * the main context exists.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_future_then (gpointer        future,
                 GtxThenFunc     func,
                 gpointer        data,
                 GDestroyNotify  data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return continue_after (future, GTX_ON_SUCCESS, G_STRFUNC, func, data, data_free);
}

/**
 * gtx_future_catch:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @func: called once @future has failed or was cancelled
 * @data: (nullable): for @func
 * @data_free: (nullable): frees @data after the call, or when @func will not be called
 *
 * Makes a future of what @func does if @future fails or is cancelled, as libdex's
 * `dex_future_catch()` does, and `catch()` of JavaScript's promises.
 *
 * If @future succeeds, @func is not called, and the result goes on.  If @func returns a future, the
 * error of @future counts as retrieved.  In all else this function does
 * as gtx_future_then(), and sets the same errors.  A request to cancel the new future cancels
 * @future first, so that @func is called, and may end the new future in another way.  Never
 * suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_future_catch (gpointer        future,
                  GtxThenFunc     func,
                  gpointer        data,
                  GDestroyNotify  data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return continue_after (future, GTX_ON_FAILURE, G_STRFUNC, func, data, data_free);
}

/**
 * gtx_future_finally:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @func: called once @future is done
 * @data: (nullable): for @func
 * @data_free: (nullable): frees @data after the call, or when @func will not be called
 *
 * Makes a future of what @func does once @future is done, in whichever way, as libdex's
 * `dex_future_finally()` does.
 *
 * The outcome of @future goes on only if @func returns %NULL; with `finally()` of JavaScript's
 * promises, the future that the function returns only delays the outcome.  If @func returns a future
 * and has not looked at the error of @future, the library warns of that error.  In all else this function
 * does as gtx_future_then(), and sets the same errors.  @func is called in any case, even if a
 * request to cancel the new future comes when @future is done already: then what @func returns is
 * waited for, and unless that fails, the new future ends as cancelled.  Never suspends; may be
 * called in any thread.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_future_finally (gpointer        future,
                    GtxThenFunc     func,
                    gpointer        data,
                    GDestroyNotify  data_free)
{
  g_return_val_if_fail (func != NULL, NULL);

  return continue_after (future, GTX_ON_SUCCESS | GTX_ON_FAILURE, G_STRFUNC, func, data, data_free);
}
