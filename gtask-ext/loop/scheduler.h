/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scheduler of a GMainContext: what is ready runs in rounds, as in
 * asyncio's event loop, from a GSource. */

#pragma once

#include "fiber/fiber.h"
#include "loop/timers.h"

typedef struct _GtxScheduler GtxScheduler;

/* The scheduler of the code that runs: the one that runs it, else that of the
 * thread-default main context.  Borrowed; made on first use. */
GtxScheduler *gtx_scheduler_get         (void);
GtxScheduler *gtx_scheduler_for_context (GMainContext *context);

GtxScheduler *gtx_scheduler_ref         (GtxScheduler *self);
void          gtx_scheduler_unref       (GtxScheduler *self);

/* Whether it runs something at this moment, be it below a nested loop; for
 * who has acquired the context. */
gboolean      gtx_scheduler_is_running  (GtxScheduler *self);
/* Whether its fibers are those of another thread. */
gboolean      gtx_scheduler_is_others   (GtxScheduler *self);
/* Whether this is the child of a fork (), in which the tasks are the parent's. */
gboolean      gtx_scheduler_is_parents  (GtxScheduler *self);

/* Of the scheduler's own thread only, in what it runs or during a visit: */

/* What a GtxStep runs. */
void          gtx_scheduler_resume      (GtxHandle     *handle);
/* Suspends the fiber that runs until its step runs again.  Main contexts that it has
 * pushed as thread-default are popped meanwhile. */
void          gtx_scheduler_suspend     (GtxFiber      *fiber);
/* Whether that is what the fiber that runs has pushed last. */
gboolean      gtx_scheduler_is_pushed   (GMainContext  *context);
/* Pops what the fiber that runs has pushed, for gtx_pushed_put_back (); NULL: nothing. */
GSList       *gtx_scheduler_take_off_pushed (void);
/* The same for good, where a fiber or a callback ends: a g_critical () says that it was to
 * pop it itself. */
void          gtx_scheduler_let_go_of_pushed (void);
/* For a fiber that has ended: the one to go straight on to, or NULL. */
GtxFiber     *gtx_scheduler_take_next   (void);
/* Runs in the next round. */
void          gtx_scheduler_call_soon   (GtxScheduler  *self,
                                         GtxHandle     *handle);
void          gtx_scheduler_call_all_soon (GtxScheduler  *self,
                                           GtxHandleList *handles);
/* For callbacks of the main loop: runs what is ready, and then @handle, before
 * it returns, unless that is the main loop's turn to decide. */
void          gtx_scheduler_call_now    (GtxScheduler  *self,
                                         GtxHandle     *handle);
/* The same for several; whether that was all, and there was time left. */
gboolean      gtx_scheduler_call_all_now (GtxScheduler  *self,
                                          GtxHandleList *handles);
/* For who would go on without suspending: whether the time of the run, in which it is, is over. */
gboolean      gtx_scheduler_is_over     (GtxScheduler  *self);
/* Microseconds of the scheduler's clock, fresh. */
gint64        gtx_scheduler_get_time    (GtxScheduler  *self);
/* At GTX_NEVER nothing is armed. */
#define GTX_NEVER G_MAXINT64
void          gtx_scheduler_call_at     (GtxScheduler  *self,
                                         GtxTimer      *timer,
                                         gint64         time);
void          gtx_scheduler_cancel_timer (GtxScheduler  *self,
                                         GtxTimer      *timer);
/* Whether something is ready, or on its way from another thread. */
gboolean      gtx_scheduler_has_work    (GtxScheduler  *self);
/* Finishes the round and leaves the rest for later. */
void          gtx_scheduler_stop        (GtxScheduler  *self);
gboolean      gtx_scheduler_is_stopping (GtxScheduler  *self);

/* While something is awaited that is neither a timer nor a task (an operation
 * of GIO, a thread, a descriptor), virtual time stands still. */
void          gtx_scheduler_hold        (GtxScheduler  *self);
void          gtx_scheduler_release     (GtxScheduler  *self);
/* The same for who knows that it may take long. */
void          gtx_scheduler_hold_on_purpose    (GtxScheduler *self);
void          gtx_scheduler_release_on_purpose (GtxScheduler *self);
gboolean      gtx_scheduler_is_held_on_purpose (GtxScheduler *self);
/* While something is awaited that whatever else runs in the main loop, or another thread,
 * may bring (a signal of an object, a future that anybody may set), virtual time does not
 * jump past what the main loop has to do by then. */
void          gtx_scheduler_open        (GtxScheduler  *self);
void          gtx_scheduler_close       (GtxScheduler  *self);
/* While the system is to bring something (a Unix signal), it does not jump at all, and passes
 * as real time does. */
void          gtx_scheduler_open_to_system    (GtxScheduler *self);
void          gtx_scheduler_close_to_system   (GtxScheduler *self);

typedef enum
{
  GTX_DEADLOCK,                 /* there is no timer, and no source of others waits for anything */
  GTX_DEADLOCK_AGAIN,           /* the same a turn later, and nothing has run in between */
  GTX_DEADLOCK_FOR_SECONDS,     /* and nothing has happened since that was told */
  GTX_STANDSTILL_FOR_SECONDS    /* nothing has happened while time stands still, and not on purpose */
} GtxStuck;

