/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/rw-lock.h"

#include "sync/line.h"

/* Invariants:
 * - A task that is woken has the lock already, and gives it back when it runs if it was cancelled.
 * - No task waits that could have the lock, unless a cancelled one is before it, which wakes it when
 *   it runs. */
struct _GtxRWLock
{
  GObject parent_instance;
  GtxLine line;
  guint n_readers;
  gboolean is_written;
};

G_DEFINE_FINAL_TYPE (GtxRWLock, gtx_rw_lock, G_TYPE_OBJECT)

static void
gtx_rw_lock_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxRWLock *) object)->line, object))
    G_OBJECT_CLASS (gtx_rw_lock_parent_class)->dispose (object);
}

static void
gtx_rw_lock_finalize (GObject *object)
{
  gtx_line_clear (&((GtxRWLock *) object)->line);
  G_OBJECT_CLASS (gtx_rw_lock_parent_class)->finalize (object);
}

static void
gtx_rw_lock_class_init (GtxRWLockClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_rw_lock_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_rw_lock_finalize;
}

static void
gtx_rw_lock_init (GtxRWLock *self)
{
  gtx_line_init (&self->line);
}

/**
 * gtx_rw_lock_new:
 *
 * Makes a lock that nobody has.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxRWLock
 *
 * Since: 0.1
 */
GtxRWLock *
gtx_rw_lock_new (void)
{
  return g_object_new (GTX_TYPE_RW_LOCK, NULL);
}

/* ---- Turns ---- */

static void
describe_reader (GtxWaiter *waiter,
                 GString   *text)
{
  g_string_append_printf (text, "a turn to read under lock %p", ((GtxLineWaiter *) waiter)->object);
}

static void
describe_writer (GtxWaiter *waiter,
                 GString   *text)
{
  g_string_append_printf (text, "a turn to write under lock %p", ((GtxLineWaiter *) waiter)->object);
}

static const GtxWaiterKind reader_kind = { "turn to read", gtx_line_cancel, describe_reader, NULL, NULL };
static const GtxWaiterKind writer_kind = { "turn to write", gtx_line_cancel, describe_writer, NULL, NULL };

/* Takes the lock for a task that reads or writes, if nobody else prevents that. */
static gboolean
take (GtxRWLock           *self,
      const GtxWaiterKind *kind)
{
  if (self->is_written || (kind == &writer_kind && self->n_readers > 0))
    return FALSE;
  if (kind == &writer_kind)
    self->is_written = TRUE;
  else
    self->n_readers++;
  return TRUE;
}

static void
give_back (GtxRWLock           *self,
           const GtxWaiterKind *kind)
{
  if (kind == &writer_kind)
    self->is_written = FALSE;
  else
    self->n_readers--;
}

/* Gives the lock to those whose turn it is. */
static void
call_next (GtxRWLock *self)
{
  GtxLineWaiter *first;

  while ((first = gtx_line_first (&self->line)) && take (self, first->base.kind))
    gtx_line_call (&self->line, 1);
}

static gboolean
wait_for_turn (GtxRWLock            *self,
               GtxTask              *task,
               const GtxWaiterKind  *kind,
               GError              **error)
{
  gboolean acquired;
  gboolean woken;

  gtx_line_pin (&self->line);
  acquired = gtx_line_wait (&self->line, task, kind, self, &woken, error);
  if (!acquired)
    {
      if (woken)
        give_back (self, kind);
      call_next (self);
    }
  gtx_line_unpin (&self->line, self);
  return acquired;
}

static gboolean
acquire (GtxRWLock            *self,
         const GtxWaiterKind  *kind,
         const char           *function,
         GError              **error)
{
  GtxTask *task = gtx_line_begin (&self->line, function, error);

  if (task == NULL)
    return FALSE;
  if (gtx_line_is_free (&self->line) && take (self, kind))
    return TRUE;
  return wait_for_turn (self, task, kind, error);
}

static gboolean
release (GtxRWLock           *self,
         const GtxWaiterKind *kind,
         const char          *function)
{
  if (kind == &writer_kind ? !self->is_written : self->n_readers == 0)
    {
      g_critical ("%s: no task %s under the lock; acquire it first, and release it once", function,
                  kind == &writer_kind ? "writes" : "reads");
      return FALSE;
    }
  if (!gtx_line_may_wake (&self->line, function))
    return FALSE;
  give_back (self, kind);
  call_next (self);
  return TRUE;
}

/**
 * gtx_rw_lock_read_acquire:
 * @self: a #GtxRWLock
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until it may read: until no task writes, and none that asked before
 * waits.
 *
 * Does not suspend if that is so already.  Sets %G_IO_ERROR_CANCELLED if the task is cancelled while
 * it waits, %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if tasks of
 * another main context use the lock.
 *
 * Returns: %TRUE if the lock was acquired, and is to be released with gtx_rw_lock_read_release()
 *
 * Since: 0.1
 */
