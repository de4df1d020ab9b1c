/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that a thread of a pool runs.  The task is one of the main context that started it, and waits
 * there; its coroutine runs in a second task, in the thread's main context. */

#pragma once

#include "pool/worker.h"
#include "task/task-private.h"

/* Makes the job of @task, whose start was claimed.  @pool is kept until the job has ended. */
GtxJob  *gtx_job_new      (GtxTask   *task,
                           GObject   *pool);
/* Starts the task, which waits from now on. */
void     gtx_job_start    (GtxJob    *self);

/* The link in a line. */
GtxHandle *gtx_job_link   (GtxJob    *self);
GtxJob  *gtx_job_of_link  (GtxHandle *link);

/* The following take the reference that is the line's: */

/* Runs the coroutine in a new task of @worker, whose thread calls this in a round.  FALSE if the job
 * was withdrawn meanwhile. */
gboolean gtx_job_begin    (GtxJob    *self,
                           GtxWorker *worker);
/* Ends a job that has not begun, and will not.  Takes @error. */
void     gtx_job_refuse   (GtxJob    *self,
                           GError    *error);

/* Ends a job of @worker, whose main context goes before the coroutine has ended. */
void     gtx_job_abandon  (GtxJob    *self);
