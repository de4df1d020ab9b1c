/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/fairness.h"

/* GLib dispatches only the most urgent of the sources that are ready, so that tasks which keep
 * default priority busy keep a window from drawing.  The rules, and why:
 *
 * 1. The scheduler is charged the time for which tasks run, and the time between two runs while
 *    default priority does not rest: callbacks of operations that the tasks have started may take
 *    it.  The charge is gone when the main loop has nothing more urgent than our idle source.
 * 2. At BUDGET_US the scheduler is demoted: it runs from the idle source alone, until such a run
 *    leaves nothing to run.  If default priority rests but the idle source does not get its turn, a
 *    window needs all the time there is: then the scheduler takes a slice at default priority once
 *    in STARVING_US.
 * 3. A scheduler that takes no more than that share, BUDGET_US in STARVING_US, is not demoted.
 * 4. Whether the callbacks at default priority are those of the tasks shows only while the tasks
 *    are silent.  So a demoted scheduler listens.  If default priority comes to rest, the tasks
 *    kept it busy.  If not, other sources do, and no window gains by tasks that wait: the scheduler
 *    is excused for a while, which doubles from one time to the next.  While it listens, sleeps end
 *    when they should, within that share.
 * 5. Silence shows nothing while operations are in flight, since their callbacks may be what keeps
 *    default priority busy.  The operations end if no task goes on from them, and the handles of
 *    those that come back are held.  So the scheduler is in doubt for STARVING_US then, and all
 *    other tasks go on within the share.  Once it was excused, it is in doubt every DOUBTFUL-th
 *    time only.
 *
 * Default priority rests if no source of that priority is ready, nor one of any priority down to
 * our probe's, which is more urgent than the one at which GTK draws.  GTK needs several turns of
 * the main loop before it draws, more if it was kept from drawing, and the machine may run another
 * process meanwhile: neither time nor turns alone make a silence. */
#define BUDGET_US 4000
#define STARVING_US 50000
#define SILENCE_US 4000
#define SILENT_TURNS 32
#define FEWEST_SILENT_TURNS 16  /* if they take STARVING_US */
#define DOUBTFUL 4
#define LEAST_RESPITE_US 16000
#define MOST_DOUBLINGS 3

/* From this charge on we ask the main loop whether it has nothing to do. */
#define ASK_US 1000

/* Operations that a slice starts may come back as a stream of GIO's callbacks at default priority,
 * for which a window waits as well.  The slices of a demoted scheduler get shorter, down to this,
 * until the stream takes no longer than the budget. */
#define LEAST_SLICE_US 500

void
gtx_fairness_init (GtxScheduler *self)
{
  self->slice = BUDGET_US;
}

/* ---- Excuses ---- */

void
gtx_fairness_let_go (GtxScheduler *self)
{
  gtx_handle_list_splice (&self->ready, &self->held);
  self->n_held = 0;
}

static void
promote (GtxScheduler *self)
{
  self->demoted = FALSE;
  self->in_doubt = FALSE;
  self->charge = 0;
  gtx_fairness_let_go (self);
}

static void
excuse (GtxScheduler *self,
        gint64        now)
{
  promote (self);
  self->excused_until = now + (LEAST_RESPITE_US << MIN (self->n_excuses, MOST_DOUBLINGS));
  self->n_excuses++;
}

/* ---- Runs ---- */

/* In a stream of callbacks the time between two runs is charged anyway, so that the clock is read
 * neither at the end of a run nor at the beginning of the next. */
gint64
gtx_fairness_time_in_stream (GtxScheduler *self)
{
  if (!self->streaming)
    return g_get_monotonic_time ();
  if (self->poll_began != 0)
    gtx_fairness_end_poll (self, g_get_monotonic_time ());
  return self->last_run + self->polled;
}

static void
charge (GtxScheduler *self,
        gint64        since,
        gint64        duration)
{
  if (self->charge == 0)
    self->charged_since = since;
  self->charge += duration;
}

gint64
gtx_fairness_time_of_dispatch (GtxScheduler *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->streaming && self->running == 0)
    charge (self, self->last_run, MAX (now - self->last_run - self->polled, 0));
  return now;
}

gint64
gtx_fairness_budget (GtxScheduler *self)
{
  if (self->meanwhile != 0)
    return self->meanwhile;
  if (self->excused_until != 0)
    return LEAST_SLICE_US;
  return self->demoted ? BUDGET_US : BUDGET_US - self->charge;
}

/* Begins to listen, from the end of the last run on. */
static void
listen_anew (GtxScheduler *self)
{
  self->in_doubt = FALSE;
  self->listened_since = self->silent_since = self->last_slice = self->last_run;
  self->n_turns = self->n_silent_turns = 0;
  self->ran_meanwhile = 0;
  self->is_left = FALSE;
}

/* Whether a charge that has reached the budget is forgiven. */
static gboolean
is_forgiven (GtxScheduler *self)
{
  gint64 now = self->last_run;

  if (now < self->excused_until)
    return TRUE;
  self->excused_until = 0;
  return self->charge * (STARVING_US / BUDGET_US) <= now - self->charged_since;
}

/* Ends a slice of a starving scheduler.  If no handle is left, the tasks may need little, beside a
 * window that leaves the idle source no turn.  Then the scheduler is promoted with most of the
 * budget charged: if the tasks need more, that shows before they have run for much longer. */
