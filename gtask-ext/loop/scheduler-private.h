/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scheduler from inside: what its parts share. */

#pragma once

#include "loop/scheduler.h"

typedef struct _GtxMessage GtxMessage;
typedef struct _GtxPoller GtxPoller;

/* Invariants:
 * - All but the messages is touched by one thread at a time: by the owner, which
 *   runs it or has fibers of it; else by the thread that dispatches the context, in
 *   the callbacks of the sources; else by a visitor.
 * - The dispatcher is the last thread that was known to have the context.  It changes
 *   under the mutex, while there is neither another owner nor another's visit, and
 *   to a thread that has acquired the context: while that keeps it nobody else
 *   visits, and its sources need no lock to find out.
 * - The marker is in the ready list exactly while a round is being run, be it
 *   by this dispatch, one below or one above it: what is before the marker
 *   belongs to the round.
 * - A timer is in the heap or its handle is in the ready list, never both.
 * - Whatever is appended while the main loop polls wakes it. */
struct _GtxScheduler
{
  GtxSchedulerBase base;
  gint ref_count;
  gboolean complained;
  GtxHandle link;               /* in all_schedulers, where a debugger finds it */
  GMainContext *thread_default; /* its context as g_main_context_get_thread_default () tells it */
  GDestroyNotify destroy_extension;

  /* Whose thread */
  gsize dispatcher;             /* its number; 0: nobody has dispatched yet */
  gsize visitor;                /* the number of the thread whose visits those are */
  guint n_visits;
  guint n_waiting;              /* threads, for visits to end */
  gboolean is_wanted;           /* a thread that would dispatch was put off */
  GCond visits_ended;

  /* Messages */
  GMutex mutex;                 /* of these, of visits, and of context's going */
  gboolean closed;              /* nobody takes messages any more */
  GtxMessage *first_message;
  GtxMessage **last_message;
  GSource *waker;               /* wakes the context when its ready time comes nearer */
  gint64 waker_time;            /* which is never reached */
  GtxMessage *taken;            /* the owner's: what is behind the message that runs */
  GtxMessage **last_taken;
  guint n_asking;               /* who runs them, one inside the other */

  /* Rounds */
  GtxHandleList ready;
  GtxHandle marker;
  GtxHandleList at_end;         /* for when the context goes */
  GtxTimers timers;
  GSource *trimmer;
  guint running;                /* dispatches on the stack */
  guint holds;
  guint n_on_purpose;           /* of these */
  gboolean polling;             /* the main loop may wait: it was told that nothing is ready */
  gboolean stopping;
  gboolean stopped;             /* has, in the last run */
  gint64 now;                   /* as last read */
  gint64 until;                 /* real time, of the innermost run */
  gint64 last_read;
  gint64 exact_until;           /* the last deadline of a short wait */
  guint entries_a_read;
  guint entries_left;

  /* Sources, and fairness */
  GSource *urgent;              /* at default priority */
  GSource *alarm;               /* ends the poll for a short wait; NULL: is not set */
  gint64 alarm_time;
  gboolean demoted;
  gint64 charge;
  gint64 charged_since;         /* when the charge was nothing */
  gint64 last_run;              /* until when it is known to have run */
  gint64 last_ticks;            /* of the coarse clock, at a run's end */
  gboolean streaming;           /* default priority was busy since the last run */
  gint64 poll_began;            /* since then; 0: it has ended */
  gint64 polled;                /* since then, in all */
  gint64 slice;                 /* a demoted run's budget, from the idle source */
  gint64 last_asked;            /* while it is demoted */
  gint64 listened_since;        /* the end of the last run but for those meanwhile */
  guint n_turns;                /* of the main loop since then */
  gint64 silent_since;          /* and no operation has come back */
  guint n_silent_turns;
  gboolean in_doubt;            /* whether it is the tasks that keep the main loop busy */
  gint64 last_slice;
  gint64 meanwhile;             /* the budget of a run while it listens; 0: it is none */
  gint64 ran_meanwhile;
  gboolean is_left;             /* something of such a run */
  GtxHandleList held;           /* what operations brought back while it is demoted */
  guint n_held;
  guint n_excuses;              /* since default priority came to rest last */
  gint64 excused_until;         /* 0: it is not */

  GtxPoller *poller;            /* NULL: nobody has waited for a descriptor */

