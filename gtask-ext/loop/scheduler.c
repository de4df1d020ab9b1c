/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which scheduler a main context has, and which thread owns it. */

#include "loop/scheduler-private.h"

#include <pthread.h>
#include <unistd.h>

/* Numbers of no thread: */
#define NOT_NUMBERED (G_MAXSIZE - 2)
#define PARENT_PROCESS (G_MAXSIZE - 1) /* owns the schedulers that had fibers at a fork () */
#define NO_THREAD G_MAXSIZE     /* owns the schedulers whose contexts are gone; was the dispatcher of some whose
                                 * thread has ended */

__thread gsize gtx_this_thread = NOT_NUMBERED;

static __thread enum
{
  UNKNOWN,
  MAIN,
  OTHER
} kind_of_this_thread;

__thread GtxRunning gtx_running;

G_LOCK_DEFINE_STATIC (schedulers);
static GHashTable *schedulers;  /* of GMainContext: GtxScheduler */
static GtxHandleList all_schedulers = { { &all_schedulers.ring, &all_schedulers.ring, NULL } };

static void handle_forks (void);

/* ---- The scheduler of a main context ---- */

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

  g_assert (self->base.context == NULL);
  g_assert (gtx_handle_list_is_empty (&self->onlookers));
  gtx_timers_clear (&self->timers);
  if (gtx_stack_pool_n_used (self->base.stacks) == 0)
    gtx_stack_pool_free (self->base.stacks);
  if (self->destroy_extension)
    self->destroy_extension (self->base.extension);
  g_cond_clear (&self->visits_ended);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static GtxScheduler *
scheduler_new (GMainContext *context)
{
  GtxScheduler *self = g_new0 (GtxScheduler, 1);

  self->ref_count = 1;
  self->base.context = context;
  self->thread_default = context == g_main_context_default () ? NULL : context;
  self->base.stacks = gtx_stack_pool_new ();
  self->entries_a_read = 1;
  self->entries_left = 1;
  gtx_handle_list_init (&self->ready);
  gtx_handle_list_init (&self->at_end);
  gtx_handle_list_init (&self->onlookers);
  gtx_fairness_init (self);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->visits_ended);
  self->last_message = &self->first_message;
  return self;
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
      gtx_handle_list_append (&all_schedulers, &self->link);
      gtx_scheduler_attach_sources (self);
    }
  G_UNLOCK (schedulers);
  return self;
}

GtxScheduler *
gtx_scheduler_get (void)
{
  static GtxScheduler *of_default_context;
  GMainContext *context = g_main_context_get_thread_default ();

  /* The code that runs may have pushed another context for a while. */
  if (gtx_running.scheduler && gtx_running.depth == g_main_depth () && gtx_running.thread_default == context)
    return gtx_running.scheduler;

  if (context == NULL)
    {
      GtxScheduler *self = __atomic_load_n (&of_default_context, __ATOMIC_ACQUIRE);

      if (self == NULL)
        {
          self = gtx_scheduler_for_context (NULL);
          __atomic_store_n (&of_default_context, self, __ATOMIC_RELEASE);
        }
      return self;
    }
  return gtx_scheduler_for_context (context);
}

static gsize
read_owner (GtxScheduler *self)
{
  return __atomic_load_n (&self->base.owner, __ATOMIC_ACQUIRE);
}

gboolean
gtx_scheduler_is_running (GtxScheduler *self)
{
  return self->running > 0;
}

gboolean
gtx_scheduler_is_parents (GtxScheduler *self)
{
  return read_owner (self) == PARENT_PROCESS;
}

void
gtx_scheduler_set_extension (GtxScheduler   *self,
                             gpointer        extension,
                             GDestroyNotify  destroy)
{
  self->base.extension = extension;
  self->destroy_extension = destroy;
}

/* ---- The scheduler's thread ---- */

static gsize
number_of_this_thread (void)
{
  static gsize n_threads;

  if (gtx_this_thread == NOT_NUMBERED)
    gtx_this_thread = __atomic_add_fetch (&n_threads, 1, __ATOMIC_RELAXED);
  return gtx_this_thread;
}

