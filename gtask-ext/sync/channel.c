/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue between threads. */

#include "gtask-ext/channel.h"

#include "sync/shared-line.h"

#include "gtask-ext/error.h"

/* A receiver that is woken has the promise of an item, and takes the first one when it runs.  So the
 * items leave in their order, and what was promised to a receiver that is cancelled goes to the next.
 * A sender that waits has put its item into its waiter; whoever makes room moves the item.
 *
 * Invariants, while the mutex is not locked:
 * - n_promised counts the receivers that were served and have not gone on yet; there are as many
 *   items at least.
 * - Receivers wait only while every item is promised, and after the channel was closed only while
 *   there is one.
 * - Senders wait only while the channel is full, and not after it was closed. */
struct _GtxChannel
{
  GObject parent_instance;
  guint capacity;               /* 0: no bound */
  GDestroyNotify item_free;
  GMutex mutex;                 /* protects what follows, and the outcomes of waiters */
  GQueue items;
  guint n_promised;
  GtxHandleList receivers;
  GtxHandleList senders;
  gboolean is_closed;
};

G_DEFINE_FINAL_TYPE (GtxChannel, gtx_channel, G_TYPE_OBJECT)

static void
drop (GtxChannel *self,
      gpointer    item)
{
  if (self->item_free)
    self->item_free (item);
}

static void
gtx_channel_finalize (GObject *object)
{
  GtxChannel *self = GTX_CHANNEL (object);
  gpointer item;

  while ((item = g_queue_pop_head (&self->items)))
    drop (self, item);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (gtx_channel_parent_class)->finalize (object);
}

static void
gtx_channel_class_init (GtxChannelClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_channel_finalize;
}

static void
gtx_channel_init (GtxChannel *self)
{
  g_mutex_init (&self->mutex);
  g_queue_init (&self->items);
  gtx_handle_list_init (&self->receivers);
  gtx_handle_list_init (&self->senders);
}

/**
 * gtx_channel_new:
 * @capacity: how many items the channel holds at most; 0 for no bound
 * @item_free: (nullable): frees an item that nobody receives; called in any thread that uses the
 *   channel
 *
 * Makes a channel.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxChannel
 *
 * Since: 0.1
 */
GtxChannel *
gtx_channel_new (guint          capacity,
                 GDestroyNotify item_free)
{
  GtxChannel *self = g_object_new (GTX_TYPE_CHANNEL, NULL);

  self->capacity = capacity;
  self->item_free = item_free;
  return self;
}

/* ---- Who gets what; to be called with the mutex locked ---- */

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

static gboolean
may_send (gpointer self)
{
  return !is_full (self);
}

