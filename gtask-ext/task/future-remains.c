/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frees the data of a future in its home, whichever thread dropped the last reference. */

#include "task/future-private.h"

/* Data of a future that is gone, to be freed in the future's home. */
typedef struct
{
  GtxHandle handle;
  GtxScheduler *home;
  gpointer data;
  GDestroyNotify data_free;
} Remains;

static void
free_remains (GtxHandle *handle)
{
  Remains *self = (Remains *) handle;

  self->data_free (self->data);
  gtx_scheduler_unref (self->home);
  g_free (self);
}

static Remains *
remains_new (GtxScheduler   *home,
             gpointer        data,
             GDestroyNotify  data_free)
{
  Remains *self = g_new (Remains, 1);

  *self = (Remains) { .handle.run = free_remains, .home = gtx_scheduler_ref (home), .data = data, .data_free = data_free };
  return self;
}

/* A function that frees data may ask for messages.  If this message runs because another one asked, the
 * data is freed later: such functions would otherwise run inside one another without end. */
static void
free_at_home (gpointer data)
{
  Remains *self = data;

  if (gtx_scheduler_is_asked_for_messages (self->home))
    gtx_scheduler_call_soon (self->home, &self->handle);
  else
    free_remains (&self->handle);
}

/* Frees @data in the home's thread, at once or later; in this thread only if the main context is gone. */
void
gtx_future_free_at_home (GtxFuture      *self,
                         gpointer        data,
                         GDestroyNotify  data_free)
{
  GtxVisit visit;

  if (data == NULL || data_free == NULL)
    return;
  visit = gtx_scheduler_enter (self->home);
  if (visit && !gtx_scheduler_is_asked_for_messages (self->home))
    data_free (data);
  else
    {
      Remains *remains = remains_new (self->home, data, data_free);

      if (visit)
        gtx_scheduler_call_soon (self->home, &remains->handle);
      else if (!gtx_scheduler_post (self->home, free_at_home, remains))
        free_remains (&remains->handle);
    }
  gtx_scheduler_leave (self->home, visit);
}
