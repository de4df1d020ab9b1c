/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Crowds that stand in line. */

#include "cases.h"

static void
end (gpointer thing)
{
  g_object_unref (thing);
}

/* ---- Locks ---- */

static gpointer
make_lock (guint n)
{
  GtxLock *lock = gtx_lock_new ();

  gtx_lock_acquire (lock, NULL);
  return lock;
}

static gboolean
have_lock (Member *member, GError **error)
{
  return gtx_lock_acquire (member->thing, error) && gtx_lock_release (member->thing);
}

static gboolean
have_lock_a_while (Member *member, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (member->thing, error);

  return holder && gtx_sleep (0, error);
}

static void
release_lock (gpointer lock, guint n)
{
  gtx_lock_release (lock);
}

/* Half of the tasks have been cancelled, and have not left the line yet. */
static void
release_lock_late (gpointer lock, guint n)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  for (guint i = 0; i < n / 2; i++)
    gtx_cancel (tasks->pdata[i + 1]);
  gtx_lock_release (lock);
}

/* ---- Locks to read and write ---- */

static gpointer
make_rw_lock (guint n)
{
  GtxRWLock *lock = gtx_rw_lock_new ();

  gtx_rw_lock_write_acquire (lock, NULL);
  return lock;
}

static gboolean
read_or_write (Member *member, GError **error)
{
  if (member->index % 3 > 0)
    return gtx_rw_lock_read_acquire (member->thing, error) && gtx_rw_lock_read_release (member->thing);
  return gtx_rw_lock_write_acquire (member->thing, error) && gtx_rw_lock_write_release (member->thing);
}

static gboolean
read_under_lock (Member *member, GError **error)
{
  return gtx_rw_lock_read_acquire (member->thing, error) && gtx_rw_lock_read_release (member->thing);
}

static void
end_writing (gpointer lock, guint n)
{
  gtx_rw_lock_write_release (lock);
}

/* ---- Semaphores ---- */

static gpointer
make_semaphore (guint n)
{
  return gtx_semaphore_new (0);
}

static gpointer
make_limiter (guint n)
{
  return gtx_semaphore_new_bounded (10);
}

static gboolean
acquire_semaphore (Member *member, GError **error)
{
  return gtx_semaphore_acquire (member->thing, error);
}

static gboolean
be_limited (Member *member, GError **error)
{
  g_autoptr (GtxSemaphoreHolder) holder = gtx_semaphore_hold (member->thing, error);

  return holder && gtx_sleep (0, error);
}

static void
release_often (gpointer semaphore, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_semaphore_release (semaphore);
}

/* ---- Events ---- */

static gpointer
make_event (guint n)
{
  return gtx_event_new ();
}

static gboolean
wait_for_event (Member *member, GError **error)
{
  return gtx_event_wait (member->thing, error);
}

static void
set_event (gpointer event, guint n)
{
  gtx_event_set (event);
}

static void
set_event_often (gpointer event, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gtx_event_set (event);
      gtx_event_clear (event);
    }
}

/* ---- Conditions ---- */

static gpointer
make_condition (guint n)
{
  return gtx_condition_new (NULL);
}

static gboolean
wait_for_condition (Member *member, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (gtx_condition_get_lock (member->thing), error);

  return holder && gtx_condition_wait (member->thing, error);
}

static void
notify_all (gpointer condition, guint n)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (gtx_condition_get_lock (condition), NULL);

  g_assert (holder);
  gtx_condition_notify_all (condition);
}

static void
notify_often (gpointer condition, guint n)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (gtx_condition_get_lock (condition), NULL);

  g_assert (holder);
  for (guint i = 0; i < n; i++)
    gtx_condition_notify (condition, 1);
}

/* ---- Barriers ---- */

static gpointer
make_barrier (guint n)
{
  return gtx_barrier_new (n + 1);
}

static gboolean
wait_at_barrier (Member *member, GError **error)
{
  return gtx_barrier_wait (member->thing, NULL, error);
}

static void
complete_barrier (gpointer barrier, guint n)
{
  gtx_barrier_wait (barrier, NULL, NULL);
}

static void
abort_barrier (gpointer barrier, guint n)
{
  gtx_barrier_abort (barrier, NULL);
}

