/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that use all available time, and other load of a main loop. */

#pragma once

#include <gtask-ext.h>

/* A turn that comes this long after its time is too late. */
#define STORM_LATE_US 2000

typedef struct
{
  const char *name;
  GtxCoroutine coroutine;       /* of each task */
  guint n_tasks;
  gint64 work_us;               /* that a task does in each of its turns */
  gint64 draw_us;               /* that the window needs for a frame */
  gboolean has_busy_source;     /* at default priority, always ready */
  gboolean is_heavy;            /* the other load leaves the tasks little time */
  gboolean is_punctual;         /* which is enough for tasks that mostly sleep */
} Storm;

/* The first is no storm; the array ends with one without a name. */
const Storm *storms_all          (void);

gboolean     storm_start         (const Storm   *storm,
                                  GtxTaskGroup  *group,
                                  GError       **error);
void         storm_stop          (const Storm   *storm);

/* Keeps the processor busy for so long. */
void         storm_work          (gint64 microseconds);

/* Of all tasks, since the last reset. */
void         storms_reset        (void);
guint64      storms_turns        (void);
gint64       storms_longest_turn (void);
/* How many of a hundred turns came too late, of tasks that know when theirs is due. */
double       storms_percent_late (void);
