/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that work together: queues, locks, signals. */

#include "load.h"

/* ---- Queues ---- */

typedef struct
{
  GtxQueue *queue;
  guint n_put;                  /* or tried to be put */
  guint n_got;
  guint n_freed;                /* that no task got */
  guint64 sum;                  /* sum of the items that were put and not yet got or
                                 * freed */
} Exchange;

typedef struct
{
  Exchange *exchange;
  guint number;
} Item;

static void
free_item (gpointer data)
{
  Item *item = data;

  item->exchange->n_freed++;
  item->exchange->sum -= item->number;
  g_free (item);
}

static int
compare_items (gconstpointer a, gconstpointer b, gpointer data)
{
  guint x = ((const Item *) a)->number, y = ((const Item *) b)->number;

  return (x > y) - (x < y);
}

static GtxQueue *
queue_new_at_random (void)
{
  guint max_size = random_below (10);

  switch (random_below (3))
    {
    case 0:
      return gtx_queue_new (max_size, free_item);
    case 1:
      return gtx_queue_new_lifo (max_size, free_item);
    default:
      return gtx_queue_new_priority (max_size, free_item, compare_items, NULL);
    }
}

static gboolean
put_items (Exchange *exchange, GError **error)
{
  for (guint n = random_below (40); n > 0; n--)
    {
      Item *item = g_new (Item, 1);

      *item = (Item) { exchange, random_below (1000) };
      exchange->n_put++;
      exchange->sum += item->number;
      if (!gtx_queue_put (exchange->queue, item, error))
        return FALSE;
      if (random_below (8) == 0 && !gtx_sleep (0, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
get_items (Exchange *exchange, GError **error)
{
  GError *failure = NULL;
  Item *item;

  while ((item = gtx_queue_get (exchange->queue, &failure)))
    {
      exchange->n_got++;
      exchange->sum -= item->number;
      g_free (item);
      gtx_queue_task_done (exchange->queue);
      if (random_below (8) == 0 && !gtx_sleep (0, error))
        return FALSE;
    }
  return expect_error ("a queue that was shut down", failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN, error);
}

static gboolean
produce (Exchange *exchange, GError **error)
{
  g_auto (GtxTaskGroup) producers = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&producers);
  for (guint n = 1 + random_below (4); n > 0; n--)
    gtx_task_group_create_task (&producers, put_items, exchange, NULL, NULL);
  return gtx_task_group_end (&producers, NULL, error);
}

static gboolean
run_exchange (Exchange *exchange, GError **error)
{
  g_auto (GtxTaskGroup) consumers = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&consumers);
  for (guint n = 1 + random_below (4); n > 0; n--)
    gtx_task_group_create_task (&consumers, get_items, exchange, NULL, NULL);
  if (produce (exchange, &failure) && random_below (2))
    gtx_queue_join (exchange->queue, &failure);
  gtx_queue_shutdown (exchange->queue, failure ? GTX_SHUTDOWN_IMMEDIATE : GTX_SHUTDOWN_DRAIN);
  return gtx_task_group_end (&consumers, &failure, error);
}

gboolean
load_queue (gpointer data, GError **error)
{
  Exchange exchange = { .queue = queue_new_at_random () };
  gboolean succeeded = run_exchange (&exchange, error);

  g_object_unref (exchange.queue);
  if (exchange.n_put != exchange.n_got + exchange.n_freed || exchange.sum != 0)
    complain ("queues: of %u items %u were got and %u freed", exchange.n_put, exchange.n_got, exchange.n_freed);
  if (succeeded && exchange.n_freed > 0)
    complain ("queues: %u items got lost", exchange.n_freed);
  return succeeded;
}

/* ---- Locks ---- */

#define N_WORKERS 8
#define N_SEATS 3

typedef struct
{
  GtxLock *lock;
  GtxSemaphore *semaphore;
  GtxCondition *condition;
  GtxBarrier *barrier;
  GtxEvent *start;
  guint n_inside;               /* that hold the lock */
  guint n_seated;               /* that hold the semaphore */
  guint stock;                  /* changed under the lock */
  guint n_first;                /* that had index 0 at the barrier */
} Workshop;

static gboolean
enter (Workshop *workshop, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (workshop->lock, error);
  gboolean succeeded;

  if (holder == NULL)
    return FALSE;
  if (workshop->n_inside++ > 0)
    complain ("locks: two are inside");
  succeeded = gtx_sleep (0, error);
  workshop->n_inside--;
  return succeeded;
}

static gboolean
sit (Workshop *workshop, GError **error)
{
  g_autoptr (GtxSemaphoreHolder) holder = gtx_semaphore_hold (workshop->semaphore, error);
  gboolean succeeded;

  if (holder == NULL)
    return FALSE;
  if (workshop->n_seated++ >= N_SEATS)
    complain ("locks: too many have got the semaphore");
  succeeded = gtx_sleep (random_below (4) ? 0 : random_seconds (0.001), error);
  workshop->n_seated--;
  return succeeded;
}

static gboolean
give (Workshop *workshop, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (workshop->lock, error);

  if (holder == NULL)
    return FALSE;
  workshop->stock++;
  gtx_condition_notify (workshop->condition, 1);
  return TRUE;
}

static gboolean
take (Workshop *workshop, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (workshop->lock, error);

  if (holder == NULL)
    return FALSE;
  while (workshop->stock == 0)
    if (!gtx_condition_wait (workshop->condition, error))
      return FALSE;
  workshop->stock--;
  return TRUE;
}

static gboolean
meet (Workshop *workshop, GError **error)
{
  guint index;

  if (!gtx_barrier_wait (workshop->barrier, &index, error))
    return FALSE;
  workshop->n_first += index == 0;
  return TRUE;
}

static gboolean
work (Workshop *workshop, GError **error)
{
  return gtx_event_wait (workshop->start, error) &&
         enter (workshop, error) && sit (workshop, error) && meet (workshop, error) &&
         (random_below (2) ? give (workshop, error) && take (workshop, error)
                           : give (workshop, error) && enter (workshop, error) && take (workshop, error)) &&
         meet (workshop, error);
}

static gboolean
run_workshop (Workshop *workshop, GError **error)
{
  g_auto (GtxTaskGroup) workers = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&workers);
  for (guint i = 0; i < N_WORKERS; i++)
    gtx_task_group_create_task (&workers, work, workshop, NULL, NULL);
  if (gtx_sleep (0, &failure))
    gtx_event_set (workshop->start);
  return gtx_task_group_end (&workers, &failure, error);
}

gboolean
load_locks (gpointer data, GError **error)
{
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new_bounded (N_SEATS);
  g_autoptr (GtxCondition) condition = gtx_condition_new (lock);
  g_autoptr (GtxBarrier) barrier = gtx_barrier_new (N_WORKERS);
  g_autoptr (GtxEvent) start = gtx_event_new ();
  Workshop workshop = { lock, semaphore, condition, barrier, start, 0, 0, 0, 0 };
  gboolean succeeded = run_workshop (&workshop, error);

  if (gtx_lock_locked (lock) || gtx_semaphore_locked (semaphore) || workshop.n_inside + workshop.n_seated > 0)
    complain ("locks: one is held by nobody");
  if (succeeded && (workshop.stock > 0 || workshop.n_first != 2))
    complain ("locks: %u are left, and %u were first", workshop.stock, workshop.n_first);
  return succeeded;
}

/* ---- Signals ---- */

typedef struct
{
  GSimpleAction *action;
  gint32 number;
  GtxTaskGroup *group;
} Emission;

static gboolean
switch_on (GSimpleAction *action, GError **error)
{
  g_simple_action_set_enabled (action, TRUE);
  return TRUE;
}

static gboolean
activate (Emission *emission, GError **error)
{
  if (!gtx_sleep (random_seconds (0.001), error))
    return FALSE;
  g_action_activate (G_ACTION (emission->action), g_variant_new_int32 (emission->number));
  return TRUE;
}

static gboolean
dispose (GSimpleAction *action, GError **error)
{
  g_object_run_dispose (G_OBJECT (action));
  return TRUE;
}

static gboolean
await_switch (Emission *emission, GError **error)
{
  gtx_task_group_create_task (emission->group, switch_on, emission->action, NULL, NULL);
  while (!g_action_get_enabled (G_ACTION (emission->action)))
    if (!gtx_await_notify (emission->action, "enabled", error))
      return FALSE;
  return TRUE;
}

static gboolean
await_activation (Emission *emission, GError **error)
{
  g_autoptr (GVariant) parameter = NULL;

  gtx_task_group_create_task (emission->group, activate, emission, NULL, NULL);
  if (!gtx_await_signal (emission->action, "activate", error, &parameter))
    return FALSE;
  if (g_variant_get_int32 (parameter) != emission->number)
    complain ("signals: the arguments are not those of the emission");
  return TRUE;
}

static gboolean
wait_for_event (GtxEvent *event, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
await_end (Emission *emission, GError **error)
{
  g_autoptr (GtxEvent) never = gtx_event_new ();
  GtxTask *bound = gtx_task_group_create_task (emission->group, wait_for_event,
                                               g_object_ref (never), g_object_unref, NULL);
  GError *failure = NULL;

  gtx_task_bind (bound, emission->action);
  gtx_task_group_create_task (emission->group, dispose, emission->action, NULL, NULL);
  gtx_await_signal (emission->action, "activate", &failure);
  return expect_error ("a disposed object", failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE, error);
}

gboolean
load_signals (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = g_simple_action_new ("soak", G_VARIANT_TYPE_INT32);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  Emission emission = { action, (gint32) random_seed (), &group };
  g_autoptr (GError) failure = NULL;

  g_simple_action_set_enabled (action, FALSE);
  gtx_task_group_begin (&group);
  (void) (await_switch (&emission, &failure) && await_activation (&emission, &failure) &&
          await_end (&emission, &failure));
  return gtx_task_group_end (&group, &failure, error);
}
