/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The subscriptions by which receivers get the items of a broadcast. */

#include "sync/broadcast-private.h"

#include "gtask-ext/error.h"

struct _GtxSubscription
{
  GObject parent_instance;
  GtxBroadcast *broadcast;
  guint64 next;                 /* the number of the item to receive, even if it is not kept any more */
};

G_DEFINE_FINAL_TYPE (GtxSubscription, gtx_subscription, G_TYPE_OBJECT)

static guint64
position_of (GtxSubscription *self)
{
  return MAX (self->next, self->broadcast->first);
}

static void
gtx_subscription_finalize (GObject *object)
{
  GtxSubscription *self = GTX_SUBSCRIPTION (object);
  GtxBroadcast *broadcast = self->broadcast;
  GtxSharedItem *given_up = NULL;

  if (broadcast)
    {
      g_mutex_lock (&broadcast->mutex);
      *gtx_broadcast_count_at (broadcast, position_of (self)) -= 1;
      gtx_broadcast_give_up_received (broadcast, &given_up);
      g_mutex_unlock (&broadcast->mutex);
      gtx_shared_items_release (given_up);
      g_object_unref (broadcast);
    }
  G_OBJECT_CLASS (gtx_subscription_parent_class)->finalize (object);
}

static void
gtx_subscription_class_init (GtxSubscriptionClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_subscription_finalize;
}

static void
gtx_subscription_init (GtxSubscription *self)
{
}

/**
 * gtx_broadcast_subscribe:
 * @self: a #GtxBroadcast
 *
 * Subscribes to what is sent from now on.
 *
 * Several tasks may receive from the subscription: each item wakes all of them, and goes to one.  For many
 * workers a #GtxChannel is better, which wakes one.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxSubscription, which holds a reference to @self
 *
 * Since: 0.1
 */
GtxSubscription *
gtx_broadcast_subscribe (GtxBroadcast *self)
{
  GtxSubscription *subscription;

  g_return_val_if_fail (GTX_IS_BROADCAST (self), NULL);

  subscription = g_object_new (GTX_TYPE_SUBSCRIPTION, NULL);
  subscription->broadcast = g_object_ref (self);
  g_mutex_lock (&self->mutex);
  subscription->next = self->end;
  self->n_at_end++;
  g_mutex_unlock (&self->mutex);
  return subscription;
}

static gboolean
has_news (GtxSubscription *self)
{
  return position_of (self) < self->broadcast->end;
}

/* Returns the next item, shared, and goes on to the one behind it.  To be called with the mutex
 * locked. */
static GtxSharedItem *
advance (GtxSubscription  *self,
         guint64          *n_missed,
         GtxSharedItem   **given_up)
{
  GtxBroadcast *broadcast = self->broadcast;
  guint64 position = position_of (self);
  GtxSharedItem *shared = g_atomic_rc_box_acquire (gtx_broadcast_slot_of (broadcast, position)->shared);

  if (n_missed)
    *n_missed = position - self->next;
  *gtx_broadcast_count_at (broadcast, position) -= 1;
  *gtx_broadcast_count_at (broadcast, position + 1) += 1;
  self->next = position + 1;
  gtx_broadcast_give_up_received (broadcast, given_up);
  return shared;
}

/* Takes a copy of the next item into *@item, or tells why not.  If that is still open, @waiter, if
 * any, is in line. */
static GtxSharedOutcome
take_or_enter (GtxSubscription *self,
               gpointer        *item,
               guint64         *n_missed,
               GtxSharedWaiter *waiter)
{
  GtxBroadcast *broadcast = self->broadcast;
  GtxSharedOutcome outcome = GTX_SHARED_OPEN;
  GtxSharedItem *shared = NULL;
  GtxSharedItem *given_up = NULL;

  g_mutex_lock (&broadcast->mutex);
  if (has_news (self))
    {
      shared = advance (self, n_missed, &given_up);
      outcome = GTX_SHARED_SERVED;
    }
  else if (broadcast->is_closed)
    outcome = GTX_SHARED_REFUSED;
  else if (waiter)
    gtx_handle_list_append (&broadcast->line, &waiter->link);
  g_mutex_unlock (&broadcast->mutex);

  gtx_shared_items_release (given_up);
  if (shared == NULL)
    return outcome;
  *item = broadcast->item_copy ? broadcast->item_copy (shared->item) : shared->item;
  gtx_shared_item_release (shared);
  return outcome;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "an item of subscription %p", ((GtxSharedWaiter *) waiter)->object);
}

