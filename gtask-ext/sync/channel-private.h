/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/channel.h"

#include "sync/shared-line.h"

/* A receiver that is woken has the promise of an item, and takes the first one when it runs.  So the
 * items leave in their order, and what was promised to a receiver that is cancelled goes to the next.
 * A sender that waits has put its item into its waiter; whoever makes room moves the item.
 *
 * Invariants, while the mutex is not locked:
 * - n_promised counts the receivers that were served and have not gone on yet; there are as many
 *   items at least.
 * - Receivers wait only while every item is promised, and after the channel was closed only while
 *   there is one.
 * - Senders wait only while the channel is full, and not after it was closed. */
struct _GtxChannel
{
  GObject parent_instance;
  guint capacity;               /* 0: no bound */
  GDestroyNotify item_free;
  GMutex mutex;                 /* protects what follows, and the outcomes of waiters */
  GQueue items;
  guint n_promised;
  GtxHandleList receivers;
  GtxHandleList senders;
  gboolean is_closed;
};

/* Tells what became of @item.  Nothing did yet if that is still open: then @waiter, if any, is in
 * line with it. */
GtxSharedOutcome gtx_channel_push_or_enter    (GtxChannel       *self,
                                               gpointer          item,
                                               GtxSharedWaiter  *waiter);
/* Takes an item into *@item, or tells why not.  If that is still open, @waiter, if any, is in line. */
GtxSharedOutcome gtx_channel_pop_or_enter     (GtxChannel       *self,
                                               gpointer         *item,
                                               GtxSharedWaiter  *waiter);

/* For a receiver that was served: takes its item, or lets the item go to the next receiver. */
gpointer         gtx_channel_take_promised    (GtxChannel       *self);
void             gtx_channel_give_up_promised (GtxChannel       *self);
