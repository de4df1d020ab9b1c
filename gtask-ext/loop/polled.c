/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "loop/polled.h"

#include "loop/pollset.h"

/* The source of a descriptor that is in no set. */
typedef struct
{
  GSource source;
  GtxPolled *descriptor;
} OwnSource;

static void ask (GtxPolled *self);

/* ---- Waits ---- */

/* There was no wait, or all waits are about to be added again. */
static void
want_nothing (GtxPolled *self)
{
  self->wanted = 0;
  self->stream = 0;
}

static void
add_wanted (GtxPolled         *self,
            const GtxPollWait *wait)
{
  if (self->wanted == 0)
    self->stream = wait->stream;
  else if (self->stream != wait->stream)
    self->stream = 0;
  self->wanted |= wait->condition;
}

static void
remove_wait (GtxPolled   *self,
             GtxPollWait *wait)
{
  gtx_handle_unlink (&wait->link);
  self->n_knowing -= wait->is_closed != NULL;
}

static void
end_wait (GtxPolled     *self,
          GtxPollWait   *wait,
          GIOCondition   came,
          GtxHandleList *woken)
{
  remove_wait (self, wait);
  wait->condition = came;
  wait->came (wait, woken);
}

/* Ends the waits that are for @came. */
static void
end_waits (GtxPolled     *self,
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

/* Ends the waits whose file was closed meanwhile, so that another file may have the number.  Looks
 * at waits that know, and only up to the first whose file is open: those for the closed file came
 * first. */
static void
end_waits_of_closed (GtxPolled *self)
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
    gtx_scheduler_call_all_soon (self->poller->scheduler, &woken);
}

static void
drop_source (GtxPolled *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

/* The last wait has ended. */
static void
rest (GtxPolled *self)
{
  if (gtx_handle_is_linked (&self->link))
    gtx_handle_unlink (&self->link);
  drop_source (self);
}

static void
ask_for_others (GtxPolled *self)
{
  if (gtx_polled_is_awaited (self))
    ask (self);
  else
    rest (self);
}

void
gtx_polled_take (GtxPolled     *self,
                 GIOCondition   came,
                 GtxHandleList *woken)
{
  end_waits (self, came, woken);
  ask_for_others (self);
}

/* ---- The descriptor's own source ---- */

static gboolean
own_dispatch (GSource     *source,
              GSourceFunc  callback,
              gpointer     data)
{
  GtxPolled *self = ((OwnSource *) (void *) source)->descriptor;
  GtxScheduler *scheduler = self->poller->scheduler;
  GtxHandleList woken;

  if (!gtx_scheduler_may_dispatch (scheduler))
    return G_SOURCE_CONTINUE;
  gtx_handle_list_init (&woken);
  gtx_polled_take (self, g_source_query_unix_fd (source, self->tag), &woken);
  gtx_scheduler_call_all_now (scheduler, &woken);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs own_funcs = { NULL, NULL, own_dispatch, NULL, NULL, NULL };

static void
link_to (GtxPolled     *self,
         GtxHandleList *list)
{
  if (gtx_handle_is_linked (&self->link))
    gtx_handle_unlink (&self->link);
  gtx_handle_list_append (list, &self->link);
}

static void
make_source (GtxPolled *self)
{
  link_to (self, &self->poller->apart);
  self->source = g_source_new (&own_funcs, sizeof (OwnSource));
  ((OwnSource *) (void *) self->source)->descriptor = self;
  self->tag = g_source_add_unix_fd (self->source, self->fd, self->wanted);
  g_source_set_static_name (self->source, "gtask-ext (await)");
  /* A task that the source wakes may run a main loop, in which other tasks wait for the descriptor. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, gtx_scheduler_get_context (self->poller->scheduler));
}

static void
ask_by_source (GtxPolled *self)
{
  if (self->source == NULL)
    make_source (self);
  else if (self->asked != self->wanted)
    g_source_modify_unix_fd (self->source, self->tag, self->wanted);
  self->asked = self->wanted;
}

/* ---- Asking the kernel ---- */

static void
ask_by_set (GtxPolled *self)
{
  GtxPoller *poller = self->poller;
  gboolean follows = self->stream != 0 && self->stream != self->unfollowed;
  GtxPollAnswer answer;

  if (poller->set < 0)
    gtx_poller_open_set (poller);
  self->asking = ++poller->n_asked;
  answer = gtx_pollset_ask (poller->set, self->fd, self->wanted, follows, gtx_polled_token (self));
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
ask (GtxPolled *self)
{
  if (self->source)
    ask_by_source (self);
  else
    ask_by_set (self);
}

void
gtx_polled_ask_anew (GtxPolled *self)
{
  end_waits_of_closed (self);
  ask_for_others (self);
}

/* ---- Joining and leaving ---- */

void
gtx_polled_join (GtxPolled   *self,
                 GtxPollWait *wait)
{
  if (gtx_polled_is_awaited (self))
    end_waits_of_closed (self);
  else
    want_nothing (self);
  gtx_handle_list_append (&self->waits, &wait->link);
  self->n_knowing += wait->is_closed != NULL;
  add_wanted (self, wait);
  if (self->stream != 0 && self->stream == self->followed)
    {
      self->has_news = FALSE;
      link_to (self, &self->poller->asked);
      return;
    }
  /* The kernel is asked in any case: the other waits may be for a file that had the number before. */
  ask (self);
}

void
gtx_polled_leave (GtxPolled   *self,
                  GtxPollWait *wait)
{
  remove_wait (self, wait);
  if (!gtx_polled_is_awaited (self))
    rest (self);
}

/* ---- Events ---- */

/* Takes an event for which no task waits.  The next task that reads a followed stream finds that it
 * has news.  The set need not report more until then, so that a second event takes the descriptor
 * out. */
static void
take_unheard (GtxPolled *self)
{
  if (self->followed != 0 && !self->has_news)
    {
      self->has_news = TRUE;
      return;
    }
  self->poller->n_stale += !gtx_pollset_drop (self->poller->set, self->fd);
  self->followed = 0;
}

void
gtx_polled_take_event (GtxPolled     *self,
                       GIOCondition   came,
                       GtxHandleList *woken)
{
  /* After the stream's end or urgent data, a read may return less than there is, and so does not
   * show that the stream is empty. */
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
  gtx_polled_take (self, came, woken);
}

/* ---- The descriptor ---- */

GtxPolled *
gtx_polled_new (GtxPoller *poller,
                int        fd)
{
  GtxPolled *self = g_new0 (GtxPolled, 1);

  self->poller = poller;
  self->fd = fd;
  gtx_handle_list_init (&self->waits);
  return self;
}

void
gtx_polled_free (GtxPolled *self)
{
  drop_source (self);
  g_free (self);
}
