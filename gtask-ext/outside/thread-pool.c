/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/thread-pool.h"

#include <pthread.h>

/* asyncio has six to 32 threads, GTask ten to some hundred. */
#define FEW_THREADS 16
#define MOST_THREADS 330

/* How long a thread looks for a job before it sleeps.  Waking it takes both sides longer than
 * that. */
#define LOOK_US 20

/* A thread of the pool.  Each waits for its own condition: with one for all, as GThreadPool has it,
 * the thread that is woken and the thread that comes back wait for each other's lock, and a job
 * takes half as long again.  The thread that came back last is called first: its memory is still in
 * the processor's caches, and the others may end.
 *
 * At most one thread is called at a time, and a thread that begins a job calls the next if there
 * is one more job.  So short jobs are done by few threads one after the other, which is faster
 * than waking a thread for each, and jobs that block soon have a thread each. */
typedef struct _Worker Worker;

struct _Worker
{
  Worker *next;                 /* in the list of idle workers, or of unused ones */
  gboolean is_called;
  GCond cond;
};

/* Invariants: a worker is in the list of idle ones exactly while it waits to be called.  While
 * there are jobs in line, a thread looks for jobs, or no thread is idle and none can be started
 * for the moment: then there is a thread that will come back to the line, and the watcher. */
