/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_FUTURE (gtx_future_get_type ())
#define GTX_FUTURE(object) (G_TYPE_CHECK_INSTANCE_CAST ((object), GTX_TYPE_FUTURE, GtxFuture))
#define GTX_IS_FUTURE(object) (G_TYPE_CHECK_INSTANCE_TYPE ((object), GTX_TYPE_FUTURE))

/**
 * GtxFuture:
 *
 * A result that will be available later: asyncio's `Future`.
 *
 * A future belongs to the main context in which it was made, its home.  Tasks
 * await it with gtx_await(); its done callbacks run in its home.  It is a
 * #GAsyncResult, so that it can be handed to a #GAsyncReadyCallback.
 *
 * Since: 0.1
 */
typedef struct _GtxFuture GtxFuture;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (GtxFuture, g_object_unref)

/**
 * GtxDoneFunc:
 * @future: (type GtxFuture): the future or task that is done
 * @data: the data that was passed to gtx_future_add_done_callback()
 *
 * Called in the future's home context, outside of all tasks, once the future is done.
 *
 * Since: 0.1
 */
typedef void (*GtxDoneFunc) (gpointer future,
                             gpointer data);

GTX_API GType         gtx_future_get_type             (void) G_GNUC_CONST;
GTX_API GtxFuture    *gtx_future_new                  (void) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gboolean      gtx_future_set_result           (GtxFuture      *self,
                                                       gpointer        result,
                                                       GDestroyNotify  result_free);
GTX_API gboolean      gtx_future_set_error            (GtxFuture      *self,
                                                       GError         *error);
GTX_API gboolean      gtx_future_is_done              (gpointer        future);
GTX_API gboolean      gtx_future_is_cancelled         (gpointer        future);
GTX_API gpointer      gtx_future_get_result           (gpointer        future);
GTX_API const GError *gtx_future_get_error            (gpointer        future);
GTX_API void          gtx_future_add_done_callback    (gpointer        future,
                                                       GtxDoneFunc     callback,
                                                       gpointer        data,
                                                       GDestroyNotify  data_free);
GTX_API guint         gtx_future_remove_done_callback (gpointer        future,
                                                       GtxDoneFunc     callback,
                                                       gpointer        data);

GTX_API gboolean      gtx_cancel                      (gpointer        future);
GTX_API gboolean      gtx_cancel_with_reason          (gpointer        future,
                                                       const char     *reason);

GTX_API gboolean      gtx_await                       (gpointer        future,
                                                       GError        **error);
GTX_API gpointer      gtx_await_pointer               (gpointer        future,
                                                       GError        **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gpointer      gtx_await_peek_pointer          (gpointer        future,
                                                       GError        **error);

G_END_DECLS
