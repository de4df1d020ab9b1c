/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handles that are ready, and running them in asyncio's rounds. */

#include "loop/alarm.h"
#include "loop/pushed.h"

/* The clock costs more than a switch: it is read once in so many handles at most. */
#define MOST_ENTRIES_A_READ 16
#define SHORT_READ_US 100
#define LONG_READ_US 250

/* How long after a burst its stacks are first looked at. */
#define TRIM_AFTER_MS 1000

/* ---- Handles and timers ---- */

/* Wakes the main loop before it sleeps, unless it was woken already. */
static inline void
ensure_noticed (GtxScheduler *self)
{
  if (G_UNLIKELY (self->polling))
    {
      self->polling = FALSE;
      if (self->base.context)
        g_main_context_wakeup (self->base.context);
    }
}

void
gtx_scheduler_call_soon (GtxScheduler *self,
                         GtxHandle    *handle)
{
  gtx_handle_list_append (&self->ready, handle);
  ensure_noticed (self);
}

void
gtx_scheduler_call_all_soon (GtxScheduler  *self,
                             GtxHandleList *handles)
{
  gtx_handle_list_splice (&self->ready, handles);
  ensure_noticed (self);
}

void
gtx_scheduler_call_at_end (GtxScheduler *self,
                           GtxHandle    *handle)
{
  gtx_handle_list_append (&self->at_end, handle);
}

void
gtx_scheduler_foreach_at_end (GtxScheduler  *self,
                              void         (*run) (GtxHandle *handle),
                              void         (*func) (GtxHandle *handle,
                                                    gpointer   data),
                              gpointer       data)
{
  for (GtxHandle *handle = self->at_end.ring.next; handle != &self->at_end.ring; handle = handle->next)
    if (handle->run == run)
      func (handle, data);
}

gint64
gtx_scheduler_get_time (GtxScheduler *self)
{
  self->now = self->jumper ? gtx_scheduler_get_virtual_time (self) : g_get_monotonic_time ();
  return self->now;
}

void
gtx_scheduler_call_at (GtxScheduler *self,
                       GtxTimer     *timer,
                       gint64        time)
{
  if (time == GTX_NEVER)
    return;
  gtx_timers_insert (&self->timers, timer, time);
  if (time - self->now < GTX_SHORT_WAIT_US)
    self->exact_until = MAX (self->exact_until, time);
  ensure_noticed (self);
}

void
gtx_scheduler_cancel_timer (GtxScheduler *self,
                            GtxTimer     *timer)
{
  if (timer->slot > 0)
    gtx_timers_remove (&self->timers, timer);
  else if (gtx_handle_is_linked (&timer->handle))
    gtx_handle_unlink (&timer->handle);
}

static gboolean
has_due_timer (GtxScheduler *self)
{
  return self->timers.length > 0 && gtx_timers_first (&self->timers)->deadline <= self->now;
}

void
gtx_scheduler_queue_due_timers (GtxScheduler *self)
{
  while (has_due_timer (self))
    {
      GtxTimer *timer = gtx_timers_first (&self->timers);

      gtx_timers_remove (&self->timers, timer);
      gtx_handle_list_append (&self->ready, &timer->handle);
    }
}

gboolean
gtx_scheduler_has_work (GtxScheduler *self)
{
  return !gtx_handle_list_is_empty (&self->ready) || !gtx_handle_list_is_empty (&self->fairness.held) ||
         gtx_scheduler_has_messages (self);
}

gboolean
gtx_scheduler_is_due (GtxScheduler *self)
{
  return gtx_scheduler_has_work (self) ||
         (self->timers.length > 0 && gtx_timers_first (&self->timers)->deadline <= gtx_scheduler_get_time (self));
}

void
gtx_scheduler_stop (GtxScheduler *self)
{
  self->stopping = TRUE;
}

gboolean
gtx_scheduler_is_stopping (GtxScheduler *self)
{
  return self->stopping;
}

/* ---- Rounds ---- */

/* Begins a round: the handles that are ready now, and behind them the timers that are due by now. */
static gboolean
begin_round (GtxScheduler *self)
{
  gtx_scheduler_run_messages (self);
  /* A message has run a main loop, and this is in the middle of its round. */
  if (gtx_handle_is_linked (&self->marker))
    return TRUE;
  gtx_scheduler_queue_due_timers (self);
  if (gtx_handle_list_is_empty (&self->ready))
    return FALSE;
  gtx_handle_list_append (&self->ready, &self->marker);
  return TRUE;
}

