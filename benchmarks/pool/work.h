/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the programs for pools share: PROGRAM BENCH N THREADS LOOPS does the work of BENCH N
 * times on THREADS threads; a piece of work takes LOOPS turns of a loop. */

#pragma once

#include "measure.h"

static guint n_threads;
static guint n_loops;

/* A piece of work that a compiler cannot leave out. */
static inline void
do_work (void)
{
  static volatile guint kept;
  guint x = 1;

  for (guint i = 0; i < n_loops; i++)
    x = x * 1664525u + 1013904223u;
  kept = x;
}

static inline const Bench *
parse_pool_arguments (int          argc,
                      char        *argv[],
                      const Bench *benches)
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  n_threads = MAX (n_tasks, 1);
  n_loops = argc > 4 ? (guint) g_ascii_strtoull (argv[4], NULL, 10) : 0;
  return bench;
}
