/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting tasks on a pool, alone, in groups and for the clients of a server. */

#include "pool/job.h"
#include "pool/pool-private.h"

#include "io/serve-private.h"
#include "many/group-private.h"

#include "gtask-ext/error.h"

static void
push (GtxPool *pool,
      GtxJob  *job)
{
  GError *error = NULL;
  GtxWorkers *workers = gtx_pool_get_workers (pool, &error);

  if (workers && gtx_workers_push (workers, job))
    return;
  if (error == NULL)
    error = g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_STATE,
                                 "The pool was closed, and begins no more tasks");
  gtx_job_refuse (job, error);
}

/**
 * gtx_task_start_on:
 * @self: a #GtxTask that was not started
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 *
 * Starts a task that gtx_task_new() made on a pool, as gtx_create_task_on() does.
 *
 * Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): @self
 *
 * Since: 0.1
 */
GtxTask *
gtx_task_start_on (GtxTask *self,
                   GtxPool *pool)
{
  GtxJob *job;

  g_return_val_if_fail (GTX_IS_TASK (self), self);
  g_return_val_if_fail (pool == NULL || GTX_IS_POOL (pool), self);

  /* It was cancelled before its start, or was started. */
  if (!gtx_task_is_unstarted (&self->parent_instance) || gtx_future_done (&self->parent_instance) ||
      !gtx_task_claim_start (self))
    return gtx_task_start (self);
  pool = gtx_pool_or_default (pool);
  job = gtx_job_new (self, G_OBJECT (pool));
  gtx_job_start (job);
  push (pool, job);
  return self;
}

/**
 * gtx_create_task_on_named: (skip)
 *
 * The function behind gtx_create_task_on(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_on_named (GtxPool        *pool,
                          const char     *function,
                          GtxCoroutine    coroutine,
                          gpointer        data,
                          GDestroyNotify  data_free)
{
  GtxTask *self = gtx_task_new_named (function, coroutine, data, data_free);

  return self ? gtx_task_start_on (self, pool) : NULL;
}

/**
 * gtx_create_task_pointer_on_named: (skip)
 *
 * The function behind gtx_create_task_pointer_on(), with the name of its coroutine as an argument, static or interned.
 */
GtxTask *
gtx_create_task_pointer_on_named (GtxPool             *pool,
                                  const char          *function,
                                  GtxPointerCoroutine  coroutine,
                                  gpointer             data,
                                  GDestroyNotify       data_free,
                                  GDestroyNotify       result_free)
{
  GtxTask *self = gtx_task_new_pointer_named (function, coroutine, data, data_free, result_free);

  return self ? gtx_task_start_on (self, pool) : NULL;
}

/* ---- Groups and servers ---- */

static GtxTask *
start_on (GtxTask  *task,
          gpointer  pool)
{
  return gtx_task_start_on (task, pool);
}

/**
 * gtx_task_group_set_pool:
 * @group: a #GtxTaskGroup whose block has begun
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 *
 * Lets the tasks that are started in the group from now on run in the threads of @pool,
 * as gtx_create_task_on() does.
 *
 * Never suspends; to be called in the thread of the group's task.
 *
 * Since: 0.1
 */
void
gtx_task_group_set_pool (GtxTaskGroup *group,
                         GtxPool      *pool)
{
  g_return_if_fail (group != NULL && group->state != NULL);
  g_return_if_fail (pool == NULL || GTX_IS_POOL (pool));

  gtx_task_group_set_start (group, start_on, g_object_ref (gtx_pool_or_default (pool)), g_object_unref);
}

static void
put_on_pool (GtxTaskGroup *group,
             gpointer      pool)
{
  gtx_task_group_set_pool (group, pool);
}

/**
 * gtx_serve_on_with: (rename-to gtx_serve_on)
 * @pool: (nullable): a #GtxPool; %NULL: the one that gtx_pool_get_default() returns
 * @listener: a #GSocketListener that has an address
 * @limit: how many clients to serve at once; 0: no limit
 * @func: (scope call): a coroutine for one client
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Serves clients on a pool: the function behind gtx_serve_on(), where it is described.
 *
 * Returns: %FALSE with @error set, when the serving has ended
 *
 * Since: 0.1
 */
gboolean
gtx_serve_on_with (GtxPool          *pool,
                   GSocketListener  *listener,
                   guint             limit,
                   GtxServeFunc      func,
                   gpointer          data,
                   GError          **error)
{
  g_return_val_if_fail (pool == NULL || GTX_IS_POOL (pool), FALSE);
  g_return_val_if_fail (G_IS_SOCKET_LISTENER (listener), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  return gtx_serve_in_group (listener, limit, func, data, put_on_pool, gtx_pool_or_default (pool), error);
}