static gboolean
is_over_now (GtxScheduler *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 took = now - self->last_read;

  if (!self->jumper)
    self->now = now;
  self->last_read = now;
  if (took < SHORT_READ_US)
    self->entries_a_read = MIN (2 * self->entries_a_read, MOST_ENTRIES_A_READ);
  else if (took > LONG_READ_US)
    self->entries_a_read = MAX (self->entries_a_read / 4, 1);
  self->entries_left = now < self->until ? self->entries_a_read : 1;
  return now >= self->until;
}

/* Whether the run's time is over; to be asked before or after each handle.  Reads the clock once in
 * so many handles that they take some hundred microseconds, and each time once the time is over. */
static inline gboolean
is_over (GtxScheduler *self)
{
  return G_UNLIKELY (--self->entries_left == 0) && is_over_now (self);
}

gboolean
gtx_scheduler_is_over (GtxScheduler *self)
{
  return is_over (self);
}

/* Returns NULL if @handle is no step. */
static inline GtxStep *
step_of (const GtxHandle *handle)
{
  return handle->run == gtx_scheduler_resume ? GTX_CONTAINER_OF (handle, GtxStep, handle) : NULL;
}

/* Returns NULL if @handle is no step, or that of a fiber that was not made yet. */
static inline GtxFiber *
fiber_of (const GtxHandle *handle)
{
  const GtxStep *step = step_of (handle);

  return step ? step->fiber : NULL;
}

/* Prefetches the memory of the next fibers while those before them run, a link further each time:
 * if thousands take turns, each has lost its memory from the processor's caches.  (Must be inlined:
 * gcc leaves out the call of a function that does nothing else, since it sees no effect.) */
static G_ALWAYS_INLINE inline void
foresee (const GtxHandle *next)
{
  const GtxHandle *second = next->next;
  const GtxFiber *fiber = fiber_of (next);

  if (fiber)
    gtx_fiber_prefetch (fiber);
  __builtin_prefetch (fiber_of (second));
  __builtin_prefetch (second->next);
}

static void
run_rounds (GtxScheduler *self)
{
  if (!gtx_handle_is_linked (&self->marker) && !begin_round (self))
    return;

  for (;;)
    {
      GtxHandle *handle;

      /* The round has ended, here or in a nested loop. */
      if (!gtx_handle_is_linked (&self->marker))
        {
          if (self->stopping)
            {
              self->stopping = FALSE;
              self->stopped = TRUE;
              return;
            }
          if (!begin_round (self))
            return;
        }
      handle = gtx_handle_list_pop (&self->ready);
      if (handle == &self->marker)
        continue;
      foresee (self->ready.ring.next);
      handle->run (handle);
      if (is_over (self))
        return;
    }
}

void
gtx_scheduler_resume (GtxHandle *handle)
{
  GtxStep *step = GTX_CONTAINER_OF (handle, GtxStep, handle);
  char *problem = NULL;

  if (step->fiber == NULL)
    step->fiber = step->kind->make (step, NULL, &problem);
  if (step->fiber)
    gtx_fiber_resume (step->fiber, gtx_running.depth);
  else
    step->kind->abandon (step, problem);
}

/* Makes the fiber of a step that begins, in the fiber that runs, whose errno must not change.
 * Returns NULL if it has to be made outside of all fibers. */
static GtxFiber *
make_fiber (GtxStep *step)
{
  int saved_errno = errno;

  if (GTX_CONTEXT_TAKES_CONTROL)
    step->fiber = step->kind->make (step, gtx_running_fiber, NULL);
  errno = saved_errno;
  return step->fiber;
}

/* Begins the next round if this one has ended, and no message, due timer or stop comes in between. */
static inline gboolean
begin_next_round (GtxScheduler *self)
{
  const GtxHandle *first = self->ready.ring.next;

  if (first != &self->marker || first->next == &self->ready.ring ||
      self->stopping || gtx_scheduler_has_messages (self) || has_due_timer (self))
    return FALSE;
  gtx_handle_unlink (&self->marker);
  gtx_handle_list_append (&self->ready, &self->marker);
  return TRUE;
}

/* Takes the next step of this round, or of the next one, out of the list, and returns its fiber.
 * Returns NULL if the next handle is no step, if its fiber cannot go on, or if the time is over. */
