/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads of a pool.  Each has a main context, and a line of jobs that no thread has begun. */

#pragma once

#include "fiber/handle.h"
#include "loop/scheduler.h"

#include <gio/gio.h>

typedef struct _GtxJob GtxJob;
typedef struct _GtxWorkers GtxWorkers;

/* Invariants:
 * - A job that has not begun is in one line, or in the hands of the thread that takes it out.
 * - While there are jobs in any line, each thread of the pool is awake, or was woken: a thread looks at
 *   the lines after it has said that it sleeps, and whoever puts a job in line looks for sleepers after
 *   that.
 * - A closed line stays empty. */
typedef struct
{
  GtxWorkers *workers;
  guint number;                 /* 1 is the first */
  GMainContext *context;
  GtxScheduler *scheduler;      /* a reference: it outlives the context */
  gpointer end;                 /* a future: the thread ends when it is set */
  GThread *thread;              /* until somebody joins it */

  GMutex mutex;                 /* guards the line */
  GtxHandleList line;           /* of GtxJob */
  gint n_in_line;               /* atomic: is read without the mutex */
  gboolean is_closed;

  gint is_asleep;               /* atomic: it is not woken yet */
  gint n_begun;                 /* atomic: jobs that have begun here, and have not ended */

  /* Used in the thread only: */
  GSource *source;
  GtxHandle feeder;             /* begins the next job */
  gboolean lets_others_end;     /* the feeder has let one round pass */
  GtxHandleList begun;
} GtxWorker;

/* All threads of a pool. */
struct _GtxWorkers
{
  gatomicrefcount n_references;
  guint n;
  GtxWorker *workers;
  gint n_asleep;                /* atomic */
  gint n_looking;               /* atomic */
  guint next;                   /* atomic: the next one to compare first */

  GMutex mutex;                 /* guards what follows */
  gboolean is_closed;
  guint n_running;              /* threads whose tasks have not ended */
  GPtrArray *ends;              /* futures to settle when none is running */
};

/* ---- worker.c ---- */

/* The worker whose thread calls; NULL: it is no thread of a pool. */
GtxWorker  *gtx_worker_current (void);
/* Puts @job in line.  FALSE if the pool is closed: then the caller keeps the line's reference. */
gboolean    gtx_workers_push   (GtxWorkers  *self,
                                GtxJob      *job);

/* The function of the thread: runs until the end is set, and what is left has ended. */
gpointer    gtx_worker_work    (gpointer     worker);
/* The poll function of its main context. */
gint        gtx_worker_poll    (GPollFD     *fds,
                                guint        n,
                                gint         timeout);
/* Begins jobs: the function of the worker's feeder. */
void        gtx_worker_feed    (GtxHandle   *feeder);
/* Lets jobs in line end as cancelled, and takes no more. */
void        gtx_worker_close_line (GtxWorker *self);

/* ---- workers.c ---- */

/* Starts @n threads.  NULL with @error set if the system has none. */
GtxWorkers *gtx_workers_new    (guint        n,
                                GError     **error);
GtxWorkers *gtx_workers_ref    (GtxWorkers  *self);
void        gtx_workers_unref  (GtxWorkers  *self);
guint       gtx_workers_get_n  (GtxWorkers  *self);

/* Lets all threads cancel their tasks and end; jobs in line end as cancelled. */
void        gtx_workers_close  (GtxWorkers  *self);
/* Settles @future, of which it takes a reference, when all threads have ended their tasks. */
void        gtx_workers_tell_end (GtxWorkers *self,
                                gpointer     future);
/* For a thread that has ended its tasks: settles the futures if it is the last one. */
void        gtx_workers_count_end (GtxWorkers *self);
/* Waits for the threads, which have ended their tasks, and only return. */
void        gtx_workers_join   (GtxWorkers  *self);
