/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/condition.h"

#include "sync/line.h"

#include "gtask-ext/error.h"

struct _GtxCondition
{
  GObject parent_instance;
  GtxLine line;
  GtxLock *lock;
};

G_DEFINE_FINAL_TYPE (GtxCondition, gtx_condition, G_TYPE_OBJECT)

static void
gtx_condition_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxCondition *) object)->line, object))
    G_OBJECT_CLASS (gtx_condition_parent_class)->dispose (object);
}

static void
gtx_condition_finalize (GObject *object)
{
  GtxCondition *self = GTX_CONDITION (object);

  gtx_line_clear (&self->line);
  g_object_unref (self->lock);
  G_OBJECT_CLASS (gtx_condition_parent_class)->finalize (object);
}

static void
gtx_condition_class_init (GtxConditionClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_condition_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_condition_finalize;
}

static void
gtx_condition_init (GtxCondition *self)
{
  gtx_line_init (&self->line);
  self->lock = gtx_lock_new ();
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "condition %p", ((GtxLineWaiter *) waiter)->object);
}

static const GtxWaiterKind condition_kind = { "condition", gtx_line_cancel, describe, NULL, NULL };

/**
 * gtx_condition_new:
 * @lock: (nullable): the lock that goes with the condition; %NULL: one of its own
 *
 * Makes a condition: asyncio's `Condition()`.  Never suspends; may be called
 * in any thread.
 *
 * Returns: (transfer full): a new #GtxCondition
 *
 * Since: 0.1
 */
GtxCondition *
gtx_condition_new (GtxLock *lock)
{
  GtxCondition *self;

  g_return_val_if_fail (lock == NULL || GTX_IS_LOCK (lock), NULL);

  self = g_object_new (GTX_TYPE_CONDITION, NULL);
  if (lock)
    g_set_object (&self->lock, lock);
  return self;
}

/**
 * gtx_condition_get_lock:
 * @self: a #GtxCondition
 *
 * Lends the lock that goes with the condition, to be acquired and released;
 * asyncio's `Condition` has the lock's methods itself.  Never suspends; may be
 * called in any thread.
 *
 * Returns: (transfer none): the lock
 *
 * Since: 0.1
 */
GtxLock *
gtx_condition_get_lock (GtxCondition *self)
{
  g_return_val_if_fail (GTX_IS_CONDITION (self), NULL);

  return self->lock;
}

/* Acquires the lock again, whatever requests to cancel come meanwhile: FALSE
 * with @error set if one came. */
static gboolean
acquire_again (GtxCondition  *self,
               GError       **error)
{
  gboolean succeeded = TRUE;
  GError *failure = NULL;

  while (!gtx_lock_acquire (self->lock, &failure))
    {
      gboolean is_request = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);

      succeeded = FALSE;
      g_clear_error (error);
      g_propagate_error (error, g_steal_pointer (&failure));
      /* A lock that tasks of another main context use cannot be acquired. */
      if (!is_request)
        break;
    }
  return succeeded;
}

/**
 * gtx_condition_wait:
 * @self: a #GtxCondition whose lock the current task holds
 * @error: return location for a #GError, or %NULL
 *
 * Releases the lock, suspends the current task until it is notified, and
 * acquires the lock again: asyncio's `Condition.wait()`.
 *
 * The task holds the lock again when this function returns, after a failure, too: a
 * task that is cancelled ends the wait at once, and then waits for the lock.  If the
 * task was notified before, it passes the notification on.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_INVALID_STATE if the
 * lock is not locked, %GTX_ERROR_NOT_IN_TASK outside a task, and
 * %GTX_ERROR_INVALID_ARGUMENT if tasks of another main context use the condition.
 *
 * Returns: %TRUE when the task was notified, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_condition_wait (GtxCondition  *self,
                    GError       **error)
{
  GtxTask *task;
  gboolean succeeded;
  gboolean woken;

  g_return_val_if_fail (GTX_IS_CONDITION (self), FALSE);

  task = gtx_line_begin (&self->line, G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (!gtx_lock_locked (self->lock))
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                           "Acquire the condition's lock before gtx_condition_wait()");
      return FALSE;
    }

  gtx_line_pin (&self->line);
  gtx_lock_release (self->lock);
  succeeded = gtx_line_wait (&self->line, task, &condition_kind, self, &woken, error);
  succeeded = acquire_again (self, error) && succeeded;
  if (!succeeded)
    gtx_line_wake (&self->line, 1);
  gtx_line_unpin (&self->line, self);
  return succeeded;
}

/**
 * gtx_condition_notify:
 * @self: a #GtxCondition whose lock is held
 * @n: how many tasks to wake at most
 *
 * Wakes the tasks that have waited longest: asyncio's `Condition.notify()`.
 *
 * The tasks go on when they have the lock.  Notifying while the lock is not locked
 * is a mistake, which a g_critical() reports; asyncio raises `RuntimeError`.  Never
 * suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if the lock was not locked
 *
 * Since: 0.1
 */
gboolean
gtx_condition_notify (GtxCondition *self,
                      guint         n)
{
  g_return_val_if_fail (GTX_IS_CONDITION (self), FALSE);

  if (!gtx_lock_locked (self->lock))
    {
      g_critical ("gtx_condition_notify: the condition's lock is not locked; acquire it first");
      return FALSE;
    }
  if (!gtx_line_may_wake (&self->line, G_STRFUNC))
    return FALSE;
  gtx_line_wake (&self->line, n);
  return TRUE;
}

/**
 * gtx_condition_notify_all:
 * @self: a #GtxCondition whose lock is held
 *
 * Wakes all tasks that wait: asyncio's `Condition.notify_all()`, otherwise the
 * same as gtx_condition_notify().
 *
 * Returns: %TRUE, or %FALSE if the lock was not locked
 *
 * Since: 0.1
 */
gboolean
gtx_condition_notify_all (GtxCondition *self)
{
  return gtx_condition_notify (self, G_MAXUINT);
}
