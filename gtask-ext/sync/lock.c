/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/lock.h"

#include "sync/line.h"

/* Invariant: while the lock is not locked and tasks wait, the first task was
 * woken, or was cancelled and wakes the next one when it runs. */
struct _GtxLock
{
  GObject parent_instance;
  GtxLine line;
  gboolean locked;
};

G_DEFINE_FINAL_TYPE (GtxLock, gtx_lock, G_TYPE_OBJECT)

static void
gtx_lock_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxLock *) object)->line, object))
    G_OBJECT_CLASS (gtx_lock_parent_class)->dispose (object);
}

static void
gtx_lock_finalize (GObject *object)
{
  gtx_line_clear (&((GtxLock *) object)->line);
  G_OBJECT_CLASS (gtx_lock_parent_class)->finalize (object);
}

static void
gtx_lock_class_init (GtxLockClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_lock_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_lock_finalize;
}

static void
gtx_lock_init (GtxLock *self)
{
  gtx_line_init (&self->line);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "lock %p", ((GtxLineWaiter *) waiter)->object);
}

static const GtxWaiterKind lock_kind = { "lock", gtx_line_cancel, describe, NULL, NULL };

/**
 * gtx_lock_new:
 *
 * Makes a lock that is not locked: asyncio's `Lock()`.  Never suspends; may be
 * called in any thread.
 *
 * Returns: (transfer full): a new #GtxLock
 *
 * Since: 0.1
 */
GtxLock *
gtx_lock_new (void)
{
  return g_object_new (GTX_TYPE_LOCK, NULL);
}

static gboolean
wait_for_turn (GtxLock  *self,
               GtxTask  *task,
               GError  **error)
{
  gboolean woken;
  gboolean acquired;

  gtx_line_pin (&self->line);
  acquired = gtx_line_wait (&self->line, task, &lock_kind, self, &woken, error);
  if (acquired)
    self->locked = TRUE;
  else if (!self->locked)
    /* It may have been this task's turn, which goes to the next task now. */
    gtx_line_wake_head (&self->line);
  gtx_line_unpin (&self->line, self);
  return acquired;
}

/**
 * gtx_lock_acquire:
 * @self: a #GtxLock
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until it has the lock: asyncio's `Lock.acquire()`.
 *
 * A lock that is free, and that no task waits for, is taken without suspending.
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled while it waits,
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * tasks of another main context use the lock.
 *
 * Returns: %TRUE if the lock was acquired, and is to be released
 *
 * Since: 0.1
 */
gboolean
gtx_lock_acquire (GtxLock  *self,
                  GError  **error)
{
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_LOCK (self), FALSE);

  task = gtx_line_begin (&self->line, G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (self->locked || !gtx_line_is_free (&self->line))
    return wait_for_turn (self, task, error);
  self->locked = TRUE;
  return TRUE;
}

/**
 * gtx_lock_release:
 * @self: a #GtxLock that is locked
 *
 * Gives the lock to the next task that waits for it: asyncio's
 * `Lock.release()`.
 *
 * Any task may release the lock.  Releasing a lock that is not locked is a mistake,
 * which a g_critical() reports; asyncio raises `RuntimeError`.  Never suspends; to
 * be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if the lock was not locked
 *
 * Since: 0.1
 */
gboolean
gtx_lock_release (GtxLock *self)
{
  g_return_val_if_fail (GTX_IS_LOCK (self), FALSE);

  if (!self->locked)
    {
      g_critical ("gtx_lock_release: the lock is not locked; acquire it first, and release it once");
      return FALSE;
    }
  if (!gtx_line_may_wake (&self->line, G_STRFUNC))
    return FALSE;
  self->locked = FALSE;
  gtx_line_wake_head (&self->line);
  return TRUE;
}

/**
 * gtx_lock_locked:
 * @self: a #GtxLock
 *
 * Tells whether a task has the lock: asyncio's `Lock.locked()`.  Never
 * suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE if it is locked
 *
 * Since: 0.1
 */
gboolean
gtx_lock_locked (GtxLock *self)
{
  g_return_val_if_fail (GTX_IS_LOCK (self), FALSE);

  return self->locked;
}

/**
 * gtx_lock_hold: (skip)
 * @self: a #GtxLock
 * @error: return location for a #GError, or %NULL
 *
 * Acquires the lock for a block of code: gtx_lock_acquire() with a holder that
 * `g_autoptr` releases.  Sets the errors that gtx_lock_acquire() sets.
 *
 * Returns: (transfer full) (nullable): the holder of the lock, or %NULL with
 *   @error set
 *
 * Since: 0.1
 */
GtxLockHolder *
gtx_lock_hold (GtxLock  *self,
               GError  **error)
{
  return gtx_lock_acquire (self, error) ? (GtxLockHolder *) g_object_ref (self) : NULL;
}

/**
 * gtx_lock_holder_free: (skip)
 * @holder: (transfer full): what gtx_lock_hold() returned
 *
 * Releases the lock.  Never suspends; to be called in the thread of the tasks
 * that use it.
 *
 * Since: 0.1
 */
void
gtx_lock_holder_free (GtxLockHolder *holder)
{
  GtxLock *lock = (GtxLock *) holder;

  gtx_lock_release (lock);
  g_object_unref (lock);
}
