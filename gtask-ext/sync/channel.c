/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue between threads: how tasks wait for it. */

#include "sync/channel-private.h"

#include "gtask-ext/error.h"

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
    gtx_channel_give_up_promised (waiter->object);
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

/* While the task waits, the reference of the caller is dropped if the main context goes. */
static gpointer
wait_for_item (GtxChannel       *self,
               GtxSharedWaiter  *waiter,
               GError          **error)
{
  gboolean woken = gtx_shared_waiter_wait (waiter, error);
  gpointer item = NULL;

  if (woken && waiter->outcome == GTX_SHARED_SERVED)
    item = gtx_channel_take_promised (self);
  else if (woken)
    fail_closed (error);
  else if (waiter->outcome == GTX_SHARED_SERVED)
    gtx_channel_give_up_promised (self);
  return item;
}

/* Does as wait_for_item () about the caller's reference.  An item that was sent stays so, and a request that
 * came since then stands. */
static gboolean
wait_for_room (GtxChannel       *self,
               GtxSharedWaiter  *waiter,
               GError          **error)
{
  GtxTask *task = waiter->base.task;
  gboolean woken = gtx_shared_waiter_wait_out (waiter);
  gboolean sent = waiter->outcome == GTX_SHARED_SERVED;

  if (sent)
    task->outlived |= task->must_cancel;
  else if (woken && !task->must_cancel)
    fail_closed (error);
  else
    gtx_task_deliver_request (task, error);
  if (!sent)
    drop (self, waiter->item);
  return sent;
}

static gboolean
send (GtxChannel  *self,
      GtxTask     *task,
      gpointer     item,
      GError     **error)
{
  GtxSharedWaiter waiter;

  gtx_shared_waiter_init (&waiter, task, &sender_kind, sender_gone, self, &self->mutex);
  waiter.item = item;
  switch (gtx_channel_push_or_enter (self, item, &waiter))
    {
    case GTX_SHARED_OPEN:
      return wait_for_room (self, &waiter, error);
    case GTX_SHARED_SERVED:
      return TRUE;
    default:
      drop (self, item);
      return fail_closed (error);
    }
}

static gpointer
receive (GtxChannel  *self,
         GtxTask     *task,
         GError     **error)
{
  GtxSharedWaiter waiter;
  gpointer item = NULL;

  gtx_shared_waiter_init (&waiter, task, &receiver_kind, receiver_gone, self, &self->mutex);
  switch (gtx_channel_pop_or_enter (self, &item, &waiter))
    {
    case GTX_SHARED_OPEN:
      return wait_for_item (self, &waiter, error);
    case GTX_SHARED_SERVED:
      return item;
    default:
      fail_closed (error);
      return NULL;
    }
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
 * failure @item was not sent, and the channel frees it, as gtx_queue_put() does.  Sets
 * %GTX_ERROR_QUEUE_SHUT_DOWN if the channel is closed, before or meanwhile,
 * %G_IO_ERROR_CANCELLED if the task is cancelled while it waits, and %GTX_ERROR_NOT_IN_TASK outside a
 * task.  A request to cancel that comes when @item was sent, and the task has not gone on yet, is
 * delivered where the task waits next.  May be called in any thread.
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
  gboolean sent = FALSE;
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  g_object_ref (self);
  if (task && gtx_shared_let_others_run (task, self, item, self->item_free, error))
    sent = send (self, task, item, error);
  else
    drop (self, item);
  g_object_unref (self);
  return sent;
}

/**
 * gtx_channel_try_send:
 * @self: a #GtxChannel
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Sends @item if there is room.
 *
 * After a failure @item was not sent, and the channel frees it, as gtx_queue_put_nowait() does.
 * Sets %GTX_ERROR_QUEUE_FULL or %GTX_ERROR_QUEUE_SHUT_DOWN.  Never suspends nor blocks; may be called in
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

  outcome = gtx_channel_push_or_enter (self, item, NULL);
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
  gpointer item = NULL;
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_CHANNEL (self), NULL);

  task = gtx_task_begin_await (G_STRFUNC, error);
  g_object_ref (self);
  if (task && gtx_shared_let_others_run (task, self, NULL, NULL, error))
    item = receive (self, task, error);
  g_object_unref (self);
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

  outcome = gtx_channel_pop_or_enter (self, &item, NULL);
  if (outcome == GTX_SHARED_REFUSED)
    fail_closed (error);
  else if (outcome == GTX_SHARED_OPEN)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY, "The channel is empty");
  return item;
}
