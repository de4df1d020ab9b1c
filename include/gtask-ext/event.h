/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_EVENT (gtx_event_get_type ())

/**
 * GtxEvent:
 *
 * A flag that tasks wait for: asyncio's `Event`.
 *
 * An event is for the tasks of one main context.  While tasks wait, no other thread may
 * drop the last reference.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxEvent, gtx_event, GTX, EVENT, GObject)

GTX_API GtxEvent *gtx_event_new    (void);
GTX_API void      gtx_event_set    (GtxEvent  *self);
GTX_API void      gtx_event_clear  (GtxEvent  *self);
GTX_API gboolean  gtx_event_is_set (GtxEvent  *self);
GTX_API gboolean  gtx_event_wait   (GtxEvent  *self,
                                    GError   **error);

G_END_DECLS