static void
set_owner (GtxScheduler *self,
           gsize         thread)
{
  __atomic_store_n (&self->base.owner, thread, __ATOMIC_RELEASE);
}

static void
set_dispatcher (GtxScheduler *self,
                gsize         thread)
{
  __atomic_store_n (&self->dispatcher, thread, __ATOMIC_RELAXED);
}

static void foreach_scheduler (void (*func) (GtxScheduler *self));

static void
forget_dispatcher (GtxScheduler *self)
{
  g_mutex_lock (&self->mutex);
  if (gtx_scheduler_is_dispatched_here (self))
    set_dispatcher (self, NO_THREAD);
  g_mutex_unlock (&self->mutex);
}

/* Called when a thread ends that has been the dispatcher of a scheduler. */
static void
end_thread (gpointer unused)
{
  G_LOCK (schedulers);
  foreach_scheduler (forget_dispatcher);
  G_UNLOCK (schedulers);
}

static GPrivate end_of_dispatcher = G_PRIVATE_INIT (end_thread);

static void
become_dispatcher (GtxScheduler *self)
{
  set_dispatcher (self, gtx_this_thread);
  g_private_set (&end_of_dispatcher, self);
}

void
gtx_scheduler_own (GtxScheduler *self)
{
  if (gtx_scheduler_is_local (self))
    return;
  set_owner (self, number_of_this_thread ());
  __atomic_store_n (&self->is_left, FALSE, __ATOMIC_RELAXED);
}

void
gtx_scheduler_disown (GtxScheduler *self)
{
  if (self->running == 0 && gtx_stack_pool_n_used (self->base.stacks) == 0)
    set_owner (self, 0);
}

gboolean
gtx_scheduler_is_others (GtxScheduler *self)
{
  gsize owner = read_owner (self);

  return owner != 0 && owner != gtx_this_thread;
}

static gboolean
is_visited_by_another (GtxScheduler *self)
{
  return self->n_visits > 0 && self->visitor != gtx_this_thread;
}

static void
complain_of_thread (GtxScheduler *self)
{
  if (gtx_scheduler_is_parents (self))
    g_critical ("The child of a fork() dispatches a main context whose tasks belong to the parent; the tasks "
                "do not run in the child: end the child with _exit(), or execute a program");
  else
    g_critical ("A main context whose tasks belong to another thread is dispatched in this thread; "
                "the tasks do not run here: iterate the context in the thread that ran them first");
}

/* Makes the calling thread the dispatcher: a context may change its thread while no fiber lives.
 * Returns FALSE during another thread's visit, whose end wakes the main loop, which asks again. */
gboolean
gtx_scheduler_take (GtxScheduler *self)
{
  gboolean complains = FALSE;
  gboolean taken = FALSE;

  number_of_this_thread ();
  g_mutex_lock (&self->mutex);
  if (gtx_scheduler_is_others (self))
    {
      complains = !self->complained;
      self->complained = TRUE;
    }
  else if (is_visited_by_another (self))
    self->is_wanted = TRUE;
  else
    {
      become_dispatcher (self);
      taken = TRUE;
    }
  g_mutex_unlock (&self->mutex);

  if (complains)
    complain_of_thread (self);
  return taken;
}

/* ---- Visits ---- */

/* The main thread has the same ID as the process. */
gboolean
gtx_is_main_thread (void)
{
  if (G_UNLIKELY (kind_of_this_thread == UNKNOWN))
    kind_of_this_thread = getpid () == gettid () ? MAIN : OTHER;
  return kind_of_this_thread == MAIN;
}

/* Before any thread has dispatched the default main context, the main thread may prepare what is to
 * run in it, or a thread that says that it will run it. */
static gboolean
may_prepare (GtxScheduler *self,
             gboolean      says_so)
{
  if (self->dispatcher != 0 || self->base.context != g_main_context_default ())
    return FALSE;
  return says_so ? g_main_context_get_thread_default () == NULL : gtx_is_main_thread ();
}

