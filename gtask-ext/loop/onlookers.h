/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Onlookers: waits of other main contexts, each for something of a scheduler, such as a future.  The
 * scheduler need not run for them to be told. */

#pragma once

#include "loop/scheduler.h"

typedef struct _GtxOnlooker GtxOnlooker;

/* Invariants:
 * - An onlooker is in two lists, that of the scheduler and that of what it waits for, or in neither.
 *   The lists, and the fields here, are touched with the scheduler's mutex locked; no other lock is
 *   taken, and no code of an onlooker runs, until that is unlocked.
 * - Only the thread that takes an onlooker out of the lists tells it, or frees it. */
struct _GtxOnlooker
{
  GtxHandle link;               /* in the scheduler's list; its run () is called when the wait is over */
  GtxOnlooker *next;            /* in the list of what it waits for */
  GtxOnlooker **previous;       /* what points to this one there; NULL: in neither list */
};

/* All these are for any thread.  run () is called in the thread that tells the onlooker, and not
 * inside another one's.  It posts a message, or does what any thread may do. */

/* @list has the onlookers of what this one waits for.  FALSE if the context is gone, or nobody will
 * run it any more. */
gboolean gtx_onlooker_add         (GtxOnlooker   *self,
                                   GtxScheduler  *scheduler,
                                   GtxOnlooker  **list);
/* FALSE if it is, or was, told. */
gboolean gtx_onlooker_remove      (GtxOnlooker   *self,
                                   GtxScheduler  *scheduler);
/* Tells all of @list, in the order in which they came, and then runs @last, if that is not NULL.  If
 * the caller is told itself, all of this happens later. */
void     gtx_onlookers_tell       (GtxOnlooker  **list,
                                   GtxScheduler  *scheduler,
                                   GtxHandle     *last);