static const GtxWaiterKind subscription_kind = {
  "subscription", gtx_shared_waiter_cancel, describe, NULL, NULL
};

/* Runs when the main context of a task that waits goes. */
static void
gone (GtxHandle *at_end)
{
  GtxSharedWaiter *waiter = GTX_CONTAINER_OF (at_end, GtxSharedWaiter, at_end);

  gtx_shared_waiter_leave (waiter);
  g_object_unref (waiter->object);
}

/* Each item wakes all tasks.  Of those that share a subscription one gets the item, and the others
 * wait again; so nobody has to pass an item on. */
static GtxSharedOutcome
take_or_wait (GtxSubscription  *self,
              GtxTask          *task,
              gpointer         *item,
              guint64          *n_missed,
              GError          **error)
{
  GtxSharedOutcome outcome;

  do
    {
      GtxSharedWaiter waiter;

      gtx_shared_waiter_init (&waiter, task, &subscription_kind, gone, self, &self->broadcast->mutex);
      outcome = take_or_enter (self, item, n_missed, &waiter);
      if (outcome == GTX_SHARED_OPEN && !gtx_shared_waiter_wait (&waiter, error))
        return GTX_SHARED_LEFT;
    }
  while (outcome == GTX_SHARED_OPEN);
  return outcome;
}

static void
fail_to_copy (GError **error)
{
  g_critical ("The item_copy function of a broadcast returned NULL, which is no item; it must return a copy or "
              "reference of its argument");
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_NO_REASON, "The item was received, and its copy is NULL");
}

/* Sets @error if @outcome is a refusal, or if the item was received and could not be copied. */
static void
explain (GtxSharedOutcome   outcome,
         gpointer           item,
         GError           **error)
{
  if (outcome == GTX_SHARED_REFUSED)
    gtx_broadcast_fail_closed (error);
  else if (outcome == GTX_SHARED_SERVED && item == NULL)
    fail_to_copy (error);
}

/**
 * gtx_subscription_receive:
 * @self: a #GtxSubscription
 * @n_missed: (out) (optional): how many items were given up since the last one that was received
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until there is an item, and receives it: the oldest one that is kept.
 *
 * Does not wait if there is an item, but lets others run when the task has used up its time.  Sets
 * %GTX_ERROR_QUEUE_SHUT_DOWN if the broadcast was closed and all its items were received,
 * %G_IO_ERROR_CANCELLED if the task is cancelled while it waits, which takes no item, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.  May be called in any thread.
 *
 * Returns: (transfer full): what `item_copy` of gtx_broadcast_new() has made of the item, or %NULL
 *   with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_subscription_receive (GtxSubscription  *self,
                          guint64          *n_missed,
                          GError          **error)
{
  GtxSharedOutcome outcome = GTX_SHARED_LEFT;
  gpointer item = NULL;
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_SUBSCRIPTION (self) && self->broadcast != NULL, NULL);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return NULL;
  /* Dropped when the task goes on, or when its main context goes. */
  g_object_ref (self);
  if (gtx_shared_let_others_run (task, self, NULL, NULL, error))
    outcome = take_or_wait (self, task, &item, n_missed, error);
  g_object_unref (self);
  explain (outcome, item, error);
  return item;
}

/**
 * gtx_subscription_try_receive:
 * @self: a #GtxSubscription
 * @n_missed: (out) (optional): how many items were given up since the last one that was received
 * @error: return location for a #GError, or %NULL
 *
 * Receives an item if there is one: the oldest one that is kept.
 *
 * Sets %GTX_ERROR_QUEUE_EMPTY, or %GTX_ERROR_QUEUE_SHUT_DOWN if the broadcast was closed and all its
 * items were received.  Never suspends nor blocks; may be called in any thread, inside or outside of
 * tasks.
 *
 * Returns: (transfer full): what `item_copy` of gtx_broadcast_new() has made of the item, or %NULL
 *   with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_subscription_try_receive (GtxSubscription  *self,
                              guint64          *n_missed,
                              GError          **error)
{
  gpointer item = NULL;
  GtxSharedOutcome outcome;

  g_return_val_if_fail (GTX_IS_SUBSCRIPTION (self) && self->broadcast != NULL, NULL);

  outcome = take_or_enter (self, &item, n_missed, NULL);
  if (outcome == GTX_SHARED_OPEN)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY, "There is nothing to receive");
  explain (outcome, item, error);
  return item;
}
