/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/broadcast.h"

#include "sync/shared-line.h"

/* An item, in a box with a count of references: the broadcast has one, and so has each receiver that
 * copies the item at this moment. */
typedef struct _GtxSharedItem GtxSharedItem;
struct _GtxSharedItem
{
  GtxSharedItem *next;          /* among those that the broadcast has given up, to be released */
  gpointer item;
  GDestroyNotify item_free;
};

typedef struct
{
  GtxSharedItem *shared;
  guint n_subscriptions;        /* that receive this item next */
} GtxBroadcastSlot;

/* Each item has a number; that with number n is in slots[n % capacity].
 *
 * Invariants, while the mutex is not locked:
 * - The items from first up to end, which is excluded, are kept: capacity items at most.
 * - The first item that is kept, if any, is the next one of some subscription.
 * - Tasks wait in the line only if there is nothing to receive for them. */
struct _GtxBroadcast
{
  GObject parent_instance;
  guint capacity;
  GBoxedCopyFunc item_copy;
  GDestroyNotify item_free;
  GMutex mutex;                 /* protects what follows, and the subscriptions */
  GtxBroadcastSlot *slots;
  guint64 first;
  guint64 end;
  guint n_at_end;               /* subscriptions that have received all */
  GtxHandleList line;
  gboolean is_closed;
};

/* ---- To be called with the mutex locked ---- */

static inline GtxBroadcastSlot *
gtx_broadcast_slot_of (GtxBroadcast *self,
                       guint64       number)
{
  return &self->slots[number % self->capacity];
}

/* The count of the subscriptions that receive the item @number next. */
static inline guint *
gtx_broadcast_count_at (GtxBroadcast *self,
                        guint64       number)
{
  return number == self->end ? &self->n_at_end : &gtx_broadcast_slot_of (self, number)->n_subscriptions;
}

/* Gives up the first items, as far as all subscriptions have received them. */
void     gtx_broadcast_give_up_received (GtxBroadcast   *self,
                                         GtxSharedItem **given_up);

/* ---- To be called with the mutex unlocked, since they call the program's functions ---- */

void     gtx_shared_item_release        (GtxSharedItem  *self);
void     gtx_shared_items_release       (GtxSharedItem  *given_up);

gboolean gtx_broadcast_fail_closed      (GError        **error);
