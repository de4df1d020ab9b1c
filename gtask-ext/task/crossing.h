/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a request to cancel crosses from one main context to another, and how one that has gone round in
 * a ring of tasks is recognized. */

#pragma once

#include "task/future-private.h"

/* A wait through which requests cross to another main context.  Used in the home of the task that
 * waits. */
typedef struct
{
  guint64 number;
  guint64 latest;               /* the highest number of a request that has crossed here; 0: none has */
} GtxCrossingPoint;

/* A request on its way. */
typedef struct _GtxCrossing GtxCrossing;

void         gtx_crossing_point_init          (GtxCrossingPoint *self);
/* Whether the request that this thread makes has crossed at @self before. */
gboolean     gtx_crossing_point_was_passed    (const GtxCrossingPoint *self);
/* Begins to cross at @self with the request that this thread makes.  @data: for gtx_crossing_get_data (). */
GtxCrossing *gtx_crossing_new                 (const GtxCrossingPoint *self,
                                               gpointer                data);
/* To be called when the crossing was posted; then it may be gone. */
void         gtx_crossing_point_count         (GtxCrossingPoint *self,
                                               guint64           request);
/* The number of the request: a later request has a higher one. */
guint64      gtx_crossing_get_request         (const GtxCrossing *self);
gpointer     gtx_crossing_get_data            (const GtxCrossing *self);
/* Makes the request in the home of @future, in its thread.  Returns whether it was made.  Takes
 * @self. */
gboolean     gtx_crossing_cancel              (GtxCrossing *self,
                                               GtxFuture   *future);
void         gtx_crossing_unref               (GtxCrossing *self);
