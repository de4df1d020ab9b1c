/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/fairness.h"

/* GLib dispatches only the most urgent of the sources that are ready, so what keeps
 * default priority busy keeps a window from drawing.  The rules, and why:
 *
 * 1. Charged is the time that tasks run, and what comes between two runs while default
 *    priority does not come to rest: that may be callbacks of what the tasks have
 *    started.  The charge is gone when the main loop has nothing more urgent than our
 *    idle source.
 * 2. At BUDGET_US the scheduler is demoted: it runs from the idle source alone, until
 *    that leaves nothing to run.  Where default priority rests and the idle source does
 *    not get its turn, a window needs all the time there is: then it takes a slice at
 *    default priority once in STARVING_US.
 * 3. Who takes no more than that share, BUDGET_US in STARVING_US, is not demoted.
 * 4. Whose callbacks they were shows once the tasks are silent, and nothing else shows
 *    it.  So a demoted scheduler listens.  If default priority comes to rest it was the
 *    tasks who kept it busy.  If it does not it is somebody else, for whom no window
 *    gains by waiting tasks: the scheduler is excused for a while, which doubles from
 *    one time to the next.  Meanwhile sleeps end when they should, within that share.
 * 5. Silence says nothing where operations are still in flight, whose callbacks may be
 *    what is busy: those come to their end if nobody goes on from them, and what comes
 *    back is held.  So it is in doubt for STARVING_US then, and all other tasks go on
 *    within the share.  Once the answer was somebody else, it is in doubt every
 *    DOUBTFUL-th time only.
 *
 * To rest means that nothing of default priority is ready, nor of one down to that of
 * our probe, which is more urgent than what GTK draws at.  GTK has several turns of the
 * loop to do before it draws, more if it was kept from it, and the machine may do
 * something else meanwhile: neither time nor turns alone make a silence. */
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

/* What a slice starts may come back as a stream of GIO's callbacks at default
 * priority, which a window waits for as well: a demoted scheduler's slices get
 * shorter, down to this, until the stream takes no longer than the budget. */
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

/* In a stream of callbacks what lies between two runs is charged anyway, so that
 * neither the end of the one nor the beginning of the next is looked at. */
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

/* From the end of the last run on. */
static void
listen_anew (GtxScheduler *self)
{
  self->in_doubt = FALSE;
  self->listened_since = self->silent_since = self->last_slice = self->last_run;
  self->n_turns = self->n_silent_turns = 0;
  self->ran_meanwhile = 0;
  self->is_left = FALSE;
}

/* The charge has reached the budget. */
static gboolean
is_forgiven (GtxScheduler *self)
{
  gint64 now = self->last_run;

  if (now < self->excused_until)
    return TRUE;
  self->excused_until = 0;
  return self->charge * (STARVING_US / BUDGET_US) <= now - self->charged_since;
}

/* One that starved.  If nothing is left the tasks may be such that need little, beside
 * a window that leaves the idle source no turn: that shows before they have run for much
 * longer. */
static void
end_slice (GtxScheduler *self)
{
  if (!gtx_handle_list_is_empty (&self->ready))
    return;
  promote (self);
  self->charge = BUDGET_US - LEAST_SLICE_US;
  self->charged_since = self->last_run;
}

/* What it listens for goes on. */
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

/* ---- While it is demoted ---- */

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

/* What has come back and is held is still being awaited. */
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

/* Default priority has not come to rest. */
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

/* A turn of the loop may take long, as that of a window that draws: it takes a slice
 * where it would starve by the time that it is asked again. */
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

/* What was waited for in the poll that began last is no work. */
void
gtx_fairness_end_poll (GtxScheduler *self,
                       gint64        now)
{
  self->polled += now - self->poll_began;
  self->poll_began = 0;
}

/* All that the last run started has come back. */
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
