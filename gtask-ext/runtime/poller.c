/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "poller.h"

#include "pollset.h"
#include "scheduler-private.h"

#include <fcntl.h>
#include <unistd.h>

/* How long events may be taken until it is the turn of the others in the main loop. */
#define LOOK_AGAIN_US 1000

/* How often those that are waited for are asked for anew, at most, in microseconds and in
 * times of what that takes. */
#define ASK_ANEW_US 250000
#define ASK_ANEW_SHARE 200

/* How many events may be of files that are asked for no more and yet stay in the set, as those
 * that a child process has open do, for each descriptor there is and besides. */
#define MOST_STALE 100

/* Invariants:
 * - A descriptor is linked exactly while somebody waits for it: among those that are asked for,
 *   those that are due, or those with a source of their own.
 * - An event that carries another token than the descriptor's last is of a file that had
 *   its number before, or of what is asked for no more: it finds nobody.
 * - What is asked for includes what all who wait for it want.
 * - A stream that is followed and has no news is empty, or an event of what it has is in the
 *   set and was not taken yet.  So it may be waited for without asking. */
typedef struct
{
  GtxHandle link;
  GtxPoller *poller;
  int fd;
  guint32 asking;               /* the number of the last time; in its token */
  GIOCondition wanted;          /* by those who wait, and maybe by who did */
  GIOCondition due;             /* came without an event */
  guint64 stream;               /* that all wait for and found empty; or 0 */
  guint64 followed;             /* whose every news the set tells; or 0 */
  guint64 unfollowed;           /* that did what makes its emptiness unknown; or 0 */
  gboolean has_news;            /* what is followed, since it was found empty */
  GtxHandleList waits;
  guint n_knowing;              /* of these: when the file is closed */
  GSource *source;              /* its own, where it is in no set; or NULL */
  gpointer tag;
} Descriptor;

/* The kernel does not tell of a descriptor that is closed while it is asked for, nor of
 * another file that has its number then.  So all are asked for anew now and then, and in
 * any case after the last turn of a main loop that comes to rest: in a turn that did not
 * happen nobody closed anything. */
struct _GtxPoller
{
  GSource source;
  GtxScheduler *scheduler;
  gboolean is_parents;          /* the set, in the child of a fork () */
  int set;                      /* -1: could not be had */
  gpointer tag;
  GPtrArray *descriptors;       /* by number */
  GtxHandleList asked;
  GtxHandleList due;
  GtxHandleList apart;          /* with a source of their own */
  guint32 n_asked;
  guint n_stale;
  gint64 ask_anew_at;
};

/* What a descriptor has where it is in no set. */
typedef struct
{
  GSource source;
  Descriptor *descriptor;
} OwnSource;

static void ask (Descriptor *self);

/* ---- The set ---- */

static void
open_set (GtxPoller *self)
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

/* ---- Those who wait ---- */

/* Nobody has been waiting, or all who wait are added again. */
static void
want_nothing (Descriptor *self)
{
  self->wanted = 0;
  self->stream = 0;
}

static void
add_wanted (Descriptor        *self,
            const GtxPollWait *wait)
{
  if (self->wanted == 0)
    self->stream = wait->stream;
  else if (self->stream != wait->stream)
    self->stream = 0;
  self->wanted |= wait->condition;
}

static void
remove_wait (Descriptor  *self,
             GtxPollWait *wait)
{
  gtx_handle_unlink (&wait->link);
  self->n_knowing -= wait->is_closed != NULL;
}

static void
end_wait (Descriptor    *self,
          GtxPollWait   *wait,
          GIOCondition   came,
          GtxHandleList *woken)
{
  remove_wait (self, wait);
  wait->condition = came;
  wait->came (wait, woken);
}

/* Those for whom it is have waited. */
static void
end_waits (Descriptor    *self,
           GIOCondition   came,
           GtxHandleList *woken)
{
  GtxHandle *next;

  want_nothing (self);
  for (GtxHandle *link = self->waits.ring.next; link != &self->waits.ring; link = next)
    {
      GtxPollWait *wait = GTX_CONTAINER_OF (link, GtxPollWait, link);
      GIOCondition its = came & (wait->condition | G_IO_ERR | G_IO_HUP | G_IO_NVAL);

      next = link->next;
      if (its != 0)
        end_wait (self, wait, its, woken);
      else
        add_wanted (self, wait);
    }
}

