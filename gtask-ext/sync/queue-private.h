/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/event.h"
#include "gtask-ext/queue.h"

#include "sync/line.h"

/* Invariants: finished is set exactly while n_unfinished is 0 (after an immediate
 * shutdown, too); a task that is woken has left its line. */
struct _GtxQueue
{
  GObject parent_instance;
  GtxLine getters;
  GtxLine putters;
  GQueue items;
  GSequence *sorted;            /* the items of a priority queue; NULL for other queues */
  GCompareDataFunc compare;
  gpointer compare_data;
  GDestroyNotify item_free;
  guint max_size;               /* 0: no bound */
  guint n_unfinished;           /* items that were put and are not done */
  GtxEvent *finished;
  gboolean is_lifo;
  gboolean is_shut_down;
};

static inline guint
gtx_queue_count_items (GtxQueue *self)
{
  return self->sorted ? (guint) g_sequence_get_length (self->sorted) : self->items.length;
}

static inline gboolean
gtx_queue_is_at_bound (GtxQueue *self)
{
  return self->max_size > 0 && gtx_queue_count_items (self) >= self->max_size;
}