static void
reset_barrier (gpointer barrier, guint n)
{
  gtx_barrier_reset (barrier, NULL);
}

/* ---- Queues ---- */

static gint
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return (a > b) - (a < b);
}

static gpointer
make_queue (guint n)
{
  return gtx_queue_new (0, NULL);
}

static gpointer
make_lifo (guint n)
{
  return gtx_queue_new_lifo (0, NULL);
}

static gpointer
make_priority (guint n)
{
  return gtx_queue_new_priority (0, NULL, compare, NULL);
}

/* There is no room in it. */
static gpointer
make_full_queue (guint n)
{
  GtxQueue *queue = gtx_queue_new (1, NULL);

  gtx_queue_put_nowait (queue, queue, NULL);
  return queue;
}

static gpointer
make_unfinished_queue (guint n)
{
  GtxQueue *queue = gtx_queue_new (0, NULL);

  for (guint i = 0; i < n; i++)
    gtx_queue_put_nowait (queue, queue, NULL);
  return queue;
}

static gboolean
get_item (Member *member, GError **error)
{
  return gtx_queue_get (member->thing, error) != NULL;
}

static gboolean
put_item (Member *member, GError **error)
{
  return gtx_queue_put (member->thing, member, error);
}

static gboolean
join_queue (Member *member, GError **error)
{
  return gtx_queue_join (member->thing, error);
}

static void
put_many (gpointer queue, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_queue_put (queue, GUINT_TO_POINTER (1 + (i * 7919) % n), NULL);
}

static void
get_many (gpointer queue, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_queue_get (queue, NULL);
}

static void
finish_many (gpointer queue, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gtx_queue_get (queue, NULL);
      gtx_queue_task_done (queue);
    }
}

static void
shut_down (gpointer queue, guint n)
{
  gtx_queue_shutdown (queue, GTX_SHUTDOWN_IMMEDIATE);
}

/* ---- Channels ---- */

static gpointer
make_channel (guint n)
{
  return gtx_channel_new (0, NULL);
}

static gpointer
make_full_channel (guint n)
{
  GtxChannel *channel = gtx_channel_new (1, NULL);

  gtx_channel_try_send (channel, channel, NULL);
  return channel;
}

static gboolean
receive_item (Member *member, GError **error)
{
  return gtx_channel_receive (member->thing, error) != NULL;
}

static gboolean
send_item (Member *member, GError **error)
{
  return gtx_channel_send (member->thing, member, error);
}

static void
send_many (gpointer channel, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_channel_try_send (channel, channel, NULL);
}

/* The items are on their way to the tasks, which give them up. */
static void
send_many_in_vain (gpointer channel, guint n)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  send_many (channel, n);
  for (guint i = 0; i < n; i++)
    gtx_cancel (tasks->pdata[i + 1]);
}

static void
receive_many (gpointer channel, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_channel_try_receive (channel, NULL);
}

static void
close_channel (gpointer channel, guint n)
{
  gtx_channel_close (channel);
}

/* ---- Broadcasts ---- */

static gpointer
make_broadcast (guint n)
{
  return gtx_broadcast_new (10, NULL, NULL);
}

static gboolean
subscribe (Member *member, GError **error)
{
  g_autoptr (GtxSubscription) subscription = gtx_broadcast_subscribe (member->thing);

  return gtx_subscription_receive (subscription, NULL, error) != NULL;
}

static void
send_to_all (gpointer broadcast, guint n)
{
  for (guint i = 0; i < n; i++)
    gtx_broadcast_send (broadcast, broadcast, NULL);
}

