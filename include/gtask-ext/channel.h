/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_CHANNEL (gtx_channel_get_type ())

/**
 * GtxChannel:
 *
 * Passes items between threads: a queue for any number of senders and receivers, in any threads
 * and main contexts, like a channel of Go.  asyncio has none.
 *
 * An item is a pointer other than %NULL, and is received once.  Items are received in the order in
 * which they were sent.  Tasks that send to a full channel and tasks that receive from an empty one
 * wait, and are served in the order in which they came, whichever main contexts they belong to.
 * Threads without tasks use gtx_channel_try_send() and gtx_channel_try_receive(); a thread that is
 * to wait runs a coroutine, with gtx_run() in a main context of its own:
 *
 * |[<!-- language="C" -->
 * static gpointer
 * thread_function (gpointer channel)
 * {
 *   g_autoptr (GMainContext) context = g_main_context_new ();
 *
 *   g_main_context_push_thread_default (context);
 *   gtx_run (produce, channel, NULL);
 *   g_main_context_pop_thread_default (context);
 *   return NULL;
 * }
 * ]|
 *
 * A task that waits holds a reference to the channel.  Any thread may drop the last reference; it
 * then frees the items that are left.  For the tasks of one main context, #GtxQueue has priorities
 * and gtx_queue_join().
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxChannel, gtx_channel, GTX, CHANNEL, GObject)

GTX_API GtxChannel *gtx_channel_new         (guint            capacity,
                                             GDestroyNotify   item_free);
GTX_API gboolean    gtx_channel_send        (GtxChannel      *self,
                                             gpointer         item,
                                             GError         **error);
GTX_API gboolean    gtx_channel_try_send    (GtxChannel      *self,
                                             gpointer         item,
                                             GError         **error);
GTX_API gpointer    gtx_channel_receive     (GtxChannel      *self,
                                             GError         **error);
GTX_API gpointer    gtx_channel_try_receive (GtxChannel      *self,
                                             GError         **error);
GTX_API void        gtx_channel_close       (GtxChannel      *self);
GTX_API gboolean    gtx_channel_is_closed   (GtxChannel      *self);
GTX_API guint       gtx_channel_get_size    (GtxChannel      *self);

G_END_DECLS