/* Those whose file was closed by now, so that it is another that has the number.  Of those who
 * know they came first: not all are looked at each time. */
static void
end_waits_of_closed (Descriptor   *self,
                     GtxScheduler *scheduler)
{
  GtxHandleList woken;
  GtxHandle *next;

  gtx_handle_list_init (&woken);
  for (GtxHandle *link = self->waits.ring.next; self->n_knowing > 0 && link != &self->waits.ring; link = next)
    {
      GtxPollWait *wait = GTX_CONTAINER_OF (link, GtxPollWait, link);

      next = link->next;
      if (wait->is_closed == NULL)
        continue;
      if (!wait->is_closed (wait))
        break;
      end_wait (self, wait, G_IO_NVAL, &woken);
    }
  if (!gtx_handle_list_is_empty (&woken))
    gtx_scheduler_call_all_soon (scheduler, &woken);
}

static void
drop_source (Descriptor *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

static void
descriptor_free (Descriptor *self)
{
  drop_source (self);
  g_free (self);
}

static void
free_descriptors (GPtrArray *descriptors)
{
  for (guint i = 0; i < descriptors->len; i++)
    if (g_ptr_array_index (descriptors, i))
      descriptor_free (g_ptr_array_index (descriptors, i));
  g_ptr_array_unref (descriptors);
}

/* Nobody waits for it. */
static void
rest (Descriptor *self)
{
  if (gtx_handle_is_linked (&self->link))
    gtx_handle_unlink (&self->link);
  drop_source (self);
}

static void
take (Descriptor    *self,
      GIOCondition   came,
      GtxHandleList *woken)
{
  end_waits (self, came, woken);
  if (gtx_handle_list_is_empty (&self->waits))
    rest (self);
  else
    ask (self);
}

/* ---- A source of its own ---- */

static gboolean
own_dispatch (GSource     *source,
              GSourceFunc  callback,
              gpointer     data)
{
  Descriptor *self = ((OwnSource *) (void *) source)->descriptor;
  GtxScheduler *scheduler = self->poller->scheduler;
  GtxHandleList woken;

  (void) callback;
  (void) data;
  if (!gtx_scheduler_may_dispatch (scheduler))
    return G_SOURCE_CONTINUE;
  gtx_handle_list_init (&woken);
  take (self, g_source_query_unix_fd (source, self->tag), &woken);
  gtx_scheduler_call_all_now (scheduler, &woken);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs own_funcs = { NULL, NULL, own_dispatch, NULL, NULL, NULL };

static void
link_to (Descriptor    *self,
         GtxHandleList *list)
{
  if (gtx_handle_is_linked (&self->link))
    gtx_handle_unlink (&self->link);
  gtx_handle_list_append (list, &self->link);
}

static void
ask_by_source (Descriptor *self)
{
  if (self->source)
    {
      g_source_modify_unix_fd (self->source, self->tag, self->wanted);
      return;
    }
  link_to (self, &self->poller->apart);
  self->source = g_source_new (&own_funcs, sizeof (OwnSource));
  ((OwnSource *) (void *) self->source)->descriptor = self;
  self->tag = g_source_add_unix_fd (self->source, self->fd, self->wanted);
  g_source_set_static_name (self->source, "gtask-ext (await)");
  /* A task that it wakes may run the main loop, in which others wait for it. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, gtx_scheduler_get_context (self->poller->scheduler));
}

/* ---- To ask ---- */

static guint64
token_of (const Descriptor *self)
{
  return (guint64) self->asking << 32 | (guint32) self->fd;
}

static void
ask_by_set (Descriptor *self)
{
  GtxPoller *poller = self->poller;
  gboolean follows = self->stream != 0 && self->stream != self->unfollowed;
  GtxPollAnswer answer;

  if (poller->set < 0)
    open_set (poller);
  self->asking = ++poller->n_asked;
  answer = gtx_pollset_ask (poller->set, self->fd, self->wanted, follows, token_of (self));
  self->followed = follows && answer == GTX_POLL_ASKED ? self->stream : 0;
  self->has_news = FALSE;
  self->due = answer == GTX_POLL_NOT_OPEN ? G_IO_NVAL
              : answer == GTX_POLL_ALWAYS_READY ? self->wanted & (G_IO_IN | G_IO_OUT) : 0;
  if (self->due != 0)
    link_to (self, &poller->due);
  else if (answer == GTX_POLL_ASKED)
    link_to (self, &poller->asked);
  else
    ask_by_source (self);
}

static void
ask (Descriptor *self)
{
  if (self->source)
    ask_by_source (self);
  else
    ask_by_set (self);
}

/* @list is of the poller's. */
static void
ask_anew (GtxPoller     *self,
          GtxHandleList *list)
{
  GtxHandleList before;
  GtxHandle *link;

  gtx_handle_list_init (&before);
  gtx_handle_list_splice (&before, list);
  while ((link = before.ring.next) != &before.ring)
    {
      Descriptor *descriptor = GTX_CONTAINER_OF (link, Descriptor, link);

      link_to (descriptor, list);
      end_waits_of_closed (descriptor, self->scheduler);
      if (gtx_handle_list_is_empty (&descriptor->waits))
        rest (descriptor);
      else if (descriptor->source == NULL)
        ask (descriptor);
    }
}

static void
ask_all_anew (GtxPoller *self)
{
  gint64 began = g_get_monotonic_time ();
  gint64 ended;

  ask_anew (self, &self->apart);
  ask_anew (self, &self->asked);
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

/* What waits is the parent's, and does not go on here. */
static void
renew (GtxPoller *self)
{
  self->is_parents = FALSE;
  close_set (self);
  if (self->descriptors)
    free_descriptors (self->descriptors);
  self->descriptors = g_ptr_array_new ();
  gtx_handle_list_init (&self->asked);
  gtx_handle_list_init (&self->due);
  gtx_handle_list_init (&self->apart);
}

/* ---- What comes ---- */

/* Nobody waits. */
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
      Descriptor *descriptor = GTX_CONTAINER_OF (link, Descriptor, link);

      take (descriptor, descriptor->due, woken);
    }
}

/* An event for which nobody waits.  Whoever reads next looks what it is; the set need not tell
 * of more until then. */
static void
take_unheard (Descriptor *self)
{
  if (self->followed != 0 && !self->has_news)
    {
      self->has_news = TRUE;
      return;
    }
  self->poller->n_stale += !gtx_pollset_drop (self->poller->set, self->fd);
  self->followed = 0;
}

static void
take_event (Descriptor    *self,
            GIOCondition   came,
            GtxHandleList *woken)
{
  /* Where it ends, or has urgent data, less may be read than there is. */
  if (self->followed != 0 && came != G_IO_IN)
    {
      self->unfollowed = self->followed;
      self->followed = 0;
    }
  if (!gtx_handle_is_linked (&self->link))
    {
      take_unheard (self);
      return;
    }
  self->has_news = TRUE;
  take (self, came, woken);
}

/* In a set of its own again, so that nothing is told of what is asked for no more. */
static void
renew_set (GtxPoller *self)
{
  close_set (self);
  for (guint i = 0; i < self->descriptors->len; i++)
    {
      Descriptor *descriptor = g_ptr_array_index (self->descriptors, i);

      if (descriptor)
        descriptor->followed = 0;
    }
  open_set (self);
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
      Descriptor *descriptor = g_ptr_array_index (self->descriptors, (guint32) events[i].token);

      __builtin_prefetch (descriptor->waits.ring.next, 1);
    }
  for (guint i = 0; i < n; i++)
    {
      Descriptor *descriptor = g_ptr_array_index (self->descriptors, (guint32) events[i].token);

      if (token_of (descriptor) == events[i].token)
        take_event (descriptor, events[i].came, woken);
      else
        self->n_stale++;
    }
  if (self->n_stale > MOST_STALE + self->descriptors->len)
    renew_set (self);
}

/* Who is woken often makes somebody write who is waited for as well: while more comes,
 * and there is time, that saves a turn of the main loop each time. */
static gboolean
poller_dispatch (GSource     *source,
                 GSourceFunc  callback,
                 gpointer     data)
{
  GtxPoller *self = (GtxPoller *) (void *) source;
  gint64 until = g_source_get_time (source) + LOOK_AGAIN_US;
  GtxHandleList woken;

  (void) callback;
  (void) data;
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
         self->scheduler->last_run < until);
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
  self->descriptors = g_ptr_array_new ();
  gtx_handle_list_init (&self->asked);
  gtx_handle_list_init (&self->due);
  gtx_handle_list_init (&self->apart);
  open_set (self);
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

static Descriptor *
descriptor_of (GtxPoller *self,
               int        fd)
{
  Descriptor *descriptor;

  if ((guint) fd >= self->descriptors->len)
    g_ptr_array_set_size (self->descriptors, fd + 1);
  descriptor = g_ptr_array_index (self->descriptors, fd);
  if (descriptor)
    return descriptor;
  descriptor = g_new0 (Descriptor, 1);
  descriptor->poller = self;
  descriptor->fd = fd;
  gtx_handle_list_init (&descriptor->waits);
  self->descriptors->pdata[fd] = descriptor;
  return descriptor;
}

void
gtx_poller_join (GtxScheduler *scheduler,
                 GtxPollWait  *wait,
                 int           fd)
{
  Descriptor *self = descriptor_of (poller_of (scheduler), fd);

  if (gtx_handle_list_is_empty (&self->waits))
    want_nothing (self);
  else
    end_waits_of_closed (self, scheduler);
  gtx_handle_list_append (&self->waits, &wait->link);
  self->n_knowing += wait->is_closed != NULL;
  add_wanted (self, wait);
  if (self->stream != 0 && self->stream == self->followed)
    {
      self->has_news = FALSE;
      link_to (self, &self->poller->asked);
      return;
    }
  /* Others may wait for a file that had the number before. */
  ask (self);
}

void
gtx_poller_leave (GtxScheduler *scheduler,
                  GtxPollWait  *wait,
                  int           fd)
{
  Descriptor *self = descriptor_of (scheduler->poller, fd);

  remove_wait (self, wait);
  if (gtx_handle_list_is_empty (&self->waits))
    rest (self);
}

/* ---- Streams ---- */

/* NULL: nothing is known of it. */
static Descriptor *
find_followed (GtxScheduler *scheduler,
               int           fd,
               guint64       stream)
{
  GtxPoller *poller = scheduler->poller;
  Descriptor *self;

  if (poller == NULL || poller->is_parents || fd < 0 || (guint) fd >= poller->descriptors->len)
    return NULL;
  self = g_ptr_array_index (poller->descriptors, fd);
  return self && stream != 0 && self->followed == stream ? self : NULL;
}

gboolean
gtx_poller_is_empty (GtxScheduler *scheduler,
                     int           fd,
                     guint64       stream)
{
  const Descriptor *self = find_followed (scheduler, fd, stream);

  return self && !self->has_news;
}

void
gtx_poller_note_empty (GtxScheduler *scheduler,
                       int           fd,
                       guint64       stream)
{
  Descriptor *self = find_followed (scheduler, fd, stream);

  if (self)
    self->has_news = FALSE;
}

/* ---- What was closed ---- */

void
gtx_poller_look (GtxScheduler *scheduler,
                 int           fd)
{
  GtxPoller *poller = scheduler->poller;
  Descriptor *self;
  GtxHandleList woken;

  if (poller == NULL || poller->is_parents || fd < 0 || (guint) fd >= poller->descriptors->len)
    return;
  self = g_ptr_array_index (poller->descriptors, fd);
  if (self == NULL || gtx_handle_list_is_empty (&self->waits))
    return;
  end_waits_of_closed (self, scheduler);
  if (gtx_handle_list_is_empty (&self->waits))
    {
      rest (self);
      return;
    }
  if (fcntl (fd, F_GETFD) >= 0)
    {
      ask (self);
      return;
    }
  /* Not at the next turn: another file may have its number by then. */
  gtx_handle_list_init (&woken);
  take (self, G_IO_NVAL, &woken);
  gtx_scheduler_call_all_soon (scheduler, &woken);
}