/* To be called with the mutex locked.  A thread that has pushed the context has acquired it, and
 * may be another than the one that dispatched it last. */
static gboolean
may_visit (GtxScheduler *self,
           gboolean      says_so)
{
  if (read_owner (self) != 0 || self->base.context == NULL || is_visited_by_another (self))
    return FALSE;
  if (gtx_scheduler_is_dispatched_here (self) || may_prepare (self, says_so))
    return TRUE;
  if (!g_main_context_is_owner (self->base.context))
    return FALSE;
  become_dispatcher (self);
  return TRUE;
}

static GtxVisit
begin_visit (GtxScheduler *self)
{
  self->visitor = gtx_this_thread;
  self->n_visits++;
  return GTX_VISITING;
}

GtxVisit
gtx_scheduler_enter_slowly (GtxScheduler *self)
{
  GtxVisit visit = GTX_ELSEWHERE;

  if (read_owner (self) != 0)
    return visit;
  number_of_this_thread ();
  g_mutex_lock (&self->mutex);
  if (may_visit (self, FALSE))
    visit = begin_visit (self);
  g_mutex_unlock (&self->mutex);
  return visit;
}

static void
wait_for_visits (GtxScheduler *self)
{
  self->n_waiting++;
  while (is_visited_by_another (self))
    g_cond_wait (&self->visits_ended, &self->mutex);
  self->n_waiting--;
}

static void
complain_of_function (const char *function,
                      gboolean    is_gone)
{
  if (is_gone)
    g_critical ("%s() was called for an object of a main context that is gone: call it before the last "
                "reference of the context is dropped", function);
  else
    g_critical ("%s() was called in a thread that does not run the main context: call it in the thread "
                "which does, or give this thread a main context of its own, with "
                "g_main_context_push_thread_default()", function);
}

GtxVisit
gtx_scheduler_enter_home (GtxScheduler *self,
                          const char   *function)
{
  GtxVisit visit = GTX_ELSEWHERE;
  gboolean is_gone;

  number_of_this_thread ();
  if (gtx_scheduler_is_local (self))
    return GTX_HERE;

  g_mutex_lock (&self->mutex);
  wait_for_visits (self);
  is_gone = self->base.context == NULL;
  if (may_visit (self, TRUE))
    visit = begin_visit (self);
  g_mutex_unlock (&self->mutex);

  if (visit == GTX_ELSEWHERE)
    complain_of_function (function, is_gone);
  return visit;
}

gboolean
gtx_scheduler_is_foreign (GtxScheduler *self,
                          const char   *function)
{
  GtxVisit visit = gtx_scheduler_enter_home (self, function);

  gtx_scheduler_leave (self, visit);
  return visit == GTX_ELSEWHERE;
}

gboolean
gtx_scheduler_has_lost_thread (GtxScheduler *self)
{
  return __atomic_load_n (&self->dispatcher, __ATOMIC_RELAXED) == NO_THREAD;
}

/* Does not acquire the context to find out: if this thread had it, be it for a moment, another one could
 * not begin to run it. */
gboolean
gtx_scheduler_is_abandoned (GtxScheduler *self)
{
  gboolean is_used;

  g_mutex_lock (&self->mutex);
  is_used = read_owner (self) != 0 || self->n_visits > 0 ||
            !(self->dispatcher == 0 || self->dispatcher == NO_THREAD || g_atomic_int_get (&self->is_left));
  if (self->base.context == NULL)
    is_used = FALSE;
  g_mutex_unlock (&self->mutex);
  return !is_used;
}

void
gtx_scheduler_leave_for_now (GtxScheduler *self)
{
  g_atomic_int_set (&self->is_left, TRUE);
}

