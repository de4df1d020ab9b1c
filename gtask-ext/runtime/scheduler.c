/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "scheduler.h"

#include <pthread.h>
#include <unistd.h>

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

/* The clock costs more than a switch: it is read once in so many entries. */
#define MOST_ENTRIES_A_READ 16
#define SHORT_READ_US 100
#define LONG_READ_US 250

/* How long after a burst its stacks are first looked at. */
#define TRIM_AFTER_MS 1000

typedef struct _Message Message;

struct _Message
{
  Message *next;
  GtxPostFunc func;
  gpointer data;
};

typedef struct
{
  GSource source;
  GtxScheduler *scheduler;
} SchedulerSource;

/* Invariants:
 * - All but the messages is touched by the owner's thread alone, once there
 *   is an owner with fibers.
 * - The marker is in the ready list exactly while a round is being run, be it
 *   by this dispatch, one below or one above it: what is before the marker
 *   belongs to the round.
 * - A timer is in the heap or its handle is in the ready list, never both.
 * - Whatever is appended while the main loop polls wakes it. */
struct _GtxScheduler
{
  gint ref_count;
  GMainContext *context;        /* not owned; NULL when it is gone */
  gboolean *owner;              /* the thread: the address of a variable of its own */
  gboolean complained;

  GtxHandleList ready;
  GtxHandle marker;
  GtxHandleList at_end;         /* for when the context goes */
  GtxTimers timers;
  GtxStackPool *stacks;

  GSource *urgent;              /* at default priority */
  GSource *trimmer;
  gint64 armed;                 /* the urgent source's ready time, or -1 */
  guint running;                /* dispatches on the stack */
  guint holds;
  gboolean polling;             /* the main loop was told that nothing is ready */
  gboolean stopping;

  gint64 now;                   /* as last read */
  gint64 charge;
  gint64 last_run;
  gboolean streaming;           /* default priority was busy since the last run */
  gint64 poll_began;            /* since then; 0: it has ended */
  gint64 polled;                /* since then, in all */
  gint64 last_asked;            /* while it is demoted */
  gboolean demoted;
  gint64 slice;                 /* a demoted run's budget */
  gint64 last_settled;          /* the run whose stream was measured last */
  gint64 until;                 /* real time, of the innermost run */
  gint64 last_read;
  guint entries_a_read;
  guint entries_left;

  GSource *jumper;              /* in virtual time only */
  gint64 virtual_now;
  GtxDeadlockFunc deadlock;
  gpointer deadlock_data;

  gpointer extension;
  GDestroyNotify destroy_extension;

  GMutex mutex;                 /* of the messages, and of context's going */
  gboolean closed;              /* nobody takes messages any more */
  Message *first_message;
  Message **last_message;
  GSource *waker;               /* wakes the context when its ready time changes */
  gint64 waker_time;            /* which is never reached */

  Message *taken;               /* what is behind the message that runs */

  GtxHandle known;              /* a link, never run: how a debugger finds it */
};

static __thread gboolean this_thread;
static gboolean no_thread;      /* owns the schedulers whose contexts are gone */
static gboolean parent_process; /* owns those that had fibers at a fork () */
static __thread GtxScheduler *running_scheduler;
static __thread gint running_depth;
static __thread GMainContext *running_default; /* the thread's, when it began to run */

G_LOCK_DEFINE_STATIC (schedulers);
static GHashTable *schedulers;  /* of GMainContext: GtxScheduler */
static GtxHandleList all_schedulers = { { &all_schedulers.ring, &all_schedulers.ring, NULL } };

static void attach_sources (GtxScheduler *self);
static void handle_forks (void);

/* ---- Which scheduler, whose thread ---- */

