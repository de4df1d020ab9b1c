/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time, for tests. */

#include "loop/scheduler-private.h"

/* The ready time of our waker, which is never reached, makes a timeout of weeks. */
#define NEVER_MS (G_MAXINT / 2)

/* How long nothing happens until this is reported, if it is not known whether anything will happen. */
#define STUCK_US (5 * G_USEC_PER_SEC)

/* Returns for the main context's other sources in how many milliseconds the next one is due, or -1,
 * and whether one of them polls a descriptor.  To be called when GLib has asked them and not yet
 * the jumper, which comes last. */
static gint
others_timeout (GtxScheduler *self,
                gboolean     *have_descriptors)
{
  gint timeout;
  gint n_descriptors = g_main_context_query (self->base.context, G_MAXINT, &timeout, NULL, 0);

  /* One descriptor is the main context's own, and one the poller's. */
  *have_descriptors = n_descriptors > (self->poller && gtx_poller_is_polled (self->poller) ? 2 : 1);
  return timeout < NEVER_MS ? timeout : -1;
}

/* While virtual time does not jump, it may pass as real time does. */
gint64
gtx_scheduler_get_virtual_time (GtxScheduler *self)
{
  if (self->passes_since == 0)
    return self->virtual_now;
  return self->virtual_now + g_get_monotonic_time () - self->passes_since;
}

static void
stop_passing (GtxScheduler *self)
{
  self->virtual_now = gtx_scheduler_get_virtual_time (self);
  self->passes_since = 0;
}

/* Whether virtual time may move: nothing is left to do, and nothing outside is under way. */
static gboolean
may_move (GtxScheduler *self)
{
  return self->holds == 0 && !gtx_scheduler_has_work (self) && gtx_scheduler_is_dispatched_here (self);
}

/* How far virtual time may jump.  If a task waits for what other sources may bring, these are not
 * jumped over; if a task waits for the system, there is no jump. */
static gint64
farthest_jump (const GtxScheduler *self,
               gint                others)
{
  if (self->n_real > 0)
    return 0;
  return self->n_open > 0 && others >= 0 ? (gint64) others * 1000 : GTX_NEVER;
}

static gboolean
prepare_jump (GtxScheduler   *self,
              const GtxTimer *timer,
              gint            others,
              gint           *timeout)
{
  gint64 left = timer->deadline - self->virtual_now;

  if (left <= farthest_jump (self, others))
    return TRUE;
  self->passes_since = g_get_monotonic_time ();
  *timeout = (gint) MIN (left / 1000 + 1, G_MAXINT);
  return FALSE;
}

/* Whether nothing has happened for long enough. */
static gboolean
is_stuck_for_seconds (GtxScheduler *self,
                      gint         *timeout)
{
  gint64 left = self->stuck_since + STUCK_US - g_get_monotonic_time ();

  if (left <= 0)
    return TRUE;
  *timeout = (gint) (left / 1000 + 1);
  return FALSE;
}

static void
begin_stuck (GtxScheduler *self)
{
  self->stuck = GTX_STUCK;
  self->stuck_since = g_get_monotonic_time ();
}

/* What the tasks wait for outside should come, unless it was forgotten: TRUE if nothing has
 * happened for seconds. */
static gboolean
prepare_standstill (GtxScheduler *self,
                    gint         *timeout)
{
  if (self->holds == 0 || self->n_on_purpose > 0 || self->running > 0 || self->stuck == GTX_STUCK_TOLD ||
      gtx_scheduler_has_work (self) || !gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (self->stuck == GTX_NOT_STUCK)
    begin_stuck (self);
  return is_stuck_for_seconds (self, timeout);
}

/* There is no timer left.  Other sources may still bring something. */
static gboolean
prepare_deadlock (GtxScheduler *self,
                  gboolean      others_may_act,
                  gint         *timeout)
{
  if (others_may_act || self->running > 0 || self->stuck == GTX_STUCK_TOLD)
    return FALSE;
  return self->stuck == GTX_NOT_STUCK || is_stuck_for_seconds (self, timeout);
}

static gboolean
jump_prepare (GSource *source,
              gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);
  const GtxTimer *timer;
  gboolean have_descriptors;
  gint others;

  *timeout = -1;
  stop_passing (self);
  if (!may_move (self))
    return prepare_standstill (self, timeout);
  /* The main loop does not wait in this turn, so that the timeouts of other sources are not seen. */
  if (gtx_fairness_asks (self))
    return FALSE;
  others = others_timeout (self, &have_descriptors);
  timer = gtx_timers_first (&self->timers);
  if (timer)
    return prepare_jump (self, timer, others, timeout);
  return prepare_deadlock (self, others >= 0 || have_descriptors, timeout);
}

