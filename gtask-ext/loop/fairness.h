/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a scheduler shares its thread with the other sources of the main loop. */

#pragma once

#include "loop/scheduler-private.h"

/* ---- Runs that do not come from the idle source ---- */

/* For a run from the urgent source: returns the time, and charges what lies between the last run
 * and this one if default priority did not rest. */
gint64    gtx_fairness_time_of_dispatch (GtxScheduler *self);
/* For a run in the callback of another source: returns the time from which on it is charged. */
gint64    gtx_fairness_time_in_stream   (GtxScheduler *self);
/* Returns how long the run may take, in microseconds. */
gint64    gtx_fairness_budget           (GtxScheduler *self);
/* The run that began at @start has ended. */
void      gtx_fairness_end              (GtxScheduler *self,
                                         gint64        start,
                                         gint64        took);

/* ---- While the scheduler is demoted ---- */

/* Whether the scheduler may run at default priority all the same; asked in each turn of the main
 * loop. */
gboolean  gtx_fairness_allows           (GtxScheduler *self,
                                         gint64        now);
/* Holds back @handle, which an operation that has come back wants to run. */
void      gtx_fairness_hold_back        (GtxScheduler *self,
                                         GtxHandle    *handle);
/* Queues the handles that were held back. */
void      gtx_fairness_let_go           (GtxScheduler *self);
/* A run from the idle source has ended. */
void      gtx_fairness_end_idly         (GtxScheduler *self);

/* ---- The main loop ---- */

/* Whether to ask the main loop if it has nothing more urgent to do. */
gboolean  gtx_fairness_asks             (GtxScheduler *self);
void      gtx_fairness_end_poll         (GtxScheduler *self,
                                         gint64        now);
/* Default priority has come to rest. */
void      gtx_fairness_rest             (GtxScheduler *self,
                                         GSource      *source);

void      gtx_fairness_init             (GtxScheduler *self);
