/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/polled.h"

#include "loop/pollset.h"
#include "loop/scheduler-private.h"

#include <fcntl.h>
#include <unistd.h>

/* How long the poller may take events until the main loop's other sources get their turn. */
#define LOOK_AGAIN_US 1000

/* The least time until all descriptors are asked for anew: in microseconds, and as a multiple of
 * what asking took. */
#define ASK_ANEW_US 250000
#define ASK_ANEW_SHARE 200

/* The set is renewed after so many events, and one more for each descriptor, of files that the
 * poller asks for no more and that yet stay in the set, such as those that a child process has
 * open. */
#define MOST_STALE 100

/* ---- The set ---- */

void
gtx_poller_open_set (GtxPoller *self)
{
  self->n_stale = 0;
  self->set = gtx_pollset_new ();
  if (self->set >= 0)
    self->tag = g_source_add_unix_fd (&self->source, self->set, G_IO_IN);
}

static void
close_set (GtxPoller *self)
{
  if (self->set < 0)
    return;
  g_source_remove_unix_fd (&self->source, self->tag);
  close (self->set);
  self->set = -1;
}

static void
free_descriptors (GPtrArray *descriptors)
{
  for (guint i = 0; i < descriptors->len; i++)
    if (g_ptr_array_index (descriptors, i))
      gtx_polled_free (g_ptr_array_index (descriptors, i));
  g_ptr_array_unref (descriptors);
}

static void
ask_anew (GtxHandleList *list)
{
  GtxHandleList before;
  GtxHandle *link;

  gtx_handle_list_init (&before);
  gtx_handle_list_splice (&before, list);
  while ((link = before.ring.next) != &before.ring)
    {
      gtx_handle_unlink (link);
      gtx_handle_list_append (list, link);
      gtx_polled_ask_anew (GTX_CONTAINER_OF (link, GtxPolled, link));
    }
}

static void
ask_all_anew (GtxPoller *self)
{
  gint64 began = g_get_monotonic_time ();
  gint64 ended;

  ask_anew (&self->apart);
  ask_anew (&self->asked);
  ended = g_get_monotonic_time ();
  self->ask_anew_at = ended + MAX (ASK_ANEW_US, ASK_ANEW_SHARE * (ended - began));
}

/* ---- fork () ---- */

void
gtx_poller_leave_to_parent (GtxPoller *self,
                            gboolean   is_others)
{
  self->is_parents = TRUE;
  if (is_others)
    self->descriptors = NULL;
}

static void
have_no_descriptors (GtxPoller *self)
{
  self->descriptors = g_ptr_array_new ();
  gtx_handle_list_init (&self->asked);
  gtx_handle_list_init (&self->due);
  gtx_handle_list_init (&self->apart);
}

/* Begins anew in the child of a fork (): the waits are the parent's, and do not go on here. */
static void
renew (GtxPoller *self)
{
  self->is_parents = FALSE;
  close_set (self);
  if (self->descriptors)
    free_descriptors (self->descriptors);
  have_no_descriptors (self);
}

/* ---- Events ---- */

/* Whether the poller asks for no descriptor. */
static gboolean
is_resting (const GtxPoller *self)
{
  return gtx_handle_list_is_empty (&self->asked) && gtx_handle_list_is_empty (&self->apart);
}

static gboolean
poller_prepare (GSource *source,
                gint    *timeout)
{
  GtxPoller *self = (GtxPoller *) (void *) source;
  gint64 left;

  *timeout = -1;
  if (self->is_parents || !gtx_scheduler_is_dispatched_here (self->scheduler))
    return FALSE;
  if (gtx_handle_list_is_empty (&self->due) && !is_resting (self))
    {
      left = self->ask_anew_at - g_source_get_time (source);
      if (left > 0)
        *timeout = (gint) (left / 1000 + 1);
      else
        ask_all_anew (self);
    }
  return !gtx_handle_list_is_empty (&self->due);
}

static void
take_due (GtxPoller     *self,
          GtxHandleList *woken)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (&self->due)))
    {
      GtxPolled *descriptor = GTX_CONTAINER_OF (link, GtxPolled, link);

      gtx_polled_take (descriptor, descriptor->due, woken);
    }
}

/* Replaces the set by a new one, which reports no file that is asked for no more. */
static void
renew_set (GtxPoller *self)
{
  close_set (self);
  for (guint i = 0; i < self->descriptors->len; i++)
    {
      GtxPolled *descriptor = g_ptr_array_index (self->descriptors, i);

      if (descriptor)
        descriptor->followed = 0;
    }
  gtx_poller_open_set (self);
  ask_all_anew (self);
}

static void
take_events (GtxPoller     *self,
             GtxHandleList *woken)
{
  GtxPollEvent events[GTX_POLL_MOST_EVENTS];
  guint n = self->set < 0 ? 0 : gtx_pollset_take (self->set, events);

  for (guint i = 0; i < n; i++)
    __builtin_prefetch (g_ptr_array_index (self->descriptors, (guint32) events[i].token), 1);
  for (guint i = 0; i < n; i++)
    {
      GtxPolled *descriptor = g_ptr_array_index (self->descriptors, (guint32) events[i].token);

      __builtin_prefetch (descriptor->waits.ring.next, 1);
    }
  for (guint i = 0; i < n; i++)
    {
      GtxPolled *descriptor = g_ptr_array_index (self->descriptors, (guint32) events[i].token);

      if (gtx_polled_token (descriptor) == events[i].token)
        gtx_polled_take_event (descriptor, events[i].came, woken);
      else
        self->n_stale++;
    }
  if (self->n_stale > MOST_STALE + self->descriptors->len)
    renew_set (self);
}

