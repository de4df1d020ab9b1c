/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A scheduler from inside: what its parts share. */

#pragma once

#include "loop/fairness.h"
#include "loop/onlookers.h"

typedef struct _GtxMessage GtxMessage;
typedef struct _GtxPoller GtxPoller;

/* Invariants:
 * - All fields but the messages are touched by one thread at a time: by the owner, which runs the
 *   scheduler or has fibers of it; without an owner, by the thread that dispatches the context, in
 *   the callbacks of the sources; else by a visitor.
 * - The dispatcher is the last thread that was known to have the context.  It changes under the
 *   mutex, while no other thread owns or visits the scheduler, and to a thread that has acquired
 *   the context.  While that thread keeps the context, no other thread visits, and the sources need
 *   no lock to find out.
 * - The marker is in the ready list exactly while a round is being run, be it by this dispatch, one
 *   below or one above it: the handles before the marker belong to the round.
 * - Nobody takes the mutex of another scheduler while the mutex of one is locked, but fork () does.
 * - A timer is in the heap or its handle is in the ready list, never both.
 * - A handle that is appended while the main loop polls wakes the main loop. */
struct _GtxScheduler
{
  GtxSchedulerBase base;
  gint ref_count;
  gboolean complained;
  GtxHandle link;               /* in all_schedulers, where a debugger finds it */
  GMainContext *thread_default; /* its context as g_main_context_get_thread_default () returns it */
  GDestroyNotify destroy_extension;

  /* Whose thread */
  gsize dispatcher;             /* number of the thread; 0: none has dispatched yet; NO_THREAD: it has ended */
  gsize visitor;                /* number of the thread that visits */
  guint n_visits;
  guint n_waiting;              /* threads that wait for visits to end */
  gboolean is_wanted;           /* a thread that wanted to dispatch was put off */
  gint is_left;                 /* atomic; the dispatcher's run has ended, and it has run nothing since */
  GCond visits_ended;

  /* Messages */
  GMutex mutex;                 /* protects messages, onlookers, visits, and the end of the context */
  gboolean closed;              /* nobody takes messages any more */
  GtxMessage *first_message;
  GtxMessage **last_message;
  GSource *waker;               /* wakes the context when its ready time comes nearer */
  gint64 waker_time;            /* its ready time, which is never reached */
  GtxMessage *taken;            /* the owner's: messages behind the one that runs */
  GtxMessage **last_taken;
  const gint *flag;             /* see gtx_scheduler_watch_flag (); NULL: none */
  void (*flag_func) (gpointer data);
  gpointer flag_data;
  guint n_expected;             /* see gtx_scheduler_expect () */
  guint n_left_out;             /* looks to leave out, since the last ones have found nothing */
  guint n_to_leave_out;         /* after the next look that finds nothing */
  guint n_asking;               /* calls of gtx_scheduler_run_messages (), one inside the other */
  guint n_asking_outside;       /* of these, those outside of the innermost eager fiber that runs */
  GtxHandleList onlookers;      /* GtxOnlooker.link */

  /* Rounds */
  GtxHandleList ready;
  GtxHandle marker;
  GtxHandleList at_end;         /* handles to run when the context goes */
  GtxTimers timers;
  GSource *trimmer;
  guint running;                /* dispatches on the stack, and calls that run eager fibers */
  guint holds;
  guint n_on_purpose;           /* of these, those that are held on purpose */
  gboolean polling;             /* the main loop may wait: it was told that nothing is ready */
  gboolean stopping;
  gboolean stopped;             /* the last run has stopped */
  gint64 now;                   /* the time as last read */
  gint64 until;                 /* the end of the innermost run, in real time */
  gint64 last_read;
  gint64 exact_until;           /* the last deadline of a short wait */
  guint entries_a_read;
  guint entries_left;

  /* Sources */
  GSource *urgent;              /* at default priority */
  GSource *alarm;               /* ends the poll for a short wait; NULL: not set */
  gint64 alarm_time;
  GtxFairness fairness;

  GtxPoller *poller;            /* NULL: nobody has waited for a descriptor */

