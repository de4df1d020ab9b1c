/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/scheduler-private.h"

#include <time.h>

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
  self->fairness.slice = BUDGET_US;
  gtx_handle_list_init (&self->fairness.held);
}

/* ---- Excuses ---- */

void
gtx_fairness_let_go (GtxScheduler *self)
{
  gtx_handle_list_splice (&self->ready, &self->fairness.held);
  self->fairness.n_held = 0;
}

static void
promote (GtxScheduler *self)
{
  self->fairness.demoted = FALSE;
  self->fairness.in_doubt = FALSE;
  self->fairness.charge = 0;
  gtx_fairness_let_go (self);
}

static void
excuse (GtxScheduler *self,
        gint64        now)
{
  promote (self);
  self->fairness.excused_until = now + (LEAST_RESPITE_US << MIN (self->fairness.n_excuses, MOST_DOUBLINGS));
  self->fairness.n_excuses++;
}

/* ---- Runs ---- */

/* Reads a clock of the kernel's ticks, some milliseconds each, at a fifth of the cost of the exact
 * one. */
static gint64
read_coarse_clock (void)
{
#ifdef CLOCK_MONOTONIC_COARSE
  struct timespec now;

  if (clock_gettime (CLOCK_MONOTONIC_COARSE, &now) == 0)
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
#endif
  return g_get_monotonic_time ();
}

void
gtx_fairness_begin_run (GtxScheduler *self)
{
  self->fairness.streaming = TRUE;
  self->fairness.polled = 0;
}

/* While the coarse clock has not ticked, the run has ended when the exact one was read last: a run
 * of few handles may end without reading it again. */
gint64
gtx_fairness_end_run (GtxScheduler *self)
{
  gint64 ticks = read_coarse_clock ();

  if (!self->fairness.demoted && ticks == self->fairness.last_ticks)
    self->fairness.last_run = self->last_read;
  else
    self->fairness.last_run = g_get_monotonic_time ();
  self->fairness.last_ticks = ticks;
  return self->fairness.last_run;
}

/* In a stream of callbacks the time between two runs is charged anyway, so that the clock is read
 * neither at the end of a run nor at the beginning of the next. */
gint64
gtx_fairness_time_in_stream (GtxScheduler *self)
{
  if (!self->fairness.streaming)
    return g_get_monotonic_time ();
  if (self->fairness.poll_began != 0)
    gtx_fairness_end_poll (self, g_get_monotonic_time ());
  return self->fairness.last_run + self->fairness.polled;
}

static void
charge (GtxScheduler *self,
        gint64        since,
        gint64        duration)
{
  if (self->fairness.charge == 0)
    self->fairness.charged_since = since;
  self->fairness.charge += duration;
}

gint64
gtx_fairness_time_of_dispatch (GtxScheduler *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->fairness.streaming && self->running == 0)
    charge (self, self->fairness.last_run, MAX (now - self->fairness.last_run - self->fairness.polled, 0));
  return now;
}

gint64
gtx_fairness_budget (GtxScheduler *self)
{
  if (self->fairness.meanwhile != 0)
    return self->fairness.meanwhile;
  if (self->fairness.excused_until != 0)
    return LEAST_SLICE_US;
  return self->fairness.demoted ? BUDGET_US : BUDGET_US - self->fairness.charge;
}

/* Begins to listen, from the end of the last run on. */
static void
listen_anew (GtxScheduler *self)
{
  self->fairness.in_doubt = FALSE;
  self->fairness.listened_since = self->fairness.silent_since = self->fairness.last_slice = self->fairness.last_run;
  self->fairness.n_turns = self->fairness.n_silent_turns = 0;
  self->fairness.ran_meanwhile = 0;
  self->fairness.is_left = FALSE;
}

/* Whether a charge that has reached the budget is forgiven. */
static gboolean
is_forgiven (GtxScheduler *self)
{
  gint64 now = self->fairness.last_run;

  if (now < self->fairness.excused_until)
    return TRUE;
  self->fairness.excused_until = 0;
  return self->fairness.charge * (STARVING_US / BUDGET_US) <= now - self->fairness.charged_since;
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
  self->fairness.charge = BUDGET_US - LEAST_SLICE_US;
  self->fairness.charged_since = self->fairness.last_run;
}

/* Ends a run while the scheduler listens, and goes on listening. */
static void
end_meanwhile (GtxScheduler *self,
               gint64        took)
{
  if (self->fairness.meanwhile == BUDGET_US)
    self->fairness.last_slice = self->fairness.last_run;
  else
    self->fairness.ran_meanwhile += took;
  self->fairness.is_left = !gtx_handle_list_is_empty (&self->ready);
}

void
gtx_fairness_charge_run (GtxScheduler *self,
                         gint64        start,
                         gint64        took)
{
  charge (self, start, took);
  if (self->fairness.meanwhile != 0)
    end_meanwhile (self, took);
  else if (self->fairness.demoted)
    end_slice (self);
  else if (self->fairness.charge >= BUDGET_US && is_forgiven (self))
    self->fairness.charge = 0;
  else if (self->fairness.charge >= BUDGET_US)
    self->fairness.demoted = TRUE;
  else
    return;
  if (self->fairness.meanwhile == 0)
    listen_anew (self);
  self->fairness.meanwhile = 0;
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
  gtx_handle_list_append (&self->fairness.held, handle);
  self->fairness.n_held++;
  self->fairness.silent_since = g_source_get_time (self->urgent);
  self->fairness.n_silent_turns = 0;
}

