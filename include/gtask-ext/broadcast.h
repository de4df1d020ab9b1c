/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_BROADCAST (gtx_broadcast_get_type ())
#define GTX_TYPE_SUBSCRIPTION (gtx_subscription_get_type ())

/**
 * GtxBroadcast:
 *
 * Gives each item to all receivers, in any threads and main contexts, like the broadcast channel of
 * tokio.  asyncio has none.
 *
 * Senders never wait.  A receiver has a #GtxSubscription, and receives what is sent after it has
 * subscribed.  The broadcast keeps a number of items for the slower receivers.  A receiver that falls
 * farther behind loses the oldest ones, and learns how many it has missed.
 *
 * A broadcast that keeps 1 item is a value of which all see the latest, and wait for the next:
 *
 * |[<!-- language="C" -->
 * progress = gtx_broadcast_new (1, (GBoxedCopyFunc) g_variant_ref, (GDestroyNotify) g_variant_unref);
 * gtx_broadcast_send (progress, g_variant_ref_sink (g_variant_new_double (0.5)), NULL);
 *
 * while ((value = gtx_subscription_receive (subscription, NULL, &end)))
 *   show (value);
 * ]|
 *
 * In the same thread, gtx_await_notify() waits for the change of a property.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxBroadcast, gtx_broadcast, GTX, BROADCAST, GObject)

/**
 * GtxSubscription:
 *
 * A place in a #GtxBroadcast: what one receiver has not received yet.
 *
 * If several tasks receive with the same subscription, each item goes to one of them.  A subscription
 * ends with its last reference, which any thread may drop; a task that waits holds one.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxSubscription, gtx_subscription, GTX, SUBSCRIPTION, GObject)

GTX_API GtxBroadcast    *gtx_broadcast_new            (guint             capacity,
                                                       GBoxedCopyFunc    item_copy,
                                                       GDestroyNotify    item_free);
GTX_API gboolean         gtx_broadcast_send           (GtxBroadcast     *self,
                                                       gpointer          item,
                                                       GError          **error);
GTX_API void             gtx_broadcast_close          (GtxBroadcast     *self);
GTX_API gboolean         gtx_broadcast_is_closed      (GtxBroadcast     *self);
GTX_API GtxSubscription *gtx_broadcast_subscribe      (GtxBroadcast     *self);

GTX_API gpointer         gtx_subscription_receive     (GtxSubscription  *self,
                                                       guint64          *n_missed,
                                                       GError          **error);
GTX_API gpointer         gtx_subscription_try_receive (GtxSubscription  *self,
                                                       guint64          *n_missed,
                                                       GError          **error);

G_END_DECLS
