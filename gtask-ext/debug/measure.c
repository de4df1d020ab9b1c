/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures how much of the processor's time the tasks use, and since when they wait. */

#include "debug/debug.h"

#include <time.h>

/* Counts how often measuring has begun.  A measurement of an earlier period counts as none, so that
 * no stack has to be found and cleared. */
static guint period;

/* The fiber whose time runs, in a thread. */
typedef struct
{
  guint period;
  GtxStack *stack;              /* NULL: none */
  gint64 since;
} Running;

/* Is no thread-local variable, for which a library that is loaded late has little room. */
static GPrivate running_of_thread = G_PRIVATE_INIT (g_free);

void
gtx_measure_begin_period (void)
{
  guint next = period + 1;

  __atomic_store_n (&period, next != 0 ? next : 1, __ATOMIC_RELAXED);
}

static guint
get_period (void)
{
  return __atomic_load_n (&period, __ATOMIC_RELAXED);
}

/* The clock of this thread, in nanoseconds. */
static gint64
get_processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64) now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static Running *
get_running (void)
{
  Running *running = g_private_get (&running_of_thread);

  if (running == NULL)
    {
      running = g_new0 (Running, 1);
      g_private_set (&running_of_thread, running);
    }
  if (running->period != get_period ())
    *running = (Running) { .period = get_period () };
  return running;
}

static GtxMeasurement *
measurement_of (GtxStack *stack)
{
  GtxMeasurement *measurement = &stack->measurement;

  if (measurement->period != get_period ())
    *measurement = (GtxMeasurement) { .period = get_period () };
  return measurement;
}

/* Counts the time so far for the fiber whose time runs, and lets the time of @stack run. */
static void
run_time_of (GtxStack *stack)
{
  Running *running = get_running ();
  gint64 now = get_processor_time ();

  if (running->stack)
    measurement_of (running->stack)->processor_time += now - running->since;
  running->stack = stack;
  running->since = now;
}

void
gtx_measure_begin (GtxStack *stack)
{
  stack->measurement.period = 0;
}

/* The fiber may be resumed by a main loop that another fiber runs. */
void
gtx_measure_enter (GtxStack *stack)
{
  GtxStack *outer = get_running ()->stack;

  run_time_of (stack);
  measurement_of (stack)->outer = outer;
}

void
gtx_measure_leave (GtxStack *stack)
{
  GtxMeasurement *measurement = measurement_of (stack);

  run_time_of (measurement->outer);
  measurement->outer = NULL;
  measurement->left_at = g_get_monotonic_time ();
}

gboolean
gtx_measure_read (const GtxStack *stack,
                  gint64         *processor_time,
                  gint64         *left_at)
{
  const GtxMeasurement *measurement = &stack->measurement;
  const Running *running = get_running ();

  if (measurement->period != get_period ())
    return FALSE;
  *processor_time = measurement->processor_time;
  if (running->stack == stack)
    *processor_time += get_processor_time () - running->since;
  *left_at = measurement->left_at;
  return TRUE;
}