static G_ALWAYS_INLINE inline GtxFiber *
take_next_fiber (GtxScheduler *self)
{
  GtxStep *step = step_of (self->ready.ring.next);
  GtxFiber *fiber;

  if (step == NULL && begin_next_round (self))
    step = step_of (self->ready.ring.next);
  if (step == NULL || !gtx_handle_is_linked (&self->marker) || is_over (self))
    return NULL;
  if (step->fiber && gtx_fiber_is_running (step->fiber))
    return NULL;
  fiber = step->fiber ? step->fiber : make_fiber (step);
  if (fiber == NULL)
    return NULL;
  foresee (step->handle.next);
  gtx_handle_unlink (&step->handle);
  return fiber;
}

/* Pops the main contexts that the fiber has pushed while it is suspended.  Else they would be the
 * thread-default ones of all other fibers, whose operations would call back in a context that no
 * thread iterates. */
G_GNUC_NO_INLINE static void
suspend_without_pushed (GtxFiber *fiber,
                        GtxFiber *next)
{
  GSList *pushed = gtx_pushed_take_off (gtx_running.thread_default);

  gtx_fiber_suspend (fiber, next);
  gtx_pushed_put_back (pushed);
}

/* Whether the fiber that runs has pushed a main context.  Its own context, pushed once more, does
 * not show: GLib returns the same for it as for the one below. */
static inline gboolean
has_pushed (void)
{
  return G_UNLIKELY (g_main_context_get_thread_default () != gtx_running.thread_default);
}

gboolean
gtx_scheduler_is_pushed (GMainContext *context)
{
  GMainContext *pushed = g_main_context_get_thread_default ();

  return has_pushed () && context == (pushed ? pushed : g_main_context_default ());
}

GSList *
gtx_scheduler_take_off_pushed (void)
{
  return has_pushed () ? gtx_pushed_take_off (gtx_running.thread_default) : NULL;
}

/* The next fiber or callback would have the contexts that are left as its own, and start tasks in
 * one that no thread iterates. */
void
gtx_scheduler_let_go_of_pushed (void)
{
  if (!has_pushed ())
    return;
  g_critical ("A task or callback ended " GTX_PUSHED_LEFT);
  gtx_pushed_let_go (gtx_pushed_take_off (gtx_running.thread_default));
}

/* The innermost run of this thread has resumed the fiber, so that gtx_running is that run's.  An eager
 * fiber goes back to the code that has begun it. */
void
gtx_scheduler_suspend (GtxFiber *fiber)
{
  GtxFiber *next = NULL;

  if (!gtx_fiber_is_marked (fiber))
    next = take_next_fiber (gtx_running.scheduler);
  else if (gtx_fiber_take_mark (fiber, GTX_FIBER_GOES_ON))
    return;
  else
    gtx_fiber_take_mark (fiber, GTX_FIBER_IS_EAGER);
  if (has_pushed ())
    suspend_without_pushed (fiber, next);
  else
    gtx_fiber_suspend (fiber, next);
}

GtxFiber *
gtx_scheduler_take_next (void)
{
  return take_next_fiber (gtx_running.scheduler);
}

static void trim_later (GtxScheduler *self, guint milliseconds);

static gboolean
trim (gpointer data)
{
  GtxScheduler *self = data;
  guint milliseconds;

  if (!gtx_scheduler_may_dispatch (self))
    return G_SOURCE_CONTINUE;
  milliseconds = gtx_stack_pool_trim (self->base.stacks);
  self->trimmer = NULL;
  if (milliseconds > 0)
    trim_later (self, milliseconds);
  return G_SOURCE_REMOVE;
}

static void
trim_later (GtxScheduler *self,
            guint         milliseconds)
{
  self->trimmer = g_timeout_source_new (milliseconds);
  g_source_set_priority (self->trimmer, G_PRIORITY_LOW);
  g_source_set_callback (self->trimmer, trim, self, NULL);
  g_source_set_name (self->trimmer, "gtask-ext (stacks)");
  g_source_attach (self->trimmer, self->base.context);
  g_source_unref (self->trimmer);
}

/* GIO's operations call back in the thread-default main context.  Pushes the one that the tasks run
 * in, for a thread that has not pushed it or has another one pushed on top.  Sets @thread_default
 * to what GLib returns from now on.  FALSE if nothing was pushed. */
