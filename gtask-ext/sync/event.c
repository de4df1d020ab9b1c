/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/event.h"

#include "sync/line.h"

struct _GtxEvent
{
  GObject parent_instance;
  GtxLine line;
  gboolean is_set;
};

G_DEFINE_FINAL_TYPE (GtxEvent, gtx_event, G_TYPE_OBJECT)

static void
gtx_event_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxEvent *) object)->line, object))
    G_OBJECT_CLASS (gtx_event_parent_class)->dispose (object);
}

static void
gtx_event_finalize (GObject *object)
{
  gtx_line_clear (&((GtxEvent *) object)->line);
  G_OBJECT_CLASS (gtx_event_parent_class)->finalize (object);
}

static void
gtx_event_class_init (GtxEventClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_event_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_event_finalize;
}

static void
gtx_event_init (GtxEvent *self)
{
  gtx_line_init (&self->line);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "event %p", ((GtxLineWaiter *) waiter)->object);
}

static const GtxWaiterKind event_kind = { "event", gtx_line_cancel, describe, NULL, NULL };

/**
 * gtx_event_new:
 *
 * Makes an event that is not set: asyncio's `Event()`.  Never suspends; may be
 * called in any thread.
 *
 * Returns: (transfer full): a new #GtxEvent
 *
 * Since: 0.1
 */
GtxEvent *
gtx_event_new (void)
{
  return g_object_new (GTX_TYPE_EVENT, NULL);
}

/**
 * gtx_event_set:
 * @self: a #GtxEvent
 *
 * Sets the event, and wakes all tasks that wait for it: asyncio's
 * `Event.set()`.
 *
 * The tasks go on even if the event is cleared before they run.  Never suspends;
 * to be called in the thread of the tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_event_set (GtxEvent *self)
{
  g_return_if_fail (GTX_IS_EVENT (self));

  if (self->is_set || !gtx_line_may_wake (&self->line, G_STRFUNC))
    return;
  self->is_set = TRUE;
  gtx_line_wake (&self->line, G_MAXUINT);
}

/**
 * gtx_event_clear:
 * @self: a #GtxEvent
 *
 * Clears the event, so that tasks wait for it again: asyncio's `Event.clear()`.
 * Never suspends; to be called in the thread of the tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_event_clear (GtxEvent *self)
{
  g_return_if_fail (GTX_IS_EVENT (self));

  if (self->is_set && gtx_line_may_wake (&self->line, G_STRFUNC))
    self->is_set = FALSE;
}

/**
 * gtx_event_is_set:
 * @self: a #GtxEvent
 *
 * Tells whether the event is set: asyncio's `Event.is_set()`.  Never suspends;
 * to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE if it is set
 *
 * Since: 0.1
 */
gboolean
gtx_event_is_set (GtxEvent *self)
{
  g_return_val_if_fail (GTX_IS_EVENT (self), FALSE);

  return self->is_set;
}

/**
 * gtx_event_wait:
 * @self: a #GtxEvent
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the event is set: asyncio's `Event.wait()`.
 *
 * Does not suspend if the event is set.  Sets %G_IO_ERROR_CANCELLED if
 * the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a task, and
 * %GTX_ERROR_INVALID_ARGUMENT if tasks of another main context use the event.
 *
 * Returns: %TRUE when the event was set, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_event_wait (GtxEvent  *self,
                GError   **error)
{
  GtxTask *task;
  gboolean succeeded;
  gboolean woken;

  g_return_val_if_fail (GTX_IS_EVENT (self), FALSE);

  task = gtx_line_begin (&self->line, G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (self->is_set)
    return TRUE;
  gtx_line_pin (&self->line);
  succeeded = gtx_line_wait (&self->line, task, &event_kind, self, &woken, error);
  gtx_line_unpin (&self->line, self);
  return succeeded;
}
