/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the cases of faults.c share: a look at what the process has, and a crowd of tasks. */

#pragma once

#include <gtask-ext.h>

#define KIB ((gsize) 1 << 10)
#define MIB ((gsize) 1 << 20)

/* ---- What the process has ---- */

gsize    anonymous_bytes       (void);
guint    count_mappings        (void);
guint    most_mappings         (void);
/* The lowest byte that can be used of what lies at @address. */
guint8  *bottom_of             (gconstpointer address);
/* Whether the page below the mapping that @address lies in is closed. */
gboolean is_guarded_by_mapping (gconstpointer address);
/* Kibibytes, of /proc/self/status. */
gsize    status_of             (const char   *name);

/* Of the shim: how often it was called; whether it is refused. */
guint    count_calls           (const char   *name);
gboolean is_refused            (const char   *call);

/* ---- A crowd of tasks, some of which get no stack ---- */

typedef struct
{
  GtxFuture *go;
  struct _Member *members;
  guint n;
  guint n_begun;
  guint n_failed;
  guint n_ended;
  guint n_data_freed;
  guint n_results_freed;
} Crowd;

/* Waits until each has begun or failed. */
Crowd   *crowd_new             (guint         n,
                                gsize         stack_size);
/* Lets them end; returns how many had got no stack. */
guint    crowd_end             (Crowd        *self);
guint    run_crowd             (guint         n,
                                gsize         stack_size);

/* The stacks that are free go back to the system. */
void     trim                  (void);
