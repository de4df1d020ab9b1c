/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the C programs share: PROGRAM BENCH N [M] does the work of BENCH N times
 * (with M tasks, or beside M tasks) and prints the clocks before and after it. */

#pragma once

#include <gio/gio.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static guint64 n_times;
static guint n_tasks;

typedef struct
{
  const char *name;
  void (*prepare) (void);       /* or NULL; not measured */
  void (*work) (void);
} Bench;

static inline gint64
read_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* A line of nanoseconds: processor time of this process, and real time. */
static inline void
print_clocks (void)
{
  gint64 processor = read_clock (CLOCK_PROCESS_CPUTIME_ID);
  gint64 real = read_clock (CLOCK_MONOTONIC);

  printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", processor, real);
  fflush (stdout);
}

/* Keeps the process as it is, so that another program can look at it. */
static inline void
wait_for_end_of_input (void)
{
  while (getchar () != EOF)
    ;
}

static inline void
run_bench (const Bench *bench)
{
  if (bench->prepare)
    bench->prepare ();
  print_clocks ();
  bench->work ();
  print_clocks ();
}

static inline const Bench *
parse_arguments (int          argc,
                 char        *argv[],
                 const Bench *benches)
{
  if (argc < 3)
    {
      for (const Bench *bench = benches; bench->name; bench++)
        printf ("%s\n", bench->name);
      exit (0);
    }
  n_times = g_ascii_strtoull (argv[2], NULL, 10);
  n_tasks = argc > 3 ? (guint) g_ascii_strtoull (argv[3], NULL, 10) : 0;
  for (const Bench *bench = benches; bench->name; bench++)
    if (g_strcmp0 (bench->name, argv[1]) == 0)
      return bench;
  fprintf (stderr, "%s: there is no %s here\n", argv[0], argv[1]);
  exit (2);
}

static inline void
fail (const GError *error)
{
  g_error ("The work failed: %s", error ? error->message : "without a reason");
}

/* For calls that must not fail: prints the error if one does. */
#define check(succeeded, error) ((succeeded) ? (void) 0 : fail (error))

/* How long task number @i sleeps, in seconds: up to one, the same everywhere. */
static inline double
random_sleep (guint i)
{
  return (double) (i * G_GUINT64_CONSTANT (7919) % 1000003) / 1000003;
}

/* In every program @n are spawned, gathered or grouped at a time. */
#define SPAWNED_AT_ONCE 1000
#define GATHERED_AT_ONCE 10
#define CONTENDERS 100
#define HOUR 3600
