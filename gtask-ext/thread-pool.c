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
 * each other's lock, and a job takes twice as long.  The last that came back is the
 * first to go: its memory is still in the processor's caches. */
typedef struct _Worker Worker;

struct _Worker
{
  Worker *next;                 /* among those that are idle, or not in use */
  GtxJob *job;                  /* what it has been given, until it begins */
  GCond cond;
};

/* Invariants: a worker is idle exactly while it waits for a job and has none; while there
 * is a line nobody is idle, and there is a thread that will come back to it. */
static struct
{
  GMutex mutex;                 /* of all of it */
  Worker *idle;
  Worker *unused;               /* their threads have ended; never freed: somebody may signal yet */
  guint n_threads;
  GtxJob *first_in_line;
  GtxJob **last_in_line;
  gboolean line_is_watched;
  GCond patience_changed;
  gint64 patience_of_line;      /* microseconds, as is the other one */
  gint64 patience_of_thread;
  guint n_begun;                /* jobs */
  guint n_processors;
} pool = {
  .last_in_line = &pool.first_in_line,
  .patience_of_line = 100000,
  .patience_of_thread = 15 * G_USEC_PER_SEC
};

static __thread gboolean is_worker;

void
gtx_thread_pool_set_patience (gint64 of_line,
                              gint64 of_thread)
{
  g_mutex_lock (&pool.mutex);
  pool.patience_of_line = of_line;
  pool.patience_of_thread = of_thread;
  g_cond_signal (&pool.patience_changed);
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

/* ---- The line ---- */

static void
append (GtxJob *job)
{
  job->next = NULL;
  *pool.last_in_line = job;
  pool.last_in_line = &job->next;
}

/* Or NULL. */
static GtxJob *
take_first (void)
{
  GtxJob *job = pool.first_in_line;

  if (job == NULL)
    return NULL;
  pool.first_in_line = job->next;
  if (pool.first_in_line == NULL)
    pool.last_in_line = &pool.first_in_line;
  return job;
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

/* FALSE where it has waited long enough, or is one of more than a few. */
static gboolean
wait_for_job (Worker *self)
{
  gint64 end = g_get_monotonic_time () + pool.patience_of_thread;

  if (pool.n_threads > FEW_THREADS)
    return FALSE;
  self->next = pool.idle;
  pool.idle = self;
  look_for_job (self);
  while (self->job == NULL)
    if (!g_cond_wait_until (&self->cond, &pool.mutex, end) && self->job == NULL)
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
      GtxJob *job = self->job;

      pool.n_begun++;
      g_mutex_unlock (&pool.mutex);
      job->run (job);
      g_mutex_lock (&pool.mutex);
      self->job = take_first ();
    }
}

static gpointer
work (gpointer data)
{
  Worker *self = data;

  is_worker = TRUE;
  g_mutex_lock (&pool.mutex);
  if (self->job == NULL)
    self->job = take_first ();
  do
    run_jobs (self);
  while (wait_for_job (self));
  pool.n_threads--;
  self->next = pool.unused;
  pool.unused = self;
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

/* Starts a thread with @job, or where that is NULL with the first in line. */
static gboolean
start_thread (GtxJob  *job,
              GError **error)
{
  Worker *worker = take_unused ();
  GThread *thread;

  worker->job = job;
  thread = g_thread_try_new ("gtask-ext", work, worker, error);
  if (thread)
    {
      pool.n_threads++;
      g_thread_unref (thread);
      return TRUE;
    }
  worker->job = NULL;
  worker->next = pool.unused;
  pool.unused = worker;
  return FALSE;
}

/* ---- Jobs that wait for others need as many threads as there are of them ---- */

static gpointer
watch_line (gpointer data)
{
  (void) data;
  g_mutex_lock (&pool.mutex);
  while (pool.first_in_line)
    {
      gint64 end = g_get_monotonic_time () + pool.patience_of_line;
      guint before = pool.n_begun;

      if (!g_cond_wait_until (&pool.patience_changed, &pool.mutex, end) &&
          pool.first_in_line && pool.n_begun == before && pool.n_threads < MOST_THREADS)
        start_thread (NULL, NULL);
    }
  pool.line_is_watched = FALSE;
  g_mutex_unlock (&pool.mutex);
  return NULL;
}

/* Where there is no thread for it the next job in line asks again. */
static void
ensure_line_watched (void)
{
  GThread *watcher;

  if (pool.line_is_watched)
    return;
  pool.line_is_watched = TRUE;
  watcher = g_thread_try_new ("gtask-ext line", watch_line, NULL, NULL);
  if (watcher)
    g_thread_unref (watcher);
  else
    pool.line_is_watched = FALSE;
}

/* ---- fork () ---- */

/* The child has none of the threads but the one that forked. */
static void
after_fork_in_child (void)
{
  g_mutex_init (&pool.mutex);
  pool.idle = NULL;
  pool.n_threads = is_worker ? 1 : 0;
  pool.first_in_line = NULL;
  pool.last_in_line = &pool.first_in_line;
  pool.line_is_watched = FALSE;
}

/* ---- The pool ---- */

static void
ensure_ready (void)
{
  static gsize ready;

  if (!g_once_init_enter (&ready))
    return;
  pool.n_processors = g_get_num_processors ();
  pthread_atfork (NULL, NULL, after_fork_in_child);
  g_once_init_leave (&ready, TRUE);
}

/* Gives @job to a thread that is idle, to be woken without the lock that it needs; NULL
 * where it is in line. */
static Worker *
place (GtxJob *job)
{
  Worker *worker = pool.idle;

  if (worker)
    {
      pool.idle = worker->next;
      __atomic_store_n (&worker->job, job, __ATOMIC_RELAXED);
      return worker;
    }
  append (job);
  ensure_line_watched ();
  return NULL;
}

gboolean
gtx_thread_pool_push (GtxJob  *job,
                      GError **error)
{
  GError *failure = NULL;
  gboolean has_thread = FALSE;
  Worker *worker = NULL;

  ensure_ready ();
  g_mutex_lock (&pool.mutex);
  if (pool.idle == NULL && pool.n_threads < FEW_THREADS)
    has_thread = start_thread (job, &failure);
  if (!has_thread && (has_thread = pool.n_threads > 0))
    worker = place (job);
  g_mutex_unlock (&pool.mutex);
  if (worker)
    g_cond_signal (&worker->cond);

  if (!has_thread)
    g_propagate_error (error, failure);
  else
    g_clear_error (&failure);
  return has_thread;
}