  /* Virtual time */
  GSource *jumper;              /* NULL in real time */
  gint64 virtual_now;
  gint64 passes_since;          /* since when virtual time passes as real time does; 0: it does not */
  guint n_open;                 /* waits that anybody may end, see gtx_scheduler_open () */
  guint n_real;                 /* waits in which virtual time does not jump */
  enum
  {
    GTX_NOT_STUCK,
    GTX_STUCK,                  /* as far as is known, nothing is left to happen, or nothing happens */
    GTX_STUCK_TOLD
  } stuck;
  gint64 stuck_since;
  guint alone_for;              /* turns of the main loop, including this one, since a deadlock that no
                                 * other thread may end; 0: none */
  GSource *turn_counter;
  GtxStuckFunc tell_stuck;
  gpointer stuck_data;
};

/* What this thread's innermost run has set, or the innermost call that runs an eager fiber. */
typedef struct
{
  GtxScheduler *scheduler;      /* NULL: nothing runs */
  gint depth;                   /* of main loops */
  GMainContext *thread_default; /* the thread-default context when the run began */
} GtxRunning;

extern __thread GtxRunning gtx_running G_GNUC_INTERNAL;

/* ---- scheduler.c: the scheduler's thread ---- */

/* Whether the calling thread is the dispatcher. */
static inline gboolean
gtx_scheduler_is_dispatched_here (GtxScheduler *self)
{
  return __atomic_load_n (&self->dispatcher, __ATOMIC_RELAXED) == gtx_this_thread;
}

gboolean  gtx_scheduler_take          (GtxScheduler *self);

/* For the sources: whether the calling thread, which has acquired the context, may run tasks.
 * Makes it the dispatcher if no other thread owns or visits the scheduler. */
static inline gboolean
gtx_scheduler_may_dispatch (GtxScheduler *self)
{
  return G_LIKELY (gtx_scheduler_is_dispatched_here (self)) || gtx_scheduler_take (self);
}

/* To be called when a run begins, and as the last use of the scheduler when it has ended. */
void      gtx_scheduler_own           (GtxScheduler *self);
void      gtx_scheduler_disown        (GtxScheduler *self);
/* When the context goes, its last thread takes over the scheduler, and then lets go of it: no
 * thread owns it any more. */
void      gtx_scheduler_take_over     (GtxScheduler *self);
void      gtx_scheduler_let_go        (GtxScheduler *self);
void      gtx_scheduler_forget_context (GtxScheduler *self);

/* ---- messages.c ---- */

static inline gboolean
gtx_scheduler_has_messages (GtxScheduler *self)
{
  return self->taken || __atomic_load_n (&self->first_message, __ATOMIC_RELAXED) != NULL;
}

/* Whether the flag that is watched was set. */
static inline gboolean
gtx_scheduler_is_flagged (GtxScheduler *self)
{
  return G_UNLIKELY (self->flag != NULL) && G_UNLIKELY (__atomic_load_n (self->flag, __ATOMIC_SEQ_CST) != 0);
}

/* Calls the function for a flag that was set. */
void      gtx_scheduler_heed_flag     (GtxScheduler *self);

/* Looks for a message that is expected.  Returns whether there is one. */
gboolean  gtx_scheduler_look_for_message (GtxScheduler *self);

/* Refuses messages from now on, unless there are some left.  Returns whether it does. */
gboolean  gtx_scheduler_close_messages (GtxScheduler *self);

/* ---- onlookers.c ---- */

/* When the context goes: tells all that are left. */
void      gtx_scheduler_tell_onlookers (GtxScheduler *self);

/* ---- rounds.c ---- */

void      gtx_scheduler_queue_due_timers (GtxScheduler *self);

/* Runs what is ready, for at most @budget microseconds since @start.  Returns how many it took, as
 * far as the clock was read.  Timers that were due at @start are due. */
gint64    gtx_scheduler_run           (GtxScheduler *self,
                                       gint64        start,
                                       gint64        budget);

/* ---- poller.c ---- */

void      gtx_poller_free             (GtxPoller    *self);
/* Whether the poller has a descriptor for the main loop to poll. */
gboolean  gtx_poller_is_polled        (const GtxPoller *self);
/* For the child of a fork (): the poller begins anew when it is used again.  @is_others: another
 * thread may have been in the middle of a change to the poller. */
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
/* Makes a source as gtx_scheduler_source_new () does, and attaches it.  @where: set to the source,
 * or NULL. */
void      gtx_scheduler_attach_source (GtxScheduler  *self,
                                       GSource      **where,
                                       GSourceFuncs  *funcs,
                                       gint           priority,
                                       const char    *name);
void      gtx_scheduler_attach_sources (GtxScheduler *self);