gboolean
gtx_rw_lock_read_acquire (GtxRWLock  *self,
                          GError    **error)
{
  g_return_val_if_fail (GTX_IS_RW_LOCK (self), FALSE);

  return acquire (self, &reader_kind, G_STRFUNC, error);
}

/**
 * gtx_rw_lock_read_release:
 * @self: a #GtxRWLock that a task reads under
 *
 * Ends the reading of one task, and gives the lock to those whose turn it is then.
 *
 * Any task may release the lock.  Releasing it when no task reads is a mistake, which a g_critical()
 * reports.  Never suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if no task reads
 *
 * Since: 0.1
 */
gboolean
gtx_rw_lock_read_release (GtxRWLock *self)
{
  g_return_val_if_fail (GTX_IS_RW_LOCK (self), FALSE);

  return release (self, &reader_kind, G_STRFUNC);
}

/**
 * gtx_rw_lock_write_acquire:
 * @self: a #GtxRWLock
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until it may write: until no task reads or writes, and none that asked
 * before waits.
 *
 * Does not suspend if that is so already.  Sets %G_IO_ERROR_CANCELLED if the task is cancelled while
 * it waits, %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if tasks of
 * another main context use the lock.
 *
 * Returns: %TRUE if the lock was acquired, and is to be released with gtx_rw_lock_write_release()
 *
 * Since: 0.1
 */
gboolean
gtx_rw_lock_write_acquire (GtxRWLock  *self,
                           GError    **error)
{
  g_return_val_if_fail (GTX_IS_RW_LOCK (self), FALSE);

  return acquire (self, &writer_kind, G_STRFUNC, error);
}

/**
 * gtx_rw_lock_write_release:
 * @self: a #GtxRWLock that a task writes under
 *
 * Ends the writing, and gives the lock to those whose turn it is then.
 *
 * Any task may release the lock.  Releasing it when no task writes is a mistake, which a g_critical()
 * reports.  Never suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if no task writes
 *
 * Since: 0.1
 */
gboolean
gtx_rw_lock_write_release (GtxRWLock *self)
{
  g_return_val_if_fail (GTX_IS_RW_LOCK (self), FALSE);

  return release (self, &writer_kind, G_STRFUNC);
}

/* ---- Holders ---- */

/**
 * gtx_rw_lock_read_hold: (skip)
 * @self: a #GtxRWLock
 * @error: return location for a #GError, or %NULL
 *
 * Acquires the lock to read in a block of code: gtx_rw_lock_read_acquire() with a holder that
 * `g_autoptr` releases.  Sets the errors that gtx_rw_lock_read_acquire() sets.
 *
 * Returns: (transfer full) (nullable): the holder of the lock, or %NULL with @error set
 *
 * Since: 0.1
 */
GtxRWLockReadHolder *
gtx_rw_lock_read_hold (GtxRWLock  *self,
                       GError    **error)
{
  return gtx_rw_lock_read_acquire (self, error) ? (GtxRWLockReadHolder *) g_object_ref (self) : NULL;
}

/**
 * gtx_rw_lock_read_holder_free: (skip)
 * @holder: (transfer full): what gtx_rw_lock_read_hold() returned
 *
 * Releases the lock.  Never suspends; to be called in the thread of the tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_rw_lock_read_holder_free (GtxRWLockReadHolder *holder)
{
  GtxRWLock *lock = (GtxRWLock *) holder;

  gtx_rw_lock_read_release (lock);
  g_object_unref (lock);
}

/**
 * gtx_rw_lock_write_hold: (skip)
 * @self: a #GtxRWLock
 * @error: return location for a #GError, or %NULL
 *
 * Acquires the lock to write in a block of code: gtx_rw_lock_write_acquire() with a holder that
 * `g_autoptr` releases.  Sets the errors that gtx_rw_lock_write_acquire() sets.
 *
 * Returns: (transfer full) (nullable): the holder of the lock, or %NULL with @error set
 *
 * Since: 0.1
 */
GtxRWLockWriteHolder *
gtx_rw_lock_write_hold (GtxRWLock  *self,
                        GError    **error)
{
  return gtx_rw_lock_write_acquire (self, error) ? (GtxRWLockWriteHolder *) g_object_ref (self) : NULL;
}

/**
 * gtx_rw_lock_write_holder_free: (skip)
 * @holder: (transfer full): what gtx_rw_lock_write_hold() returned
 *
 * Releases the lock.  Never suspends; to be called in the thread of the tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_rw_lock_write_holder_free (GtxRWLockWriteHolder *holder)
{
  GtxRWLock *lock = (GtxRWLock *) holder;

  gtx_rw_lock_write_release (lock);
  g_object_unref (lock);
}