static void
end_slice (GtxScheduler *self)
{
  if (!gtx_handle_list_is_empty (&self->ready))
    return;
  promote (self);
  self->charge = BUDGET_US - LEAST_SLICE_US;
  self->charged_since = self->last_run;
}

/* Ends a run while the scheduler listens, and goes on listening. */
static void
end_meanwhile (GtxScheduler *self,
               gint64        took)
{
  if (self->meanwhile == BUDGET_US)
    self->last_slice = self->last_run;
  else
    self->ran_meanwhile += took;
  self->is_left = !gtx_handle_list_is_empty (&self->ready);
}

void
gtx_fairness_end (GtxScheduler *self,
                  gint64        start,
                  gint64        took)
{
  charge (self, start, took);
  if (self->meanwhile != 0)
    end_meanwhile (self, took);
  else if (self->demoted)
    end_slice (self);
  else if (self->charge >= BUDGET_US && is_forgiven (self))
    self->charge = 0;
  else if (self->charge >= BUDGET_US)
    self->demoted = TRUE;
  else
    return;
  if (self->meanwhile == 0)
    listen_anew (self);
  self->meanwhile = 0;
}

void
gtx_fairness_end_idly (GtxScheduler *self)
{
  if (gtx_handle_list_is_empty (&self->ready))
    promote (self);
  listen_anew (self);
}

/* ---- While the scheduler is demoted ---- */

void
gtx_fairness_hold_back (GtxScheduler *self,
                        GtxHandle    *handle)
{
  if (self->running > 0)
    {
      gtx_scheduler_call_soon (self, handle);
      return;
    }
  gtx_handle_list_append (&self->held, handle);
  self->n_held++;
  self->silent_since = g_source_get_time (self->urgent);
  self->n_silent_turns = 0;
}

static gboolean
is_silence (GtxScheduler *self,
            gint64        now)
{
  gint64 duration = now - self->silent_since;

  if (self->n_silent_turns >= SILENT_TURNS)
    return duration >= SILENCE_US;
  return self->n_silent_turns >= FEWEST_SILENT_TURNS && duration >= STARVING_US;
}

/* An operation that has come back and is held still counts among the holds, since its task waits. */
static gboolean
silence_says_enough (GtxScheduler *self)
{
  return self->holds <= self->n_held || self->n_excuses % DOUBTFUL != 0;
}

static gboolean
is_beyond_doubt (GtxScheduler *self,
                 gint64        now)
{
  return self->n_turns >= SILENT_TURNS && now - self->listened_since >= STARVING_US;
}

/* To be called in a turn in which default priority has not come to rest. */
static void
listen (GtxScheduler *self,
        gint64        now)
{
  self->n_turns++;
  self->n_silent_turns++;
  if (!is_silence (self, now) && !(self->in_doubt && is_beyond_doubt (self, now)))
    return;
  if (silence_says_enough (self) || is_beyond_doubt (self, now))
    excuse (self, now);
  else
    self->in_doubt = TRUE;
}

static gboolean
may_run_meanwhile (GtxScheduler *self,
                   gint64        now)
{
  const GtxTimer *timer = gtx_timers_first (&self->timers);

  if ((self->ran_meanwhile - LEAST_SLICE_US) * (STARVING_US / BUDGET_US) > now - self->listened_since)
    return FALSE;
  return self->in_doubt || self->is_left || (timer && !self->jumper && timer->deadline <= now);
}

/* Whether the scheduler would starve by the time that it is asked again: a turn of the main loop
 * may take long, such as that of a window that draws. */
static gboolean
is_starving (GtxScheduler *self,
             gint64        now)
{
  gint64 turn = now - MAX (self->last_asked, self->last_slice);

  self->last_asked = now;
  return now + turn - self->last_slice > STARVING_US;
}

gboolean
gtx_fairness_allows (GtxScheduler *self,
                     gint64        now)
{
  gboolean starves = is_starving (self, now);

  self->meanwhile = 0;
  if (self->streaming)
    listen (self, now);
  if (!self->demoted)
    return TRUE;
  if (starves)
    gtx_fairness_let_go (self);
  if (self->streaming)
    self->meanwhile = starves ? BUDGET_US : may_run_meanwhile (self, now) ? LEAST_SLICE_US : 0;
  return starves || self->meanwhile != 0;
}

/* ---- The main loop ---- */

gboolean
gtx_fairness_asks (GtxScheduler *self)
{
  return self->charge >= ASK_US;
}

/* The time that the main loop waits in a poll is not charged. */
void
gtx_fairness_end_poll (GtxScheduler *self,
                       gint64        now)
{
  self->polled += now - self->poll_began;
  self->poll_began = 0;
}

/* Adapts the slice when all that the last run started has come back. */
static void
settle (GtxScheduler *self,
        gint64        took)
{
  if (took > BUDGET_US)
    self->slice = MAX (self->slice / 2, LEAST_SLICE_US);
  else if (took < BUDGET_US / 2)
    self->slice = MIN (self->slice * 2, BUDGET_US);
}

void
gtx_fairness_rest (GtxScheduler *self,
                   GSource      *source)
{
  if (self->demoted && self->streaming)
    settle (self, g_source_get_time (source) - self->last_run);
  self->streaming = FALSE;
  self->in_doubt = FALSE;
  self->excused_until = 0;
  self->n_excuses = 0;
}