GtxScheduler *
gtx_scheduler_ref (GtxScheduler *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
gtx_scheduler_unref (GtxScheduler *self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;

  g_assert (self->context == NULL);
  gtx_timers_clear (&self->timers);
  if (gtx_stack_pool_n_used (self->stacks) == 0)
    gtx_stack_pool_free (self->stacks);
  if (self->destroy_extension)
    self->destroy_extension (self->extension);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static GtxScheduler *
scheduler_new (GMainContext *context)
{
  GtxScheduler *self = g_new0 (GtxScheduler, 1);

  self->ref_count = 1;
  self->context = context;
  self->stacks = gtx_stack_pool_new ();
  self->armed = -1;
  self->slice = BUDGET_US;
  self->entries_a_read = 1;
  self->entries_left = 1;
  gtx_handle_list_init (&self->ready);
  gtx_handle_list_init (&self->at_end);
  g_mutex_init (&self->mutex);
  self->last_message = &self->first_message;
  return self;
}

/* The main thread is told by its number, which is the process's. */
static gboolean
is_main_thread (void)
{
  return getpid () == gettid ();
}

/* Whoever uses a context as its own before anybody dispatched it, owns its
 * scheduler until somebody does. */
static void
claim (GtxScheduler *self,
       GMainContext *context)
{
  if (__atomic_load_n (&self->owner, __ATOMIC_ACQUIRE) != NULL)
    return;
  if (g_main_context_get_thread_default () == context ||
      (context == g_main_context_default () && is_main_thread ()))
    {
      gboolean *nobody = NULL;

      __atomic_compare_exchange_n (&self->owner, &nobody, &this_thread, FALSE,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
}

GtxScheduler *
gtx_scheduler_for_context (GMainContext *context)
{
  GtxScheduler *self;

  if (context == NULL)
    context = g_main_context_default ();

  G_LOCK (schedulers);
  if (schedulers == NULL)
    {
      schedulers = g_hash_table_new (NULL, NULL);
      handle_forks ();
    }
  self = g_hash_table_lookup (schedulers, context);
  if (self == NULL)
    {
      self = scheduler_new (context);
      g_hash_table_insert (schedulers, context, self);
      gtx_handle_list_append (&all_schedulers, &self->known);
      attach_sources (self);
    }
  G_UNLOCK (schedulers);

  claim (self, context);
  return self;
}

GtxScheduler *
gtx_scheduler_get (void)
{
  static GtxScheduler *of_default_context;
  GMainContext *context = g_main_context_get_thread_default ();

  /* What runs may have pushed another context for a while. */
  if (running_scheduler && running_depth == g_main_depth () && running_default == context)
    return running_scheduler;

  if (context == NULL)
    {
      GtxScheduler *self = __atomic_load_n (&of_default_context, __ATOMIC_ACQUIRE);

      if (self == NULL)
        {
          self = gtx_scheduler_for_context (NULL);
          __atomic_store_n (&of_default_context, self, __ATOMIC_RELEASE);
        }
      claim (self, self->context);
      return self;
    }
  return gtx_scheduler_for_context (context);
}

gboolean
gtx_scheduler_is_local (GtxScheduler *self)
{
  return __atomic_load_n (&self->owner, __ATOMIC_RELAXED) == &this_thread;
}

gboolean
gtx_scheduler_is_running (GtxScheduler *self)
{
  return self->running > 0;
}

gboolean
gtx_scheduler_is_parents (GtxScheduler *self)
{
  return self->owner == &parent_process;
}

GtxStackPool *
gtx_scheduler_get_stacks (GtxScheduler *self)
{
  return self->stacks;
}

GMainContext *
gtx_scheduler_get_context (GtxScheduler *self)
{
  return self->context;
}

void
gtx_scheduler_set_extension (GtxScheduler   *self,
                             gpointer        extension,
                             GDestroyNotify  destroy)
{
  self->extension = extension;
  self->destroy_extension = destroy;
}

gpointer
gtx_scheduler_get_extension (GtxScheduler *self)
{
  return self->extension;
}

/* A context may change hands while no fiber lives. */
static gboolean
may_dispatch (GtxScheduler *self)
{
  if (G_LIKELY (gtx_scheduler_is_local (self)))
    return TRUE;

  if (self->owner == NULL || gtx_stack_pool_n_used (self->stacks) == 0)
    {
      __atomic_store_n (&self->owner, &this_thread, __ATOMIC_RELEASE);
      return TRUE;
    }

  if (!self->complained && gtx_scheduler_is_parents (self))
    g_critical ("The child of a fork() dispatches a main context whose tasks are the parent's; they "
                "do not run here: end the child with _exit(), or have it execute a program");
  else if (!self->complained)
    g_critical ("A main context whose tasks belong to another thread is dispatched by this one; "
                "they do not run here: iterate the context in the thread that ran them first");
  self->complained = TRUE;
  return FALSE;
}

/* ---- fork () ---- */

/* Tasks that went on in the child as well would do everything twice, and take
 * the wake-ups of the descriptor that both processes have for the context.  The
 * timers stay: what the child cleans up takes its own away. */
static void
leave_to_parent (GtxScheduler *self)
{
  __atomic_store_n (&self->owner, &parent_process, __ATOMIC_RELEASE);
  while (gtx_handle_list_pop (&self->ready))
    ;
}

static void
before_fork (void)
{
  G_LOCK (schedulers);
}

static void
after_fork_in_parent (void)
{
  G_UNLOCK (schedulers);
}

/* The thread that forked is the only one. */
static void
after_fork_in_child (void)
{
  GHashTableIter iter;
  gpointer scheduler;

  g_hash_table_iter_init (&iter, schedulers);
  while (g_hash_table_iter_next (&iter, NULL, &scheduler))
    {
      GtxScheduler *self = scheduler;

      if (gtx_stack_pool_n_used (self->stacks) > 0)
        leave_to_parent (self);
      else if (!gtx_scheduler_is_local (self))
        __atomic_store_n (&self->owner, NULL, __ATOMIC_RELEASE);
    }
  if (running_scheduler && gtx_scheduler_is_parents (running_scheduler))
    running_scheduler = NULL;
  gtx_fiber_leave_to_parent ();
  G_UNLOCK (schedulers);
}

static void
handle_forks (void)
{
  pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
}

/* ---- From other threads ---- */

/* g_main_context_wakeup () is for those who keep the context; who posts does
 * not, and may do so while the last reference goes. */
static void
wake_from_afar (GtxScheduler *self)
{
  self->waker_time = self->waker_time == G_MAXINT64 ? G_MAXINT64 - 1 : G_MAXINT64;
  g_source_set_ready_time (self->waker, self->waker_time);
}

gboolean
gtx_scheduler_post (GtxScheduler *self,
                    GtxPostFunc   func,
                    gpointer      data)
{
  Message *message = g_new (Message, 1);
  gboolean closed;

  message->next = NULL;
  message->func = func;
  message->data = data;

  g_mutex_lock (&self->mutex);
  closed = self->closed;
  if (!closed)
    {
      __atomic_store_n (self->last_message, message, __ATOMIC_RELAXED);
      self->last_message = &message->next;
      if (self->context)
        wake_from_afar (self);
    }
  g_mutex_unlock (&self->mutex);

  if (closed)
    g_free (message);
  return !closed;
}

static gboolean
has_messages (GtxScheduler *self)
{
  return self->taken || __atomic_load_n (&self->first_message, __ATOMIC_RELAXED) != NULL;
}

static void
take_messages (GtxScheduler *self)
{
  Message **end = &self->taken;

  while (*end)
    end = &(*end)->next;
  g_mutex_lock (&self->mutex);
  *end = self->first_message;
  self->first_message = NULL;
  self->last_message = &self->first_message;
  g_mutex_unlock (&self->mutex);
}

/* One may run a main loop, which goes on with what is behind it. */
void
gtx_scheduler_run_messages (GtxScheduler *self)
{
  Message *message;

  if (!has_messages (self))
    return;

  take_messages (self);
  while ((message = self->taken))
    {
      self->taken = message->next;
      message->func (message->data);
      g_free (message);
    }
}

/* ---- What is ready, and when ---- */

/* The main loop looks again before it sleeps, unless it was already told. */
static inline void
ensure_noticed (GtxScheduler *self)
{
  if (G_UNLIKELY (self->polling))
    {
      self->polling = FALSE;
      if (self->context)
        g_main_context_wakeup (self->context);
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

static gint64
read_clock (GtxScheduler *self)
{
  self->now = self->jumper ? self->virtual_now : g_get_monotonic_time ();
  return self->now;
}

gint64
gtx_scheduler_get_time (GtxScheduler *self)
{
  return read_clock (self);
}

void
gtx_scheduler_call_at (GtxScheduler *self,
                       GtxTimer     *timer,
                       gint64        time)
{
  if (time == GTX_NEVER)
    return;
  gtx_timers_insert (&self->timers, timer, time);
  ensure_noticed (self);
}

void
gtx_scheduler_cancel_timer (GtxScheduler *self,
                            GtxTimer     *timer)
{
  if (timer->place > 0)
    gtx_timers_remove (&self->timers, timer);
  else if (gtx_handle_is_linked (&timer->handle))
    gtx_handle_unlink (&timer->handle);
}

static gboolean
has_due_timer (GtxScheduler *self)
{
  const GtxTimer *timer = gtx_timers_first (&self->timers);

  return timer && timer->deadline <= self->now;
}

static void
queue_due_timers (GtxScheduler *self)
{
  while (has_due_timer (self))
    {
      GtxTimer *timer = gtx_timers_first (&self->timers);

      gtx_timers_remove (&self->timers, timer);
      gtx_handle_list_append (&self->ready, &timer->handle);
    }
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

void
gtx_scheduler_hold (GtxScheduler *self)
{
  self->holds++;
}

void
gtx_scheduler_release (GtxScheduler *self)
{
  g_assert (self->holds > 0);
  self->holds--;
}

/* ---- Rounds ---- */

/* A round is what is ready now, and the timers due by now behind it. */
static gboolean
begin_round (GtxScheduler *self)
{
  gtx_scheduler_run_messages (self);
  /* One has run a main loop, in the middle of whose round we are. */
  if (gtx_handle_is_linked (&self->marker))
    return TRUE;
  queue_due_timers (self);
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

/* To be asked before or after each entry: whether the run's time is over.  Reads
 * the clock once in so many entries that they take some hundred microseconds,
 * and each time once it is over. */
static inline gboolean
is_over (GtxScheduler *self)
{
  return G_UNLIKELY (--self->entries_left == 0) && is_over_now (self);
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
              return;
            }
          if (!begin_round (self))
            return;
        }
      handle = gtx_handle_list_pop (&self->ready);
      if (handle == &self->marker)
        continue;
      handle->run (handle);
      if (is_over (self))
        return;
    }
}

void
gtx_scheduler_resume (GtxHandle *handle)
{
  gtx_fiber_resume (GTX_CONTAINER_OF (handle, GtxStep, handle)->fiber, running_depth);
}

/* The next of the round, or of the next one where nothing comes in between;
 * NULL where it is no fiber, or the time is over. */
static GtxFiber *
take_next_fiber (GtxScheduler *self)
{
  GtxHandle *first = self->ready.ring.next;
  GtxFiber *fiber;

  if (first == &self->marker && first->next != &self->ready.ring &&
      !self->stopping && !has_messages (self) && !has_due_timer (self))
    {
      gtx_handle_unlink (&self->marker);
      first = self->ready.ring.next;
      gtx_handle_list_append (&self->ready, &self->marker);
    }
  if (first->run != gtx_scheduler_resume || !gtx_handle_is_linked (&self->marker))
    return NULL;
  fiber = GTX_CONTAINER_OF (first, GtxStep, handle)->fiber;
  if (gtx_fiber_is_running (fiber) || is_over (self))
    return NULL;
  gtx_handle_unlink (first);
  return fiber;
}

/* A fiber that runs was resumed by the innermost of this thread's rounds. */
void
gtx_scheduler_suspend (GtxFiber *fiber)
{
  if (!gtx_fiber_goes_on (fiber))
    gtx_fiber_suspend (fiber, take_next_fiber (running_scheduler));
}

static void trim_later (GtxScheduler *self, guint milliseconds);

static gboolean
trim (gpointer data)
{
  GtxScheduler *self = data;
  guint milliseconds = gtx_stack_pool_trim (self->stacks);

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
  g_source_attach (self->trimmer, self->context);
  g_source_unref (self->trimmer);
}

/* Runs what is ready for at most @budget microseconds; returns how many it
 * took. */
static gint64
run (GtxScheduler *self,
     gint64        budget)
{
  GtxScheduler *outer = running_scheduler;
  gint outer_depth = running_depth;
  GMainContext *outer_default = running_default;
  gint64 outer_until = self->until;
  gint64 start = g_get_monotonic_time ();
  gint64 end;

  if (self->streaming && self->running == 0)
    self->charge += MAX (start - self->last_run - self->polled, 0);
  self->streaming = TRUE;
  self->polled = 0;
  gtx_scheduler_ref (self);
  running_scheduler = self;
  running_depth = g_main_depth ();
  running_default = g_main_context_get_thread_default ();
  self->running++;
  self->polling = FALSE;
  self->now = self->jumper ? self->virtual_now : start;

  self->until = start + budget;
  self->last_read = start;

  run_rounds (self);

  self->running--;
  self->until = outer_until;
  running_scheduler = outer;
  running_depth = outer_depth;
  running_default = outer_default;
  if (self->trimmer == NULL && gtx_stack_pool_has_surplus (self->stacks))
    trim_later (self, TRIM_AFTER_MS);
  end = g_get_monotonic_time ();
  self->last_run = end;
  gtx_scheduler_unref (self);
  return end - start;
}

/* ---- Fairness ---- */

static void
run_urgently (GtxScheduler *self)
{
  gint64 budget = self->demoted ? BUDGET_US : BUDGET_US - self->charge;

  self->charge += run (self, budget);
  if (self->charge >= BUDGET_US)
    self->demoted = TRUE;
}

static void
run_idly (GtxScheduler *self)
{
  run (self, self->slice);
  if (gtx_handle_list_is_empty (&self->ready))
    {
      self->demoted = FALSE;
      self->charge = 0;
    }
}

void
gtx_scheduler_call_now (GtxScheduler *self,
                        GtxHandle    *handle)
{
  gtx_scheduler_call_soon (self, handle);
  if (self->running == 0 && !self->demoted)
    run_urgently (self);
}

/* ---- The sources ---- */

static GtxScheduler *
scheduler_of (GSource *source)
{
  return ((SchedulerSource *) (void *) source)->scheduler;
}

static gboolean
has_work (GtxScheduler *self)
{
  return !gtx_handle_list_is_empty (&self->ready) || has_messages (self);
}

/* The ready time is set where it has to be sooner, or is past; to set it costs
 * a system call and a turn of the loop, to wake up for nothing only the turn. */
static void
arm (GtxScheduler *self)
{
  const GtxTimer *timer = gtx_timers_first (&self->timers);
  gint64 wanted = timer && !self->jumper ? timer->deadline : -1;

  if (wanted == self->armed)
    return;
  if (self->armed > read_clock (self) && (wanted == -1 || wanted > self->armed))
    return;
  self->armed = wanted;
  g_source_set_ready_time (self->urgent, wanted);
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
  GtxScheduler *self = scheduler_of (source);

  *timeout = -1;
  if (!may_dispatch (self))
    return FALSE;
  if (!self->demoted && has_work (self))
    return TRUE;
  if (self->demoted)
    {
      if (self->armed != -1)
        g_source_set_ready_time (source, self->armed = -1);
    }
  else
    arm (self);
  self->polling = TRUE;
  return FALSE;
}

static gboolean
urgent_check (GSource *source)
{
  GtxScheduler *self = scheduler_of (source);

  if (!may_dispatch (self))
    return FALSE;
  self->polling = FALSE;
  if (self->poll_began != 0)
    self->polled += g_source_get_time (source) - self->poll_began;
  self->poll_began = 0;
  return self->demoted ? is_starving (self) : has_work (self);
}

static gboolean
urgent_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     data)
{
  GtxScheduler *self = scheduler_of (source);

  (void) callback;
  (void) data;
  if (may_dispatch (self))
    run_urgently (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
idle_prepare (GSource *source,
              gint    *timeout)
{
  GtxScheduler *self = scheduler_of (source);

  *timeout = -1;
  if (!gtx_scheduler_is_local (self))
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
  GtxScheduler *self = scheduler_of (source);

  if (!gtx_scheduler_is_local (self))
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
  GtxScheduler *self = scheduler_of (source);

  (void) callback;
  (void) data;
  if (gtx_scheduler_is_local (self))
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
 * have to be polled for. */
static gboolean
probe_prepare (GSource *source,
               gint    *timeout)
{
  GtxScheduler *self = scheduler_of (source);

  *timeout = -1;
  if (gtx_scheduler_is_local (self) && self->streaming)
    self->poll_began = g_get_monotonic_time ();
  return FALSE;
}

/* Nor was any when it had been. */
static gboolean
probe_check (GSource *source)
{
  GtxScheduler *self = scheduler_of (source);

  if (!gtx_scheduler_is_local (self))
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

/* The context goes.  When its sources are finalized it has been freed already:
 * this is the last time that it can be let go of. */
static void
let_go_of_context (gpointer data)
{
  GtxScheduler *self = data;

  G_LOCK (schedulers);
  g_hash_table_remove (schedulers, self->context);
  gtx_handle_unlink (&self->known);
  G_UNLOCK (schedulers);

  g_mutex_lock (&self->mutex);
  self->context = NULL;
  g_mutex_unlock (&self->mutex);
}

static gboolean
close_messages (GtxScheduler *self)
{
  gboolean closed;

  g_mutex_lock (&self->mutex);
  closed = self->closed = self->first_message == NULL;
  g_mutex_unlock (&self->mutex);
  return closed;
}

/* The context is gone. */
static void
urgent_finalize (GSource *source)
{
  GtxScheduler *self = scheduler_of (source);

  __atomic_store_n (&self->owner, &this_thread, __ATOMIC_RELEASE);
  if (gtx_stack_pool_n_used (self->stacks) > 0)
    g_critical ("A main context goes away with %" G_GSIZE_FORMAT " suspended tasks, which now "
                "never end; cancel and await them first",
                gtx_stack_pool_n_used (self->stacks));
  do
    {
      gtx_scheduler_run_messages (self);
      run_all (&self->at_end);
      run_all (&self->ready);
    }
  while (!close_messages (self));
  __atomic_store_n (&self->owner, &no_thread, __ATOMIC_RELEASE);
  gtx_scheduler_unref (self);
}

static GSourceFuncs urgent_funcs = {
  urgent_prepare, urgent_check, urgent_dispatch, urgent_finalize, NULL, NULL
};

static GSourceFuncs idle_funcs = {
  idle_prepare, idle_check, idle_dispatch, NULL, NULL, NULL
};

static GSourceFuncs probe_funcs = {
  probe_prepare, probe_check, NULL, NULL, NULL, NULL
};

static GSource *
attach_source (GtxScheduler *self,
               GSourceFuncs *funcs,
               gint          priority,
               const char   *name)
{
  GSource *source = g_source_new (funcs, sizeof (SchedulerSource));

  ((SchedulerSource *) (void *) source)->scheduler = self;
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE);
  g_source_set_name (source, name);
  g_source_attach (source, self->context);
  g_source_unref (source);
  return source;
}

/* ---- Virtual time ---- */

/* Time may jump, or a deadlock be declared, where nothing else is left to do
 * and nothing outside can still happen. */
static gboolean
may_jump (GtxScheduler *self)
{
  if (self->holds > 0 || has_work (self) || !gtx_scheduler_is_local (self))
    return FALSE;
  return gtx_timers_first (&self->timers) || self->running == 0;
}

static gboolean
jump_prepare (GSource *source,
              gint    *timeout)
{
  *timeout = -1;
  return may_jump (scheduler_of (source));
}

static gboolean
jump_check (GSource *source)
{
  return may_jump (scheduler_of (source));
}

static gboolean
jump_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxScheduler *self = scheduler_of (source);
  GtxTimer *timer = gtx_timers_first (&self->timers);

  (void) callback;
  (void) data;
  if (!may_jump (self))
    return G_SOURCE_CONTINUE;
  if (timer)
    {
      self->virtual_now = MAX (self->virtual_now, timer->deadline);
      self->now = self->virtual_now;
      queue_due_timers (self);
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
  self->jumper = attach_source (self, &jump_funcs, G_MAXINT, "gtask-ext (virtual time)");
}

void
gtx_scheduler_set_real (GtxScheduler *self)
{
  g_assert (self->jumper != NULL);
  g_source_destroy (self->jumper);
  self->jumper = NULL;
}

static void
attach_sources (GtxScheduler *self)
{
  attach_source (self, &idle_funcs, G_PRIORITY_DEFAULT_IDLE, "gtask-ext (idle)");
  /* Between default priority and that at which GTK draws. */
  self->waker = attach_source (self, &probe_funcs, G_PRIORITY_HIGH_IDLE, "gtask-ext (probe)");
  /* On the one that is never dispatched: there it costs nothing. */
  g_source_set_callback (self->waker, NULL, self, let_go_of_context);
  self->urgent = attach_source (self, &urgent_funcs, G_PRIORITY_DEFAULT, "gtask-ext");
}