/* Virtual time starts at 0 and jumps to the next timer when the main loop has
 * nothing to do; @stuck is called where it does not go on.  Of a deadlock it returns TRUE if no
 * other thread is there that may end it.  One may have ended just now, and have left something
 * that is seen in the next turn: it is asked again then, and for good if nothing is. */
typedef gboolean (*GtxStuckFunc) (gpointer data,
                                  GtxStuck how);
void          gtx_scheduler_set_virtual (GtxScheduler    *self,
                                         GtxStuckFunc     stuck,
                                         gpointer         data);
void          gtx_scheduler_set_real    (GtxScheduler    *self);

/* Of any thread: @func runs in the scheduler's thread, in a round.  FALSE
 * where the context is gone; then nothing happens. */
typedef void (*GtxPostFunc) (gpointer data);
gboolean      gtx_scheduler_post        (GtxScheduler  *self,
                                         GtxPostFunc    func,
                                         gpointer       data);
/* The same for who has a reference of its context, which goes with the message: takes half
 * the time. */
gboolean      gtx_scheduler_post_near   (GtxScheduler  *self,
                                         GMainContext  *context,
                                         GtxPostFunc    func,
                                         gpointer       data);

/* Runs @handle when the main context goes: nothing is dispatched after that,
 * what the handle queues is still run, and then no thread is the scheduler's. */
void          gtx_scheduler_call_at_end (GtxScheduler *self,
                                         GtxHandle    *handle);
/* Calls @func for each such handle that would run @run, as they came. */
void          gtx_scheduler_foreach_at_end (GtxScheduler  *self,
                                            void         (*run) (GtxHandle *handle),
                                            void         (*func) (GtxHandle *handle,
                                                                  gpointer   data),
                                            gpointer       data);
/* What other threads posted so far happens now. */
void          gtx_scheduler_run_messages (GtxScheduler *self);
/* Whether one of them runs: what it does nobody has done who asked for it. */
gboolean      gtx_scheduler_runs_messages (GtxScheduler *self);
/* Whether one of them has asked for those behind it, one of which runs. */
gboolean      gtx_scheduler_is_asked_for_messages (GtxScheduler *self);

/* What stands on the scheduler keeps one thing of its own with it. */
void          gtx_scheduler_set_extension (GtxScheduler   *self,
                                           gpointer        extension,
                                           GDestroyNotify  destroy);

/* ---- Whose thread ---- */

typedef enum
{
  GTX_ELSEWHERE,
  GTX_HERE,
  GTX_VISITING
} GtxVisit;

GtxVisit      gtx_scheduler_enter_slowly (GtxScheduler *self);
void          gtx_scheduler_end_visit    (GtxScheduler *self);

/* The same for what cannot be posted: says that the thread is, or is about to be,
 * the one which runs the context.  Waits for another's visit; where the scheduler is
 * another thread's a g_critical () names @function. */
GtxVisit      gtx_scheduler_enter_home   (GtxScheduler *self,
                                          const char   *function);

/* Whether no thread has its context, be it that it is gone. */
gboolean      gtx_scheduler_is_abandoned (GtxScheduler *self);

/* ---- What each task asks, inlined ---- */

/* A scheduler begins so. */
typedef struct
{
  gsize owner;                  /* the number of the thread; 0: none at this moment */
  GMainContext *context;        /* not owned; NULL when it is gone */
  GtxStackPool *stacks;
  gpointer extension;
} GtxSchedulerBase;

/* Threads are told by numbers, which no later thread gets again. */
extern __thread gsize gtx_this_thread G_GNUC_INTERNAL;

/* Whether it is the calling thread's, which runs it or has fibers of it, and
 * stays so meanwhile. */
static inline gboolean
gtx_scheduler_is_local (GtxScheduler *self)
{
  return __atomic_load_n (&((GtxSchedulerBase *) self)->owner, __ATOMIC_RELAXED) == gtx_this_thread;
}

/* Begins a visit: what is in between, which may be anything, is as if the
 * scheduler ran it, and no other thread has it.  GTX_ELSEWHERE where it is, or may
 * be, another thread's; then there is no visit, and things are to be posted. */
static inline GtxVisit
gtx_scheduler_enter (GtxScheduler *self)
{
  return G_LIKELY (gtx_scheduler_is_local (self)) ? GTX_HERE : gtx_scheduler_enter_slowly (self);
}

static inline void
gtx_scheduler_leave (GtxScheduler *self,
                     GtxVisit      visit)
{
  if (G_UNLIKELY (visit == GTX_VISITING))
    gtx_scheduler_end_visit (self);
}

/* Borrowed; NULL when it is gone. */
static inline GMainContext *
gtx_scheduler_get_context (GtxScheduler *self)
{
  return __atomic_load_n (&((GtxSchedulerBase *) self)->context, __ATOMIC_RELAXED);
}

static inline GtxStackPool *
gtx_scheduler_get_stacks (GtxScheduler *self)
{
  return ((GtxSchedulerBase *) self)->stacks;
}

static inline gpointer
gtx_scheduler_get_extension (GtxScheduler *self)
{
  return ((GtxSchedulerBase *) self)->extension;
}
