/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/future.h"

#include "task/pins.h"
#include "loop/onlookers.h"

/* Invariants:
 * - The state goes once from pending to finished or cancelled (by way of settling,
 *   if another thread may settle the future).  Result and error are written
 *   before, and belong to the future afterwards; the error of a cancelled future
 *   is made when it is first asked for, unless there is a reason to tell.
 * - A result that is taken stays in its field, but belongs to the code that took it.
 * - The callbacks are touched in the home thread only, and empty once the
 *   future is done and its home has seen it.
 * - The state has GTX_FUTURE_LOOKED_ON before there is an onlooker.  So the thread that settles the
 *   future knows of it, although a lock is taken only then: whoever adds an onlooker looks at the
 *   state after that, and finds the future done, or the other thread finds the onlooker.
 * - The future lives while an onlooker that needs it is told: a task that awaits it has a reference,
 *   and the thread that settles it takes one before it stores the state. */
typedef enum
{
  GTX_FUTURE_PENDING,
  GTX_FUTURE_SETTLING,
  GTX_FUTURE_FINISHED,
  GTX_FUTURE_CANCELLED
} GtxFutureState;

/* Bits of the state: the GtxFutureState, and the bit of futures that had an onlooker. */
#define GTX_FUTURE_STATES 3
#define GTX_FUTURE_LOOKED_ON 4

struct _GtxFuture
{
  GObject parent_instance;
  GtxScheduler *home;
  GtxPins pins;
  GtxHandleList callbacks;      /* queued when it is done */
  GHashTable *callback_table;   /* of the done callbacks by function and data; NULL: none was needed */
  gpointer result;
  GDestroyNotify result_free;
  GError *error;
  GtxOnlooker *onlookers;       /* see loop/onlookers.h */
  guint mark;                   /* used by many/watch.c to count futures without repeats */
  gint state;                   /* GtxFutureState, and GTX_FUTURE_LOOKED_ON */
  gint is_watched;              /* a done callback was added, or another thread was asked to cancel it */
  gint error_is_no_news;        /* the error was retrieved, or is expected to go unretrieved */
  gint is_taken;                /* the result, which is not NULL, was taken */
  gint n_on_the_way;            /* callbacks that other threads added, and that have not arrived */
};

typedef struct
{
  GObjectClass parent_class;
  /* Called in the home thread. */
  gboolean (*cancel) (GtxFuture *self);
  /* Returns the future of the same home that @self waits for, if a request to @self is passed on to
   * it; or NULL.  Called in the home thread.  NULL: @self never waits for any. */
  GtxFuture *(*get_awaited) (GtxFuture *self);
  /* Whether the result keeps the main context of the home.  A message that keeps the future must not be
   * left in that main context when nobody runs it any more: both would stay for ever. */
  gboolean result_keeps_context;
} GtxFutureClass;

/* The class of tasks, once there is one; it has no subclasses. */
extern gpointer gtx_task_class G_GNUC_INTERNAL;

static inline gboolean
gtx_future_is_task (const GtxFuture *self)
{
  return ((const GTypeInstance *) self)->g_class == __atomic_load_n (&gtx_task_class, __ATOMIC_RELAXED);
}

static inline const GtxFutureClass *
gtx_future_class (const GtxFuture *self)
{
  return (const GtxFutureClass *) ((const GTypeInstance *) self)->g_class;
}

/* Whether any code may settle @self, or what @self waits for, at any time. */
static inline gboolean
gtx_future_is_open (const GtxFuture *self)
{
  return !gtx_future_is_task (self) &&
         (G_TYPE_FROM_INSTANCE (self) == GTX_TYPE_FUTURE || gtx_future_class (self)->get_awaited);
}

static inline GtxFutureState
gtx_future_state (GtxFuture *self)
{
  return (GtxFutureState) (__atomic_load_n (&self->state, __ATOMIC_ACQUIRE) & GTX_FUTURE_STATES);
}

static inline gboolean
gtx_future_done (GtxFuture *self)
{
  return (__atomic_load_n (&self->state, __ATOMIC_ACQUIRE) & GTX_FUTURE_FINISHED) != 0;
}

/* Gives another home to a future that was not started, and that no other code has. */
static inline void
gtx_future_set_home (GtxFuture    *self,
                     GtxScheduler *home)
{
  if (home == self->home)
    return;
  gtx_scheduler_unref (self->home);
  self->home = gtx_scheduler_ref (home);
}

