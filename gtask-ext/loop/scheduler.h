/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scheduler of a GMainContext: what is ready runs in rounds, as in
 * asyncio's event loop, from a GSource. */

#pragma once

#include "fiber/fiber.h"
#include "loop/timers.h"

typedef struct _GtxScheduler GtxScheduler;

/* Returns the scheduler that runs the calling code, or else that of the thread-default main
 * context.  Borrowed; made on first use. */
GtxScheduler *gtx_scheduler_get         (void);
GtxScheduler *gtx_scheduler_for_context (GMainContext *context);

GtxScheduler *gtx_scheduler_ref         (GtxScheduler *self);
void          gtx_scheduler_unref       (GtxScheduler *self);

/* Whether the scheduler runs a handle at this moment, be it below a nested main loop.  For a caller
 * that has acquired the context. */
gboolean      gtx_scheduler_is_running  (GtxScheduler *self);
/* Whether the scheduler, and with it its fibers, is another thread's. */
gboolean      gtx_scheduler_is_others   (GtxScheduler *self);
/* Whether this is the child of a fork (), in which the tasks are the parent's. */
gboolean      gtx_scheduler_is_parents  (GtxScheduler *self);

/* Whether this is the thread that called main (), or the only one in the child of a fork (). */
gboolean      gtx_is_main_thread        (void);

/* The functions from here on are for the scheduler's own thread only, in a handle that it runs or
 * during a visit: */

/* The run () of a GtxStep's handle. */
void          gtx_scheduler_resume      (GtxHandle     *handle);
/* Begins @step at once, inside this call, which returns when the fiber of @step suspends first or has
 * ended.  May be called in a fiber, too, which does not suspend.  If no fiber can be made, queues @step
 * for the next round. */
void          gtx_scheduler_begin_eagerly (GtxScheduler *self,
                                           GtxStep      *step);
/* Suspends @fiber, which runs, until its step runs again.  Main contexts that it has pushed as
 * thread-default are popped meanwhile. */
void          gtx_scheduler_suspend     (GtxFiber      *fiber);
/* Whether @context is what the fiber that runs has pushed last. */
gboolean      gtx_scheduler_is_pushed   (GMainContext  *context);
/* Pops the main contexts that the fiber that runs has pushed, for gtx_pushed_put_back ().  NULL:
 * none. */
GSList       *gtx_scheduler_take_off_pushed (void);
/* When a fiber or a callback ends: pops for good what it has pushed, and says with a g_critical ()
 * that it should have popped that itself. */
void          gtx_scheduler_let_go_of_pushed (void);
/* For a fiber that has ended: takes and returns the fiber to switch straight to, or NULL. */
GtxFiber     *gtx_scheduler_take_next   (void);
/* Queue @handle, or all @handles, for the next round. */
void          gtx_scheduler_call_soon   (GtxScheduler  *self,
                                         GtxHandle     *handle);
void          gtx_scheduler_call_all_soon (GtxScheduler  *self,
                                           GtxHandleList *handles);
/* For callbacks of the main loop: runs what is ready, and then @handle, before it returns.  While
 * the scheduler is demoted or runs already, @handle runs later. */
void          gtx_scheduler_call_now    (GtxScheduler  *self,
                                         GtxHandle     *handle);
/* Does as gtx_scheduler_call_now () for several handles.  Returns whether all have run, and there
 * was time left. */
gboolean      gtx_scheduler_call_all_now (GtxScheduler  *self,
                                          GtxHandleList *handles);
/* For a task that would go on without suspending: whether the time of the run, in which the task
 * is, is over. */
gboolean      gtx_scheduler_is_over     (GtxScheduler  *self);
/* Reads the scheduler's clock, in microseconds. */
gint64        gtx_scheduler_get_time    (GtxScheduler  *self);
/* A timer at GTX_NEVER is not armed. */
#define GTX_NEVER G_MAXINT64
void          gtx_scheduler_call_at     (GtxScheduler  *self,
                                         GtxTimer      *timer,
                                         gint64         time);
void          gtx_scheduler_cancel_timer (GtxScheduler  *self,
                                         GtxTimer      *timer);
