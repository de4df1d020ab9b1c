/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/alarm.h"

/* A source tells the main loop how long to poll in whole milliseconds; for less there is
 * its ready time, which GLib rounds up to milliseconds too before 2.81, and polls for
 * exactly since.  To set that of a source which the context has writes to the context's
 * descriptor, and takes a turn of the loop; a source that brings it along does not, if it
 * is attached by the thread whose loop it is.  So each wait has a source of its own, as
 * g_timeout_add () makes one too.
 *
 * A crowd of long waits is not to end one by one: they are rounded up, as asyncio does,
 * and are due together. */

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

/* The timer has been taken away. */
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

/* It is of the probe's priority, so that it is asked after it, in the same turn. */
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

/* The alarm comes before what is rounded up here. */
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
