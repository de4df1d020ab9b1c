/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads of a pool together: how they begin and end. */

#include "pool/worker.h"

#include "gtask-ext/future.h"

static void
init_worker (GtxWorker  *self,
             GtxWorkers *workers,
             guint       number)
{
  self->workers = workers;
  self->number = number;
  self->feeder.run = gtx_worker_feed;
  gtx_handle_list_init (&self->line);
  gtx_handle_list_init (&self->begun);
  g_mutex_init (&self->mutex);
  self->context = g_main_context_new ();
  g_main_context_set_poll_func (self->context, gtx_worker_poll);
  self->scheduler = gtx_scheduler_ref (gtx_scheduler_for_context (self->context));
  g_main_context_push_thread_default (self->context);
  self->end = gtx_future_new ();
  g_main_context_pop_thread_default (self->context);
}

static void
clear_worker (GtxWorker *self)
{
  g_object_unref (self->end);
  g_clear_pointer (&self->context, g_main_context_unref);
  gtx_scheduler_unref (self->scheduler);
  g_clear_pointer (&self->thread, g_thread_unref);
  g_mutex_clear (&self->mutex);
}

static gboolean
start_thread (GtxWorker  *self,
              GError    **error)
{
  g_autofree char *name = g_strdup_printf ("gtask-ext %u", self->number);

  gtx_workers_ref (self->workers);
  self->thread = g_thread_try_new (name, gtx_worker_work, self, error);
  if (self->thread)
    return TRUE;
  gtx_workers_unref (self->workers);
  return FALSE;
}

GtxWorkers *
gtx_workers_new (guint    n,
                 GError **error)
{
  GtxWorkers *self = g_new0 (GtxWorkers, 1);
  guint n_started = 0;

  g_atomic_ref_count_init (&self->n_references);
  g_mutex_init (&self->mutex);
  self->ends = g_ptr_array_new_with_free_func (g_object_unref);
  self->n = self->n_running = n;
  self->workers = g_new0 (GtxWorker, n);
  for (guint i = 0; i < n; i++)
    init_worker (&self->workers[i], self, i + 1);
  while (n_started < n && start_thread (&self->workers[n_started], error))
    n_started++;
  if (n_started == n)
    return self;

  gtx_workers_close (self);
  gtx_workers_join (self);
  gtx_workers_unref (self);
  return NULL;
}

GtxWorkers *
gtx_workers_ref (GtxWorkers *self)
{
  g_atomic_ref_count_inc (&self->n_references);
  return self;
}

void
gtx_workers_unref (GtxWorkers *self)
{
  if (!g_atomic_ref_count_dec (&self->n_references))
    return;
  for (guint i = 0; i < self->n; i++)
    clear_worker (&self->workers[i]);
  g_clear_pointer (&self->ends, g_ptr_array_unref);
  g_free (self->workers);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

guint
gtx_workers_get_n (GtxWorkers *self)
{
  return self->n;
}

void
gtx_workers_close (GtxWorkers *self)
{
  gboolean was_closed;

  g_mutex_lock (&self->mutex);
  was_closed = self->is_closed;
  self->is_closed = TRUE;
  g_mutex_unlock (&self->mutex);
  if (was_closed)
    return;
  for (guint i = 0; i < self->n; i++)
    gtx_worker_close_line (&self->workers[i]);
  for (guint i = 0; i < self->n; i++)
    gtx_future_set_result (self->workers[i].end, NULL, NULL);
}

void
gtx_workers_tell_end (GtxWorkers *self,
                      gpointer    future)
{
  gboolean have_ended;

  g_mutex_lock (&self->mutex);
  have_ended = self->n_running == 0;
  if (!have_ended)
    g_ptr_array_add (self->ends, g_object_ref (future));
  g_mutex_unlock (&self->mutex);
  if (have_ended)
    gtx_future_set_result (future, NULL, NULL);
}

void
gtx_workers_join (GtxWorkers *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      GThread *thread = NULL;

      g_mutex_lock (&self->mutex);
      thread = g_steal_pointer (&self->workers[i].thread);
      g_mutex_unlock (&self->mutex);
      if (thread)
        g_thread_join (thread);
    }
}

void
gtx_workers_count_end (GtxWorkers *self)
{
  g_autoptr (GPtrArray) ends = NULL;

  g_mutex_lock (&self->mutex);
  if (--self->n_running == 0)
    ends = g_steal_pointer (&self->ends);
  g_mutex_unlock (&self->mutex);
  for (guint i = 0; ends && i < ends->len; i++)
    gtx_future_set_result (ends->pdata[i], NULL, NULL);
}