static void
jump (GtxScheduler *self,
      GtxTimer     *timer)
{
  self->virtual_now = MAX (self->virtual_now, timer->deadline);
  self->now = self->virtual_now;
  gtx_scheduler_queue_due_timers (self);
}

static void
tell_standstill (GtxScheduler *self)
{
  gint timeout;

  if (!prepare_standstill (self, &timeout))
    return;
  self->stuck = GTX_STUCK_TOLD;
  self->tell_stuck (self->stuck_data, GTX_STANDSTILL_FOR_SECONDS);
}

/* GLib dispatches the jumper only if nothing else was ready in this turn.  If it also did so in the
 * turn before, nothing has run in between. */
static void
tell_deadlock (GtxScheduler *self)
{
  GtxStuck how = self->alone_for == 2 ? GTX_DEADLOCK_AGAIN
                 : self->stuck == GTX_NOT_STUCK ? GTX_DEADLOCK : GTX_DEADLOCK_FOR_SECONDS;

  self->alone_for = self->tell_stuck (self->stuck_data, how) ? 1 : 0;
  if (self->alone_for > 0)
    self->stuck = GTX_NOT_STUCK;
  else if (how == GTX_DEADLOCK_FOR_SECONDS)
    self->stuck = GTX_STUCK_TOLD;
  else
    begin_stuck (self);
}

/* The prepare () of the most urgent source, which GLib calls in each turn, whatever is ready. */
static gboolean
count_turn (GSource *source,
            gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (self->alone_for > 0)
    self->alone_for++;
  return FALSE;
}

static GSourceFuncs turn_funcs = {
  count_turn, NULL, NULL, NULL, NULL, NULL
};

static gboolean
jump_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);
  GtxTimer *timer = gtx_timers_first (&self->timers);

  /* Another source may have changed this in the same turn. */
  if (!may_move (self))
    tell_standstill (self);
  else if (timer)
    jump (self, timer);
  else
    tell_deadlock (self);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs jump_funcs = {
  jump_prepare, NULL, jump_dispatch, NULL, NULL, NULL
};

void
gtx_scheduler_set_virtual (GtxScheduler    *self,
                           GtxStuckFunc     stuck,
                           gpointer         data)
{
  g_assert (self->jumper == NULL);
  self->virtual_now = 0;
  self->passes_since = 0;
  self->stuck = GTX_NOT_STUCK;
  self->alone_for = 0;
  self->tell_stuck = stuck;
  self->stuck_data = data;
  /* The trimmer is ours, and must not count as another source. */
  if (self->trimmer)
    g_source_destroy (g_steal_pointer (&self->trimmer));
  gtx_scheduler_attach_source (self, &self->turn_counter, &turn_funcs, G_MININT, "gtask-ext (turns)");
  gtx_scheduler_attach_source (self, &self->jumper, &jump_funcs, G_MAXINT, "gtask-ext (virtual time)");
}

void
gtx_scheduler_set_real (GtxScheduler *self)
{
  g_assert (self->jumper != NULL);
  g_source_destroy (g_steal_pointer (&self->jumper));
  g_source_destroy (g_steal_pointer (&self->turn_counter));
}

/* ---- What virtual time waits for ---- */

void
gtx_scheduler_hold (GtxScheduler *self)
{
  self->holds++;
}

void
gtx_scheduler_release (GtxScheduler *self)
{
  g_assert (self->holds > 0);
  self->holds--;
}

void
gtx_scheduler_hold_on_purpose (GtxScheduler *self)
{
  gtx_scheduler_hold (self);
  self->n_on_purpose++;
}

void
gtx_scheduler_release_on_purpose (GtxScheduler *self)
{
  g_assert (self->n_on_purpose > 0);
  self->n_on_purpose--;
  gtx_scheduler_release (self);
}

gboolean
gtx_scheduler_is_held_on_purpose (GtxScheduler *self)
{
  return self->n_on_purpose > 0;
}

void
gtx_scheduler_open (GtxScheduler *self)
{
  self->n_open++;
}

void
gtx_scheduler_close (GtxScheduler *self)
{
  g_assert (self->n_open > 0);
  self->n_open--;
}

void
gtx_scheduler_open_to_system (GtxScheduler *self)
{
  self->n_real++;
}

void
gtx_scheduler_close_to_system (GtxScheduler *self)
{
  g_assert (self->n_real > 0);
  self->n_real--;
}
