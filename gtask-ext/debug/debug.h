/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The diagnostics that GTX_DEBUG asks for. */

#pragma once

#include "loop/scheduler.h"

/* ---- debug.c ---- */

/* Names the data of a fiber for a person; the names stay as long as the data. */
typedef struct
{
  const char *(*get_name) (gpointer data);
  const char *(*get_coroutine) (gpointer data);
} GtxDebugNames;

/* Called for each scheduler before its first fiber begins. */
void gtx_debug_scheduler   (GtxScheduler        *scheduler,
                            const GtxDebugNames *names);

/* Asks for measuring, or takes one such request back.  Each request is taken back once.  FALSE if
 * there is none to take back. */
gboolean gtx_debug_measure (gboolean             measure);
/* gtx_measure_read (), or FALSE if nobody asks for measuring. */
gboolean gtx_debug_read    (const GtxStack      *stack,
                            gint64              *processor_time,
                            gint64              *left_at);

/* ---- census.c ---- */

/* Begins a census, which is printed when the program exits; called once. */
void gtx_census_take       (void);
/* Called when a task is about to run on @stack, and when it has ended there. */
void gtx_census_begin      (GtxStack     *stack,
                            const char   *coroutine);
void gtx_census_end        (GtxStack     *stack);

/* ---- slow.c ---- */

/* Sets how long a task may keep the main loop before it is warned of, in microseconds. */
void gtx_slow_set_limit    (gint64        limit);
/* Watches the main loop: each turn ends the time that a task has kept it. */
void gtx_slow_watch_turns  (GMainContext *context);
void gtx_slow_enter        (void);
/* Warns of the task of @data if it has kept the main loop too long. */
void gtx_slow_leave        (gpointer             data,
                            const GtxDebugNames *names);

/* ---- measure.c ---- */

/* Forgets what was measured before. */
void gtx_measure_begin_period (void);
/* Called when a fiber gets @stack, when it runs from now on, and when it stops running. */
void gtx_measure_begin     (GtxStack     *stack);
void gtx_measure_enter     (GtxStack     *stack);
void gtx_measure_leave     (GtxStack     *stack);
/* Reads how long the fiber on @stack has used the processor in this period, in nanoseconds, and
 * when it was left last, in microseconds; 0: not in this period.  For the fiber's own thread.
 * FALSE if nothing was measured of the fiber. */
gboolean gtx_measure_read  (const GtxStack *stack,
                            gint64       *processor_time,
                            gint64       *left_at);