  /* Virtual time */
  GSource *jumper;              /* NULL in real time */
  gint64 virtual_now;
  gint64 passes_since;          /* since when it passes as real time does; 0: it does not */
  guint n_open;                 /* waits that anybody may end, see gtx_scheduler_open () */
  guint n_real;                 /* those in which time does not jump */
  enum
  {
    GTX_NOT_STUCK,
    GTX_STUCK,                  /* nothing is left to happen, as far as is known, or nothing does */
    GTX_STUCK_TOLD
  } stuck;
  gint64 stuck_since;
  guint alone_for;              /* turns of the main loop, this one among them, since a deadlock that no
                                 * other thread may end; 0: there was none */
  GSource *turn_counter;
  GtxStuckFunc tell_stuck;
  gpointer stuck_data;
};

/* What this thread's innermost run has set. */
typedef struct
{
  GtxScheduler *scheduler;      /* NULL: nothing runs */
  gint depth;                   /* of main loops */
  GMainContext *thread_default; /* when it began */
} GtxRunning;

extern __thread GtxRunning gtx_running G_GNUC_INTERNAL;

/* ---- scheduler.c: whose thread ---- */

/* Whether the calling thread dispatches, and has been told so by the next one. */
static inline gboolean
gtx_scheduler_is_dispatched_here (GtxScheduler *self)
{
  return __atomic_load_n (&self->dispatcher, __ATOMIC_RELAXED) == gtx_this_thread;
}

gboolean  gtx_scheduler_take          (GtxScheduler *self);

/* For the sources: whether the calling thread, which has the context, may run tasks;
 * takes over what nobody has. */
static inline gboolean
gtx_scheduler_may_dispatch (GtxScheduler *self)
{
  return G_LIKELY (gtx_scheduler_is_dispatched_here (self)) || gtx_scheduler_take (self);
}

/* A run begins, and has ended: the last that is done to the scheduler then. */
void      gtx_scheduler_own           (GtxScheduler *self);
void      gtx_scheduler_disown        (GtxScheduler *self);
/* The context goes: its last thread has the scheduler, and then none. */
void      gtx_scheduler_take_over     (GtxScheduler *self);
void      gtx_scheduler_let_go        (GtxScheduler *self);
void      gtx_scheduler_forget_context (GtxScheduler *self);

/* ---- messages.c ---- */

static inline gboolean
gtx_scheduler_has_messages (GtxScheduler *self)
{
  return self->taken || __atomic_load_n (&self->first_message, __ATOMIC_RELAXED) != NULL;
}

/* Takes no more of them, unless some are there. */
gboolean  gtx_scheduler_close_messages (GtxScheduler *self);

/* ---- rounds.c ---- */

void      gtx_scheduler_queue_due_timers (GtxScheduler *self);

/* Runs what is ready, for at most @budget microseconds since @start; returns how
 * many it took, as far as the clock was looked at.  Timers are due that were at
 * @start. */
gint64    gtx_scheduler_run           (GtxScheduler *self,
                                       gint64        start,
                                       gint64        budget);

/* ---- poller.c ---- */

void      gtx_poller_free             (GtxPoller    *self);
/* Whether it has a descriptor for the main loop to poll. */
gboolean  gtx_poller_is_polled        (const GtxPoller *self);
/* In the child of a fork (): it begins anew where it is used again.  @is_others: another
 * thread may have been in the middle of a change to it. */
void      gtx_poller_leave_to_parent  (GtxPoller    *self,
                                       gboolean      is_others);

/* ---- virtual-time.c ---- */

gint64    gtx_scheduler_get_virtual_time (GtxScheduler *self);

/* ---- sources.c ---- */

typedef struct
{
  GSource source;
  GtxScheduler *scheduler;
} GtxSchedulerSource;

static inline GtxScheduler *
gtx_scheduler_of (GSource *source)
{
  return ((GtxSchedulerSource *) (void *) source)->scheduler;
}

/* Between default priority and that at which GTK draws. */
#define GTX_PROBE_PRIORITY G_PRIORITY_HIGH_IDLE

GSource  *gtx_scheduler_source_new    (GtxScheduler  *self,
                                       GSourceFuncs  *funcs,
                                       gint           priority,
                                       const char    *name);
/* The same, attached; @where: set to it, or NULL. */
void      gtx_scheduler_attach_source (GtxScheduler  *self,
                                       GSource      **where,
                                       GSourceFuncs  *funcs,
                                       gint           priority,
                                       const char    *name);
void      gtx_scheduler_attach_sources (GtxScheduler *self);
