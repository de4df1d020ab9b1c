/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/timeout.h"

#include "loop/deadline.h"
#include "many/timeout-private.h"

typedef struct _Block Block;

/* Invariant: the timer is armed or queued only while the state is ENTERED. */
struct _Block
{
  GtxTimer timer;
  GtxTask *task;
  Block *outer, *inner;         /* of the same task, which were begun before and since */
  guint n_cancels;              /* of the task, when the block began: what it was told of */
  guint made_at;                /* its request: the task's n_settled then */
  guint begun_at;               /* the block: the same */
  gboolean stands_anew;         /* then: a request that counts from when the task is told of it */
  enum
  {
    ENTERED,
    EXPIRING,                   /* the task was cancelled for it */
    EXPIRED,
    EXITED
  } state;
};

static void
on_timeout (GtxHandle *handle)
{
  Block *block = GTX_CONTAINER_OF (handle, Block, timer.handle);

  g_assert (block->state == ENTERED);
  block->state = EXPIRING;
  block->made_at = block->task->n_settled;
  if (block->stands_anew && block->made_at != block->begun_at)
    block->n_cancels++;
  gtx_future_cancel_here (&block->task->parent_instance);
}

static void
disarm (Block *block)
{
  gtx_scheduler_cancel_timer (block->task->parent_instance.home, &block->timer);
}

gboolean
gtx_task_is_out_of_time (GtxTask *self)
{
  gint64 now = self->timeouts ? gtx_scheduler_get_time (self->parent_instance.home) : 0;

  for (const Block *block = self->timeouts; block; block = block->outer)
    if (gtx_handle_is_linked (&block->timer.handle) || (block->timer.slot > 0 && block->timer.deadline <= now))
      return TRUE;
  return FALSE;
}

/* What is due already expires in the next round, and no timer is asked. */
static void
arm (Block  *block,
     double  seconds)
{
  GtxScheduler *home = block->task->parent_instance.home;

  if (seconds <= 0)
    gtx_scheduler_call_soon (home, &block->timer.handle);
  else
    gtx_scheduler_call_at (home, &block->timer, gtx_deadline (home, seconds));
}

/**
 * gtx_timeout_begin:
 * @self: a #GtxTimeout that is %GTX_TIMEOUT_INIT
 * @seconds: how long the block may last, from now; %GTX_FOREVER arms nothing
 *
 * Begins the block: entering asyncio's `timeout()`.
 *
 * When the time is over the current task is cancelled, and gtx_timeout_end()
 * makes %G_IO_ERROR_TIMED_OUT of that.  With 0 or less that is in the next
 * round.  Never suspends; to be called in a task.
 *
 * Since: 0.1
 */
void
gtx_timeout_begin (GtxTimeout *self,
                   double      seconds)
{
  GtxTask *task = gtx_task_current ();
  Block *block;

  g_return_if_fail (self != NULL && self->state == NULL);
  g_return_if_fail (!__builtin_isnan (seconds));
  if (task == NULL)
    {
      g_critical ("gtx_timeout_begin() was called outside a task; only what a task awaits runs out of time");
      return;
    }

  block = g_new (Block, 1);
  *block = (Block) { .timer.handle.run = on_timeout, .task = g_object_ref (task), .state = ENTERED };
  /* asyncio has no request that outlives an await, and loses what a group made anew to a time that is over
   * before anybody was told of it; what the task has asked of itself counts there. */
  block->n_cancels = gtx_task_n_cancels (task);
  block->begun_at = task->n_settled;
  block->stands_anew = task->must_cancel && task->made_anew && !task->outlived;
  if (block->stands_anew || (task->must_cancel && task->outlived))
    block->n_cancels--;
  block->outer = task->timeouts;
  if (block->outer)
    block->outer->inner = block;
  self->state = task->timeouts = block;
  arm (block, seconds);
}

