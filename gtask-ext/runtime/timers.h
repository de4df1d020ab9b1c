/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All timers of a scheduler: a heap, the earliest first, and of those due at
 * one moment the one armed first. */

#pragma once

#include "handle.h"

typedef struct
{
  GtxHandle handle;             /* queued to run when the timer is due */
  gint64 deadline;              /* microseconds of the scheduler's clock */
  guint64 sequence;             /* when it was armed, among the others */
  gsize place;                  /* in the heap, from 1; 0: not in it */
} GtxTimer;

typedef struct
{
  GtxTimer **timers;            /* from 1 */
  gsize length;
  gsize room;
  guint64 armed;
} GtxTimers;

void      gtx_timers_clear    (GtxTimers *timers);
void      gtx_timers_insert   (GtxTimers *timers,
                               GtxTimer  *timer,
                               gint64     deadline);
void      gtx_timers_remove   (GtxTimers *timers,
                               GtxTimer  *timer);

static inline GtxTimer *
gtx_timers_first (const GtxTimers *timers)
{
  return timers->length > 0 ? timers->timers[1] : NULL;
}
