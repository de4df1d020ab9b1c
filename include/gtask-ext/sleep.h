/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/future.h>

G_BEGIN_DECLS

GTX_API gboolean   gtx_sleep        (double   seconds,
                                     GError **error);
GTX_API gboolean   gtx_sleep_until  (double   time,
                                     GError **error);
GTX_API GtxFuture *gtx_sleep_future (double   seconds) G_GNUC_WARN_UNUSED_RESULT;
GTX_API double     gtx_get_time     (void);

G_END_DECLS