static gboolean
may_receive (gpointer self)
{
  return count_free (self) > 0;
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

/* ---- Who gets what; each locks the mutex once ---- */

/* Tells what became of @item.  Nothing did yet if that is still open: then @waiter, if any, is in
 * line with it. */
static GtxSharedOutcome
push_or_enter (GtxChannel      *self,
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

/* Takes an item into *@item, or tells why not.  If that is still open, @waiter, if any, is in line. */
static GtxSharedOutcome
pop_or_enter (GtxChannel      *self,
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

static gpointer
take_promised (GtxChannel *self)
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

/* The item goes to the next receiver. */
static void
give_up_promised (GtxChannel *self)
{
  GtxHandleList woken;

  gtx_handle_list_init (&woken);
  g_mutex_lock (&self->mutex);
  self->n_promised--;
  promise (self, &woken);
  g_mutex_unlock (&self->mutex);
  gtx_shared_line_wake (&woken);
}

/* ---- Waiting ---- */

static void
describe_receiver (GtxWaiter *waiter,
                   GString   *text)
{
  g_string_append_printf (text, "an item of channel %p", ((GtxSharedWaiter *) waiter)->object);
}

static void
describe_sender (GtxWaiter *waiter,
                 GString   *text)
{
  g_string_append_printf (text, "room in channel %p", ((GtxSharedWaiter *) waiter)->object);
}

static const GtxWaiterKind receiver_kind = {
  "channel item", gtx_shared_waiter_cancel, describe_receiver, NULL, NULL
};
static const GtxWaiterKind sender_kind = {
  "channel room", gtx_shared_waiter_cancel, describe_sender, NULL, NULL
};

/* Runs when the receiver's main context goes. */
static void
receiver_gone (GtxHandle *at_end)
{
  GtxSharedWaiter *waiter = GTX_CONTAINER_OF (at_end, GtxSharedWaiter, at_end);

  gtx_shared_waiter_leave (waiter);
  if (waiter->outcome == GTX_SHARED_SERVED)
    give_up_promised (waiter->object);
  g_object_unref (waiter->object);
}

/* Runs when the sender's main context goes. */
static void
sender_gone (GtxHandle *at_end)
{
  GtxSharedWaiter *waiter = GTX_CONTAINER_OF (at_end, GtxSharedWaiter, at_end);

  gtx_shared_waiter_leave (waiter);
  if (waiter->outcome != GTX_SHARED_SERVED)
    drop (waiter->object, waiter->item);
  g_object_unref (waiter->object);
}

static gboolean
fail_closed (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN, "The channel was closed");
  return FALSE;
}

static gpointer
wait_for_item (GtxChannel       *self,
               GtxSharedWaiter  *waiter,
               GError          **error)
{
  gpointer item = NULL;
  gboolean woken;

  g_object_ref (self);
  woken = gtx_shared_waiter_wait (waiter, error);
  if (woken && waiter->outcome == GTX_SHARED_SERVED)
    item = take_promised (self);
  else if (woken)
    fail_closed (error);
  else if (waiter->outcome == GTX_SHARED_SERVED)
    give_up_promised (self);
  g_object_unref (self);
  return item;
}

/* An item that was sent stays so, and a request that came since then stands. */
static gboolean
wait_for_room (GtxChannel       *self,
               GtxSharedWaiter  *waiter,
               GError          **error)
{
  GtxTask *task = waiter->base.task;
  gboolean woken, sent;

  g_object_ref (self);
  woken = gtx_shared_waiter_wait_out (waiter);
  sent = waiter->outcome == GTX_SHARED_SERVED;
  if (sent)
    task->outlived |= task->must_cancel;
  else if (woken && !task->must_cancel)
    fail_closed (error);
  else
    gtx_task_deliver_request (task, error);
  if (!sent)
    drop (self, waiter->item);
  g_object_unref (self);
  return sent;
}

/**
 * gtx_channel_send:
 * @self: a #GtxChannel
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until there is room, and sends @item.
 *
 * Does not wait if there is room, but lets others run when the task has used up its time.  After a
 * failure @item was not sent and is freed, as by gtx_queue_put().  Sets
 * %GTX_ERROR_QUEUE_SHUT_DOWN if the channel is closed, before or meanwhile,
 * %G_IO_ERROR_CANCELLED if the task is cancelled before @item is sent, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.  A request to cancel that comes when @item was sent, and
 * the task has not gone on yet, is delivered where the task waits next.  May be called in any thread.
 *
 * Returns: %TRUE if @item was sent, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_channel_send (GtxChannel  *self,
                  gpointer     item,
                  GError     **error)
{
  GtxSharedWaiter waiter;
  GtxTask *task;
  GtxSharedOutcome outcome;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  task = gtx_shared_begin (G_STRFUNC, may_send, self, &self->mutex, error);
  if (task == NULL)
    {
      drop (self, item);
      return FALSE;
    }
  gtx_shared_waiter_init (&waiter, task, &sender_kind, sender_gone, self, &self->mutex);
  waiter.item = item;
  outcome = push_or_enter (self, item, &waiter);
  if (outcome == GTX_SHARED_OPEN)
    return wait_for_room (self, &waiter, error);
  if (outcome == GTX_SHARED_SERVED)
    return TRUE;
  drop (self, item);
  return fail_closed (error);
}

/**
 * gtx_channel_try_send:
 * @self: a #GtxChannel
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Sends @item if there is room.
 *
 * After a failure @item was not sent and is freed, as by gtx_queue_put_nowait().  Sets
 * %GTX_ERROR_QUEUE_FULL or %GTX_ERROR_QUEUE_SHUT_DOWN.  Never suspends nor blocks; may be called in
 * any thread, inside or outside of tasks.
 *
 * Returns: %TRUE if @item was sent, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_channel_try_send (GtxChannel  *self,
                      gpointer     item,
                      GError     **error)
{
  GtxSharedOutcome outcome;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  outcome = push_or_enter (self, item, NULL);
  if (outcome == GTX_SHARED_SERVED)
    return TRUE;
  drop (self, item);
  if (outcome == GTX_SHARED_REFUSED)
    return fail_closed (error);
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_FULL, "The channel is full");
  return FALSE;
}

/**
 * gtx_channel_receive:
 * @self: a #GtxChannel
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until there is an item, and takes it.
 *
 * Does not wait if there is an item, but lets others run when the task has used up its time.  After
 * a failure nothing was taken: an item that was on its way to the task goes to the next receiver.
 * Sets %GTX_ERROR_QUEUE_SHUT_DOWN if the channel was closed and all its items were received,
 * %G_IO_ERROR_CANCELLED if the task is cancelled while it waits, and %GTX_ERROR_NOT_IN_TASK outside
 * a task.  May be called in any thread.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_channel_receive (GtxChannel  *self,
                     GError     **error)
{
  GtxSharedWaiter waiter;
  gpointer item = NULL;
  GtxTask *task;
  GtxSharedOutcome outcome;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), NULL);

  task = gtx_shared_begin (G_STRFUNC, may_receive, self, &self->mutex, error);
  if (task == NULL)
    return NULL;
  gtx_shared_waiter_init (&waiter, task, &receiver_kind, receiver_gone, self, &self->mutex);
  outcome = pop_or_enter (self, &item, &waiter);
  if (outcome == GTX_SHARED_OPEN)
    return wait_for_item (self, &waiter, error);
  if (outcome == GTX_SHARED_REFUSED)
    fail_closed (error);
  return item;
}

/**
 * gtx_channel_try_receive:
 * @self: a #GtxChannel
 * @error: return location for a #GError, or %NULL
 *
 * Takes an item if there is one that no waiting task is about to take.
 *
 * Sets %GTX_ERROR_QUEUE_EMPTY, or %GTX_ERROR_QUEUE_SHUT_DOWN if the channel was closed and all its
 * items were received.  Never suspends nor blocks; may be called in any thread, inside or outside of
 * tasks.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_channel_try_receive (GtxChannel  *self,
                         GError     **error)
{
  gpointer item = NULL;
  GtxSharedOutcome outcome;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), NULL);

  outcome = pop_or_enter (self, &item, NULL);
  if (outcome == GTX_SHARED_REFUSED)
    fail_closed (error);
  else if (outcome == GTX_SHARED_OPEN)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY, "The channel is empty");
  return item;
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
