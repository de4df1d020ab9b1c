/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "many/watch.h"

#include "gtask-ext/error.h"

gboolean
gtx_watches_check (GtxTask     *task,
                   GPtrArray   *futures,
                   const char  *function,
                   GError     **error)
{
  for (guint i = 0; i < futures->len; i++)
    {
      GtxFuture *future = g_ptr_array_index (futures, i);
      GtxFuture *last;

      if (!gtx_future_check (future, function))
        g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                     "Item %u of the array that %s() was given is no GtxFuture", i + 1, function);
      else if (future->home != task->parent_instance.home)
        g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                     "Item %u of the array that %s() was given belongs to another main context; "
                     "give it a task that awaits it", i + 1, function);
      else if (gtx_future_is_task (last = gtx_future_get_addressee (future)) &&
               gtx_task_outermost ((GtxTask *) last) == task)
        g_set_error (error, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF,
                     "Task %s passes itself to %s(), which would never end; pass other futures",
                     gtx_task_get_name (task), function);
      else
        continue;
      return FALSE;
    }
  return TRUE;
}

void
gtx_watches_init (GtxWatches  *self,
                  GPtrArray   *futures,
                  void       (*on_done) (GtxHandle *handle),
                  gpointer     owner)
{
  self->watches = g_new (GtxWatch, futures->len);
  self->length = 0;
  self->n_done = 0;
  self->open = NULL;
  for (guint i = 0; i < futures->len; i++)
    {
      GtxFuture *future = g_ptr_array_index (futures, i);
      GtxWatch *watch;

      /* A mark that other code has left does not lead back to the future. */
      if (future->mark < self->length && self->watches[future->mark].future == future)
        continue;
      future->mark = self->length++;
      watch = &self->watches[future->mark];
      *watch = (GtxWatch) { .handle.run = on_done, .owner = owner, .future = future };
      gtx_pins_add (&future->pins, future);
      gtx_task_ensure_started (future);
      if (gtx_future_done (future))
        {
          self->n_done++;
          continue;
        }
      gtx_handle_list_append (&future->callbacks, &watch->handle);
      if (gtx_future_is_open (future))
        self->open = future->home;
    }
  if (self->open)
    gtx_scheduler_open (self->open);
}

void
gtx_watches_list (const GtxWatches *self,
                  GPtrArray        *futures)
{
  for (guint i = 0; i < self->length; i++)
    if (!gtx_future_done (self->watches[i].future))
      g_ptr_array_add (futures, self->watches[i].future);
}

void
gtx_watches_queue_done (GtxWatches   *self,
                        GtxScheduler *home)
{
  for (guint i = 0; self->n_done > 0 && i < self->length; i++)
    if (!gtx_handle_is_linked (&self->watches[i].handle))
      gtx_scheduler_call_soon (home, &self->watches[i].handle);
}

void
gtx_watches_detach (GtxWatches *self)
{
  if (self->open)
    gtx_scheduler_close (g_steal_pointer (&self->open));
  for (guint i = 0; i < self->length; i++)
    if (gtx_handle_is_linked (&self->watches[i].handle))
      gtx_handle_unlink (&self->watches[i].handle);
}

void
gtx_watches_clear (GtxWatches *self)
{
  gtx_watches_detach (self);
  for (guint i = 0; i < self->length; i++)
    gtx_pins_drop (&self->watches[i].future->pins, self->watches[i].future);
  g_free (self->watches);
}
