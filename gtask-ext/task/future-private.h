/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/future.h"

#include "task/pins.h"
#include "loop/scheduler.h"

/* Invariants:
 * - The state goes from pending (by way of settling, where another thread may
 *   settle it) to finished or cancelled, once; result and error are written
 *   before, and belong to the future then.
 * - The result stays where it is when it is taken: then it is the taker's.
 * - The callbacks are touched in the home thread only, and empty once the
 *   future is done and its home has seen it. */
typedef enum
{
  GTX_FUTURE_PENDING,
  GTX_FUTURE_SETTLING,
  GTX_FUTURE_FINISHED,
  GTX_FUTURE_CANCELLED
} GtxFutureState;

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
  guint mark;                   /* of whoever counts futures without repeats */
  gint state;                   /* GtxFutureState */
  gint is_watched;              /* somebody has added a callback, or asked another thread to cancel it */
  gint error_is_no_news;        /* it was retrieved, or who does not ask knows that it may come */
  gint is_taken;                /* its result, which is no NULL */
  gint n_on_the_way;            /* callbacks that other threads have added */
};

typedef struct
{
  GObjectClass parent_class;
  /* Called in the home thread. */
  gboolean (*cancel) (GtxFuture *self);
} GtxFutureClass;

/* The class of tasks, once there is one; it has no subclasses. */
extern gpointer gtx_task_class G_GNUC_INTERNAL;

static inline gboolean
gtx_future_is_task (const GtxFuture *self)
{
  return ((const GTypeInstance *) self)->g_class == __atomic_load_n (&gtx_task_class, __ATOMIC_RELAXED);
}

/* Whether anybody may end it, at any time. */
static inline gboolean
gtx_future_is_open (const GtxFuture *self)
{
  return !gtx_future_is_task (self) && G_TYPE_FROM_INSTANCE (self) == GTX_TYPE_FUTURE;
}

static inline GtxFutureState
gtx_future_state (GtxFuture *self)
{
  return (GtxFutureState) __atomic_load_n (&self->state, __ATOMIC_ACQUIRE);
}

static inline gboolean
gtx_future_done (GtxFuture *self)
{
  return gtx_future_state (self) >= GTX_FUTURE_FINISHED;
}

/* For the end: what frees its data finds that it cannot be settled any more. */
static inline void
gtx_future_close (GtxFuture *self)
{
  if (gtx_future_state (self) == GTX_FUTURE_PENDING)
    __atomic_store_n (&self->state, GTX_FUTURE_SETTLING, __ATOMIC_RELAXED);
}

/* Nobody is warned of its error, which it has or will have. */
static inline void
gtx_future_forgive_error (GtxFuture *self)
{
  __atomic_store_n (&self->error_is_no_news, TRUE, __ATOMIC_RELAXED);
}

/* Has those arrive, in the home thread: it may run what frees data. */
static inline void
gtx_future_fetch_callbacks (GtxFuture *self)
{
  if (g_atomic_int_get (&self->n_on_the_way) > 0)
    gtx_scheduler_run_messages (self->home);
}

/* Whether @object is a future; else a g_critical names @function. */
gboolean gtx_future_check           (gconstpointer  object,
                                     const char    *function);

/* Settle it, in the home thread: FALSE if it was done already (nothing is
 * taken then). */
gboolean gtx_future_finish          (GtxFuture      *self,
                                     gpointer        result,
                                     GDestroyNotify  result_free,
                                     GError         *error);
gboolean gtx_future_finish_cancelled (GtxFuture     *self);

/* The same for one whose main context is gone, in any thread. */
gboolean gtx_future_finish_homeless (GtxFuture      *self);

/* The same with the result of @other, which is done and keeps it: who takes it
 * takes it there. */
gboolean gtx_future_finish_as       (GtxFuture      *self,
                                     GtxFuture      *other);

/* The outcome of one that is done: TRUE, or FALSE with @error set. */
gboolean gtx_future_propagate       (GtxFuture      *self,
                                     GError        **error);

/* The result of one that has succeeded is the caller's: FALSE with @error set
 * if it was taken before.  NULL can be taken any number of times. */
gboolean gtx_future_take_result     (GtxFuture      *self,
                                     gpointer       *result,
                                     GError        **error);
/* Lends it; NULL with @error set if it was taken. */
gpointer gtx_future_lend_result     (GtxFuture      *self,
                                     GError        **error);

/* ---- future.c ---- */

/* For the end: frees what is its home's in its home. */
void     gtx_future_free_at_home    (GtxFuture      *self,
                                     gpointer        data,
                                     GDestroyNotify  data_free);

/* Makes the request in the home thread. */
gboolean gtx_future_cancel_here     (GtxFuture      *self);
