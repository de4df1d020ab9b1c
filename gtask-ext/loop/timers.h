/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All timers of a scheduler: a heap, the earliest first, and of those due at
 * one moment the one armed first. */

#pragma once

#include "fiber/handle.h"

typedef struct
{
  GtxHandle handle;             /* queued to run when the timer is due */
  gint64 deadline;              /* microseconds of the scheduler's clock */
  guint slot;                   /* its slot, from 1; 0: not armed */
} GtxTimer;

typedef struct _GtxTimerEntry GtxTimerEntry;
typedef struct _GtxTimerSlot GtxTimerSlot;

typedef struct
{
  GtxTimerEntry *heap;
  GtxTimerSlot *slots;
  gsize n_entries;              /* entries in the heap: of timers, and of some that were removed */
  gsize length;                 /* timers that are armed */
  gsize room;
  guint64 armed;
} GtxTimers;

void      gtx_timers_clear    (GtxTimers *timers);
void      gtx_timers_insert   (GtxTimers *timers,
                               GtxTimer  *timer,
                               gint64     deadline);
void      gtx_timers_remove   (GtxTimers *timers,
                               GtxTimer  *timer);
/* Returns the earliest timer, or NULL. */
GtxTimer *gtx_timers_first    (GtxTimers *timers);