static const Crowd lock = { make_lock, have_lock, release_lock, end, FALSE };
static const Crowd lock_awhile = { make_lock, have_lock_a_while, release_lock, end, FALSE };
static const Crowd lock_late = { make_lock, have_lock, release_lock_late, end, TRUE };
static const Crowd rw_lock = { make_rw_lock, read_or_write, end_writing, end, FALSE };
static const Crowd readers = { make_rw_lock, read_under_lock, end_writing, end, FALSE };
static const Crowd semaphore = { make_semaphore, acquire_semaphore, release_often, end, FALSE };
static const Crowd limiter = { make_limiter, be_limited, NULL, end, FALSE };
static const Crowd event = { make_event, wait_for_event, set_event, end, FALSE };
static const Crowd event_often = { make_event, wait_for_event, set_event_often, end, FALSE };
static const Crowd condition = { make_condition, wait_for_condition, notify_all, end, FALSE };
static const Crowd condition_often = { make_condition, wait_for_condition, notify_often, end, FALSE };
static const Crowd barrier = { make_barrier, wait_at_barrier, complete_barrier, end, FALSE };
static const Crowd barrier_abort = { make_barrier, wait_at_barrier, abort_barrier, end, TRUE };
static const Crowd barrier_reset = { make_barrier, wait_at_barrier, reset_barrier, end, TRUE };
static const Crowd getters = { make_queue, get_item, put_many, end, FALSE };
static const Crowd getters_lifo = { make_lifo, get_item, put_many, end, FALSE };
static const Crowd getters_priority = { make_priority, get_item, put_many, end, FALSE };
static const Crowd getters_shut_down = { make_queue, get_item, shut_down, end, TRUE };
static const Crowd putters = { make_full_queue, put_item, get_many, end, FALSE };
static const Crowd putters_shut_down = { make_full_queue, put_item, shut_down, end, TRUE };
static const Crowd joiners = { make_unfinished_queue, join_queue, finish_many, end, FALSE };
static const Crowd receivers = { make_channel, receive_item, send_many, end, FALSE };
static const Crowd receivers_in_vain = { make_channel, receive_item, send_many_in_vain, end, TRUE };
static const Crowd receivers_refused = { make_channel, receive_item, close_channel, end, TRUE };
static const Crowd senders = { make_full_channel, send_item, receive_many, end, FALSE };
static const Crowd senders_refused = { make_full_channel, send_item, close_channel, end, TRUE };
static const Crowd subscribers = { make_broadcast, subscribe, send_to_all, end, FALSE };

const Case lock_cases[] = {
  { "lock", ALL_WAYS, &lock, NULL, FALSE },
  { "lock-a-while", ALL_WAYS, &lock_awhile, NULL, FALSE },
  { "lock-late", WAY (WOKEN), &lock_late, NULL, FALSE },
  { "rw-lock", ALL_WAYS, &rw_lock, NULL, FALSE },
  { "rw-lock-read", ALL_WAYS, &readers, NULL, FALSE },
  { "semaphore", ALL_WAYS, &semaphore, NULL, FALSE },
  { "semaphore-of-ten", ALL_WAYS, &limiter, NULL, FALSE },
  { "event", ALL_WAYS, &event, NULL, FALSE },
  { "event-often", WAY (WOKEN), &event_often, NULL, FALSE },
  { "condition", ALL_WAYS, &condition, NULL, FALSE },
  { "condition-one-by-one", WAY (WOKEN), &condition_often, NULL, FALSE },
  { "barrier", ALL_WAYS, &barrier, NULL, FALSE },
  { "barrier-abort", WAY (WOKEN), &barrier_abort, NULL, FALSE },
  { "barrier-reset", WAY (WOKEN), &barrier_reset, NULL, FALSE },
  { "queue-get", ALL_WAYS, &getters, NULL, FALSE },
  { "queue-get-lifo", ALL_WAYS, &getters_lifo, NULL, FALSE },
  { "queue-get-priority", ALL_WAYS, &getters_priority, NULL, FALSE },
  { "queue-get-shutdown", WAY (WOKEN), &getters_shut_down, NULL, FALSE },
  { "queue-put", ALL_WAYS, &putters, NULL, FALSE },
  { "queue-put-shutdown", WAY (WOKEN), &putters_shut_down, NULL, FALSE },
  { "queue-join", ALL_WAYS, &joiners, NULL, FALSE },
  { "channel-receive", ALL_WAYS, &receivers, NULL, FALSE },
  { "channel-receive-in-vain", WAY (WOKEN), &receivers_in_vain, NULL, FALSE },
  { "channel-receive-closed", WAY (WOKEN), &receivers_refused, NULL, FALSE },
  { "channel-send", ALL_WAYS, &senders, NULL, FALSE },
  { "channel-send-closed", WAY (WOKEN), &senders_refused, NULL, FALSE },
  { "broadcast", ALL_WAYS, &subscribers, NULL, FALSE },
  { 0 }
};
