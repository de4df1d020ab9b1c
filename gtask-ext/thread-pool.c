/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "thread-pool.h"

#include <pthread.h>

/* asyncio has six to 32, GTask ten to some hundred. */
#define FEW_THREADS 16
#define MOST_THREADS 330

/* To wake a thread takes both sides longer than so. */
#define LOOK_US 20

/* A job is handed to one thread, which waits for its own condition: with one for all,
 * as GThreadPool has it, the thread that is woken and the one that comes back wait for
 * each other's lock, and a job takes half as long again.  The last that came back is the
 * first to go: its memory is still in the processor's caches, and the others may end. */
typedef struct _Worker Worker;

struct _Worker
{
  Worker *next;                 /* among those that are idle, or not in use */
  GtxHandle *job;               /* what it has been given, until it begins */
  GCond cond;
};

/* Invariants: a worker is idle exactly while it waits for a job and has none; while there
 * is a line nobody is idle, there is a thread that will come back to it, and one that
 * watches. */
static struct
{
  GMutex mutex;                 /* of all of it */
  Worker *idle;
  Worker *unused;               /* their threads have ended; never freed: somebody may signal yet */
  guint n_threads;
  GtxHandleList line;
  guint n_begun;                /* jobs */
  gboolean has_watcher;
  GCond to_watcher;             /* there is a line, no thread any more, or other patience */
  gint64 patience_of_line;      /* microseconds, as is the other one */
  gint64 patience_of_thread;
  guint n_processors;
} pool = { .patience_of_line = 100000, .patience_of_thread = 15 * G_USEC_PER_SEC };

static __thread gboolean is_worker;

void
gtx_thread_pool_set_patience (gint64 of_line,
                              gint64 of_thread)
{
  g_mutex_lock (&pool.mutex);
  pool.patience_of_line = of_line;
  pool.patience_of_thread = of_thread;
  g_cond_signal (&pool.to_watcher);
  for (Worker *worker = pool.idle; worker; worker = worker->next)
    g_cond_signal (&worker->cond);
  g_mutex_unlock (&pool.mutex);
}

guint
gtx_thread_pool_n_threads (void)
{
  guint n;

  g_mutex_lock (&pool.mutex);
  n = pool.n_threads;
  g_mutex_unlock (&pool.mutex);
  return n;
}

guint
gtx_thread_pool_n_of_process (void)
{
  guint n;

  g_mutex_lock (&pool.mutex);
  n = pool.n_threads + (pool.has_watcher ? 1 : 0);
  g_mutex_unlock (&pool.mutex);
  return n;
}

/* ---- A thread ---- */

static void
stop_being_idle (Worker *self)
{
  Worker **link = &pool.idle;

  while (*link != self)
    link = &(*link)->next;
  *link = self->next;
}

/* For a moment, before it sleeps.  Where there is one processor nobody would give it a
 * job meanwhile. */
static void
look_for_job (Worker *self)
{
  gint64 end = g_get_monotonic_time () + LOOK_US;

  if (pool.n_processors == 1)
    return;
  g_mutex_unlock (&pool.mutex);
  while (__atomic_load_n (&self->job, __ATOMIC_RELAXED) == NULL && g_get_monotonic_time () < end)
    ;
  g_mutex_lock (&pool.mutex);
}

/* FALSE where it has waited long enough. */
static gboolean
wait_for_job (Worker *self)
{
  gint64 since = g_get_monotonic_time ();

  self->next = pool.idle;
  pool.idle = self;
  look_for_job (self);
  while (self->job == NULL)
    if (!g_cond_wait_until (&self->cond, &pool.mutex, since + pool.patience_of_thread) && self->job == NULL)
      {
        stop_being_idle (self);
        return FALSE;
      }
  return TRUE;
}

static void
run_jobs (Worker *self)
{
  while (self->job)
    {
      GtxHandle *job = self->job;

      pool.n_begun++;
      g_mutex_unlock (&pool.mutex);
      job->run (job);
      g_mutex_lock (&pool.mutex);
      self->job = gtx_handle_list_pop (&pool.line);
    }
}

static void
put_aside (Worker *worker)
{
  worker->job = NULL;
  worker->next = pool.unused;
  pool.unused = worker;
}

static gpointer
work (gpointer data)
{
  Worker *self = data;

  is_worker = TRUE;
  g_mutex_lock (&pool.mutex);
  if (self->job == NULL)
    self->job = gtx_handle_list_pop (&pool.line);
  do
    run_jobs (self);
  while (wait_for_job (self));
  put_aside (self);
  if (--pool.n_threads == 0)
    g_cond_signal (&pool.to_watcher);
  g_mutex_unlock (&pool.mutex);
  return NULL;
}

