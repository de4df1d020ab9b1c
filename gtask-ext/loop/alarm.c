/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/alarm.h"

/* A source tells the main loop in whole milliseconds how long to poll.  Only a ready time is more
 * exact: since 2.81 GLib polls until exactly then, and before it rounded that up to milliseconds,
 * too.  Setting the ready time of an attached source writes to the context's descriptor, and takes
 * a turn of the main loop.  A source that has its ready time before the thread of that main loop
 * attaches it does not.  So each wait has a source of its own, as g_timeout_add () makes one.
 *
 * Long waits are rounded up, as asyncio does, so that many of them are due together rather than one
 * by one. */

static gboolean
poll_is_exact (void)
{
  return glib_check_version (2, 81, 0) == NULL;
}

static void
take_back (GtxScheduler *self)
{
  if (self->alarm == NULL)
    return;
  g_source_destroy (self->alarm);
  self->alarm = NULL;
}

/* As a rule the timer was removed: a timer that is due makes the urgent source ready, which GLib
 * dispatches before the alarm. */
static gboolean
alarm_dispatch (GSource     *source,
                GSourceFunc  callback,
                gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);

  if (gtx_scheduler_is_dispatched_here (self) && self->alarm == source)
    self->alarm = NULL;
  return G_SOURCE_REMOVE;
}

static GSourceFuncs alarm_funcs = {
  NULL, NULL, alarm_dispatch, NULL, NULL, NULL
};

/* The alarm has the probe's priority, so that GLib asks it after the probe, in the same turn. */
static void
set (GtxScheduler *self,
     gint64        time)
{
  if (self->alarm && self->alarm_time == time)
    return;
  take_back (self);
  self->alarm = gtx_scheduler_source_new (self, &alarm_funcs, GTX_PROBE_PRIORITY, "gtask-ext (alarm)");
  self->alarm_time = time;
  g_source_set_ready_time (self->alarm, time);
  g_source_attach (self->alarm, self->base.context);
  g_source_unref (self->alarm);
}

/* The timeout is rounded up; the alarm, if it is set, ends the poll before. */
gint
gtx_alarm_time_left (GtxScheduler *self)
{
  const GtxTimer *timer = self->jumper ? NULL : gtx_timers_first (&self->timers);
  gint64 left;

  if (timer && timer->deadline <= self->exact_until && poll_is_exact ())
    set (self, timer->deadline);
  else
    take_back (self);
  if (timer == NULL)
    return -1;
  left = timer->deadline - g_source_get_time (self->urgent);
  return (gint) CLAMP ((left + 999) / 1000, 0, G_MAXINT);
}