/* Closes a future that is being freed, so that functions that free its data cannot settle it. */
static inline void
gtx_future_close (GtxFuture *self)
{
  if (gtx_future_state (self) == GTX_FUTURE_PENDING)
    __atomic_fetch_or (&self->state, GTX_FUTURE_SETTLING, __ATOMIC_RELAXED);
}

/* Prevents the warning of an error that nobody retrieves, which @self has or may get. */
static inline void
gtx_future_forgive_error (GtxFuture *self)
{
  __atomic_store_n (&self->error_is_no_news, TRUE, __ATOMIC_RELAXED);
}

/* Lets the callbacks that other threads have added arrive.  To be called in the home thread; may
 * run functions that free data. */
static inline void
gtx_future_fetch_callbacks (GtxFuture *self)
{
  if (g_atomic_int_get (&self->n_on_the_way) > 0)
    gtx_scheduler_run_messages (self->home);
}

/* Has @onlooker told, in any thread, when @self is done, or never will be, since its main context is
 * gone.  FALSE if it is done, or its main context will not be run any more: @onlooker is not told.  If
 * @self is freed, @onlooker is told, too.  @self keeps its home from now on. */
gboolean gtx_future_look_on         (GtxFuture      *self,
                                     GtxOnlooker    *onlooker);

/* Whether @object is a future; else a g_critical names @function. */
gboolean gtx_future_check           (gconstpointer  object,
                                     const char    *function);

/* Settle @self, a task in the home thread, other futures in any: FALSE if it was
 * done already (nothing is taken then). */
gboolean gtx_future_finish          (GtxFuture      *self,
                                     gpointer        result,
                                     GDestroyNotify  result_free,
                                     GError         *error);
gboolean gtx_future_finish_cancelled (GtxFuture     *self);
/* The same with the error that tells the reason; NULL: there is no reason.  Takes @error in any case. */
gboolean gtx_future_finish_cancelled_for (GtxFuture *self,
                                          GError    *error);

/* The same for a request with a reason, or NULL. */
gboolean gtx_future_finish_cancelled_as_asked (GtxFuture  *self,
                                               const char *reason);

/* Settles @self, if it is not done, with an error that nobody is warned of: a caller that holds the
 * future asks for the error, and one that has dropped it need not know.  Takes @error. */
void     gtx_future_fail_quietly    (GtxFuture      *self,
                                     GError         *error);

/* The same as gtx_future_finish_cancelled () for a future whose main context is gone, tasks
 * included; in any thread. */
gboolean gtx_future_finish_homeless (GtxFuture      *self);

/* Settles @self, if it is not done, in the same way as @other, which is done.  @other keeps the result:
 * taking that of @self takes that of @other.  An error is passed on: @other's counts as retrieved. */
void     gtx_future_finish_like     (GtxFuture      *self,
                                     GtxFuture      *other);

/* Returns the outcome of @self, which is done: TRUE, or FALSE with @error set. */
gboolean gtx_future_propagate       (GtxFuture      *self,
                                     GError        **error);

/* Takes the result of @self, which has succeeded: FALSE with @error set
 * if it was taken before.  NULL can be taken any number of times. */
gboolean gtx_future_take_result     (GtxFuture      *self,
                                     gpointer       *result,
                                     GError        **error);
/* Lends the result of @self; NULL with @error set if it was taken. */
gpointer gtx_future_lend_result     (GtxFuture      *self,
                                     GError        **error);

/* Whether @self, or the future whose result it has, is of a class whose result_keeps_context. */
gboolean gtx_future_keeps_context   (GtxFuture      *self);

/* ---- future-remains.c and cancel.c ---- */

/* Frees @data of a future that is being freed, in the future's home. */
void     gtx_future_free_at_home    (GtxFuture      *self,
                                     gpointer        data,
                                     GDestroyNotify  data_free);

/* Makes a request to cancel @self; to be called in the home thread. */
gboolean gtx_future_cancel_here     (GtxFuture      *self);
/* The same with a reason, or NULL. */
gboolean gtx_future_cancel_here_for (GtxFuture      *self,
                                     const char     *reason);
/* Returns the future that takes a request to @self: @self, or what it waits for, or what that waits
 * for.  To be called in the home thread. */
GtxFuture *gtx_future_get_addressee (GtxFuture      *self);

/* For an object of the library that has lost its last reference while its home keeps one: reports the
 * mistake, and takes a reference again. */
void     gtx_future_keep_after_mistake (GtxFuture   *self);
