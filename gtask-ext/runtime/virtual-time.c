/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual time, for tests. */

#include "config.h"

#include "scheduler-private.h"

/* Time may jump, or a deadlock be declared, where nothing else is left to do
 * and nothing outside can still happen. */
static gboolean
may_jump (GtxScheduler *self)
{
  if (self->holds > 0 || gtx_scheduler_has_work (self) || !gtx_scheduler_is_dispatched_here (self))
    return FALSE;
  return gtx_timers_first (&self->timers) || self->running == 0;
}

static gboolean
jump_prepare (GSource *source,
              gint    *timeout)
{
  *timeout = -1;
  return may_jump (gtx_scheduler_of (source));
}

static gboolean
jump_check (GSource *source)
{
  return may_jump (gtx_scheduler_of (source));
}

static gboolean
jump_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxScheduler *self = gtx_scheduler_of (source);
  GtxTimer *timer = gtx_timers_first (&self->timers);

  (void) callback;
  (void) data;
  if (!may_jump (self))
    return G_SOURCE_CONTINUE;
  if (timer)
    {
      self->virtual_now = MAX (self->virtual_now, timer->deadline);
      self->now = self->virtual_now;
      gtx_scheduler_queue_due_timers (self);
    }
  else
    self->deadlock (self->deadlock_data);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs jump_funcs = {
  jump_prepare, jump_check, jump_dispatch, NULL, NULL, NULL
};

void
gtx_scheduler_set_virtual (GtxScheduler    *self,
                           GtxDeadlockFunc  deadlock,
                           gpointer         data)
{
  g_assert (self->jumper == NULL);
  self->virtual_now = 0;
  self->deadlock = deadlock;
  self->deadlock_data = data;
  gtx_scheduler_attach_source (self, &self->jumper, &jump_funcs, G_MAXINT, "gtask-ext (virtual time)");
}

void
gtx_scheduler_set_real (GtxScheduler *self)
{
  g_assert (self->jumper != NULL);
  g_source_destroy (self->jumper);
  self->jumper = NULL;
}
