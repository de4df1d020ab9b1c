/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a scheduler runs: its sources in the main loop, and how they share the thread with other
 * sources. */

#include "loop/alarm.h"

/* GLib converts times to nanoseconds of 64 bits, in which this still fits. */
#define NEVER_REACHED_US (G_MAXINT64 / 1024)

static gboolean
is_due (GtxScheduler *self)
{
  const GtxTimer *timer;

  if (!gtx_handle_list_is_empty (&self->ready) || gtx_scheduler_has_messages (self) ||
      gtx_scheduler_is_flagged (self))
    return TRUE;
  timer = self->jumper ? NULL : gtx_timers_first (&self->timers);
  return timer && timer->deadline <= g_source_get_time (self->urgent);
}

static gboolean
urgent_prepare (GSource *source,
                gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_may_dispatch (self))
    return FALSE;
  return !self->fairness.demoted && is_due (self);
}

static gboolean
urgent_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_may_dispatch (self))
    return FALSE;
  self->polling = FALSE;
  gtx_fairness_end_poll (self, g_source_get_time (source));
  if (self->fairness.demoted && !gtx_fairness_allows (self, g_source_get_time (source)))
    return FALSE;
  return is_due (self);
}

static gboolean urgent_dispatch (GSource *source, GSourceFunc callback, gpointer data);
static void urgent_finalize (GSource *source);

static GSourceFuncs urgent_funcs = {
  urgent_prepare, urgent_check, urgent_dispatch, urgent_finalize, NULL, NULL
};

static void
run_urgently (GtxScheduler *self,
              gint64        start)
{
  gint64 took = gtx_scheduler_run (self, start, gtx_fairness_budget (self));

  gtx_fairness_charge_run (self, start, took);
  gtx_scheduler_disown (self);
}

static void
run_idly (GtxScheduler *self)
{
  gtx_fairness_let_go (self);
  gtx_scheduler_run (self, g_get_monotonic_time (), self->fairness.slice);
  gtx_fairness_end_idly (self);
  gtx_scheduler_disown (self);
}

void
gtx_scheduler_call_now (GtxScheduler *self,
                        GtxHandle    *handle)
{
  if (G_UNLIKELY (self->fairness.demoted))
    {
      gtx_fairness_hold_back (self, handle);
      return;
    }
  gtx_scheduler_call_soon (self, handle);
  if (self->running == 0)
    run_urgently (self, gtx_fairness_time_in_stream (self));
}

gboolean
gtx_scheduler_call_all_now (GtxScheduler  *self,
                            GtxHandleList *handles)
{
  GtxHandle *handle;

  if (G_UNLIKELY (self->fairness.demoted))
    {
      while ((handle = gtx_handle_list_pop (handles)))
        gtx_fairness_hold_back (self, handle);
      return FALSE;
    }
  gtx_scheduler_call_all_soon (self, handles);
  if (self->running > 0)
    return FALSE;
  self->stopped = FALSE;
  run_urgently (self, gtx_fairness_time_in_stream (self));
  return !self->stopped && !self->fairness.demoted && !gtx_scheduler_has_work (self);
}

static gboolean
urgent_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (gtx_scheduler_may_dispatch (self))
    run_urgently (self, gtx_fairness_time_of_dispatch (self));
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
  if (self->fairness.demoted)
    return TRUE;
  if (gtx_fairness_asks (self))
    *timeout = 0;
  return FALSE;
}

/* GLib calls check () only if nothing more urgent is ready. */
static gboolean
idle_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  return gtx_fairness_is_idle (self);
}

static gboolean
idle_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (gtx_scheduler_is_dispatched_here (self))
    run_idly (self);
  return G_SOURCE_CONTINUE;
}

/* GLib calls prepare () only if no source of default priority is ready without a poll, so that the
 * main loop may wait.  The timeout is set here, and not in urgent_prepare (): a source of default
 * priority that GLib asks after the urgent one may have woken a task, or set a timer.  A handle
 * that gets ready after this wakes the main loop. */
static gboolean
probe_prepare (GSource *source,
               gint    *timeout)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  if (!self->fairness.demoted)
    *timeout = is_due (self) || gtx_scheduler_look_for_message (self) ? 0 : gtx_alarm_time_left (self);
  self->polling = TRUE;
  gtx_fairness_begin_poll (self);
  return FALSE;
}

/* GLib calls check () only if no source of default priority was ready after the poll, either. */
static gboolean
probe_check (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (!gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  gtx_fairness_rest (self, source);
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

/* Called when the context is gone.  A fiber may have let go of it; what ends here is outside of
 * that fiber. */
static void
urgent_finalize (GSource *source)
{
  GtxScheduler *self = gtx_scheduler_of (source);
  GtxFiber *fiber = gtx_running_fiber;

  gtx_running_fiber = NULL;
  gtx_scheduler_take_over (self);
  if (gtx_stack_pool_n_used (self->base.stacks) > 0)
    g_critical ("A main context goes away with %" G_GSIZE_FORMAT " suspended tasks, which now "
                "never end; cancel and await them first",
                gtx_stack_pool_n_used (self->base.stacks));
  do
    {
      gtx_scheduler_run_messages (self);
      run_all (&self->at_end);
      run_all (&self->fairness.held);
      run_all (&self->ready);
      gtx_scheduler_tell_onlookers (self);
    }
  while (!gtx_scheduler_close_messages (self));
  g_clear_pointer (&self->poller, gtx_poller_free);
  gtx_scheduler_let_go (self);
  gtx_scheduler_unref (self);
  gtx_running_fiber = fiber;
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

  /* The context may be another thread's, which asks the source as soon as it is attached. */
  if (where)
    *where = source;
  g_source_attach (source, self->base.context);
  g_source_unref (source);
}

/* Called when the context goes.  When its sources are finalized it has been freed already, so that
 * this is the last chance to take it out of the table. */
static void
let_go_of_context (gpointer data)
{
  gtx_scheduler_forget_context (data);
}

void
gtx_scheduler_attach_sources (GtxScheduler *self)
{
  gtx_scheduler_attach_source (self, NULL, &idle_funcs, G_PRIORITY_DEFAULT_IDLE, "gtask-ext (idle)");
  gtx_scheduler_attach_source (self, &self->waker, &probe_funcs, GTX_PROBE_PRIORITY, "gtask-ext (probe)");
  self->waker_time = NEVER_REACHED_US;
  /* The probe is never dispatched, so that a callback costs nothing there. */
  g_source_set_callback (self->waker, NULL, self, let_go_of_context);
  gtx_scheduler_attach_source (self, &self->urgent, &urgent_funcs, G_PRIORITY_DEFAULT, "gtask-ext");
}
