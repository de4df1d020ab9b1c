/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/future.h>

G_BEGIN_DECLS

/**
 * GTX_FOREVER:
 *
 * Seconds that never pass: asyncio's `None` where a timeout is wanted.
 *
 * Since: 0.1
 */
#define GTX_FOREVER G_MAXDOUBLE

/**
 * GtxReturnWhen:
 * @GTX_ALL_COMPLETED: when all are done
 * @GTX_FIRST_COMPLETED: when one is done
 * @GTX_FIRST_ERROR: when one has failed, other than by being cancelled, or all are done:
 *   asyncio's `FIRST_EXCEPTION`
 *
 * When gtx_wait() returns.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_ALL_COMPLETED,
  GTX_FIRST_COMPLETED,
  GTX_FIRST_ERROR
} GtxReturnWhen;

GTX_API gboolean gtx_wait     (GPtrArray      *futures,
                               GtxReturnWhen   return_when,
                               double          seconds,
                               GError        **error);
GTX_API gboolean gtx_wait_for (gpointer        future,
                               double          seconds,
                               GError        **error);

G_END_DECLS
