/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxTimeout:
 *
 * A block of code that may last for a limited time: asyncio's `timeout()`.
 *
 * A timeout lies on the stack of the task, and gtx_timeout_end() takes the error that the
 * block ended with:
 *
 * |[<!-- language="C" -->
 * g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
 * g_autoptr (GError) failure = NULL;
 *
 * gtx_timeout_begin (&timeout, 5);
 * fetch (uri, &failure);
 * return gtx_timeout_end (&timeout, &failure, error);
 * ]|
 *
 * If the block is left by an early return, the timeout is disarmed, and withdraws its
 * request; but only gtx_timeout_end() turns the cancellation into %G_IO_ERROR_TIMED_OUT.
 * The error that the early return passes on is %G_IO_ERROR_CANCELLED, as if the task had
 * been cancelled, which a task group does not count as a failure.
 *
 * Since: 0.1
 */
typedef struct
{
  /*< private >*/
  gpointer state;
} GtxTimeout;

/**
 * GTX_TIMEOUT_INIT:
 *
 * What a #GtxTimeout is before gtx_timeout_begin().
 *
 * Since: 0.1
 */
#define GTX_TIMEOUT_INIT { NULL }

GTX_API void     gtx_timeout_begin      (GtxTimeout  *self,
                                         double       seconds);
GTX_API gboolean gtx_timeout_reschedule (GtxTimeout  *self,
                                         double       seconds,
                                         GError     **error);
GTX_API gboolean gtx_timeout_expired    (GtxTimeout  *self);
GTX_API gboolean gtx_timeout_end        (GtxTimeout  *self,
                                         GError     **failure,
                                         GError     **error);
GTX_API void     gtx_timeout_clear      (GtxTimeout  *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GtxTimeout, gtx_timeout_clear)

G_END_DECLS