/* Whether a handle is ready or held back, or a message from another thread is there. */
gboolean      gtx_scheduler_has_work    (GtxScheduler  *self);
/* Whether the scheduler would run something now, that is, also a timer that is due. */
gboolean      gtx_scheduler_is_due      (GtxScheduler  *self);
/* Calls @func in the scheduler's thread, outside of its rounds, once *@flag is not 0, and after that no
 * more.  A signal handler may set the flag, and then wakes the main context.  NULL: ends this. */
void          gtx_scheduler_watch_flag  (GtxScheduler  *self,
                                         const gint    *flag,
                                         void         (*func) (gpointer data),
                                         gpointer       data);
/* Between these two calls another thread may soon post a message: before it sleeps, the main loop looks for
 * it for a moment, as waking it takes longer. */
void          gtx_scheduler_expect      (GtxScheduler  *self);
void          gtx_scheduler_expect_less (GtxScheduler  *self);
/* Has the run finish its round, and leave what is ready then for later. */
void          gtx_scheduler_stop        (GtxScheduler  *self);
gboolean      gtx_scheduler_is_stopping (GtxScheduler  *self);

/* While a task waits for something that is neither a timer nor a task (an operation of GIO, a
 * thread, a descriptor), virtual time is held: it stands still. */
void          gtx_scheduler_hold        (GtxScheduler  *self);
void          gtx_scheduler_release     (GtxScheduler  *self);
/* Hold virtual time for a caller that knows that it may take long, so that no standstill is
 * reported. */
void          gtx_scheduler_hold_on_purpose    (GtxScheduler *self);
void          gtx_scheduler_release_on_purpose (GtxScheduler *self);
gboolean      gtx_scheduler_is_held_on_purpose (GtxScheduler *self);
/* While a task waits for something that another source of the main loop, or another thread, may
 * bring (a signal of an object, a future that anybody may set), virtual time does not jump past the
 * time at which the next of these sources is due. */
void          gtx_scheduler_open        (GtxScheduler  *self);
void          gtx_scheduler_close       (GtxScheduler  *self);
/* While a task waits for the system (a Unix signal), virtual time does not jump at all, and passes
 * as real time does. */
void          gtx_scheduler_open_to_system    (GtxScheduler *self);
void          gtx_scheduler_close_to_system   (GtxScheduler *self);

typedef enum
{
  GTX_DEADLOCK,                 /* there is no timer, and no other source waits for anything */
  GTX_DEADLOCK_AGAIN,           /* a deadlock still, a turn later, and nothing has run in between */
  GTX_DEADLOCK_FOR_SECONDS,     /* nothing has happened for seconds since a deadlock was told */
  GTX_STANDSTILL_FOR_SECONDS    /* nothing has happened for seconds while virtual time is held, and not on
                                 * purpose */
} GtxStuck;

/* Virtual time starts at 0 and jumps to the next timer when the main loop has nothing to do; @stuck
 * is called when it does not go on.  For a deadlock @stuck returns TRUE if there is no other thread
 * that may end it.  Such a thread may have ended just now, and have left work that is seen in the
 * next turn: if nothing runs in that turn, @stuck is called with GTX_DEADLOCK_AGAIN. */
typedef gboolean (*GtxStuckFunc) (gpointer data,
                                  GtxStuck how);
void          gtx_scheduler_set_virtual (GtxScheduler    *self,
                                         GtxStuckFunc     stuck,
                                         gpointer         data);
void          gtx_scheduler_set_real    (GtxScheduler    *self);

/* For any thread: @func runs in the scheduler's thread, in a round.  FALSE if the context is gone;
 * then @func does not run. */
typedef void (*GtxPostFunc) (gpointer data);
gboolean      gtx_scheduler_post        (GtxScheduler  *self,
                                         GtxPostFunc    func,
                                         gpointer       data);
/* Does as gtx_scheduler_post (), for a caller that has a reference of the scheduler's context,
 * which goes with the message: takes half the time. */
gboolean      gtx_scheduler_post_near   (GtxScheduler  *self,
                                         GMainContext  *context,
                                         GtxPostFunc    func,
                                         gpointer       data);

