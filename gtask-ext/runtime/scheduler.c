/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which scheduler a main context has, and whose thread that is. */

#include "config.h"

#include "scheduler-private.h"

#include <pthread.h>
#include <unistd.h>

/* Numbers of no thread: */
#define NOT_NUMBERED (G_MAXSIZE - 2)
#define PARENT_PROCESS (G_MAXSIZE - 1) /* owns what had fibers at a fork () */
#define NO_THREAD G_MAXSIZE     /* owns the schedulers whose contexts are gone */

__thread gsize gtx_this_thread = NOT_NUMBERED;

__thread GtxRunning gtx_running;

G_LOCK_DEFINE_STATIC (schedulers);
static GHashTable *schedulers;  /* of GMainContext: GtxScheduler */
static GtxHandleList all_schedulers = { { &all_schedulers.ring, &all_schedulers.ring, NULL } };

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

  g_assert (self->base.context == NULL);
  gtx_timers_clear (&self->timers);
  if (gtx_stack_pool_n_used (self->base.stacks) == 0)
    gtx_stack_pool_free (self->base.stacks);
  if (self->destroy_extension)
    self->destroy_extension (self->base.extension);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static GtxScheduler *
scheduler_new (GMainContext *context)
{
  GtxScheduler *self = g_new0 (GtxScheduler, 1);

  self->ref_count = 1;
  self->base.context = context;
  self->base.stacks = gtx_stack_pool_new ();
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

static gsize
number_of_this_thread (void)
{
  static gsize n_threads;

  if (gtx_this_thread == NOT_NUMBERED)
    gtx_this_thread = __atomic_add_fetch (&n_threads, 1, __ATOMIC_RELAXED);
  return gtx_this_thread;
}

/* Whoever uses a context as its own before anybody dispatched it, owns its
 * scheduler until somebody does. */
static void
claim (GtxScheduler *self,
       GMainContext *context)
{
  if (__atomic_load_n (&self->base.owner, __ATOMIC_ACQUIRE) != 0)
    return;
  if (g_main_context_get_thread_default () == context ||
      (context == g_main_context_default () && is_main_thread ()))
    {
      gsize nobody = 0;

      __atomic_compare_exchange_n (&self->base.owner, &nobody, number_of_this_thread (), FALSE,
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
      gtx_scheduler_attach_sources (self);
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
      claim (self, self->base.context);
      return self;
    }
  return gtx_scheduler_for_context (context);
}

gboolean
gtx_scheduler_is_running (GtxScheduler *self)
{
  return self->running > 0;
}

gboolean
gtx_scheduler_is_parents (GtxScheduler *self)
{
  return self->base.owner == PARENT_PROCESS;
}

void
gtx_scheduler_set_extension (GtxScheduler   *self,
                             gpointer        extension,
                             GDestroyNotify  destroy)
{
  self->base.extension = extension;
  self->destroy_extension = destroy;
}

/* A context may change hands while no fiber lives. */
gboolean
gtx_scheduler_may_dispatch (GtxScheduler *self)
{
  if (G_LIKELY (gtx_scheduler_is_local (self)))
    return TRUE;

  if (self->base.owner == 0 || gtx_stack_pool_n_used (self->base.stacks) == 0)
    {
      __atomic_store_n (&self->base.owner, number_of_this_thread (), __ATOMIC_RELEASE);
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

/* ---- The end of the context ---- */

void
gtx_scheduler_take_over (GtxScheduler *self)
{
  __atomic_store_n (&self->base.owner, number_of_this_thread (), __ATOMIC_RELEASE);
}

void
gtx_scheduler_let_go (GtxScheduler *self)
{
  __atomic_store_n (&self->base.owner, NO_THREAD, __ATOMIC_RELEASE);
}

void
gtx_scheduler_forget_context (GtxScheduler *self)
{
  G_LOCK (schedulers);
  g_hash_table_remove (schedulers, self->base.context);
  gtx_handle_unlink (&self->known);
  G_UNLOCK (schedulers);

  g_mutex_lock (&self->mutex);
  self->base.context = NULL;
  g_mutex_unlock (&self->mutex);
}

/* ---- fork () ---- */

/* Tasks that went on in the child as well would do everything twice, and take
 * the wake-ups of the descriptor that both processes have for the context.  The
 * timers stay: what the child cleans up takes its own away. */
static void
leave_to_parent (GtxScheduler *self)
{
  /* Another thread may have been in the middle of a change to its list. */
  if (gtx_scheduler_is_local (self))
    while (gtx_handle_list_pop (&self->ready))
      ;
  else
    gtx_handle_list_init (&self->ready);
  __atomic_store_n (&self->base.owner, PARENT_PROCESS, __ATOMIC_RELEASE);
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

      if (gtx_stack_pool_n_used (self->base.stacks) > 0)
        leave_to_parent (self);
      else if (!gtx_scheduler_is_local (self))
        __atomic_store_n (&self->base.owner, 0, __ATOMIC_RELEASE);
    }
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
