/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/future.h>

G_BEGIN_DECLS

/**
 * GtxThenFunc:
 * @future: (type GtxFuture): the future or task that is done
 * @data: the data that was passed to gtx_future_then(), gtx_future_catch() or
 *   gtx_future_finally()
 *
 * Called once @future is done, in its home context and outside of all tasks, as a done callback
 * is.  @future is lent; gtx_future_get_result() and gtx_future_get_error() tell its outcome.
 *
 * Returns: (transfer full) (nullable) (type GtxFuture): a #GtxFuture or #GtxTask, of any main
 *   context, whose outcome becomes that of the new future; %NULL: the outcome of @future goes on
 *
 * Since: 0.1
 */
typedef gpointer (*GtxThenFunc) (gpointer future,
                                 gpointer data);

GTX_API GtxFuture *gtx_future_then    (gpointer        future,
                                       GtxThenFunc     func,
                                       gpointer        data,
                                       GDestroyNotify  data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxFuture *gtx_future_catch   (gpointer        future,
                                       GtxThenFunc     func,
                                       gpointer        data,
                                       GDestroyNotify  data_free) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxFuture *gtx_future_finally (gpointer        future,
                                       GtxThenFunc     func,
                                       gpointer        data,
                                       GDestroyNotify  data_free) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
