/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a scheduler runs: its sources of the main loop, and how they share the
 * thread with the others. */

#include "config.h"

#include "alarm.h"

/* GLib dispatches only the most urgent of the sources that are ready, so time
 * that runs at default priority is time that a window cannot draw in.  It is
 * charged until the main loop was seen to have nothing more urgent than our
 * idle source; past the budget we run from that one alone.  Charged as
 * well is what comes between two runs without a pause: callbacks of what the
 * tasks have started. */
#define BUDGET_US 4000

/* From this charge on we ask the main loop whether it has nothing to do. */
#define ASK_US 1000

/* What a slice starts may come back as a stream of GIO's callbacks at default
 * priority, which a window waits for as well: a demoted scheduler's slices get
 * shorter, down to this, until the stream takes no longer than the budget. */
#define LEAST_SLICE_US 500

/* A demoted scheduler does not wait for longer than so: it takes one slice
 * where it would have by the time that it is asked again. */
#define STARVING_US 50000

/* GLib counts in nanoseconds, of 64 bits. */
#define NEVER_REACHED_US (G_MAXINT64 / 1024)

/* ---- Fairness ---- */

/* What was waited for in the poll that began last is no work. */
static void
end_poll (GtxScheduler *self,
          gint64        now)
{
  self->polled += now - self->poll_began;
  self->poll_began = 0;
}

/* Where a source is dispatched, mostly for a timer that is due. */
static gint64
time_of_dispatch (GtxScheduler *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->streaming && self->running == 0)
    self->charge += MAX (now - self->last_run - self->polled, 0);
  return now;
}

/* In a stream of callbacks what lies between two runs is charged anyway, so that
 * neither the end of the one nor the beginning of the next is looked at. */
static gint64
time_in_stream (GtxScheduler *self)
{
  if (!self->streaming)
    return g_get_monotonic_time ();
  if (self->poll_began != 0)
    end_poll (self, g_get_monotonic_time ());
  return self->last_run + self->polled;
}

/* ---- The sources ---- */

static gboolean
is_due (GtxScheduler *self)
{
  const GtxTimer *timer;

  if (gtx_scheduler_has_work (self))
    return TRUE;
  timer = self->jumper ? NULL : gtx_timers_first (&self->timers);
  return timer && timer->deadline <= g_source_get_time (self->urgent);
}

/* A turn of the loop may take long: that of a window that draws. */
static gboolean
is_starving (GtxScheduler *self)
{
  gint64 now = g_source_get_time (self->urgent);
  gint64 turn = now - MAX (self->last_asked, self->last_run);

  self->last_asked = now;
  return now + turn - self->last_run > STARVING_US;
}

static gboolean
urgent_prepare (GSource *source,
                gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_may_dispatch (self))
    return FALSE;
  return !self->demoted && is_due (self);
}

static gboolean
urgent_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_may_dispatch (self))
    return FALSE;
  self->polling = FALSE;
  if (self->poll_began != 0)
    end_poll (self, g_source_get_time (source));
  return self->demoted ? is_starving (self) : is_due (self);
}

static gboolean urgent_dispatch (GSource *source, GSourceFunc callback, gpointer data);
static void urgent_finalize (GSource *source);

static GSourceFuncs urgent_funcs = {
  urgent_prepare, urgent_check, urgent_dispatch, urgent_finalize, NULL, NULL
};

/* For a stream of callbacks, in whose turns the main loop does not wait: what gets ready
 * in its poll is seen in the next turn.  To be asked costs more than the answer, for GLib
 * looks at the clock before and after. */
static GSourceFuncs urgent_unpolled_funcs = {
  urgent_prepare, NULL, urgent_dispatch, urgent_finalize, NULL, NULL
};

/* The thread that asks is ours. */
static void
ask_after_poll (GtxScheduler *self,
                gboolean      ask)
{
  self->urgent->source_funcs = ask ? &urgent_funcs : &urgent_unpolled_funcs;
}

static void
run_urgently (GtxScheduler *self,
              gint64        start)
{
  gint64 budget = self->demoted ? BUDGET_US : BUDGET_US - self->charge;

  self->charge += gtx_scheduler_run (self, start, budget);
  if (self->charge >= BUDGET_US)
    self->demoted = TRUE;
  ask_after_poll (self, self->demoted);
  gtx_scheduler_disown (self);
}

static void
run_idly (GtxScheduler *self)
{
  gtx_scheduler_run (self, time_of_dispatch (self), self->slice);
  if (gtx_handle_list_is_empty (&self->ready))
    {
      self->demoted = FALSE;
      self->charge = 0;
    }
  gtx_scheduler_disown (self);
}

void
gtx_scheduler_call_now (GtxScheduler *self,
                        GtxHandle    *handle)
{
  gtx_scheduler_call_soon (self, handle);
  if (self->running == 0 && !self->demoted)
    run_urgently (self, time_in_stream (self));
}

