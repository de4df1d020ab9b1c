/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many children of a task group run at once.  Tasks wait for a place in the order in
 * which they came, but for those that descend from a child: if they waited, and the child
 * for them, its place might never become free.  Where none is free it gives its own to the
 * new one, and is not counted from then on. */

#pragma once

#include "task/task-private.h"

typedef struct _GtxPlaces GtxPlaces;
typedef struct _GtxPlace GtxPlace;

GtxPlaces *gtx_places_new     (guint       limit);
void       gtx_places_unref   (GtxPlaces  *self);

/* May suspend the current task; NULL with @error set. */
GtxPlace  *gtx_places_take    (GtxPlaces  *self,
                               GError    **error);

/* The place is that of @task, which was started and did not begin yet. */
void       gtx_place_give     (GtxPlace   *self,
                               GtxTask    *task);

/* Takes it back: the task is done, or was not started. */
void       gtx_place_leave    (GtxPlace   *self);
