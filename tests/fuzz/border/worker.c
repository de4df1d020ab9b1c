/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "worker.h"

#define N_THREADS 2

guint moment;

static __thread Home *here;
static GThreadPool *threads;
static gint n_jobs;

Home *
home_here (void)
{
  return here;
}

void
home_set (Home *home)
{
  here = home;
}

/* ---- The main loop ---- */

typedef struct
{
  GSource source;
  Home *home;
} Deed;

static gboolean
dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  gboolean goes_on = func (data);

  g_atomic_int_add (&((Deed *) source)->home->n_to_do, -1);
  return goes_on;
}

/* GLib's own timers count in milliseconds, which is too coarse. */
void
do_in_loop (Home *home, guint moments, GSourceFunc func, gpointer data)
{
  static GSourceFuncs funcs = { .dispatch = dispatch };
  GSource *source = g_source_new (&funcs, sizeof (Deed));

  ((Deed *) source)->home = home;
  g_atomic_int_inc (&home->n_to_do);
  g_source_set_callback (source, func, data, NULL);
  g_source_set_ready_time (source, g_get_monotonic_time () + moments * moment);
  g_source_attach (source, home->context);
  g_source_unref (source);
}

void
drain_loop (Home *home)
{
  while (g_main_context_iteration (home->context, g_atomic_int_get (&home->n_to_do) > 0) ||
         g_atomic_int_get (&home->n_to_do) > 0)
    ;
}

/* ---- Threads ---- */

typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
} Job;

static void
run_job (gpointer data, gpointer unused)
{
  Job *job = data;

  job->func (job->data);
  g_free (job);
  g_atomic_int_add (&n_jobs, -1);
}

void
do_in_thread (void (*func) (gpointer data), gpointer data)
{
  Job *job = g_new (Job, 1);

  if (threads == NULL)
    threads = g_thread_pool_new (run_job, NULL, N_THREADS, FALSE, NULL);
  job->func = func;
  job->data = data;
  g_atomic_int_inc (&n_jobs);
  g_thread_pool_push (threads, job, NULL);
}

void
join_threads (void)
{
  while (g_atomic_int_get (&n_jobs) > 0)
    g_usleep (moment);
}