static gboolean
urgent_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  (void) callback;
  (void) data;
  if (gtx_scheduler_may_dispatch (self))
    run_urgently (self, time_of_dispatch (self));
  return G_SOURCE_CONTINUE;
}

static gboolean
idle_prepare (GSource *source,
              gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (self->demoted)
    return TRUE;
  if (self->charge >= ASK_US)
    *timeout = 0;
  return FALSE;
}

/* To be asked at all says that nothing more urgent is ready. */
static gboolean
idle_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (!self->demoted)
    self->charge = 0;
  return self->demoted;
}

static gboolean
idle_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  (void) callback;
  (void) data;
  if (gtx_scheduler_is_dispatched_here (self))
    run_idly (self);
  return G_SOURCE_CONTINUE;
}

/* All that the last run started has come back. */
static void
settle (GtxScheduler *self,
        gint64        took)
{
  self->last_settled = self->last_run;
  if (took > BUDGET_US)
    self->slice = MAX (self->slice / 2, LEAST_SLICE_US);
  else if (took < BUDGET_US / 2)
    self->slice = MIN (self->slice * 2, BUDGET_US);
}

/* To be asked says that nothing of default priority is ready that does not
 * have to be polled for, so that the main loop may wait.  For how long is said here,
 * and not where we are asked first: a source of that priority that was asked after us
 * may have woken a task, or set a timer.  What comes after this wakes the loop. */
static gboolean
probe_prepare (GSource *source,
               gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (!self->demoted)
    *timeout = is_due (self) ? 0 : gtx_alarm_time_left (self);
  self->polling = TRUE;
  ask_after_poll (self, TRUE);
  if (self->streaming)
    self->poll_began = g_get_monotonic_time ();
  return FALSE;
}

/* Nor was any when it had been. */
static gboolean
probe_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (self->demoted && self->last_settled != self->last_run)
    settle (self, g_source_get_time (source) - self->last_run);
  self->streaming = FALSE;
  return FALSE;
}

static void
run_all (GtxHandleList *list)
{
  GtxHandle *handle;

  while ((handle = gtx_handle_list_pop (list)))
    if (handle->run)
      handle->run (handle);
}

/* The context is gone. */
static void
urgent_finalize (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  gtx_scheduler_take_over (self);
  if (gtx_stack_pool_n_used (self->base.stacks) > 0)
    g_critical ("A main context goes away with %" G_GSIZE_FORMAT " suspended tasks, which now "
                "never end; cancel and await them first",
                gtx_stack_pool_n_used (self->base.stacks));
  do
    {
      gtx_scheduler_run_messages (self);
      run_all (&self->at_end);
      run_all (&self->ready);
    }
  while (!gtx_scheduler_close_messages (self));
  gtx_scheduler_let_go (self);
  gtx_scheduler_unref (self);
}

static GSourceFuncs idle_funcs = {
  idle_prepare, idle_check, idle_dispatch, NULL, NULL, NULL
};

static GSourceFuncs probe_funcs = {
  probe_prepare, probe_check, NULL, NULL, NULL, NULL
};

GSource *
gtx_scheduler_source_new (GtxScheduler *self,
                          GSourceFuncs *funcs,
                          gint          priority,
                          const char   *name)
{
  GSource *source = g_source_new (funcs, sizeof (GtxSchedulerSource));

  ((GtxSchedulerSource *) (void *) source)->scheduler = self;
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE);
  g_source_set_name (source, name);
  return source;
}

void
gtx_scheduler_attach_source (GtxScheduler  *self,
                             GSource      **where,
                             GSourceFuncs  *funcs,
                             gint           priority,
                             const char    *name)
{
  GSource *source = gtx_scheduler_source_new (self, funcs, priority, name);

  /* The context may be another thread's, which asks as soon as it is attached. */
  if (where)
    *where = source;
  g_source_attach (source, self->base.context);
  g_source_unref (source);
}

/* The context goes.  When its sources are finalized it has been freed already:
 * this is the last time that it can be let go of. */
static void
let_go_of_context (gpointer data)
{
  gtx_scheduler_forget_context (data);
}

void
gtx_scheduler_attach_sources (GtxScheduler *self)
{
  self->slice = BUDGET_US;
  gtx_scheduler_attach_source (self, NULL, &idle_funcs, G_PRIORITY_DEFAULT_IDLE, "gtask-ext (idle)");
  gtx_scheduler_attach_source (self, &self->waker, &probe_funcs, GTX_PROBE_PRIORITY, "gtask-ext (probe)");
  self->waker_time = NEVER_REACHED_US;
  /* On the one that is never dispatched: there it costs nothing. */
  g_source_set_callback (self->waker, NULL, self, let_go_of_context);
  gtx_scheduler_attach_source (self, &self->urgent, &urgent_funcs, G_PRIORITY_DEFAULT, "gtask-ext");
}