static gboolean
is_silence (GtxScheduler *self,
            gint64        now)
{
  gint64 duration = now - self->fairness.silent_since;

  if (self->fairness.n_silent_turns >= SILENT_TURNS)
    return duration >= SILENCE_US;
  return self->fairness.n_silent_turns >= FEWEST_SILENT_TURNS && duration >= STARVING_US;
}

/* An operation that has come back and is held still counts among the holds, since its task waits. */
static gboolean
silence_says_enough (GtxScheduler *self)
{
  return self->holds <= self->fairness.n_held || self->fairness.n_excuses % DOUBTFUL != 0;
}

static gboolean
is_beyond_doubt (GtxScheduler *self,
                 gint64        now)
{
  return self->fairness.n_turns >= SILENT_TURNS && now - self->fairness.listened_since >= STARVING_US;
}

/* To be called in a turn in which default priority has not come to rest. */
static void
listen (GtxScheduler *self,
        gint64        now)
{
  self->fairness.n_turns++;
  self->fairness.n_silent_turns++;
  if (!is_silence (self, now) && !(self->fairness.in_doubt && is_beyond_doubt (self, now)))
    return;
  if (silence_says_enough (self) || is_beyond_doubt (self, now))
    excuse (self, now);
  else
    self->fairness.in_doubt = TRUE;
}

static gboolean
may_run_meanwhile (GtxScheduler *self,
                   gint64        now)
{
  const GtxTimer *timer = gtx_timers_first (&self->timers);

  if ((self->fairness.ran_meanwhile - LEAST_SLICE_US) * (STARVING_US / BUDGET_US) > now - self->fairness.listened_since)
    return FALSE;
  return self->fairness.in_doubt || self->fairness.is_left || (timer && !self->jumper && timer->deadline <= now);
}

/* Whether the scheduler would starve by the time that it is asked again: a turn of the main loop
 * may take long, such as that of a window that draws. */
static gboolean
is_starving (GtxScheduler *self,
             gint64        now)
{
  gint64 turn = now - MAX (self->fairness.last_asked, self->fairness.last_slice);

  self->fairness.last_asked = now;
  return now + turn - self->fairness.last_slice > STARVING_US;
}

gboolean
gtx_fairness_allows (GtxScheduler *self,
                     gint64        now)
{
  gboolean starves = is_starving (self, now);

  self->fairness.meanwhile = 0;
  if (self->fairness.streaming)
    listen (self, now);
  if (!self->fairness.demoted)
    return TRUE;
  if (starves)
    gtx_fairness_let_go (self);
  if (self->fairness.streaming)
    self->fairness.meanwhile = starves ? BUDGET_US : may_run_meanwhile (self, now) ? LEAST_SLICE_US : 0;
  return starves || self->fairness.meanwhile != 0;
}

/* ---- The main loop ---- */

gboolean
gtx_fairness_asks (GtxScheduler *self)
{
  return self->fairness.charge >= ASK_US;
}

void
gtx_fairness_begin_poll (GtxScheduler *self)
{
  if (self->fairness.streaming)
    self->fairness.poll_began = g_get_monotonic_time ();
}

/* The time that the main loop waits in a poll is not charged. */
void
gtx_fairness_end_poll (GtxScheduler *self,
                       gint64        now)
{
  if (self->fairness.poll_began == 0)
    return;
  self->fairness.polled += now - self->fairness.poll_began;
  self->fairness.poll_began = 0;
}

/* Adapts the slice when all that the last run started has come back. */
static void
settle (GtxScheduler *self,
        gint64        took)
{
  if (took > BUDGET_US)
    self->fairness.slice = MAX (self->fairness.slice / 2, LEAST_SLICE_US);
  else if (took < BUDGET_US / 2)
    self->fairness.slice = MIN (self->fairness.slice * 2, BUDGET_US);
}

void
gtx_fairness_rest (GtxScheduler *self,
                   GSource      *source)
{
  if (self->fairness.demoted && self->fairness.streaming)
    settle (self, g_source_get_time (source) - self->fairness.last_run);
  self->fairness.streaming = FALSE;
  self->fairness.in_doubt = FALSE;
  self->fairness.excused_until = 0;
  self->fairness.n_excuses = 0;
}

gboolean
gtx_fairness_is_idle (GtxScheduler *self)
{
  if (!self->fairness.demoted)
    self->fairness.charge = 0;
  return self->fairness.demoted;
}

void
gtx_fairness_drop_held (GtxScheduler *self,
                        gboolean      is_torn)
{
  if (is_torn)
    gtx_handle_list_init (&self->fairness.held);
  while (gtx_handle_list_pop (&self->fairness.held))
    ;
}
