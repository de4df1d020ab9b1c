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

/* Starts @n threads.  NULL with @error set if the system has none. */
GtxWorkers *gtx_workers_new    (guint        n,
                                GError     **error);
GtxWorkers *gtx_workers_ref    (GtxWorkers  *self);
void        gtx_workers_unref  (GtxWorkers  *self);
guint       gtx_workers_get_n  (GtxWorkers  *self);

/* Puts @job in line.  FALSE if the pool is closed: then the caller keeps the line's reference. */
gboolean    gtx_workers_push   (GtxWorkers  *self,
                                GtxJob      *job);

/* Lets all threads cancel their tasks and end; jobs in line end as cancelled. */
void        gtx_workers_close  (GtxWorkers  *self);
/* Settles @future, of which it takes a reference, when all threads have ended their tasks. */
void        gtx_workers_tell_end (GtxWorkers *self,
                                gpointer     future);
/* Waits for the threads, which have ended their tasks, and only return. */
void        gtx_workers_join   (GtxWorkers  *self);

/* The worker whose thread calls; NULL: it is no thread of a pool. */
GtxWorker  *gtx_worker_current (void);
