/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the cases of faults.c share: a look at the memory of the process, and a crowd of
 * tasks. */

#pragma once

#include <gtask-ext.h>

#define KIB ((gsize) 1 << 10)
#define MIB ((gsize) 1 << 20)

/* ---- The memory of the process ---- */

gsize    anonymous_bytes       (void);
guint    count_mappings        (void);
guint    most_mappings         (void);
/* Returns the lowest usable byte of the mapping at @address. */
guint8  *bottom_of             (gconstpointer address);
/* Returns whether the page below the mapping of @address is closed. */
gboolean is_guarded_by_mapping (gconstpointer address);
/* Returns a value of /proc/self/status in kibibytes. */
gsize    status_of             (const char   *name);

/* The shim: how often the program has made the call, and whether the call is refused. */
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

/* Returns when each task has begun or failed. */
Crowd   *crowd_new             (guint         n,
                                gsize         stack_size);
/* Lets the tasks end.  Returns how many got no stack. */
guint    crowd_end             (Crowd        *self);
guint    run_crowd             (guint         n,
                                gsize         stack_size);

/* Gives the memory of free stacks back to the system. */
void     trim                  (void);
