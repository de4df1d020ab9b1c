/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sync/semaphore-private.h"

#include "sync/line.h"

/* Invariant: when a task is woken, its share has been taken off the value already. */
struct _GtxSemaphore
{
  GObject parent_instance;
  GtxLine line;
  guint value;
  guint bound;                  /* the highest value */
  const char *what;             /* what tasks wait for, for a person; or NULL */
};

G_DEFINE_FINAL_TYPE (GtxSemaphore, gtx_semaphore, G_TYPE_OBJECT)

static void
gtx_semaphore_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxSemaphore *) object)->line, object))
    G_OBJECT_CLASS (gtx_semaphore_parent_class)->dispose (object);
}

static void
gtx_semaphore_finalize (GObject *object)
{
  gtx_line_clear (&((GtxSemaphore *) object)->line);
  G_OBJECT_CLASS (gtx_semaphore_parent_class)->finalize (object);
}

static void
gtx_semaphore_class_init (GtxSemaphoreClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_semaphore_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_semaphore_finalize;
}

static void
gtx_semaphore_init (GtxSemaphore *self)
{
  gtx_line_init (&self->line);
  self->value = 1;
  self->bound = G_MAXUINT;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxSemaphore *self = ((GtxLineWaiter *) waiter)->object;

  if (self->what)
    g_string_append (text, self->what);
  else
    g_string_append_printf (text, "semaphore %p", (gpointer) self);
}

static const GtxWaiterKind semaphore_kind = { "semaphore", gtx_line_cancel, describe, NULL, NULL };

/**
 * gtx_semaphore_new:
 * @value: how many tasks may acquire it at a time
 *
 * Makes a semaphore: asyncio's `Semaphore()`.  Never suspends; may be called
 * in any thread.
 *
 * Returns: (transfer full): a new #GtxSemaphore
 *
 * Since: 0.1
 */
GtxSemaphore *
gtx_semaphore_new (guint value)
{
  GtxSemaphore *self = g_object_new (GTX_TYPE_SEMAPHORE, NULL);

  self->value = value;
  return self;
}

GtxSemaphore *
gtx_semaphore_new_for (guint       value,
                       const char *what)
{
  GtxSemaphore *self = gtx_semaphore_new (value);

  self->what = what;
  return self;
}

/**
 * gtx_semaphore_new_bounded:
 * @value: how many tasks may acquire it at a time
 *
 * Makes a semaphore that may not be released more often than it was acquired:
 * asyncio's `BoundedSemaphore()`.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxSemaphore
 *
 * Since: 0.1
 */
GtxSemaphore *
gtx_semaphore_new_bounded (guint value)
{
  GtxSemaphore *self = gtx_semaphore_new (value);

  self->bound = value;
  return self;
}

/* Wakes the next task, and takes its share off the value for it. */
static gboolean
wake_next (GtxSemaphore *self)
{
  if (gtx_line_wake (&self->line, 1) == 0)
    return FALSE;
  self->value--;
  return TRUE;
}

static gboolean
wait_for_turn (GtxSemaphore  *self,
               GtxTask       *task,
               GError       **error)
{
  gboolean acquired;
  gboolean woken;

  gtx_line_pin (&self->line);
  acquired = gtx_line_wait (&self->line, task, &semaphore_kind, self, &woken, error);
  if (!acquired && woken)
    self->value++;
  /* Tasks that came while this one was in the line had to wait behind it. */
  while (self->value > 0 && wake_next (self))
    ;
  gtx_line_unpin (&self->line, self);
  return acquired;
}

/**
 * gtx_semaphore_acquire:
 * @self: a #GtxSemaphore
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until it may go on: asyncio's
 * `Semaphore.acquire()`.
 *
 * Does not suspend if the value is not 0 and no task waits.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled while it waits,
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * tasks of another main context use the semaphore.
 *
 * Returns: %TRUE if the semaphore was acquired, and is to be released
 *
 * Since: 0.1
 */
gboolean
gtx_semaphore_acquire (GtxSemaphore  *self,
                       GError       **error)
{
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_SEMAPHORE (self), FALSE);

  task = gtx_line_begin (&self->line, G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (gtx_semaphore_locked (self))
    return wait_for_turn (self, task, error);
  self->value--;
  return TRUE;
}

/**
 * gtx_semaphore_release:
 * @self: a #GtxSemaphore
 *
 * Lets one more task in: asyncio's `Semaphore.release()`.
 *
 * Releasing a bounded semaphore more often than it was acquired is a mistake, which
 * a g_critical() reports; asyncio raises `ValueError`.  Never suspends; to be
 * called in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if the value is at its bound
 *
 * Since: 0.1
 */
gboolean
gtx_semaphore_release (GtxSemaphore *self)
{
  g_return_val_if_fail (GTX_IS_SEMAPHORE (self), FALSE);

  if (self->value >= self->bound)
    {
      g_critical ("gtx_semaphore_release: released more often than it was acquired; "
                  "release it once for each time that it was acquired");
      return FALSE;
    }
  if (!gtx_line_may_wake (&self->line, G_STRFUNC))
    return FALSE;
  self->value++;
  wake_next (self);
  return TRUE;
}

/**
 * gtx_semaphore_locked:
 * @self: a #GtxSemaphore
 *
 * Tells whether gtx_semaphore_acquire() would suspend: asyncio's
 * `Semaphore.locked()`.  Never suspends; to be called in the thread of the tasks
 * that use it.
 *
 * Returns: %TRUE if the value is 0 or tasks wait
 *
 * Since: 0.1
 */
gboolean
gtx_semaphore_locked (GtxSemaphore *self)
{
  g_return_val_if_fail (GTX_IS_SEMAPHORE (self), FALSE);

  return self->value == 0 || !gtx_line_is_free (&self->line);
}

/**
 * gtx_semaphore_hold: (skip)
 * @self: a #GtxSemaphore
 * @error: return location for a #GError, or %NULL
 *
 * Acquires the semaphore for a block of code: gtx_semaphore_acquire() with a holder
 * that `g_autoptr` releases.  Sets the errors that gtx_semaphore_acquire() sets.
 *
 * Returns: (transfer full) (nullable): the holder of the semaphore, or %NULL with
 *   @error set
 *
 * Since: 0.1
 */
GtxSemaphoreHolder *
gtx_semaphore_hold (GtxSemaphore  *self,
                    GError       **error)
{
  return gtx_semaphore_acquire (self, error) ? (GtxSemaphoreHolder *) g_object_ref (self) : NULL;
}

/**
 * gtx_semaphore_holder_free: (skip)
 * @holder: (transfer full): what gtx_semaphore_hold() returned
 *
 * Releases the semaphore.  Never suspends; to be called in the thread of the
 * tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_semaphore_holder_free (GtxSemaphoreHolder *holder)
{
  GtxSemaphore *semaphore = (GtxSemaphore *) holder;

  gtx_semaphore_release (semaphore);
  g_object_unref (semaphore);
}
