/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_QUEUE (gtx_queue_get_type ())

/**
 * GtxQueue:
 *
 * Passes items from tasks to tasks: asyncio's `Queue`, `LifoQueue` and `PriorityQueue`.
 *
 * Tasks that put into a full queue and tasks that get from an empty one wait, and are
 * served in the order in which they came.  An item is a pointer other than %NULL.  A
 * queue is for the tasks of one main context.  While tasks wait, no other thread may drop
 * the last reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxQueue, gtx_queue, GTX, QUEUE, GObject)

/**
 * GtxShutdown:
 * @GTX_SHUTDOWN_DRAIN: tasks can still get the items in the queue
 * @GTX_SHUTDOWN_IMMEDIATE: the items in the queue are freed
 *
 * How gtx_queue_shutdown() ends a queue.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_SHUTDOWN_DRAIN,
  GTX_SHUTDOWN_IMMEDIATE
} GtxShutdown;

GTX_API GtxQueue *gtx_queue_new          (guint              max_size,
                                          GDestroyNotify     item_free);
GTX_API GtxQueue *gtx_queue_new_lifo     (guint              max_size,
                                          GDestroyNotify     item_free);
GTX_API GtxQueue *gtx_queue_new_priority (guint              max_size,
                                          GDestroyNotify     item_free,
                                          GCompareDataFunc   compare,
                                          gpointer           data);

GTX_API gboolean  gtx_queue_put          (GtxQueue          *self,
                                          gpointer           item,
                                          GError           **error);
GTX_API gboolean  gtx_queue_put_nowait   (GtxQueue          *self,
                                          gpointer           item,
                                          GError           **error);
GTX_API gpointer  gtx_queue_get          (GtxQueue          *self,
                                          GError           **error);
GTX_API gpointer  gtx_queue_get_nowait   (GtxQueue          *self,
                                          GError           **error);
GTX_API gboolean  gtx_queue_task_done    (GtxQueue          *self);
GTX_API gboolean  gtx_queue_join         (GtxQueue          *self,
                                          GError           **error);
GTX_API void      gtx_queue_shutdown     (GtxQueue          *self,
                                          GtxShutdown        how);
GTX_API guint     gtx_queue_get_size     (GtxQueue          *self);
GTX_API guint     gtx_queue_get_max_size (GtxQueue          *self);
GTX_API gboolean  gtx_queue_is_empty     (GtxQueue          *self);
GTX_API gboolean  gtx_queue_is_full      (GtxQueue          *self);

G_END_DECLS