static gboolean
push_context (GtxScheduler  *self,
              GMainContext **thread_default)
{
  *thread_default = g_main_context_get_thread_default ();
  if (G_LIKELY (*thread_default == self->thread_default))
    return FALSE;
  /* The callback may come outside of the main loop, in a thread that has not acquired the context. */
  if (!g_main_context_is_owner (self->base.context))
    return FALSE;
  g_main_context_push_thread_default (self->base.context);
  *thread_default = self->thread_default;
  return TRUE;
}

static void
pop_context (GtxScheduler *self,
             gboolean      pushed)
{
  gtx_scheduler_let_go_of_pushed ();
  if (pushed)
    g_main_context_pop_thread_default (self->base.context);
}

/* What a run of a scheduler interrupts: the code around it, as a rule no run. */
typedef struct
{
  GtxRunning running;
  gboolean pushed;
} Interrupted;

/* Lets the scheduler run in this thread, which owns or visits it, until leave (). */
static inline void
enter (GtxScheduler *self,
       Interrupted  *interrupted)
{
  GMainContext *thread_default;

  interrupted->pushed = push_context (self, &thread_default);
  interrupted->running = gtx_running;
  gtx_scheduler_ref (self);
  gtx_running.scheduler = self;
  gtx_running.depth = g_main_depth ();
  gtx_running.thread_default = thread_default;
  self->running++;
  self->stuck = GTX_NOT_STUCK;
}

/* The caller unrefs the scheduler. */
static inline void
leave (GtxScheduler      *self,
       const Interrupted *interrupted)
{
  self->running--;
  pop_context (self, interrupted->pushed);
  gtx_running = interrupted->running;
  if (self->trimmer == NULL && self->jumper == NULL && gtx_stack_pool_has_surplus (self->base.stacks))
    trim_later (self, TRIM_AFTER_MS);
}

static inline void
begin_time (GtxScheduler *self,
            gint64        start,
            gint64        budget)
{
  self->now = self->jumper ? gtx_scheduler_get_virtual_time (self) : start;
  self->until = start + budget;
  self->last_read = start;
}

gint64
gtx_scheduler_run (GtxScheduler *self,
                   gint64        start,
                   gint64        budget)
{
  Interrupted interrupted;
  gint64 outer_until = self->until;
  gint64 end;

  gtx_scheduler_own (self);
  enter (self, &interrupted);
  gtx_fairness_begin_run (self);
  self->polling = FALSE;
  begin_time (self, start, budget);

  if (gtx_scheduler_is_flagged (self))
    gtx_scheduler_heed_flag (self);
  run_rounds (self);

  self->until = outer_until;
  leave (self, &interrupted);
  end = gtx_fairness_end_run (self);
  gtx_scheduler_unref (self);
  return end - start;
}

/* During a visit another thread that wants to dispatch is put off, and the scheduler gets an owner only if
 * a fiber is left.
 *
 * The time counts as that of the code around: a run charges it, and that of another callback of the main
 * loop is its own.  There the eager fiber has the budget of a run, so that it suspends where it would
 * keep the main loop. */
void
gtx_scheduler_begin_eagerly (GtxScheduler *self,
                             GtxStep      *step)
{
  GMainContext *context = self->base.context;
  guint n_asking_outside = self->n_asking_outside;
  Interrupted interrupted;

  g_assert (step->fiber == NULL && !gtx_handle_is_linked (&step->handle));

  /* During a visit this thread need not have the context, and without it another one would be the
   * thread-default context of the fiber. */
  if (!g_main_context_acquire (context))
    {
      gtx_scheduler_call_soon (self, &step->handle);
      return;
    }
  step->fiber = step->kind->make (step, NULL, NULL);
  if (step->fiber == NULL)
    {
      gtx_scheduler_call_soon (self, &step->handle);
      g_main_context_release (context);
      return;
    }
  if (self->running == 0)
    begin_time (self, g_get_monotonic_time (), gtx_fairness_budget (self));
  self->n_asking_outside = self->n_asking;
  /* The fiber may drop the last reference but this one. */
  g_main_context_ref (context);
  enter (self, &interrupted);
  gtx_fiber_begin_eagerly (step->fiber, gtx_running.depth);
  leave (self, &interrupted);
  self->n_asking_outside = n_asking_outside;
  if (gtx_stack_pool_n_used (self->base.stacks) > 0)
    gtx_scheduler_own (self);
  else
    gtx_scheduler_disown (self);
  g_main_context_release (context);
  g_main_context_unref (context);
  gtx_scheduler_unref (self);
}