/* Runs @handle when the main context goes.  Nothing is dispatched after that, but what the handle
 * queues still runs; then no thread owns the scheduler any more. */
void          gtx_scheduler_call_at_end (GtxScheduler *self,
                                         GtxHandle    *handle);
/* Calls @func for each handle of gtx_scheduler_call_at_end () that would run @run, in their order. */
void          gtx_scheduler_foreach_at_end (GtxScheduler  *self,
                                            void         (*run) (GtxHandle *handle),
                                            void         (*func) (GtxHandle *handle,
                                                                  gpointer   data),
                                            gpointer       data);
/* Runs the messages that other threads have posted so far. */
void          gtx_scheduler_run_messages (GtxScheduler *self);
/* The same, and refuses messages and onlookers from now on, for a thread that runs the context for the last
 * time. */
void          gtx_scheduler_end_messages (GtxScheduler *self);
/* Whether a message runs: then the code that runs was asked for by another thread, and not by the
 * current task.  A fiber that a message has begun eagerly does not count as the message. */
gboolean      gtx_scheduler_runs_messages (GtxScheduler *self);
/* Whether a message runs inside another one, which has called gtx_scheduler_run_messages () or run
 * a main loop. */
gboolean      gtx_scheduler_is_asked_for_messages (GtxScheduler *self);

/* Keeps a pointer with the scheduler for the code that is built on it. */
void          gtx_scheduler_set_extension (GtxScheduler   *self,
                                           gpointer        extension,
                                           GDestroyNotify  destroy);

/* ---- The scheduler's thread ---- */

typedef enum
{
  GTX_ELSEWHERE,
  GTX_HERE,
  GTX_VISITING
} GtxVisit;

GtxVisit      gtx_scheduler_enter_slowly (GtxScheduler *self);
void          gtx_scheduler_end_visit    (GtxScheduler *self);

/* Begins a visit as gtx_scheduler_enter () does, for a call that cannot be posted.  The caller says
 * that its thread runs the context, or is about to.  Waits for another thread's visit to end.  If
 * the scheduler is another thread's, a g_critical () names @function. */
GtxVisit      gtx_scheduler_enter_home   (GtxScheduler *self,
                                          const char   *function);
/* Whether the scheduler is another thread's; a g_critical () then names @function. */
gboolean      gtx_scheduler_is_foreign   (GtxScheduler *self,
                                          const char   *function);

/* Whether the last thread that was known to have the scheduler's context has ended. */
gboolean      gtx_scheduler_has_lost_thread (GtxScheduler *self);
/* Whether no thread runs the scheduler, as far as it knows: it has no tasks, and its context is gone,
 * or the thread that ran it last has ended, or has called gtx_scheduler_leave_for_now () and has run
 * nothing since. */
gboolean      gtx_scheduler_is_abandoned (GtxScheduler *self);
/* For the scheduler's thread, at the end of a run of the main loop. */
void          gtx_scheduler_leave_for_now (GtxScheduler *self);

/* ---- What each task needs, inlined ---- */

/* The first fields of a scheduler. */
typedef struct
{
  gsize owner;                  /* number of the thread that owns the scheduler; 0: none at this moment */
  GMainContext *context;        /* not owned; NULL when it is gone */
  GtxStackPool *stacks;
  gpointer extension;
} GtxSchedulerBase;

/* The number of the calling thread, which no later thread gets again. */
extern __thread gsize gtx_this_thread G_GNUC_INTERNAL;

/* Whether the calling thread owns the scheduler, since it runs it or has fibers of it.  This does
 * not change while the caller runs. */
static inline gboolean
gtx_scheduler_is_local (GtxScheduler *self)
{
  return __atomic_load_n (&((GtxSchedulerBase *) self)->owner, __ATOMIC_RELAXED) == gtx_this_thread;
}

/* Begins a visit, until gtx_scheduler_leave ().  Code in between may do anything, as if the
 * scheduler ran it, and no other thread has the scheduler.  GTX_ELSEWHERE if the scheduler is, or
 * may be, another thread's: then there is no visit, and the caller is to post a message. */
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

/* Returns the main context, borrowed; NULL when it is gone. */
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
