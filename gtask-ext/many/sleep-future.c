/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sleep without a stack: a future with a timer. */

#include "gtask-ext/sleep.h"

#include "loop/deadline.h"
#include "many/sleep-future.h"

/* Invariant: the sleep holds a reference to itself, and its at_end is linked, until it is
 * settled, by any thread, and its home has seen that. */
typedef struct
{
  GtxFuture parent_instance;
  GtxTimer timer;
  GtxHandle settled;            /* the first of its own callbacks */
  GtxHandle at_end;             /* runs when the main context goes */
} GtxSleep;

typedef GtxFutureClass GtxSleepClass;

static GType gtx_sleep_get_type (void);

G_DEFINE_TYPE (GtxSleep, gtx_sleep, GTX_TYPE_FUTURE)

static void
on_settled (GtxHandle *handle)
{
  GtxSleep *self = GTX_CONTAINER_OF (handle, GtxSleep, settled);

  gtx_scheduler_cancel_timer (self->parent_instance.home, &self->timer);
  if (gtx_handle_is_linked (&self->at_end))
    gtx_handle_unlink (&self->at_end);
  g_object_unref (self);
}

static void
time_is_over (GtxHandle *handle)
{
  GtxSleep *self = GTX_CONTAINER_OF (handle, GtxSleep, timer.handle);

  gtx_future_finish (&self->parent_instance, NULL, NULL, NULL);
}

static void
context_ends (GtxHandle *handle)
{
  GtxSleep *self = GTX_CONTAINER_OF (handle, GtxSleep, at_end);

  gtx_future_fail_quietly (&self->parent_instance,
                           g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                                                "The sleep never ends: its main context is gone"));
  /* If another thread is settling the sleep, its message may not be run here any more. */
  gtx_handle_unlink (&self->settled);
  on_settled (&self->settled);
}

static void
add_future (GtxHandle *handle,
            gpointer   futures)
{
  g_ptr_array_add (futures, g_object_ref (GTX_CONTAINER_OF (handle, GtxSleep, at_end)));
}

void
gtx_sleep_futures_list (GtxScheduler *scheduler,
                        GPtrArray    *futures)
{
  gtx_scheduler_foreach_at_end (scheduler, context_ends, add_future, futures);
}

static void
gtx_sleep_class_init (GtxSleepClass *class)
{
}

static void
gtx_sleep_init (GtxSleep *self)
{
  self->timer.handle.run = time_is_over;
  self->settled.run = on_settled;
  self->at_end.run = context_ends;
}

/**
 * gtx_sleep_future:
 * @seconds: how long, in seconds; 0 or less ends in the next round, infinity
 *   never ends by itself
 *
 * Makes a future that ends when a time is over, without a task, as
 * `loop.call_later(seconds, future.set_result, None)` does in asyncio.
 *
 * The future needs no stack, and some 200 bytes instead of a page and more: a gather or a
 * wait over a million of them is cheap.  Use it to do nothing but wait, and a task with
 * gtx_sleep() to do something before or after.  Cancelling the future removes its timer.
 * The future lives until it ends, even if nobody holds a reference.  If its main context
 * goes away first, it fails with %GTX_ERROR_CONTEXT_GONE.
 *
 * It is a programmer's mistake if @seconds is not a number.  Never suspends; to be called
 * in the thread that runs the thread-default main context, or, if no thread has run it
 * yet, in the one that is about to: in any other thread it returns %NULL, and a
 * g_critical() says so.
 *
 * Returns: (transfer full): a new #GtxFuture, whose result is %NULL
 *
 * Since: 0.1
 */
GtxFuture *
gtx_sleep_future (double seconds)
{
  GtxScheduler *home = gtx_scheduler_get ();
  GtxVisit visit;
  GtxSleep *self;

  g_return_val_if_fail (!__builtin_isnan (seconds), NULL);
  visit = gtx_scheduler_enter_home (home, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return NULL;

  self = g_object_new (gtx_sleep_get_type (), NULL);
  g_object_ref (self);
  gtx_handle_list_append (&self->parent_instance.callbacks, &self->settled);
  gtx_scheduler_call_at_end (home, &self->at_end);
  gtx_scheduler_call_at (home, &self->timer, gtx_deadline (home, seconds));
  gtx_scheduler_leave (home, visit);
  return &self->parent_instance;
}