static struct
{
  GMutex mutex;                 /* guards all of this */
  Worker *idle;
  Worker *unused;               /* their threads have ended; never freed: a thread may still signal one */
  guint n_threads;
  guint n_looking;              /* threads that will take a job, or find that there is none */
  GtxHandleList line;
  guint n_in_line;              /* jobs in line; is read without the lock as well */
  guint n_begun;                /* jobs that were begun */
  gboolean has_watcher;
  GCond to_watcher;             /* signalled when there is a job in line, no thread any more, or a new
                                 * patience */
  gint64 patience_of_line;      /* in microseconds, like patience_of_thread */
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

/* ---- Starting and calling threads ---- */

static void
put_aside (Worker *worker)
{
  worker->next = pool.unused;
  pool.unused = worker;
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

static gpointer work (gpointer data);

static gboolean
start_worker (GError **error)
{
  Worker *worker = take_unused ();

  if (start (work, worker, error))
    {
      pool.n_threads++;
      pool.n_looking++;
      return TRUE;
    }
  put_aside (worker);
  return FALSE;
}

/* Calls a thread if there are jobs in line and no thread looks for them.  Returns an idle worker,
 * which the caller is to signal without the lock, since the worker needs the lock then.  Without
 * an idle worker it starts a new thread, or else signals the watcher, and returns NULL. */
static Worker *
call_worker (GError **error)
{
  Worker *worker = pool.idle;

  if (pool.n_in_line == 0 || pool.n_looking > 0)
    return NULL;
  if (worker == NULL)
    {
      if (pool.n_threads >= FEW_THREADS || !start_worker (error))
        g_cond_signal (&pool.to_watcher);
      return NULL;
    }
  pool.idle = worker->next;
  pool.n_looking++;
  worker->is_called = TRUE;
  return worker;
}

/* ---- What a thread does ---- */

static void
set_n_in_line (guint n)
{
  __atomic_store_n (&pool.n_in_line, n, __ATOMIC_RELAXED);
}

static void
stop_being_idle (Worker *self)
{
  Worker **link = &pool.idle;

  while (*link != self)
    link = &(*link)->next;
  *link = self->next;
}

/* Looks for a job for a moment, before the thread sleeps.  With only one processor, nobody could
 * put a job in line meanwhile. */
static gboolean
look_for_job (void)
{
  gint64 end = g_get_monotonic_time () + LOOK_US;

  if (pool.n_looking > 0 || pool.n_processors == 1)
    return FALSE;
  pool.n_looking++;
  g_mutex_unlock (&pool.mutex);
  while (__atomic_load_n (&pool.n_in_line, __ATOMIC_RELAXED) == 0 && g_get_monotonic_time () < end)
    ;
  g_mutex_lock (&pool.mutex);
  if (pool.n_in_line > 0)
    return TRUE;
  pool.n_looking--;
  return FALSE;
}

/* TRUE when the worker is to take a job, and counts as looking; FALSE if it has waited long
 * enough. */
static gboolean
wait_for_job (Worker *self)
{
  gint64 since = g_get_monotonic_time ();

  if (look_for_job ())
    return TRUE;
  self->is_called = FALSE;
  self->next = pool.idle;
  pool.idle = self;
  while (!self->is_called)
    if (!g_cond_wait_until (&self->cond, &pool.mutex, since + pool.patience_of_thread) && !self->is_called)
      {
        stop_being_idle (self);
        return FALSE;
      }
  return TRUE;
}

static void
run_jobs (void)
{
  GtxHandle *job;

  pool.n_looking--;
  while ((job = gtx_handle_list_pop (&pool.line)))
    {
      Worker *next;

      set_n_in_line (pool.n_in_line - 1);
      pool.n_begun++;
      next = call_worker (NULL);
      g_mutex_unlock (&pool.mutex);
      if (next)
        g_cond_signal (&next->cond);
      job->run (job);
      g_mutex_lock (&pool.mutex);
    }
}

static gpointer
work (gpointer data)
{
  Worker *self = data;

  is_worker = TRUE;
  g_mutex_lock (&pool.mutex);
  do
    run_jobs ();
  while (wait_for_job (self));
  put_aside (self);
  if (--pool.n_threads == 0)
    g_cond_signal (&pool.to_watcher);
  g_mutex_unlock (&pool.mutex);
  return NULL;
}

/* ---- The line of jobs ---- */

/* The watcher: starts one more thread when no job in line begins for a while, since jobs that
 * wait for one another need a thread each.  It lives as long as there are threads: if all of them
 * wait for a job whose thread cannot be started at first, it tries again. */
static gpointer
watch (gpointer data)
{
  gint64 since = 0;             /* since when there are jobs in line and none has begun; 0: there were
                                 * none */
  guint before = 0;

  g_mutex_lock (&pool.mutex);
  while (pool.n_threads > 0)
    {
      if (gtx_handle_list_is_empty (&pool.line))
        {
          since = 0;
          g_cond_wait (&pool.to_watcher, &pool.mutex);
          continue;
        }
      if (since == 0 || pool.n_begun != before)
        {
          since = g_get_monotonic_time ();
          before = pool.n_begun;
        }
      /* More jobs that come into line do not restart the time. */
      if (g_cond_wait_until (&pool.to_watcher, &pool.mutex, since + pool.patience_of_line))
        continue;
      if (pool.n_begun == before && !gtx_handle_list_is_empty (&pool.line) && pool.n_threads < MOST_THREADS)
        start_worker (NULL);
      since = 0;
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
  gtx_handle_list_append (&pool.line, job);
  set_n_in_line (pool.n_in_line + 1);
}

static void
take_out_of_line (GtxHandle *job)
{
  gtx_handle_unlink (job);
  set_n_in_line (pool.n_in_line - 1);
}

gboolean
gtx_thread_pool_withdraw (GtxHandle *job)
{
  gboolean is_in_line;

  g_mutex_lock (&pool.mutex);
  is_in_line = gtx_handle_is_linked (job);
  if (is_in_line)
    take_out_of_line (job);
  g_mutex_unlock (&pool.mutex);
  return is_in_line;
}

/* ---- The pool ---- */

/* In the child of a fork (), which has no thread but the one that forked. */
static void
begin_in_child (void)
{
  g_mutex_init (&pool.mutex);
  pool.idle = NULL;
  pool.n_threads = is_worker ? 1 : 0;
  pool.n_looking = 0;
  pool.has_watcher = FALSE;
  gtx_handle_list_init (&pool.line);
  set_n_in_line (0);
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

/* Puts @job in line.  FALSE with @error set if there is no thread that could run it.  *@called:
 * the worker to signal, or NULL. */
static gboolean
place (GtxHandle  *job,
       Worker    **called,
       GError    **error)
{
  g_autoptr (GError) failure = NULL;

  *called = NULL;
  if (pool.idle == NULL && pool.n_looking == 0 && !ensure_watcher (error))
    return FALSE;
  put_in_line (job);
  *called = call_worker (&failure);
  if (pool.n_threads > 0)
    return TRUE;
  take_out_of_line (job);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
gtx_thread_pool_push (GtxHandle  *job,
                      GError    **error)
{
  Worker *called;
  gboolean has_place;

  ensure_ready ();
  g_mutex_lock (&pool.mutex);
  has_place = place (job, &called, error);
  g_mutex_unlock (&pool.mutex);
  if (called)
    g_cond_signal (&called->cond);
  return has_place;
}
