/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to tasks that may have been cancelled before. */

#pragma once

#include "loop/scheduler.h"

#include "gtask-ext/task.h"

/* How long a task may clean up before it is cancelled again, and before it is told of, in seconds. */
#define GTX_PATIENCE 2.0

/* A task that may be cancelled with others.  The link is in a list of these, in which the task is asked
 * by the next request, or, while the task is spared, in the list of those that are spared with it, so that
 * n requests to n tasks do not take n * n steps.  What has it unlinks it when the task is done, and
 * outlives it. */
typedef struct
{
  GtxHandle link;
  GtxTask *task;
  guint n_cancels;              /* while it is spared, the requests that were made before; else 0 */
} GtxCandidate;

/* Cancels the tasks of @candidates, whose home is @home, for the public @function.  A task that was
 * cancelled before may clean up, which another request would cut short, or may have taken the request for
 * less than its end.  Nothing tells which: such a task is spared, and cancelled when this time is over,
 * unless other code has done that. */
void gtx_cancel_patiently (GtxHandleList *candidates,
                           GtxScheduler  *home,
                           const char    *function);
/* For another request to the task of @candidate, which is not done: FALSE if it was not cancelled
 * before; else TRUE, and it is spared.  To be called in the home. */
gboolean gtx_spare (GtxCandidate  *candidate,
                    GtxHandleList *candidates);
