/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue between threads: who gets what. */

#include "sync/channel-private.h"

/* ---- To be called with the mutex locked ---- */

static guint
count_free (GtxChannel *self)
{
  return self->items.length - self->n_promised;
}

static gboolean
is_full (GtxChannel *self)
{
  return self->capacity > 0 && count_free (self) >= self->capacity;
}

/* Promises an item that is free to the first receiver. */
static void
promise (GtxChannel    *self,
         GtxHandleList *woken)
{
  if (gtx_shared_line_serve (&self->receivers, woken))
    self->n_promised++;
}

static void
push (GtxChannel    *self,
      gpointer       item,
      GtxHandleList *woken)
{
  g_queue_push_tail (&self->items, item);
  promise (self, woken);
}

/* Sends the item of the first sender, if there is room. */
static void
let_in (GtxChannel    *self,
        GtxHandleList *woken)
{
  if (gtx_handle_list_is_empty (&self->senders) || is_full (self))
    return;
  g_queue_push_tail (&self->items, gtx_shared_waiter_at (self->senders.ring.next)->item);
  gtx_shared_line_serve (&self->senders, woken);
}

/* Nothing will come any more when the last item of a closed channel was received. */
static void
refuse_if_over (GtxChannel    *self,
                GtxHandleList *woken)
{
  if (self->is_closed && self->items.length == 0)
    gtx_shared_line_refuse_all (&self->receivers, woken);
}

static gpointer
pop (GtxChannel    *self,
     GtxHandleList *woken)
{
  gpointer item = g_queue_pop_head (&self->items);

  let_in (self, woken);
  refuse_if_over (self, woken);
  return item;
}

/* ---- Each locks the mutex once ---- */

GtxSharedOutcome
gtx_channel_push_or_enter (GtxChannel      *self,
                           gpointer         item,
                           GtxSharedWaiter *waiter)
{
  GtxSharedOutcome outcome = GTX_SHARED_OPEN;
  GtxHandleList woken;

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  if (self->is_closed)
    outcome = GTX_SHARED_REFUSED;
  else if (!is_full (self))
    {
      push (self, item, &woken);
      outcome = GTX_SHARED_SERVED;
    }
  else if (waiter)
    gtx_handle_list_append (&self->senders, &waiter->link);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
  return outcome;
}

GtxSharedOutcome
gtx_channel_pop_or_enter (GtxChannel      *self,
                          gpointer        *item,
                          GtxSharedWaiter *waiter)
{
  GtxSharedOutcome outcome = GTX_SHARED_OPEN;
  GtxHandleList woken;

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  if (count_free (self) > 0)
    {
      *item = pop (self, &woken);
      outcome = GTX_SHARED_SERVED;
    }
  else if (self->is_closed && self->items.length == 0)
    outcome = GTX_SHARED_REFUSED;
  else if (waiter)
    gtx_handle_list_append (&self->receivers, &waiter->link);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
  return outcome;
}

gpointer
gtx_channel_take_promised (GtxChannel *self)
{
  GtxHandleList woken;
  gpointer item;

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  self->n_promised--;
  item = pop (self, &woken);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
  return item;
}

void
gtx_channel_give_up_promised (GtxChannel *self)
{
  GtxHandleList woken;

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  self->n_promised--;
  promise (self, &woken);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
}

/* ---- The end ---- */

/**
 * gtx_channel_close:
 * @self: a #GtxChannel
 *
 * Ends the channel, as a sender or as a receiver.
 *
 * From now on nobody can send: tasks that wait to do so fail with %GTX_ERROR_QUEUE_SHUT_DOWN.  What
 * was sent can still be received, and then receivers fail with the same error.  Does nothing if the
 * channel was closed before.  Never suspends; may be called in any thread, inside or outside of tasks.
 *
 * Since: 0.1
 */
void
gtx_channel_close (GtxChannel *self)
{
  GtxHandleList woken;

  g_return_if_fail (GTX_IS_CHANNEL (self));

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  self->is_closed = TRUE;
  gtx_shared_line_refuse_all (&self->senders, &woken);
  refuse_if_over (self, &woken);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
}

/**
 * gtx_channel_is_closed:
 * @self: a #GtxChannel
 *
 * Tells whether gtx_channel_close() was called; there may still be items to receive.  Never
 * suspends; may be called in any thread.
 *
 * Returns: %TRUE if the channel is closed
 *
 * Since: 0.1
 */
gboolean
gtx_channel_is_closed (GtxChannel *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), FALSE);

  locker = g_mutex_locker_new (&self->mutex);
  return self->is_closed;
}

/**
 * gtx_channel_get_size:
 * @self: a #GtxChannel
 *
 * Counts the items that were sent, and that no task has taken or is about to take.  Other threads
 * may change this at any time.  Never suspends; may be called in any thread.
 *
 * Returns: the number of items
 *
 * Since: 0.1
 */
guint
gtx_channel_get_size (GtxChannel *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), 0);

  locker = g_mutex_locker_new (&self->mutex);
  return count_free (self);
}
