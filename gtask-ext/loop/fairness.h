/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a scheduler shares its thread with the other sources of the main loop. */

#pragma once

#include "loop/scheduler-private.h"

/* Where runs begin and end that are not the idle source's. */

/* Where a source is dispatched: the time. */
gint64    gtx_fairness_time_of_dispatch (GtxScheduler *self);
/* Where a run begins in somebody else's callback: since when it is charged. */
gint64    gtx_fairness_time_in_stream   (GtxScheduler *self);
/* How long the run may take. */
gint64    gtx_fairness_budget           (GtxScheduler *self);
/* It has ended, for now. */
void      gtx_fairness_end              (GtxScheduler *self,
                                         gint64        start,
                                         gint64        took);

/* While it is demoted. */

/* Whether it may run at default priority all the same; asked in each turn. */
gboolean  gtx_fairness_allows           (GtxScheduler *self,
                                         gint64        now);
/* An operation has come back. */
void      gtx_fairness_hold_back        (GtxScheduler *self,
                                         GtxHandle    *handle);
/* What was held back is to run now. */
void      gtx_fairness_let_go           (GtxScheduler *self);
/* A run from the idle source has ended. */
void      gtx_fairness_end_idly         (GtxScheduler *self);

/* What the main loop does. */

/* Whether to ask it if it has nothing to do. */
gboolean  gtx_fairness_asks             (GtxScheduler *self);
void      gtx_fairness_end_poll         (GtxScheduler *self,
                                         gint64        now);
/* Default priority has come to rest. */
void      gtx_fairness_rest             (GtxScheduler *self,
                                         GSource      *source);

void      gtx_fairness_init             (GtxScheduler *self);
