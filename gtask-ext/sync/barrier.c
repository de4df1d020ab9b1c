/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/barrier.h"

#include "gtask-ext/condition.h"
#include "gtask-ext/error.h"

/* Invariants, while the condition's lock is free: count is the number of tasks that
 * have come and not left; while the barrier drains or resets, count is not 0. */
struct _GtxBarrier
{
  GObject parent_instance;
  GtxCondition *changed;        /* notified when the state changes; its lock guards the state */
  guint parties;
  guint count;
  enum
  {
    FILLING,
    DRAINING,                   /* all tasks have come, and leave */
    RESETTING,
    BROKEN
  } state;
};

G_DEFINE_FINAL_TYPE (GtxBarrier, gtx_barrier, G_TYPE_OBJECT)

static void
gtx_barrier_finalize (GObject *object)
{
  g_object_unref (GTX_BARRIER (object)->changed);
  G_OBJECT_CLASS (gtx_barrier_parent_class)->finalize (object);
}

static void
gtx_barrier_class_init (GtxBarrierClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_barrier_finalize;
}

static void
gtx_barrier_init (GtxBarrier *self)
{
  self->changed = gtx_condition_new (NULL);
  self->parties = 1;
}

/**
 * gtx_barrier_new:
 * @parties: how many tasks wait for one another, at least 1
 *
 * Makes a barrier: asyncio's `Barrier()`.  Never suspends; may be called in
 * any thread.
 *
 * Returns: (transfer full): a new #GtxBarrier
 *
 * Since: 0.1
 */
GtxBarrier *
gtx_barrier_new (guint parties)
{
  GtxBarrier *self;

  g_return_val_if_fail (parties > 0, NULL);

  self = g_object_new (GTX_TYPE_BARRIER, NULL);
  self->parties = parties;
  return self;
}

static void
set_state (GtxBarrier *self,
           guint       state)
{
  self->state = state;
  gtx_condition_notify_all (self->changed);
}

static gboolean
fail_broken (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_BROKEN_BARRIER, "The barrier was broken or reset");
  return FALSE;
}

/* Waits until the tasks of the last use have left. */
static gboolean
enter (GtxBarrier  *self,
       GError     **error)
{
  while (self->state == DRAINING || self->state == RESETTING)
    if (!gtx_condition_wait (self->changed, error))
      return FALSE;
  return self->state != BROKEN || fail_broken (error);
}

static gboolean
wait_for_others (GtxBarrier  *self,
                 GError     **error)
{
  while (self->state == FILLING)
    if (!gtx_condition_wait (self->changed, error))
      return FALSE;
  return self->state == DRAINING || fail_broken (error);
}

static void
leave (GtxBarrier *self)
{
  if (--self->count > 0)
    return;
  set_state (self, self->state == BROKEN ? BROKEN : FILLING);
}

static gboolean
pass (GtxBarrier  *self,
      guint       *index,
      GError     **error)
{
  guint place = self->count++;
  gboolean succeeded = TRUE;

  if (place + 1 == self->parties)
    set_state (self, DRAINING);
  else
    succeeded = wait_for_others (self, error);
  leave (self);
  if (succeeded && index)
    *index = place;
  return succeeded;
}

/**
 * gtx_barrier_wait:
 * @self: a #GtxBarrier
 * @index: (out) (optional): which of the tasks this one is, from 0
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until as many tasks have come as the barrier is for:
 * asyncio's `Barrier.wait()`.
 *
 * A task that is cancelled counts as one that never came.  Sets
 * %GTX_ERROR_BROKEN_BARRIER if the barrier is broken or reset,
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK
 * outside a task, and %GTX_ERROR_INVALID_ARGUMENT if tasks of another main
 * context use the barrier.
 *
 * Returns: %TRUE when all tasks have come, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_barrier_wait (GtxBarrier  *self,
                  guint       *index,
                  GError     **error)
{
  g_autoptr (GtxBarrier) kept = NULL;
  g_autoptr (GtxLockHolder) holder = NULL;

  g_return_val_if_fail (GTX_IS_BARRIER (self), FALSE);

  kept = g_object_ref (self);
  holder = gtx_lock_hold (gtx_condition_get_lock (self->changed), error);
  return holder && enter (self, error) && pass (self, index, error);
}

/* The tasks that wait fail.  The last reference may go while this waits for the lock. */
static gboolean
end_filling (GtxBarrier  *self,
             gboolean     breaks,
             GError     **error)
{
  g_autoptr (GtxBarrier) kept = NULL;
  g_autoptr (GtxLockHolder) holder = NULL;

  kept = g_object_ref (self);
  holder = gtx_lock_hold (gtx_condition_get_lock (self->changed), error);
  if (holder)
    set_state (self, breaks ? BROKEN : self->count > 0 ? RESETTING : FILLING);
  return holder != NULL;
}

/**
 * gtx_barrier_reset:
 * @self: a #GtxBarrier
 * @error: return location for a #GError, or %NULL
 *
 * Empties the barrier, or mends it: asyncio's `Barrier.reset()`.
 *
 * The tasks that wait fail with %GTX_ERROR_BROKEN_BARRIER.  Suspends where
 * another task is about to enter or leave; sets %G_IO_ERROR_CANCELLED if the
 * task is cancelled then, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_barrier_reset (GtxBarrier  *self,
                   GError     **error)
{
  g_return_val_if_fail (GTX_IS_BARRIER (self), FALSE);

  return end_filling (self, FALSE, error);
}

/**
 * gtx_barrier_abort:
 * @self: a #GtxBarrier
 * @error: return location for a #GError, or %NULL
 *
 * Breaks the barrier: asyncio's `Barrier.abort()`.
 *
 * The tasks that wait, and those that come until gtx_barrier_reset(), fail with
 * %GTX_ERROR_BROKEN_BARRIER.  Suspends where another task is about to enter or
 * leave; sets %G_IO_ERROR_CANCELLED if the task is cancelled then, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_barrier_abort (GtxBarrier  *self,
                   GError     **error)
{
  g_return_val_if_fail (GTX_IS_BARRIER (self), FALSE);

  return end_filling (self, TRUE, error);
}

/**
 * gtx_barrier_get_parties:
 * @self: a #GtxBarrier
 *
 * Tells how many tasks the barrier is for: asyncio's `Barrier.parties`.  Never
 * suspends; may be called in any thread.
 *
 * Returns: the number of tasks
 *
 * Since: 0.1
 */
guint
gtx_barrier_get_parties (GtxBarrier *self)
{
  g_return_val_if_fail (GTX_IS_BARRIER (self), 0);

  return self->parties;
}

/**
 * gtx_barrier_get_n_waiting:
 * @self: a #GtxBarrier
 *
 * Tells how many tasks wait: asyncio's `Barrier.n_waiting`.  Never suspends;
 * to be called in the thread of the tasks that use it.
 *
 * Returns: the number of tasks; 0 while the tasks that came leave
 *
 * Since: 0.1
 */
guint
gtx_barrier_get_n_waiting (GtxBarrier *self)
{
  g_return_val_if_fail (GTX_IS_BARRIER (self), 0);

  return self->state == FILLING ? self->count : 0;
}

/**
 * gtx_barrier_is_broken:
 * @self: a #GtxBarrier
 *
 * Tells whether gtx_barrier_abort() broke the barrier: asyncio's `Barrier.broken`.
 * Never suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE if the barrier is broken
 *
 * Since: 0.1
 */
gboolean
gtx_barrier_is_broken (GtxBarrier *self)
{
  g_return_val_if_fail (GTX_IS_BARRIER (self), FALSE);

  return self->state == BROKEN;
}
