/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages: functions that other threads ask to be called in the scheduler's thread. */

#include "loop/scheduler-private.h"

/* How long to look for a message that is expected.  Waking the main loop takes both sides longer. */
#define LOOK_US 20

/* How many looks to leave out at most, if they have found nothing. */
#define MOST_LEFT_OUT 63

struct _GtxMessage
{
  GtxMessage *next;
  GtxPostFunc func;
  gpointer data;
};

/* Wakes the main context without having a reference of it, while its last reference may go:
 * g_main_context_wakeup () needs one.  A ready time that comes nearer wakes the context, though it
 * is still some hundred years away. */
static void
wake_from_afar (GtxScheduler *self)
{
  g_source_set_ready_time (self->waker, --self->waker_time);
}

static void
wake_home (GtxScheduler *self,
           GMainContext *near)
{
  if (near)
    g_main_context_wakeup (near);
  else if (self->base.context)
    wake_from_afar (self);
}

/* @near: the main context, if the message has a reference of it; or NULL.  A message behind another one,
 * for which the main context was woken, wakes nobody: both are taken together. */
static gboolean
post (GtxScheduler *self,
      GtxPostFunc   func,
      gpointer      data,
      GMainContext *near)
{
  GtxMessage *message = g_new (GtxMessage, 1);
  gboolean closed;

  message->next = NULL;
  message->func = func;
  message->data = data;

  g_mutex_lock (&self->mutex);
  closed = self->closed;
  if (!closed)
    {
      gboolean is_first = self->first_message == NULL;

      __atomic_store_n (self->last_message, message, __ATOMIC_RELAXED);
      self->last_message = &message->next;
      if (is_first)
        wake_home (self, near);
    }
  g_mutex_unlock (&self->mutex);

  if (closed)
    g_free (message);
  return !closed;
}

gboolean
gtx_scheduler_post (GtxScheduler *self,
                    GtxPostFunc   func,
                    gpointer      data)
{
  return post (self, func, data, NULL);
}

/* Does not lock the main context, since the thread that wakes up needs that lock. */
gboolean
gtx_scheduler_post_near (GtxScheduler *self,
                         GMainContext *context,
                         GtxPostFunc   func,
                         gpointer      data)
{
  return post (self, func, data, context);
}

/* Appends new messages to those that were taken before. */
static void
take_messages (GtxScheduler *self)
{
  if (self->taken == NULL)
    self->last_taken = &self->taken;
  g_mutex_lock (&self->mutex);
  if (self->first_message)
    {
      *self->last_taken = self->first_message;
      self->last_taken = self->last_message;
      self->first_message = NULL;
      self->last_message = &self->first_message;
    }
  g_mutex_unlock (&self->mutex);
}

/* A message may run a main loop, or call this: then the messages behind it run inside it. */
void
gtx_scheduler_run_messages (GtxScheduler *self)
{
  GtxMessage *message;

  if (!gtx_scheduler_has_messages (self))
    return;

  self->n_asking++;
  take_messages (self);
  while ((message = self->taken))
    {
      self->taken = message->next;
      if (self->taken == NULL)
        self->last_taken = &self->taken;
      message->func (message->data);
      g_free (message);
    }
  self->n_asking--;
}

gboolean
gtx_scheduler_runs_messages (GtxScheduler *self)
{
  return self->n_asking > self->n_asking_outside;
}

gboolean
gtx_scheduler_is_asked_for_messages (GtxScheduler *self)
{
  return self->n_asking > 1;
}

/* ---- A flag ---- */

void
gtx_scheduler_watch_flag (GtxScheduler  *self,
                          const gint    *flag,
                          void         (*func) (gpointer data),
                          gpointer       data)
{
  self->flag = flag;
  self->flag_func = func;
  self->flag_data = data;
}

void
gtx_scheduler_heed_flag (GtxScheduler *self)
{
  self->flag = NULL;
  self->flag_func (self->flag_data);
}

/* ---- Looking for a message ---- */

void
gtx_scheduler_expect (GtxScheduler *self)
{
  self->n_expected++;
}

void
gtx_scheduler_expect_less (GtxScheduler *self)
{
  g_assert (self->n_expected > 0);
  self->n_expected--;
}

/* With only one processor, nobody could post a message meanwhile. */
static gboolean
may_look (GtxScheduler *self)
{
  static gint has_several;      /* processors: 1 if so, -1 if not; 0: not known yet */

  if (self->n_expected == 0)
    return FALSE;
  if (g_atomic_int_get (&has_several) == 0)
    g_atomic_int_set (&has_several, g_get_num_processors () > 1 ? 1 : -1);
  if (g_atomic_int_get (&has_several) < 0)
    return FALSE;
  if (self->n_left_out == 0)
    return TRUE;
  self->n_left_out--;
  return FALSE;
}

/* If what is expected takes long, looks are left out more and more. */
gboolean
gtx_scheduler_look_for_message (GtxScheduler *self)
{
  gint64 until;

  if (!may_look (self))
    return FALSE;
  until = g_get_monotonic_time () + LOOK_US;
  do
    if (gtx_scheduler_has_messages (self))
      {
        self->n_to_leave_out = 0;
        return TRUE;
      }
  while (g_get_monotonic_time () < until);
  self->n_left_out = self->n_to_leave_out;
  self->n_to_leave_out = MIN (2 * self->n_to_leave_out + 1, MOST_LEFT_OUT);
  return FALSE;
}

/* ---- The end ---- */

void
gtx_scheduler_end_messages (GtxScheduler *self)
{
  do
    gtx_scheduler_run_messages (self);
  while (!gtx_scheduler_close_messages (self));
  gtx_scheduler_tell_onlookers (self);
}

gboolean
gtx_scheduler_close_messages (GtxScheduler *self)
{
  gboolean closed;

  g_mutex_lock (&self->mutex);
  closed = self->closed = self->first_message == NULL;
  g_mutex_unlock (&self->mutex);
  return closed;
}
