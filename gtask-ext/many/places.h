/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limit of how many children of a task group run at once.  Tasks wait for a place in
 * the order in which they came, except tasks that descend from a child: if such a task
 * waited for a place, and the child waited for that task, the child's place might never
 * become free.  If no place is free, the child gives its own to the new child, and is
 * not counted from then on. */

#pragma once

#include "task/task-private.h"

typedef struct _GtxPlaces GtxPlaces;
typedef struct _GtxPlace GtxPlace;

GtxPlaces *gtx_places_new     (guint       limit);
void       gtx_places_unref   (GtxPlaces  *self);

/* Takes a place for a child that the current task creates.  May suspend; NULL with @error set. */
GtxPlace  *gtx_places_take    (GtxPlaces  *self,
                               GError    **error);

/* Gives the place to @task, which was started and has not begun to run. */
void       gtx_place_give     (GtxPlace   *self,
                               GtxTask    *task);

/* Takes the place back when its task is done, or was not started. */
void       gtx_place_leave    (GtxPlace   *self);
