/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/timeout.h"
#include "gtask-ext/wait.h"

#include "loop/deadline.h"
#include "many/timeout-private.h"

typedef struct _Block Block;

/* Invariant: the timer is armed or queued only while the state is ENTERED. */
struct _Block
{
  GtxTimer timer;
  GtxTask *task;
  Block *outer, *inner;         /* blocks of the same task that were begun before and after this one */
  guint n_cancels;              /* requests to the task that count as made before the block */
  guint made_at;                /* the task's n_settled when the block made its request */
  gboolean stands_anew;         /* a request stood when the block began, and counts once it is delivered */
  enum
  {
    ENTERED,
    EXPIRING,                   /* the time is over, and the task was cancelled */
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
  if (block->stands_anew && !block->task->made_anew)
    block->n_cancels++;
  gtx_task_make_own_request (block->task);
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

/* A timeout that is due already expires in the next round, without a timer. */
static void
arm (Block    *block,
     gint64    deadline,
     gboolean  is_due)
{
  GtxScheduler *home = block->task->parent_instance.home;

  block->timer.deadline = deadline;
  if (is_due)
    gtx_scheduler_call_soon (home, &block->timer.handle);
  else
    gtx_scheduler_call_at (home, &block->timer, deadline);
}

static void
arm_for (Block  *block,
         double  seconds)
{
  arm (block, gtx_deadline (block->task->parent_instance.home, seconds), seconds <= 0);
}

/* Returns NULL if this is no task. */
static Block *
begin (GtxTimeout *self,
       const char *function)
{
  GtxTask *task = gtx_task_current ();
  Block *block;

  if (task == NULL)
    {
      g_critical ("%s() was called outside a task, and only a task can be timed out; call it in a task", function);
      return NULL;
    }

  block = g_new (Block, 1);
  *block = (Block) { .timer.handle.run = on_timeout, .task = g_object_ref (task), .state = ENTERED };
  /* asyncio has no request that outlives an await, and loses a request that a group made anew if the time
   * is over before it is delivered: here neither counts as made before the block.  A request that the
   * task made to itself does, as in asyncio. */
  block->n_cancels = gtx_task_n_cancels (task);
  block->stands_anew = task->must_cancel && task->made_anew && !task->outlived;
  if (block->stands_anew || (task->must_cancel && task->outlived))
    block->n_cancels--;
  block->outer = task->timeouts;
  if (block->outer)
    block->outer->inner = block;
  self->state = task->timeouts = block;
  return block;
}

/**
 * gtx_timeout_begin:
 * @self: a #GtxTimeout that is %GTX_TIMEOUT_INIT
 * @seconds: how long the block may last, from now; %GTX_FOREVER arms nothing
 *
 * Begins the block: entering asyncio's `timeout()`.
 *
 * When the time is over, the current task is cancelled, and gtx_timeout_end() turns the
 * cancellation into %G_IO_ERROR_TIMED_OUT.  With 0 or less this happens in the next
 * round.  Never suspends; to be called in a task.
 *
 * Since: 0.1
 */
void
gtx_timeout_begin (GtxTimeout *self,
                   double      seconds)
{
  Block *block;

  g_return_if_fail (self != NULL && self->state == NULL);
  g_return_if_fail (!__builtin_isnan (seconds));
  block = begin (self, G_STRFUNC);
  if (block)
    arm_for (block, seconds);
}

/**
 * gtx_timeout_begin_at:
 * @self: a #GtxTimeout that is %GTX_TIMEOUT_INIT
 * @time: the moment of gtx_get_time(), in seconds, at which the block's time is over;
 *   %GTX_FOREVER arms nothing
 *
 * Begins the block, as gtx_timeout_begin() does: entering asyncio's `timeout_at()`.
 *
 * Several blocks one after the other may share one deadline.  If @time is over, the block expires in
 * the next round, at its first await that suspends.  Never suspends; to be called in a task.
 *
 * Since: 0.1
 */
void
gtx_timeout_begin_at (GtxTimeout *self,
                      double      time)
{
  Block *block;
  gint64 deadline;

  g_return_if_fail (self != NULL && self->state == NULL);
  g_return_if_fail (!__builtin_isnan (time));
  block = begin (self, G_STRFUNC);
  if (block == NULL)
    return;
  deadline = gtx_deadline_at (time);
  arm (block, deadline, deadline <= gtx_scheduler_get_time (block->task->parent_instance.home));
}

/**
 * gtx_timeout_when:
 * @self: a #GtxTimeout
 *
 * Tells when the time of the block is over, or was: asyncio's `Timeout.when()`.
 *
 * The moment is rounded up to the microseconds of the clock.  A block that was begun with 0 or less
 * seconds was due when it began.  Never suspends; to be called in the thread of the task.
 *
 * Returns: a moment of gtx_get_time(), in seconds; %GTX_FOREVER if the block has no time limit,
 *   where asyncio returns `None`, or has not begun
 *
 * Since: 0.1
 */
double
gtx_timeout_when (GtxTimeout *self)
{
  const Block *block;

  g_return_val_if_fail (self != NULL, GTX_FOREVER);
  block = self->state;
  return block == NULL || block->timer.deadline == GTX_NEVER ? GTX_FOREVER : block->timer.deadline / 1e6;
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
 * Sets %GTX_ERROR_INVALID_STATE if the block has not begun, has ended or is out of time,
 * and %GTX_ERROR_INVALID_ARGUMENT if @seconds is not a number, or in another thread.  If the time was over
 * during an operation that ignored its #GCancellable, such as a function in a thread,
 * this function sets %G_IO_ERROR_CANCELLED instead, which gtx_timeout_end() turns into
 * %G_IO_ERROR_TIMED_OUT.  Never suspends; to be called in the thread of the task.
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
  if (block && gtx_scheduler_is_foreign (block->task->parent_instance.home, G_STRFUNC))
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "The timeout belongs to another thread");
      return FALSE;
    }
  if (block && block->state == EXPIRING && block->task == gtx_task_current () && gtx_current_task_is_late (error))
    return FALSE;
  if (block == NULL || block->state != ENTERED)
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                           block == NULL ? "The timeout has not begun; call gtx_timeout_begin() first"
                           : block->state == EXITED ? "The timeout's block has ended"
                           : "The timeout has expired already");
      return FALSE;
    }
  disarm (block);
  arm_for (block, seconds);
  return TRUE;
}