static Worker *
take_unused (void)
{
  Worker *worker = pool.unused;

  if (worker)
    {
      pool.unused = worker->next;
      return worker;
    }
  worker = g_new0 (Worker, 1);
  g_cond_init (&worker->cond);
  return worker;
}

static gboolean
start (GThreadFunc   func,
       gpointer      data,
       GError      **error)
{
  GThread *thread = g_thread_try_new ("gtask-ext", func, data, error);

  if (thread)
    g_thread_unref (thread);
  return thread != NULL;
}

/* With @job, or where that is NULL with the first in line. */
static gboolean
start_worker (GtxHandle  *job,
              GError    **error)
{
  Worker *worker = take_unused ();

  worker->job = job;
  if (start (work, worker, error))
    {
      pool.n_threads++;
      return TRUE;
    }
  put_aside (worker);
  return FALSE;
}

/* ---- The line ---- */

/* Jobs that wait for others need as many threads as there are of them.  It is there as
 * long as the threads are: when they all wait for one that cannot be started at first,
 * somebody has to try again. */
static gpointer
watch (gpointer data)
{
  (void) data;
  g_mutex_lock (&pool.mutex);
  while (pool.n_threads > 0)
    {
      gint64 end = g_get_monotonic_time () + pool.patience_of_line;
      guint before = pool.n_begun;

      if (gtx_handle_list_is_empty (&pool.line))
        g_cond_wait (&pool.to_watcher, &pool.mutex);
      else if (!g_cond_wait_until (&pool.to_watcher, &pool.mutex, end) && pool.n_begun == before &&
               !gtx_handle_list_is_empty (&pool.line) && pool.n_threads < MOST_THREADS)
        start_worker (NULL, NULL);
    }
  pool.has_watcher = FALSE;
  g_mutex_unlock (&pool.mutex);
  return NULL;
}

static gboolean
ensure_watcher (GError **error)
{
  if (!pool.has_watcher)
    pool.has_watcher = start (watch, NULL, error);
  return pool.has_watcher;
}

static void
put_in_line (GtxHandle *job)
{
  if (gtx_handle_list_is_empty (&pool.line))
    g_cond_signal (&pool.to_watcher);
  gtx_handle_list_append (&pool.line, job);
}

gboolean
gtx_thread_pool_withdraw (GtxHandle *job)
{
  gboolean is_in_line;

  g_mutex_lock (&pool.mutex);
  is_in_line = gtx_handle_is_linked (job);
  if (is_in_line)
    gtx_handle_unlink (job);
  g_mutex_unlock (&pool.mutex);
  return is_in_line;
}

/* ---- The pool ---- */

/* Of a fork (): it has none of the threads but the one that forked. */
static void
begin_in_child (void)
{
  g_mutex_init (&pool.mutex);
  pool.idle = NULL;
  pool.n_threads = is_worker ? 1 : 0;
  pool.has_watcher = FALSE;
  gtx_handle_list_init (&pool.line);
}

static void
ensure_ready (void)
{
  static gsize ready;

  if (!g_once_init_enter (&ready))
    return;
  gtx_handle_list_init (&pool.line);
  pool.n_processors = g_get_num_processors ();
  pthread_atfork (NULL, NULL, begin_in_child);
  g_once_init_leave (&ready, TRUE);
}

/* FALSE where there is no thread that could have it.  @idle: to be woken without the
 * lock, which it needs; or NULL. */
static gboolean
place (GtxHandle  *job,
       Worker    **idle,
       GError    **error)
{
  g_autoptr (GError) failure = NULL;

  *idle = pool.idle;
  if (pool.idle)
    {
      pool.idle = pool.idle->next;
      __atomic_store_n (&(*idle)->job, job, __ATOMIC_RELAXED);
      return TRUE;
    }
  if (!ensure_watcher (error))
    return FALSE;
  if (pool.n_threads < FEW_THREADS && start_worker (job, &failure))
    return TRUE;
  if (pool.n_threads > 0)
    {
      put_in_line (job);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  g_cond_signal (&pool.to_watcher);
  return FALSE;
}

gboolean
gtx_thread_pool_push (GtxHandle  *job,
                      GError    **error)
{
  Worker *idle;
  gboolean has_place;

  ensure_ready ();
  g_mutex_lock (&pool.mutex);
  has_place = place (job, &idle, error);
  g_mutex_unlock (&pool.mutex);
  if (idle)
    g_cond_signal (&idle->cond);
  return has_place;
}