/**
 * gtx_timeout_reschedule:
 * @self: a #GtxTimeout whose block has begun
 * @seconds: how long the block may last, from now; %GTX_FOREVER disarms it
 * @error: return location for a #GError, or %NULL
 *
 * Changes the time that is left: asyncio's `Timeout.reschedule()`, which takes
 * a moment of the loop's clock instead.
 *
 * Sets %GTX_ERROR_INVALID_STATE if the block has not begun, has ended or is
 * out of time, and %GTX_ERROR_INVALID_ARGUMENT if @seconds is not a number.  Where the
 * time was over during an operation that took no notice, such as a function in a thread,
 * it sets %G_IO_ERROR_CANCELLED instead, of which gtx_timeout_end() makes
 * %G_IO_ERROR_TIMED_OUT.
 * Never suspends; to be called in the thread of the task.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_timeout_reschedule (GtxTimeout  *self,
                        double       seconds,
                        GError     **error)
{
  Block *block;

  g_return_val_if_fail (self != NULL, FALSE);
  block = self->state;
  if (!gtx_check_seconds (seconds, error))
    return FALSE;
  if (block && block->state == EXPIRING && block->task == gtx_task_current () && gtx_current_task_is_late (error))
    return FALSE;
  if (block == NULL || block->state != ENTERED)
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                           block == NULL ? "The timeout has not begun"
                           : block->state == EXITED ? "The timeout's block has ended"
                           : "The timeout has expired already");
      return FALSE;
    }
  disarm (block);
  arm (block, seconds);
  return TRUE;
}

/**
 * gtx_timeout_expired:
 * @self: a #GtxTimeout
 *
 * Tells whether the time was over before the block ended: asyncio's
 * `Timeout.expired()`.  Never suspends; to be called in the thread of the task.
 *
 * Returns: %TRUE if the task was cancelled for it
 *
 * Since: 0.1
 */
gboolean
gtx_timeout_expired (GtxTimeout *self)
{
  const Block *block;

  g_return_val_if_fail (self != NULL, FALSE);
  block = self->state;
  return block && (block->state == EXPIRING || block->state == EXPIRED);
}

/* Other requests to cancel keep their failures.  Not inlined, for few blocks end so. */
G_GNUC_NO_INLINE static gboolean
expire (Block        *block,
        const GError *failure)
{
  gboolean is_cancelled = failure && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  gboolean was_told = block->task->n_settled != block->made_at;

  block->state = EXPIRED;
  if (gtx_task_withdraw_request (block->task, block->made_at) > block->n_cancels)
    {
      /* The failure is another's then: that request is told of, be it that it outlived an operation; but
       * not by what failed while nobody was told of a request. */
      if (is_cancelled && was_told && block->task->outlived)
        gtx_task_settle_request (block->task);
      return FALSE;
    }
  return is_cancelled;
}

static gboolean
has_ended (const Block *block)
{
  return block->state == EXPIRED || block->state == EXITED;
}

/* A mistake.  Not inlined either. */
G_GNUC_NO_INLINE static void
refuse_to_end (GError **own)
{
  g_critical ("gtx_timeout_end: to be called once");
  if (*own == NULL)
    *own = g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_STATE, "The timeout's block has ended");
}

/* Whether the failure is what on_timeout () caused. */
static gboolean
leave (Block        *block,
       const GError *failure)
{
  if (block->state == EXPIRING)
    return expire (block, failure);
  if (block->state == ENTERED)
    {
      disarm (block);
      block->state = EXITED;
    }
  return FALSE;
}

/**
 * gtx_timeout_end:
 * @self: a #GtxTimeout whose block has begun
 * @failure: (inout) (optional): where the block's error is, if it ended with
 *   one: it is taken, and %NULL then; or %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Ends the block: leaving asyncio's `timeout()`.
 *
 * Sets %G_IO_ERROR_TIMED_OUT where the block was cancelled because its time
 * was over, and the block's own error where it failed otherwise.  A block that
 * succeeded all the same has succeeded: gtx_timeout_expired() tells that its time
 * was over.  Never suspends; to be called in the task, once: else it sets the block's
 * error, or %GTX_ERROR_INVALID_STATE if there is none.
 *
 * Returns: %TRUE if the block did not fail
 *
 * Since: 0.1
 */
gboolean
gtx_timeout_end (GtxTimeout  *self,
                 GError     **failure,
                 GError     **error)
{
  g_autoptr (GError) own = failure ? g_steal_pointer (failure) : NULL;
  Block *block;

  g_return_val_if_fail (self != NULL, FALSE);

  block = self->state;
  if (block && has_ended (block))
    refuse_to_end (&own);
  else if (block && leave (block, own))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Timed out");
      return FALSE;
    }
  if (own == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&own));
  return FALSE;
}

static void
forget (Block *block)
{
  if (block->inner)
    block->inner->outer = block->outer;
  else
    block->task->timeouts = block->outer;
  if (block->outer)
    block->outer->inner = block->inner;
}

/**
 * gtx_timeout_clear:
 * @self: a #GtxTimeout
 *
 * Frees what a #GtxTimeout holds, and disarms it if its block was not ended:
 * what `g_auto` calls.  Never suspends; to be called in the thread of the task.
 *
 * Since: 0.1
 */
void
gtx_timeout_clear (GtxTimeout *self)
{
  Block *block;

  g_return_if_fail (self != NULL);
  block = g_steal_pointer (&self->state);
  if (block == NULL)
    return;
  leave (block, NULL);
  forget (block);
  g_object_unref (block->task);
  g_free (block);
}
