/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GTX_DEBUG asks for. */

#pragma once

#include "loop/scheduler.h"

/* ---- debug.c ---- */

/* How the data of a fiber is named for a person; the names stay as long as the data. */
typedef struct
{
  const char *(*get_name) (gpointer data);
  const char *(*get_coroutine) (gpointer data);
} GtxDebugNames;

/* For each scheduler, before its first fiber begins. */
void gtx_debug_scheduler   (GtxScheduler        *scheduler,
                            const GtxDebugNames *names);

/* ---- census.c ---- */

/* Once; it is printed when the program exits. */
void gtx_census_take       (void);
/* A task that is to run on @stack, and one that has ended on it. */
void gtx_census_begin      (GtxStack     *stack,
                            const char   *coroutine);
void gtx_census_end        (GtxStack     *stack);

/* ---- slow.c ---- */

/* How long is slow, in microseconds. */
void gtx_slow_set_limit    (gint64        limit);
/* A turn of the main loop ends what a task kept it for. */
void gtx_slow_watch_turns  (GMainContext *context);
void gtx_slow_enter        (void);
/* Of the task of @data. */
void gtx_slow_leave        (gpointer             data,
                            const GtxDebugNames *names);