void
gtx_scheduler_end_visit (GtxScheduler *self)
{
  g_mutex_lock (&self->mutex);
  g_assert (self->n_visits > 0 && self->visitor == gtx_this_thread);
  if (--self->n_visits == 0)
    {
      if (self->is_wanted && self->base.context)
        g_main_context_wakeup (self->base.context);
      self->is_wanted = FALSE;
      if (self->n_waiting > 0)
        g_cond_broadcast (&self->visits_ended);
    }
  g_mutex_unlock (&self->mutex);
}

/* ---- The end of the context ---- */

void
gtx_scheduler_take_over (GtxScheduler *self)
{
  set_owner (self, number_of_this_thread ());
}

void
gtx_scheduler_let_go (GtxScheduler *self)
{
  set_owner (self, NO_THREAD);
}

void
gtx_scheduler_forget_context (GtxScheduler *self)
{
  G_LOCK (schedulers);
  g_hash_table_remove (schedulers, self->base.context);
  gtx_handle_unlink (&self->link);
  G_UNLOCK (schedulers);

  g_mutex_lock (&self->mutex);
  wait_for_visits (self);
  __atomic_store_n (&self->base.context, NULL, __ATOMIC_RELAXED);
  g_mutex_unlock (&self->mutex);
}

/* ---- fork () ---- */

/* Takes the tasks out of the child of a fork ().  If they went on there, they would do everything
 * twice, and take the wake-ups of the context's descriptor, which both processes share.  The timers
 * stay: code that cleans up in the child removes its own. */
static void
leave_to_parent (GtxScheduler *self)
{
  /* Another thread may have been in the middle of a change to the lists. */
  gboolean is_torn = !gtx_scheduler_is_local (self);

  if (is_torn)
    gtx_handle_list_init (&self->ready);
  while (gtx_handle_list_pop (&self->ready))
    ;
  gtx_fairness_drop_held (self, is_torn);
  set_owner (self, PARENT_PROCESS);
  set_dispatcher (self, 0);
}

/* Drops what a thread that is not in the child may have been in the middle of. */
static void
forget_threads (GtxScheduler *self)
{
  gboolean is_others = is_visited_by_another (self) || gtx_scheduler_is_others (self);

  if (self->poller)
    gtx_poller_leave_to_parent (self->poller, is_others);
  if (is_others)
    {
      gtx_handle_list_init (&self->ready);
      gtx_fairness_drop_held (self, TRUE);
      self->marker.next = NULL;
      self->running = 0;
      self->n_visits = 0;
      set_owner (self, 0);
    }
  if (!gtx_scheduler_is_dispatched_here (self))
    set_dispatcher (self, 0);
  self->n_waiting = 0;
  self->is_wanted = FALSE;
}

static void
foreach_scheduler (void (*func) (GtxScheduler *self))
{
  GHashTableIter iter;
  gpointer scheduler;

  g_hash_table_iter_init (&iter, schedulers);
  while (g_hash_table_iter_next (&iter, NULL, &scheduler))
    func (scheduler);
}

static void
lock (GtxScheduler *self)
{
  g_mutex_lock (&self->mutex);
}

static void
unlock (GtxScheduler *self)
{
  g_mutex_unlock (&self->mutex);
}

/* Locks all schedulers, so that no thread is in the middle of posting a message. */
static void
before_fork (void)
{
  G_LOCK (schedulers);
  foreach_scheduler (lock);
}

static void
after_fork_in_parent (void)
{
  foreach_scheduler (unlock);
  G_UNLOCK (schedulers);
}

static void
go_on_in_child (GtxScheduler *self)
{
  g_mutex_unlock (&self->mutex);
  forget_threads (self);
  if (gtx_stack_pool_n_used (self->base.stacks) > 0)
    leave_to_parent (self);
}

/* The child has only the thread that forked. */
static void
after_fork_in_child (void)
{
  kind_of_this_thread = MAIN;
  foreach_scheduler (go_on_in_child);
  if (gtx_running.scheduler && gtx_scheduler_is_parents (gtx_running.scheduler))
    gtx_running.scheduler = NULL;
  gtx_fiber_leave_to_parent ();
  G_UNLOCK (schedulers);
}

static void
handle_forks (void)
{
  pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
}
