/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items that all receivers get: sending, and what is kept. */

#include "sync/broadcast-private.h"

#include "gtask-ext/error.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (GtxBroadcast, gtx_broadcast, G_TYPE_OBJECT)

/* ---- Items ---- */

static void
drop (GtxBroadcast *self,
      gpointer      item)
{
  if (self->item_free)
    self->item_free (item);
}

static GtxSharedItem *
item_new (GtxBroadcast *self,
          gpointer      item)
{
  GtxSharedItem *shared = g_atomic_rc_box_new0 (GtxSharedItem);

  shared->item = item;
  shared->item_free = self->item_free;
  return shared;
}

static void
item_clear (gpointer data)
{
  GtxSharedItem *shared = data;

  if (shared->item_free)
    shared->item_free (shared->item);
}

void
gtx_shared_item_release (GtxSharedItem *shared)
{
  g_atomic_rc_box_release_full (shared, item_clear);
}

void
gtx_shared_items_release (GtxSharedItem *given_up)
{
  while (given_up)
    {
      GtxSharedItem *shared = given_up;

      given_up = shared->next;
      gtx_shared_item_release (shared);
    }
}

/* ---- What is kept; to be called with the mutex locked ---- */

/* Gives up the first item.  Who has not received it receives the next one. */
static void
give_up_first (GtxBroadcast   *self,
               GtxSharedItem **given_up)
{
  GtxBroadcastSlot *slot = gtx_broadcast_slot_of (self, self->first++);

  *gtx_broadcast_count_at (self, self->first) += slot->n_subscriptions;
  slot->shared->next = *given_up;
  *given_up = slot->shared;
}

void
gtx_broadcast_give_up_received (GtxBroadcast   *self,
                                GtxSharedItem **given_up)
{
  while (self->first < self->end && gtx_broadcast_slot_of (self, self->first)->n_subscriptions == 0)
    give_up_first (self, given_up);
}

static void
add (GtxBroadcast   *self,
     GtxSharedItem  *shared,
     GtxSharedItem **given_up)
{
  if (self->end - self->first == self->capacity)
    give_up_first (self, given_up);
  *gtx_broadcast_slot_of (self, self->end) = (GtxBroadcastSlot) { shared, self->n_at_end };
  self->end++;
  self->n_at_end = 0;
  gtx_broadcast_give_up_received (self, given_up);
}

static void
wake_all (GtxBroadcast  *self,
          GtxHandleList *woken)
{
  while (gtx_shared_line_serve (&self->line, woken))
    ;
}

/* ---- The broadcast ---- */

static void
gtx_broadcast_finalize (GObject *object)
{
  GtxBroadcast *self = GTX_BROADCAST (object);

  /* There is no subscription left, so that no item is kept. */
  g_assert (self->first == self->end);
  g_free (self->slots);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (gtx_broadcast_parent_class)->finalize (object);
}

static void
gtx_broadcast_class_init (GtxBroadcastClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_broadcast_finalize;
}

static void
gtx_broadcast_init (GtxBroadcast *self)
{
  g_mutex_init (&self->mutex);
  gtx_handle_list_init (&self->line);
  self->capacity = 1;
  self->slots = g_new0 (GtxBroadcastSlot, 1);
}

/**
 * gtx_broadcast_new:
 * @capacity: how many items are kept for receivers that are behind, at least 1
 * @item_copy: (nullable): makes what a receiver gets of an item, such as g_object_ref(), and never
 *   %NULL; %NULL if all may have the same pointer, which nobody frees
 * @item_free: (nullable): frees an item, when all receivers have had it or it is not kept any longer;
 *   %NULL if @item_copy is
 *
 * Makes a broadcast.  It calls @item_copy and @item_free in any thread that uses it, and @item_copy
 * for the same item in several threads at once.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxBroadcast
 *
 * Since: 0.1
 */
GtxBroadcast *
gtx_broadcast_new (guint          capacity,
                   GBoxedCopyFunc item_copy,
                   GDestroyNotify item_free)
{
  GtxBroadcast *self;

  g_return_val_if_fail (capacity > 0, NULL);
  /* Receivers would get what is freed. */
  g_return_val_if_fail (item_copy != NULL || item_free == NULL, NULL);

  self = g_object_new (GTX_TYPE_BROADCAST, NULL);
  self->capacity = capacity;
  self->item_copy = item_copy;
  self->item_free = item_free;
  self->slots = g_renew (GtxBroadcastSlot, self->slots, capacity);
  memset (self->slots, 0, capacity * sizeof (GtxBroadcastSlot));
  return self;
}

gboolean
gtx_broadcast_fail_closed (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN, "The broadcast was closed");
  return FALSE;
}

/**
 * gtx_broadcast_send:
 * @self: a #GtxBroadcast
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Sends @item to all that have subscribed; frees it if there is nobody.
 *
 * If as many items are kept as may be, the oldest one is given up.  After a failure @item is freed.
 * Sets %GTX_ERROR_QUEUE_SHUT_DOWN if the broadcast is closed.  Never suspends nor blocks; may be
 * called in any thread, inside or outside of tasks.
 *
 * Returns: %TRUE if @item was sent, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_broadcast_send (GtxBroadcast  *self,
                    gpointer       item,
                    GError       **error)
{
  GtxSharedItem *given_up = NULL;
  GtxHandleList woken;
  gboolean is_closed;

  g_return_val_if_fail (GTX_IS_BROADCAST (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  is_closed = self->is_closed;
  if (!is_closed)
    {
      add (self, item_new (self, item), &given_up);
      wake_all (self, &woken);
    }
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
  gtx_shared_items_release (given_up);
  if (!is_closed)
    return TRUE;
  drop (self, item);
  return gtx_broadcast_fail_closed (error);
}

/**
 * gtx_broadcast_close:
 * @self: a #GtxBroadcast
 *
 * Ends the broadcast.
 *
 * From now on nobody can send.  Receivers receive what is kept for them, and then fail with
 * %GTX_ERROR_QUEUE_SHUT_DOWN.  Does nothing if the broadcast was closed before.  Never suspends; may
 * be called in any thread, inside or outside of tasks.
 *
 * Since: 0.1
 */
void
gtx_broadcast_close (GtxBroadcast *self)
{
  GtxHandleList woken;

  g_return_if_fail (GTX_IS_BROADCAST (self));

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  self->is_closed = TRUE;
  wake_all (self, &woken);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
}

/**
 * gtx_broadcast_is_closed:
 * @self: a #GtxBroadcast
 *
 * Tells whether gtx_broadcast_close() was called; there may still be items to receive.  Never
 * suspends; may be called in any thread.
 *
 * Returns: %TRUE if the broadcast is closed
 *
 * Since: 0.1
 */
gboolean
gtx_broadcast_is_closed (GtxBroadcast *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_val_if_fail (GTX_IS_BROADCAST (self), FALSE);

  locker = g_mutex_locker_new (&self->mutex);
  return self->is_closed;
}
