/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a scheduler shares its thread with the other sources of the main loop. */

#pragma once

#include "loop/scheduler.h"

/* fairness.c alone writes these fields, and reads most of them. */
typedef struct
{
  gboolean demoted;
  gint64 charge;
  gint64 charged_since;         /* when the charge began */
  gint64 last_run;              /* until when the scheduler is known to have run */
  gint64 last_ticks;            /* of the coarse clock, at a run's end */
  gboolean streaming;           /* default priority was busy since the last run */
  gint64 poll_began;            /* when the poll began; 0: it has ended */
  gint64 polled;                /* time in polls since the last run */
  gint64 slice;                 /* a demoted run's budget, from the idle source */
  gint64 last_asked;            /* when a demoted scheduler was asked last */
  gint64 listened_since;        /* the end of the last run, except runs while it listens */
  guint n_turns;                /* turns of the main loop since then */
  gint64 silent_since;          /* since then no operation has come back, either */
  guint n_silent_turns;
  gboolean in_doubt;            /* whether it is the tasks that keep the main loop busy */
  gint64 last_slice;
  gint64 meanwhile;             /* the budget of a run while it listens; 0: no such run */
  gint64 ran_meanwhile;
  gboolean is_left;             /* such a run has left handles to run */
  GtxHandleList held;           /* what operations brought back while it is demoted */
  guint n_held;
  guint n_excuses;              /* since default priority came to rest last */
  gint64 excused_until;         /* 0: it is not excused */
} GtxFairness;

void      gtx_fairness_init             (GtxScheduler *self);

/* ---- All runs ---- */

void      gtx_fairness_begin_run        (GtxScheduler *self);
/* Returns when the run has ended. */
gint64    gtx_fairness_end_run          (GtxScheduler *self);

/* ---- Runs that do not come from the idle source ---- */

/* For a run from the urgent source: returns the time, and charges what lies between the last run
 * and this one if default priority did not rest. */
gint64    gtx_fairness_time_of_dispatch (GtxScheduler *self);
/* For a run in the callback of another source: returns the time from which on it is charged. */
gint64    gtx_fairness_time_in_stream   (GtxScheduler *self);
/* Returns how long the run may take, in microseconds. */
gint64    gtx_fairness_budget           (GtxScheduler *self);
/* Charges the run that began at @start. */
void      gtx_fairness_charge_run       (GtxScheduler *self,
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
/* The main loop is about to poll, and has polled. */
void      gtx_fairness_begin_poll       (GtxScheduler *self);
void      gtx_fairness_end_poll         (GtxScheduler *self,
                                         gint64        now);
/* Default priority has come to rest. */
void      gtx_fairness_rest             (GtxScheduler *self,
                                         GSource      *source);
/* The main loop has nothing more urgent to do than the idle source.  Returns whether that source
 * has to run the scheduler. */
gboolean  gtx_fairness_is_idle          (GtxScheduler *self);
/* For the child of a fork ().  @is_torn: another thread may have been in the middle of a change. */
void      gtx_fairness_drop_held        (GtxScheduler *self,
                                         gboolean      is_torn);
