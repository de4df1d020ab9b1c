/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fairness.h"

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
 *    it: if default priority then comes to rest, it was the tasks who kept it busy.  If
 *    it does not, it is somebody else, for whom no window gains by waiting tasks: the
 *    scheduler is excused for a while, which doubles from one time to the next.
 * 5. To be silent takes SILENCE_US, less than anybody notices.  That says nothing where
 *    operations are still in flight, whose callbacks may be what is busy: those come to
 *    their end if nobody goes on from them, and what comes back is held.  So while it is
 *    in doubt, for STARVING_US at most, the other tasks, as those that only sleep, go on
 *    as far as their share.  Once the answer was somebody else, the next such question
 *    is put every DOUBTFUL-th time only.
 *
 * To rest means that nothing of default priority is ready, nor of one down to that of
 * our probe, which is more urgent than what GTK draws at. */
#define BUDGET_US 4000
#define STARVING_US 50000
#define SILENCE_US 1500
#define DOUBTFUL 4

/* A callback may take long, and the machine do something else meanwhile: no time says
 * anything in which so many turns have not passed. */
#define SILENT_TURNS 3
#define DOUBTED_TURNS 32

#define LEAST_RESPITE_US 8000
#define MOST_DOUBLINGS 5

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

void
gtx_fairness_promote (GtxScheduler *self)
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
  gtx_fairness_promote (self);
  self->excused_until = now + (LEAST_RESPITE_US << MIN (self->n_excuses, MOST_DOUBLINGS));
  self->n_excuses++;
}

/* Somebody's callbacks have come for so long, and none of them was a task's. */
static gboolean
is_silence (GtxScheduler *self,
            gint64        duration)
{
  return self->n_turns >= SILENT_TURNS && duration >= SILENCE_US;
}

/* What has come back and is held is still being awaited. */
static gboolean
silence_says_enough (GtxScheduler *self)
{
  return self->holds <= self->n_held || self->n_excuses % DOUBTFUL != 0;
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

/* Tasks that sleep are silent anyway. */
gint64
gtx_fairness_time_of_dispatch (GtxScheduler *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 between;

  if (!self->streaming || self->demoted || self->running > 0)
    return now;
  between = MAX (now - self->last_run - self->polled, 0);
  if (is_silence (self, between) && silence_says_enough (self) &&
      self->polled < between / 4 && now >= self->excused_until)
    excuse (self, now);
  else
    self->charge += between;
  return now;
}

gint64
gtx_fairness_begin (GtxScheduler *self,
                    gint64        start)
{
  if (self->charge == 0)
    self->charged_since = start;
  if (self->in_doubt || self->excused_until != 0)
    return LEAST_SLICE_US;
  return self->demoted ? BUDGET_US : BUDGET_US - self->charge;
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
  gtx_fairness_promote (self);
  self->charge = BUDGET_US - LEAST_SLICE_US;
  self->charged_since = self->last_run;
}

void
gtx_fairness_end (GtxScheduler *self,
                  gint64        took)
{
  self->charge += took;
  if (self->in_doubt)
    self->ran_in_doubt += took;
  else if (self->demoted)
    end_slice (self);
  else if (self->charge >= BUDGET_US)
    {
      if (is_forgiven (self))
        self->charge = 0;
      else
        self->demoted = TRUE;
    }
}

/* ---- While it is demoted ---- */

void
gtx_fairness_hold_back (GtxScheduler *self,
                        GtxHandle    *handle)
{
  if (self->running == 0)
    {
      gtx_handle_list_append (&self->held, handle);
      self->n_held++;
    }
  else
    gtx_scheduler_call_soon (self, handle);
  self->last_return = g_source_get_time (self->urgent);
  self->n_turns = 0;
}

static void
doubt (GtxScheduler *self,
       gint64        now)
{
  self->in_doubt = TRUE;
  self->doubted_since = now;
  self->n_doubted_turns = 0;
  self->ran_in_doubt = 0;
}

/* Default priority does not come to rest. */
static void
listen (GtxScheduler *self,
        gint64        now)
{
  if (self->in_doubt && ++self->n_doubted_turns > DOUBTED_TURNS &&
      now - self->doubted_since > STARVING_US)
    excuse (self, now);
  else if (!is_silence (self, now - MAX (self->last_run, self->last_return)))
    return;
  else if (silence_says_enough (self))
    excuse (self, now);
  else if (!self->in_doubt)
    doubt (self, now);
}

static gboolean
is_within_share (GtxScheduler *self,
                 gint64        now)
{
  return (self->ran_in_doubt - LEAST_SLICE_US) * (STARVING_US / BUDGET_US) <= now - self->doubted_since;
}

/* A turn of the loop may take long, as that of a window that draws: it takes a slice
 * where it would starve by the time that it is asked again. */
static gboolean
is_starving (GtxScheduler *self,
             gint64        now)
{
  gint64 turn = now - MAX (self->last_asked, self->last_run);

  self->last_asked = now;
  return now + turn - self->last_run > STARVING_US;
}

gboolean
gtx_fairness_allows (GtxScheduler *self,
                     gint64        now)
{
  if (self->streaming)
    listen (self, now);
  if (self->in_doubt)
    return is_within_share (self, now);
  if (self->demoted && !is_starving (self, now))
    return FALSE;
  gtx_fairness_let_go (self);
  return TRUE;
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
