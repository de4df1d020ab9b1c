/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of threads for tasks, as an object. */

#include "pool/pool-private.h"

#include "pool/processors.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

struct _GtxPool
{
  GObject parent_instance;
  GtxWorkers *workers;          /* NULL: there are none */
};

G_DEFINE_FINAL_TYPE (GtxPool, gtx_pool, G_TYPE_OBJECT)

G_LOCK_DEFINE_STATIC (default_pool);
static GtxPool *default_pool;

static void
gtx_pool_finalize (GObject *object)
{
  GtxPool *self = (GtxPool *) object;

  if (self->workers)
    {
      gtx_workers_close (self->workers);
      gtx_workers_unref (self->workers);
    }
  G_OBJECT_CLASS (gtx_pool_parent_class)->finalize (object);
}

static void
gtx_pool_class_init (GtxPoolClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_pool_finalize;
}

static void
gtx_pool_init (GtxPool *self)
{
}

GtxPool *
gtx_pool_or_default (GtxPool *pool)
{
  return pool ? pool : gtx_pool_get_default ();
}

GtxWorkers *
gtx_pool_get_workers (GtxPool  *self,
                      GError  **error)
{
  if (self->workers == NULL)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                         "The pool has no threads: make it with gtx_pool_new()");
  return self->workers;
}

/**
 * gtx_pool_new:
 * @n_threads: how many threads, up to 1000; 0: as many as there are processors that the
 *   process may use
 * @error: return location for a #GError, or %NULL
 *
 * Makes a pool, and starts its threads.
 *
 * The processors that the process may use are those of its affinity mask, and no more than
 * the limits of its control groups allow.  Sets the error of g_thread_try_new() if the
 * system has no more threads.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full) (nullable): a new #GtxPool, or %NULL with @error set
 *
 * Since: 0.1
 */
GtxPool *
gtx_pool_new (guint    n_threads,
              GError **error)
{
  GtxWorkers *workers;
  GtxPool *self;

  g_return_val_if_fail (n_threads <= 1000, NULL);

  workers = gtx_workers_new (n_threads > 0 ? n_threads : gtx_count_processors (), error);
  if (workers == NULL)
    return NULL;
  self = g_object_new (GTX_TYPE_POOL, NULL);
  self->workers = workers;
  return self;
}

/**
 * gtx_pool_get_default:
 *
 * Lends a pool that all code of the process shares, with a thread for each processor that
 * the process may use.
 *
 * The pool is made when it is first asked for, and is never closed.  If the system has no
 * more threads then, a warning says so, and the pool's tasks fail with
 * %GTX_ERROR_INVALID_STATE.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): the #GtxPool
 *
 * Since: 0.1
 */
GtxPool *
gtx_pool_get_default (void)
{
  g_autoptr (GError) error = NULL;
  GtxPool *pool;

  G_LOCK (default_pool);
  if (default_pool == NULL)
    default_pool = gtx_pool_new (0, &error);
  if (default_pool == NULL)
    default_pool = g_object_new (GTX_TYPE_POOL, NULL);
  pool = default_pool;
  G_UNLOCK (default_pool);
  if (error)
    g_warning ("The default pool has no threads, and runs no tasks: %s", error->message);
  return pool;
}

/**
 * gtx_pool_get_n_threads:
 * @self: a #GtxPool
 *
 * Tells how many threads the pool has.  Never suspends; may be called in any thread.
 *
 * Returns: the number of threads
 *
 * Since: 0.1
 */
guint
gtx_pool_get_n_threads (GtxPool *self)
{
  g_return_val_if_fail (GTX_IS_POOL (self), 0);

  return self->workers ? gtx_workers_get_n (self->workers) : 0;
}

/* ---- The end ---- */

static const char *
why_not_close (GtxPool *self)
{
  const GtxWorker *worker = gtx_worker_current ();

  if (self == default_pool)
    return "The default pool cannot be closed, because other code may use it; make one with gtx_pool_new()";
  if (worker && worker->workers == self->workers)
    return "A thread of the pool would wait for its own end; close the pool in another thread";
  return NULL;
}

static gboolean
await_end (GtxPool  *self,
           GError  **error)
{
  g_autoptr (GtxFuture) end = gtx_future_new ();

  gtx_workers_tell_end (self->workers, end);
  return gtx_await (end, error);
}

static void
iterate_until_end (GtxPool      *self,
                   GMainContext *context)
{
  g_autoptr (GtxFuture) end = gtx_future_new ();

  gtx_workers_tell_end (self->workers, end);
  while (!gtx_future_is_done (end))
    g_main_context_iteration (context, TRUE);
}

/* Another thread may run the thread-default main context, and goes on with it. */
static void
await_end_outside (GtxPool *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GMainContext) own = NULL;

  if (g_main_context_acquire (context))
    {
      iterate_until_end (self, context);
      g_main_context_release (context);
      return;
    }
  own = g_main_context_new ();
  g_main_context_push_thread_default (own);
  iterate_until_end (self, own);
  g_main_context_pop_thread_default (own);
}

/**
 * gtx_pool_close:
 * @self: a #GtxPool
 * @error: return location for a #GError, or %NULL
 *
 * Closes the pool: cancels its tasks, and those that its tasks have started in its
 * threads, and waits until all have ended, and the threads with them.
 *
 * Tasks that have not begun never begin.  A task that is given to the pool from now on
 * fails with %GTX_ERROR_INVALID_STATE.  Suspends the current task; outside of all tasks,
 * blocks, and iterates the thread-default main context meanwhile, unless another thread
 * runs it, because tasks that clean up may wait for it.  Closing a pool again waits for the same end.  May be called in any thread
 * but the pool's own.
 *
 * Sets %G_IO_ERROR_CANCELLED if the current task is cancelled while it waits: the pool is
 * closed all the same; and %GTX_ERROR_INVALID_STATE in a thread of the pool, or for the
 * default pool, which stays as it is.
 *
 * Returns: %TRUE if the pool has ended
 *
 * Since: 0.1
 */
gboolean
gtx_pool_close (GtxPool  *self,
                GError  **error)
{
  const char *why_not;

  g_return_val_if_fail (GTX_IS_POOL (self), FALSE);

  why_not = why_not_close (self);
  if (why_not)
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE, why_not);
      return FALSE;
    }
  if (self->workers == NULL)
    return TRUE;
  gtx_workers_close (self->workers);
  if (gtx_task_current () == NULL)
    await_end_outside (self);
  else if (!await_end (self, error))
    return FALSE;
  gtx_workers_join (self->workers);
  return TRUE;
}