/* Tasks that are woken often cause more events, such as an answer for which a task waits.  Taking
 * these at once, while there is time, saves a turn of the main loop each time. */
static gboolean
poller_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     data)
{
  GtxPoller *self = (GtxPoller *) (void *) source;
  gint64 until = g_source_get_time (source) + LOOK_AGAIN_US;
  GtxHandleList woken;

  if (self->is_parents)
    renew (self);
  if (!gtx_scheduler_may_dispatch (self->scheduler))
    return G_SOURCE_CONTINUE;
  do
    {
      gtx_handle_list_init (&woken);
      take_due (self, &woken);
      take_events (self, &woken);
    }
  while (!gtx_handle_list_is_empty (&woken) && gtx_scheduler_call_all_now (self->scheduler, &woken) &&
         self->scheduler->fairness.last_run < until);
  return G_SOURCE_CONTINUE;
}

/* ---- The poller ---- */

static void
poller_finalize (GSource *source)
{
  GtxPoller *self = (GtxPoller *) (void *) source;

  if (self->set >= 0)
    close (self->set);
  if (self->descriptors)
    free_descriptors (self->descriptors);
}

static GSourceFuncs poller_funcs = {
  poller_prepare, NULL, poller_dispatch, poller_finalize, NULL, NULL
};

static GtxPoller *
poller_new (GtxScheduler *scheduler)
{
  GSource *source = g_source_new (&poller_funcs, sizeof (GtxPoller));
  GtxPoller *self = (GtxPoller *) (void *) source;

  self->scheduler = scheduler;
  self->set = -1;
  have_no_descriptors (self);
  gtx_poller_open_set (self);
  g_source_set_static_name (source, "gtask-ext (descriptors)");
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, gtx_scheduler_get_context (scheduler));
  return self;
}

void
gtx_poller_free (GtxPoller *self)
{
  g_source_unref (&self->source);
}

gboolean
gtx_poller_is_polled (const GtxPoller *self)
{
  return self->set >= 0;
}

static GtxPoller *
poller_of (GtxScheduler *scheduler)
{
  if (scheduler->poller == NULL)
    scheduler->poller = poller_new (scheduler);
  if (scheduler->poller->is_parents)
    renew (scheduler->poller);
  return scheduler->poller;
}

static GtxPolled *
descriptor_of (GtxPoller *self,
               int        fd)
{
  GtxPolled *descriptor;

  if ((guint) fd >= self->descriptors->len)
    g_ptr_array_set_size (self->descriptors, fd + 1);
  descriptor = g_ptr_array_index (self->descriptors, fd);
  if (descriptor)
    return descriptor;
  descriptor = gtx_polled_new (self, fd);
  self->descriptors->pdata[fd] = descriptor;
  return descriptor;
}

void
gtx_poller_join (GtxScheduler *scheduler,
                 GtxPollWait  *wait,
                 int           fd)
{
  gtx_polled_join (descriptor_of (poller_of (scheduler), fd), wait);
}

void
gtx_poller_leave (GtxScheduler *scheduler,
                  GtxPollWait  *wait,
                  int           fd)
{
  gtx_polled_leave (descriptor_of (scheduler->poller, fd), wait);
}

/* ---- Streams ---- */

/* Returns NULL if no task has waited for @fd. */
static GtxPolled *
find (GtxScheduler *scheduler,
      int           fd)
{
  GtxPoller *poller = scheduler->poller;

  if (poller == NULL || poller->is_parents || fd < 0 || (guint) fd >= poller->descriptors->len)
    return NULL;
  return g_ptr_array_index (poller->descriptors, fd);
}

gboolean
gtx_poller_is_empty (GtxScheduler *scheduler,
                     int           fd,
                     guint64       stream)
{
  const GtxPolled *self = find (scheduler, fd);

  return self && stream != 0 && self->followed == stream && !self->has_news;
}

void
gtx_poller_note_empty (GtxScheduler *scheduler,
                       int           fd,
                       guint64       stream)
{
  GtxPolled *self = find (scheduler, fd);

  if (self && self->followed == stream)
    self->has_news = FALSE;
}

/* ---- Closed descriptors ---- */

void
gtx_poller_look (GtxScheduler *scheduler,
                 int           fd)
{
  GtxPolled *self = find (scheduler, fd);
  GtxHandleList woken;

  if (self == NULL || !gtx_polled_is_awaited (self))
    return;
  gtx_polled_ask_anew (self);
  if (!gtx_polled_is_awaited (self) || fcntl (fd, F_GETFD) >= 0)
    return;
  /* The wait ends now: at the next turn another file may have the number. */
  gtx_handle_list_init (&woken);
  gtx_polled_take (self, G_IO_NVAL, &woken);
  gtx_scheduler_call_all_soon (scheduler, &woken);
}