/**
 * gtx_timeout_expired:
 * @self: a #GtxTimeout
 *
 * Tells whether the time was over before the block ended: asyncio's
 * `Timeout.expired()`.  Never suspends; to be called in the thread of the task.
 *
 * Returns: %TRUE if the task was cancelled because the time was over
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

/* Returns whether the block timed out: a failure that is due to another request is kept.  Not
 * inlined, since few blocks end so. */
G_GNUC_NO_INLINE static gboolean
expire (Block        *block,
        const GError *failure)
{
  gboolean is_cancelled = failure && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  gboolean was_told = block->task->n_settled != block->made_at;

  block->state = EXPIRED;
  if (gtx_task_withdraw_own_request (block->task, block->made_at) > block->n_cancels)
    {
      /* The failure is due to another request, and delivers it, even one that outlived an
       * operation.  But if no request was delivered since the timeout made its own, the failure
       * came of something else. */
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

/* The child of a fork() in the block may end it, too, though it has no tasks. */
static gboolean
is_anothers (const Block *block)
{
  return !gtx_task_is_running (block->task) && !gtx_scheduler_is_parents (block->task->parent_instance.home);
}

/* The caller ends the block a second time, or another task's block, by mistake.  Not inlined either. */
G_GNUC_NO_INLINE static void
refuse_to_end (const Block  *block,
               GError      **own)
{
  if (has_ended (block))
    g_critical ("gtx_timeout_end: the timeout's block has ended before; call it once");
  else
    g_critical ("gtx_timeout_end: the timeout's block belongs to another task; call it in the task that called "
                "gtx_timeout_begin()");
  if (*own == NULL)
    *own = g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_STATE,
                                "The timeout's block has ended, or belongs to another task");
}

/* Ends the block, if it has not ended; returns whether on_timeout () caused the failure. */
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
 * @failure: (inout) (optional): the location of the block's error, if it ended with one:
 *   the error is taken, and the location set to %NULL; or %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Ends the block: leaving asyncio's `timeout()`.
 *
 * Sets %G_IO_ERROR_TIMED_OUT if the block was cancelled because its time was over, and
 * the block's own error if it failed otherwise.  A block that succeeds although its time
 * was over has succeeded; gtx_timeout_expired() then returns %TRUE.  Never suspends; to
 * be called once, in the task that began the block: any other call sets the block's error,
 * or %GTX_ERROR_INVALID_STATE if there is none.
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
  if (block && (has_ended (block) || is_anothers (block)))
    refuse_to_end (block, &own);
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
 * Frees what a #GtxTimeout holds, and disarms the timeout if its block was not ended:
 * `g_auto` calls it.  Warns if the time was over in a block that was not ended.  Never suspends; to be called in the thread of the task.
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
  if (block->state == EXPIRING)
    g_warning ("A block whose time was over was left without gtx_timeout_end(): its error says that the "
               "task was cancelled, and not that it timed out");
  leave (block, NULL);
  forget (block);
  g_object_unref (block->task);
  g_free (block);
}

/**
 * gtx_call_with_timeout_to: (skip)
 *
 * The function behind gtx_call_with_timeout().
 */
gboolean
gtx_call_with_timeout_to (double         seconds,
                          GtxCoroutine   coroutine,
                          gpointer       data,
                          GError       **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  g_return_val_if_fail (coroutine != NULL, FALSE);

  if (!gtx_check_seconds (seconds, error) || gtx_task_begin_await ("gtx_call_with_timeout", error) == NULL)
    return FALSE;
  gtx_timeout_begin (&timeout, seconds);
  coroutine (data, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}
