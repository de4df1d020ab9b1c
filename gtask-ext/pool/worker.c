/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread of a pool: where a job is put, which thread takes it, and how the thread sleeps and ends. */

#include "pool/job.h"
#include "pool/worker.h"

#include "gtask-ext/future.h"
#include "gtask-ext/run.h"
#include "gtask-ext/shield.h"

/* How long a thread looks for a job before it sleeps, if no other one looks.  Waking it takes both
 * sides longer than that. */
#define LOOK_US 20

/* How many threads to compare when a job is put in line. */
#define MOST_COMPARED 4

/* How many jobs a thread takes from another one's line at most. */
#define MOST_STOLEN 64

/* A GPrivate, since the room for thread-local variables is small. */
static GPrivate current;

GtxWorker *
gtx_worker_current (void)
{
  return g_private_get (&current);
}

/* ---- Sleeping and waking ---- */

static gboolean
has_jobs (const GtxWorker *self)
{
  return __atomic_load_n (&self->n_in_line, __ATOMIC_SEQ_CST) > 0;
}

static gboolean
has_any_jobs (const GtxWorkers *self)
{
  for (guint i = 0; i < self->n; i++)
    if (has_jobs (&self->workers[i]))
      return TRUE;
  return FALSE;
}

/* Wakes the thread if it sleeps.  One caller does so for each time that it goes to sleep. */
static gboolean
wake (GtxWorker *self)
{
  if (!__atomic_load_n (&self->is_asleep, __ATOMIC_SEQ_CST) ||
      !__atomic_exchange_n (&self->is_asleep, FALSE, __ATOMIC_SEQ_CST))
    return FALSE;
  g_atomic_int_add (&self->workers->n_asleep, -1);
  /* It may have woken by itself, and end. */
  g_mutex_lock (&self->mutex);
  if (self->context)
    g_main_context_wakeup (self->context);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

static void
wake_one (GtxWorkers *self)
{
  if (__atomic_load_n (&self->n_asleep, __ATOMIC_SEQ_CST) == 0)
    return;
  for (guint i = 0; i < self->n; i++)
    if (wake (&self->workers[i]))
      return;
}

/* Looks for a job for a moment. */
static gboolean
look (GtxWorker *self)
{
  GtxWorkers *workers = self->workers;
  gint64 until;
  gboolean found;

  if (!g_atomic_int_compare_and_exchange (&workers->n_looking, 0, 1))
    return has_any_jobs (workers);
  until = g_get_monotonic_time () + LOOK_US;
  do
    found = has_any_jobs (workers) || gtx_scheduler_has_work (self->scheduler);
  while (!found && g_get_monotonic_time () < until);
  g_atomic_int_set (&workers->n_looking, 0);
  return found;
}

static gint
sleep_in_poll (GtxWorker *self,
               GPollFD   *fds,
               guint      n,
               gint       timeout)
{
  gint n_ready;

  g_atomic_int_inc (&self->workers->n_asleep);
  __atomic_store_n (&self->is_asleep, TRUE, __ATOMIC_SEQ_CST);
  n_ready = g_poll (fds, n, has_any_jobs (self->workers) ? 0 : timeout);
  if (__atomic_exchange_n (&self->is_asleep, FALSE, __ATOMIC_SEQ_CST))
    g_atomic_int_add (&self->workers->n_asleep, -1);
  return n_ready;
}

/* The poll function of the thread's main context: while it waits, the thread sleeps.  A thread that was
 * woken for a job, or found one, may first have to go on with what has begun here: then it wakes another
 * one.  Of the descriptors, one is that of the wake-up. */
gint
gtx_worker_poll (GPollFD *fds,
                 guint    n,
                 gint     timeout)
{
  GtxWorker *self = gtx_worker_current ();
  gint n_ready = timeout == 0 || look (self) ? g_poll (fds, n, 0) : sleep_in_poll (self, fds, n, timeout);

  if (has_any_jobs (self->workers) && (n_ready > 1 || gtx_scheduler_is_due (self->scheduler)))
    wake_one (self->workers);
  return n_ready;
}

/* ---- Lines ---- */

/* FALSE if the line is closed. */
static gboolean
put_in_line (GtxWorker *self,
             GtxHandle *link)
{
  gboolean is_open;

  g_mutex_lock (&self->mutex);
  is_open = !self->is_closed;
  if (is_open)
    {
      gtx_handle_list_append (&self->line, link);
      __atomic_store_n (&self->n_in_line, self->n_in_line + 1, __ATOMIC_SEQ_CST);
    }
  g_mutex_unlock (&self->mutex);
  return is_open;
}

/* Moves up to @most jobs from the front of the line to @taken.  Returns how many. */
static guint
take_from_line (GtxWorker     *self,
                guint          most,
                GtxHandleList *taken)
{
  GtxHandle *link;
  guint n = 0;

  if (!has_jobs (self))
    return 0;
  g_mutex_lock (&self->mutex);
  while (n < most && (link = gtx_handle_list_pop (&self->line)))
    {
      gtx_handle_list_append (taken, link);
      n++;
    }
  __atomic_store_n (&self->n_in_line, self->n_in_line - (gint) n, __ATOMIC_SEQ_CST);
  g_mutex_unlock (&self->mutex);
  return n;
}

static GtxWorker *
longest_line (GtxWorkers *self)
{
  GtxWorker *longest = NULL;
  gint most = 0;

  for (guint i = 0; i < self->n; i++)
    {
      gint n = g_atomic_int_get (&self->workers[i].n_in_line);

      if (n > most)
        {
          most = n;
          longest = &self->workers[i];
        }
    }
  return longest;
}

/* Takes half of another line, and keeps all of it but the first job in line here. */
static GtxHandle *
steal (GtxWorker *self)
{
  GtxWorker *from = longest_line (self->workers);
  GtxHandleList stolen;
  GtxHandle *first;
  GtxHandle *link;
  guint half;

  if (from == NULL)
    return NULL;
  gtx_handle_list_init (&stolen);
  half = (guint) (g_atomic_int_get (&from->n_in_line) + 1) / 2;
  take_from_line (from, CLAMP (half, 1, MOST_STOLEN), &stolen);
  first = gtx_handle_list_pop (&stolen);
  while ((link = gtx_handle_list_pop (&stolen)))
    if (!put_in_line (self, link))
      gtx_job_refuse (gtx_job_of_link (link), NULL);
  return first;
}

static GtxJob *
take_job (GtxWorker *self)
{
  GtxHandleList taken;
  GtxHandle *link;

  gtx_handle_list_init (&taken);
  take_from_line (self, 1, &taken);
  link = gtx_handle_list_pop (&taken);
  if (link == NULL)
    link = steal (self);
  return link ? gtx_job_of_link (link) : NULL;
}

static gint
load_of (const GtxWorker *self)
{
  return g_atomic_int_get (&self->n_begun) + g_atomic_int_get (&self->n_in_line);
}

/* Chooses a thread that sleeps before one that runs, and among these the one with the fewest jobs. */
static GtxWorker *
choose (GtxWorkers *self)
{
  guint first = self->n <= MOST_COMPARED ? 0 : __atomic_fetch_add (&self->next, 1, __ATOMIC_RELAXED);
  GtxWorker *best = NULL;
  gboolean best_sleeps = FALSE;
  gint best_load = 0;

  for (guint i = 0; i < MIN (self->n, MOST_COMPARED); i++)
    {
      GtxWorker *worker = &self->workers[(first + i) % self->n];
      gboolean sleeps = g_atomic_int_get (&worker->is_asleep);
      gint load = load_of (worker);

      if (best == NULL || sleeps > best_sleeps || (sleeps == best_sleeps && load < best_load))
        {
          best = worker;
          best_sleeps = sleeps;
          best_load = load;
        }
    }
  return best;
}

/* A thread of the pool keeps what it starts, unless others are idle. */
gboolean
gtx_workers_push (GtxWorkers *self,
                  GtxJob     *job)
{
  GtxWorker *worker = gtx_worker_current ();

  if (worker == NULL || worker->workers != self)
    worker = choose (self);
  if (!put_in_line (worker, gtx_job_link (job)))
    return FALSE;
  if (!wake (worker) && g_atomic_int_get (&self->n_looking) == 0)
    wake_one (self);
  return TRUE;
}

void
gtx_worker_close_line (GtxWorker *self)
{
  GtxHandleList left;
  GtxHandle *link;

  gtx_handle_list_init (&left);
  g_mutex_lock (&self->mutex);
  self->is_closed = TRUE;
  gtx_handle_list_splice (&left, &self->line);
  __atomic_store_n (&self->n_in_line, 0, __ATOMIC_SEQ_CST);
  g_mutex_unlock (&self->mutex);
  while ((link = gtx_handle_list_pop (&left)))
    gtx_job_refuse (gtx_job_of_link (link), NULL);
}

/* ---- In the thread ---- */

/* Begins a job in every second round while there are any, so that other threads can take those that
 * have to wait.  In the round in between, what has ended says so, before the next coroutine takes the
 * thread for as long as it likes.  If there are more jobs, another thread may be asleep that was not
 * woken for each. */
void
gtx_worker_feed (GtxHandle *handle)
{
  GtxWorker *self = GTX_CONTAINER_OF (handle, GtxWorker, feeder);
  GtxJob *job;

  self->lets_others_end = !self->lets_others_end;
  if (self->lets_others_end)
    {
      gtx_scheduler_call_soon (self->scheduler, &self->feeder);
      return;
    }
  while ((job = take_job (self)))
    if (gtx_job_begin (job, self))
      {
        gtx_scheduler_call_soon (self->scheduler, &self->feeder);
        if (has_any_jobs (self->workers))
          wake_one (self->workers);
        return;
      }
}

typedef struct
{
  GSource source;
  GtxWorker *worker;
} FeedSource;

static gboolean
feed_check (GSource *source)
{
  GtxWorker *self = ((FeedSource *) (void *) source)->worker;

  return !gtx_handle_is_linked (&self->feeder) && has_any_jobs (self->workers);
}

static gboolean
feed_prepare (GSource *source,
              gint    *timeout)
{
  *timeout = -1;
  return feed_check (source);
}

static gboolean
feed_dispatch (GSource     *source,
               GSourceFunc  callback,
               gpointer     data)
{
  GtxWorker *self = ((FeedSource *) (void *) source)->worker;

  gtx_scheduler_call_now (self->scheduler, &self->feeder);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs feed_funcs = { feed_prepare, feed_check, feed_dispatch, NULL, NULL, NULL };

static void
attach_source (GtxWorker *self)
{
  self->source = g_source_new (&feed_funcs, sizeof (FeedSource));
  ((FeedSource *) (void *) self->source)->worker = self;
  g_source_set_can_recurse (self->source, TRUE);
  g_source_set_name (self->source, "gtask-ext (pool)");
  g_source_attach (self->source, self->context);
  g_source_unref (self->source);
}

/* The main coroutine of the thread: when it returns, gtx_run () cancels what is left.  A request, which
 * code that cancels all tasks makes, does not end the thread. */
static gboolean
await_end (GtxWorker  *self,
           GError    **error)
{
  while (!gtx_future_is_done (self->end))
    {
      g_autoptr (GtxFuture) end = gtx_shield (self->end);

      gtx_await (end, NULL);
    }
  g_source_destroy (self->source);
  return TRUE;
}

/* Ends what the run has left.  Other code may keep the main context, which nobody runs any more. */
static void
end_thread (GtxWorker *self)
{
  g_autoptr (GMainContext) context = NULL;
  GtxVisit visit = gtx_scheduler_enter (self->scheduler);
  GtxHandle *link;

  while ((link = self->begun.ring.next) != &self->begun.ring)
    gtx_job_abandon (gtx_job_of_link (link));
  gtx_scheduler_end_messages (self->scheduler);
  gtx_scheduler_leave (self->scheduler, visit);
  g_main_context_set_poll_func (self->context, NULL);
  g_main_context_pop_thread_default (self->context);
  g_mutex_lock (&self->mutex);
  context = g_steal_pointer (&self->context);
  g_mutex_unlock (&self->mutex);
}

gpointer
gtx_worker_work (gpointer data)
{
  GtxWorker *self = data;
  GtxWorkers *workers = self->workers;

  g_private_set (&current, self);
  g_main_context_push_thread_default (self->context);
  attach_source (self);
  gtx_run (await_end, self, NULL);
  end_thread (self);
  gtx_workers_count_end (workers);
  gtx_workers_unref (workers);
  return NULL;
}
