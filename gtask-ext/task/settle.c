/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a future is settled, in any thread, and how its home and its onlookers learn of that. */

#include "task/done-callback.h"
#include "task/task-private.h"

/* Tasks that only await the future add no done callbacks, so that there are none to pin. */
static void
queue_callbacks (gpointer data)
{
  GtxFuture *self = data;

  if (G_UNLIKELY (g_atomic_int_get (&self->is_watched)))
    gtx_done_callbacks_pin (self);
  gtx_scheduler_call_all_soon (self->home, &self->callbacks);
}

static void
queue_callbacks_and_unref (gpointer data)
{
  queue_callbacks (data);
  g_object_unref (data);
}

/* The state may have GTX_FUTURE_LOOKED_ON, which stays. */
G_GNUC_NO_INLINE static gboolean
claim_settling_slowly (GtxFuture *self)
{
  gint state = __atomic_load_n (&self->state, __ATOMIC_RELAXED);

  while ((state & GTX_FUTURE_STATES) == GTX_FUTURE_PENDING)
    if (__atomic_compare_exchange_n (&self->state, &state, state | GTX_FUTURE_SETTLING, FALSE,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return TRUE;
  return FALSE;
}

/* TRUE in one thread only, and only once. */
static inline gboolean
claim_settling (GtxFuture *self)
{
  return G_LIKELY (g_atomic_int_compare_and_exchange (&self->state, GTX_FUTURE_PENDING, GTX_FUTURE_SETTLING)) ||
         claim_settling_slowly (self);
}

/* The same as claim_settling (), but cheaper for a task, which only the thread of its home settles. */
static inline gboolean
begin_to_settle (GtxFuture *self)
{
  if (gtx_future_is_task (self))
    return gtx_future_state (self) == GTX_FUTURE_PENDING;
  return claim_settling (self);
}

/* Keeps a future until its onlookers have been told. */
typedef struct
{
  GtxHandle handle;
  GtxFuture *future;
} Told;

static void
all_are_told (GtxHandle *handle)
{
  Told *self = (Told *) handle;

  g_object_unref (self->future);
  g_free (self);
}

G_GNUC_NO_INLINE static void
store_state_and_tell (GtxFuture      *self,
                      GtxFutureState  state)
{
  Told *told = g_new (Told, 1);

  *told = (Told) { .handle.run = all_are_told, .future = g_object_ref (self) };
  __atomic_store_n (&self->state, state, __ATOMIC_RELEASE);
  gtx_onlookers_tell (&self->onlookers, self->home, &told->handle);
}

/* Once the state is stored, code that waits for the future may drop the last reference: @self is not used
 * after that, unless it had an onlooker. */
static inline void
store_state (GtxFuture      *self,
             GtxFutureState  state)
{
  gint before = __atomic_load_n (&self->state, __ATOMIC_RELAXED) & GTX_FUTURE_STATES;

  if (G_UNLIKELY (!__atomic_compare_exchange_n (&self->state, &before, (gint) state, FALSE,
                                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
    store_state_and_tell (self, state);
}

G_GNUC_NO_INLINE static void
settle_away (GtxFuture      *self,
             GtxScheduler   *home,
             GtxFutureState  state)
{
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    queue_callbacks (self);
  else
    g_object_ref (self);
  store_state (self, state);
  gtx_scheduler_leave (home, visit);
  if (!visit && !gtx_scheduler_post (home, queue_callbacks_and_unref, self))
    {
      gtx_future_drop_callbacks (self);
      g_object_unref (self);
    }
}

/* The callbacks are queued before the state is stored.  None of them runs until this thread goes on. */
static void
settle (GtxFuture      *self,
        GtxFutureState  state)
{
  GtxScheduler *home = self->home;

  if (G_UNLIKELY (!gtx_scheduler_is_local (home)))
    {
      settle_away (self, home, state);
      return;
    }
  queue_callbacks (self);
  store_state (self, state);
}

gboolean
gtx_future_look_on (GtxFuture   *self,
                    GtxOnlooker *onlooker)
{
  if (gtx_future_done (self))
    return FALSE;
  __atomic_fetch_or (&self->state, GTX_FUTURE_LOOKED_ON, __ATOMIC_ACQ_REL);
  if (!gtx_onlooker_add (onlooker, self->home, &self->onlookers))
    return FALSE;
  /* A thread that has settled the future meanwhile may have looked for onlookers before. */
  return !gtx_future_done (self) || !gtx_onlooker_remove (onlooker, self->home);
}

gboolean
gtx_future_finish (GtxFuture      *self,
                   gpointer        result,
                   GDestroyNotify  result_free,
                   GError         *error)
{
  if (!begin_to_settle (self))
    return FALSE;
  self->result = result;
  self->result_free = result_free;
  self->error = error;
  settle (self, GTX_FUTURE_FINISHED);
  return TRUE;
}

void
gtx_future_fail_quietly (GtxFuture *self,
                         GError    *error)
{
  gtx_future_forgive_error (self);
  if (!gtx_future_finish (self, NULL, NULL, error))
    g_error_free (error);
}

gboolean
gtx_future_finish_cancelled (GtxFuture *self)
{
  return gtx_future_finish_cancelled_for (self, NULL);
}

gboolean
gtx_future_finish_cancelled_for (GtxFuture *self,
                                 GError    *error)
{
  if (!begin_to_settle (self))
    {
      g_clear_error (&error);
      return FALSE;
    }
  self->error = error;
  settle (self, GTX_FUTURE_CANCELLED);
  return TRUE;
}

gboolean
gtx_future_finish_homeless (GtxFuture *self)
{
  if (!claim_settling (self))
    return FALSE;
  settle (self, GTX_FUTURE_CANCELLED);
  return TRUE;
}
