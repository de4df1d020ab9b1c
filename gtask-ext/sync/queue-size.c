/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many items a queue has, and how many it may have. */

#include "sync/queue-private.h"

/**
 * gtx_queue_get_size:
 * @self: a #GtxQueue
 *
 * Tells how many items the queue holds: asyncio's `Queue.qsize()`.  Never suspends;
 * to be called in the thread of the tasks that use it.
 *
 * Returns: the number of items
 *
 * Since: 0.1
 */
guint
gtx_queue_get_size (GtxQueue *self)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), 0);

  return gtx_queue_count_items (self);
}

/**
 * gtx_queue_get_max_size:
 * @self: a #GtxQueue
 *
 * Tells how many items the queue holds at most: asyncio's `Queue.maxsize`.  Never
 * suspends; may be called in any thread.
 *
 * Returns: the number of items; 0 for no bound
 *
 * Since: 0.1
 */
guint
gtx_queue_get_max_size (GtxQueue *self)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), 0);

  return self->max_size;
}

/**
 * gtx_queue_is_empty:
 * @self: a #GtxQueue
 *
 * Tells whether the queue is empty: asyncio's `Queue.empty()`.  Never suspends;
 * to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE if it is empty
 *
 * Since: 0.1
 */
gboolean
gtx_queue_is_empty (GtxQueue *self)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), TRUE);

  return gtx_queue_count_items (self) == 0;
}

/**
 * gtx_queue_is_full:
 * @self: a #GtxQueue
 *
 * Tells whether the queue holds as many items as it may: asyncio's `Queue.full()`.
 * Never suspends; to be called in the thread of the tasks that use it.
 *
 * Returns: %TRUE if there is no room
 *
 * Since: 0.1
 */
gboolean
gtx_queue_is_full (GtxQueue *self)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), FALSE);

  return gtx_queue_is_at_bound (self);
}
