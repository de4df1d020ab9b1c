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
