/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/queue.h"

#include "sync/queue-private.h"

#include "gtask-ext/error.h"

G_DEFINE_FINAL_TYPE (GtxQueue, gtx_queue, G_TYPE_OBJECT)

/* ---- Items ---- */

static void
push (GtxQueue *self,
      gpointer  item)
{
  if (self->sorted)
    g_sequence_insert_sorted (self->sorted, item, self->compare, self->compare_data);
  else if (self->is_lifo)
    g_queue_push_head (&self->items, item);
  else
    g_queue_push_tail (&self->items, item);
}

static gpointer
pop (GtxQueue *self)
{
  GSequenceIter *first;
  gpointer item;

  if (self->sorted == NULL)
    return g_queue_pop_head (&self->items);
  first = g_sequence_get_begin_iter (self->sorted);
  item = g_sequence_get (first);
  g_sequence_remove (first);
  return item;
}

static void
drop (GtxQueue *self,
      gpointer  item)
{
  if (self->item_free)
    self->item_free (item);
}

static gboolean
may_change (GtxQueue    *self,
            const char  *function,
            GError     **error)
{
  if (gtx_line_may_wake (&self->getters, function) && gtx_line_may_wake (&self->putters, function))
    return TRUE;
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "%s() was called in another thread than that of the tasks which use the queue", function);
  return FALSE;
}

/* ---- GObject ---- */

static void
gtx_queue_dispose (GObject *object)
{
  if (!gtx_line_keep (&((GtxQueue *) object)->getters, object))
    G_OBJECT_CLASS (gtx_queue_parent_class)->dispose (object);
}

static void
gtx_queue_finalize (GObject *object)
{
  GtxQueue *self = GTX_QUEUE (object);

  while (gtx_queue_count_items (self) > 0)
    drop (self, pop (self));
  g_clear_pointer (&self->sorted, g_sequence_free);
  gtx_line_clear (&self->getters);
  gtx_line_clear (&self->putters);
  g_object_unref (self->finished);
  G_OBJECT_CLASS (gtx_queue_parent_class)->finalize (object);
}

static void
gtx_queue_class_init (GtxQueueClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_queue_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_queue_finalize;
}

static void
gtx_queue_init (GtxQueue *self)
{
  gtx_line_init (&self->getters);
  gtx_line_init (&self->putters);
  g_queue_init (&self->items);
  self->finished = gtx_event_new ();
  gtx_event_set (self->finished);
}

/**
 * gtx_queue_new:
 * @max_size: how many items the queue holds at most; 0 for no bound
 * @item_free: (nullable): frees an item that nobody gets
 *
 * Makes a queue that gives the item that was put first: asyncio's `Queue()`.  Never
 * suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxQueue
 *
 * Since: 0.1
 */
GtxQueue *
gtx_queue_new (guint          max_size,
               GDestroyNotify item_free)
{
  GtxQueue *self = g_object_new (GTX_TYPE_QUEUE, NULL);

  self->max_size = max_size;
  self->item_free = item_free;
  return self;
}

/**
 * gtx_queue_new_lifo:
 * @max_size: how many items the queue holds at most; 0 for no bound
 * @item_free: (nullable): frees an item that nobody gets
 *
 * Makes a queue that gives the item that was put last: asyncio's `LifoQueue()`.  Never
 * suspends; may be called in any thread.
 *
 * Returns: (transfer full): a new #GtxQueue
 *
 * Since: 0.1
 */
GtxQueue *
gtx_queue_new_lifo (guint          max_size,
                    GDestroyNotify item_free)
{
  GtxQueue *self = gtx_queue_new (max_size, item_free);

  self->is_lifo = TRUE;
  return self;
}

/**
 * gtx_queue_new_priority:
 * @max_size: how many items the queue holds at most; 0 for no bound
 * @item_free: (nullable): frees an item that nobody gets
 * @compare: (scope notified): tells which of two items comes first
 * @data: (nullable): for @compare; has to live as long as the queue
 *
 * Makes a queue that gives the item that @compare puts first: asyncio's
 * `PriorityQueue()`.  Of two equal items it gives the one that was put
 * first, which asyncio leaves open.  Never suspends; may be called in any
 * thread.
 *
 * Returns: (transfer full): a new #GtxQueue
 *
 * Since: 0.1
 */
GtxQueue *
gtx_queue_new_priority (guint             max_size,
                        GDestroyNotify    item_free,
                        GCompareDataFunc  compare,
                        gpointer          data)
{
  GtxQueue *self;

  g_return_val_if_fail (compare != NULL, NULL);

  self = gtx_queue_new (max_size, item_free);
  self->sorted = g_sequence_new (NULL);
  self->compare = compare;
  self->compare_data = data;
  return self;
}

/* ---- Waiting ---- */

static void
describe_getter (GtxWaiter *waiter,
                 GString   *text)
{
  g_string_append_printf (text, "an item of queue %p", ((GtxLineWaiter *) waiter)->object);
}

static void
describe_putter (GtxWaiter *waiter,
                 GString   *text)
{
  g_string_append_printf (text, "room in queue %p", ((GtxLineWaiter *) waiter)->object);
}

static const GtxWaiterKind getter_kind = { "item", gtx_line_cancel, describe_getter, NULL, NULL };
static const GtxWaiterKind putter_kind = { "room", gtx_line_cancel, describe_putter, NULL, NULL };

static gboolean
fail_shut_down (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN, "The queue was shut down");
  return FALSE;
}

/* To be called in the thread of the tasks that use the queue. */
static gboolean
put_now (GtxQueue  *self,
         gpointer   item,
         GError   **error)
{
  if (self->is_shut_down || gtx_queue_is_at_bound (self))
    {
      if (self->is_shut_down)
        fail_shut_down (error);
      else
        g_set_error (error, GTX_ERROR, GTX_ERROR_QUEUE_FULL, "The queue is full: it holds %u items",
                     self->max_size);
      drop (self, item);
      return FALSE;
    }
  push (self, item);
  self->n_unfinished++;
  gtx_event_clear (self->finished);
  gtx_line_call (&self->getters, 1);
  return TRUE;
}

/* To be called in the thread of the tasks that use the queue. */
static gpointer
get_now (GtxQueue  *self,
         GError   **error)
{
  gpointer item;

  if (gtx_queue_count_items (self) == 0)
    {
      if (self->is_shut_down)
        fail_shut_down (error);
      else
        g_set_error_literal (error, GTX_ERROR, GTX_ERROR_QUEUE_EMPTY, "The queue is empty");
      return NULL;
    }
  item = pop (self);
  gtx_line_call (&self->putters, 1);
  return item;
}

static gboolean
wait_for_room (GtxQueue  *self,
               GtxTask   *task,
               GError   **error)
{
  while (gtx_queue_is_at_bound (self))
    {
      gboolean woken;

      if (self->is_shut_down)
        return fail_shut_down (error);
      if (gtx_line_wait (&self->putters, task, &putter_kind, self, &woken, error))
        continue;
      /* The room that this task was woken for goes to the next task. */
      if (woken && !gtx_queue_is_at_bound (self))
        gtx_line_call (&self->putters, 1);
      return FALSE;
    }
  return TRUE;
}

static gboolean
wait_for_item (GtxQueue  *self,
               GtxTask   *task,
               GError   **error)
{
  while (gtx_queue_count_items (self) == 0)
    {
      gboolean woken;

      if (self->is_shut_down)
        return fail_shut_down (error);
      if (gtx_line_wait (&self->getters, task, &getter_kind, self, &woken, error))
        continue;
      /* The item that this task was woken for goes to the next task. */
      if (woken && gtx_queue_count_items (self) > 0)
        gtx_line_call (&self->getters, 1);
      return FALSE;
    }
  return TRUE;
}

/**
 * gtx_queue_put:
 * @self: a #GtxQueue
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until there is room, and puts @item into the
 * queue: asyncio's `Queue.put()`.
 *
 * Does not suspend if there is room.  After a failure @item is freed.  Sets
 * %GTX_ERROR_QUEUE_SHUT_DOWN if the queue is shut down, before or meanwhile,
 * %G_IO_ERROR_CANCELLED if the task is cancelled while it waits,
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * tasks of another main context use the queue.
 *
 * Returns: %TRUE if @item is in the queue, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_queue_put (GtxQueue  *self,
               gpointer   item,
               GError   **error)
{
  gboolean succeeded;
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  /* The home of the getters' line is the home of the queue. */
  task = gtx_line_begin (&self->getters, G_STRFUNC, error);
  if (task == NULL)
    {
      drop (self, item);
      return FALSE;
    }
  gtx_line_pin (&self->getters);
  succeeded = wait_for_room (self, task, error);
  if (succeeded)
    succeeded = put_now (self, item, error);
  else
    drop (self, item);
  gtx_line_unpin (&self->getters, self);
  return succeeded;
}

/**
 * gtx_queue_put_nowait:
 * @self: a #GtxQueue
 * @item: (transfer full): the item, not %NULL
 * @error: return location for a #GError, or %NULL
 *
 * Puts @item into the queue if there is room: asyncio's `Queue.put_nowait()`.
 *
 * After a failure @item is freed.  Sets %GTX_ERROR_QUEUE_FULL or
 * %GTX_ERROR_QUEUE_SHUT_DOWN, and %GTX_ERROR_INVALID_ARGUMENT in another thread
 * than that of the tasks that use the queue, which is a mistake that is warned of.  Never
 * suspends; to be called in the thread of the tasks that use it, inside or outside of tasks.
 *
 * Returns: %TRUE if @item is in the queue, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_queue_put_nowait (GtxQueue  *self,
                      gpointer   item,
                      GError   **error)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  if (!may_change (self, G_STRFUNC, error))
    {
      drop (self, item);
      return FALSE;
    }
  return put_now (self, item, error);
}

/**
 * gtx_queue_get:
 * @self: a #GtxQueue
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until there is an item, and takes it: asyncio's
 * `Queue.get()`.
 *
 * Does not suspend if there is an item.  Sets %GTX_ERROR_QUEUE_SHUT_DOWN if
 * the queue was shut down and is empty, %G_IO_ERROR_CANCELLED if the task is
 * cancelled while it waits, %GTX_ERROR_NOT_IN_TASK outside a task, and
 * %GTX_ERROR_INVALID_ARGUMENT if tasks of another main context use the queue.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_queue_get (GtxQueue  *self,
               GError   **error)
{
  gpointer item = NULL;
  GtxTask *task;

  g_return_val_if_fail (GTX_IS_QUEUE (self), NULL);

  task = gtx_line_begin (&self->getters, G_STRFUNC, error);
  if (task == NULL)
    return NULL;
  gtx_line_pin (&self->getters);
  if (wait_for_item (self, task, error))
    item = get_now (self, error);
  gtx_line_unpin (&self->getters, self);
  return item;
}

/**
 * gtx_queue_get_nowait:
 * @self: a #GtxQueue
 * @error: return location for a #GError, or %NULL
 *
 * Takes an item if there is one: asyncio's `Queue.get_nowait()`.
 *
 * Sets %GTX_ERROR_QUEUE_EMPTY, or %GTX_ERROR_QUEUE_SHUT_DOWN if the queue is empty
 * and was shut down, and %GTX_ERROR_INVALID_ARGUMENT in another thread than that of the
 * tasks that use the queue, which is a mistake that is warned of.  Never suspends;
 * to be called in the thread of the tasks that use it, inside or outside of tasks.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 *
 * Since: 0.1
 */
gpointer
gtx_queue_get_nowait (GtxQueue  *self,
                      GError   **error)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), NULL);

  if (!may_change (self, G_STRFUNC, error))
    return NULL;
  return get_now (self, error);
}

/* ---- Finished items, and the shutdown ---- */

/**
 * gtx_queue_task_done:
 * @self: a #GtxQueue
 *
 * Tells the queue that the work on an item is done: asyncio's `Queue.task_done()`.
 *
 * Calling this function more often than items were put is a mistake, which a
 * g_critical() reports; asyncio raises `ValueError`.  Never suspends; to be called
 * in the thread of the tasks that use it.
 *
 * Returns: %TRUE, or %FALSE if all items were done already, or in another thread
 *
 * Since: 0.1
 */
gboolean
gtx_queue_task_done (GtxQueue *self)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), FALSE);

  if (!may_change (self, G_STRFUNC, NULL))
    return FALSE;
  if (self->n_unfinished == 0)
    {
      g_critical ("gtx_queue_task_done: called more often than items were put into the queue; "
                  "call it once for each item");
      return FALSE;
    }
  if (--self->n_unfinished == 0)
    gtx_event_set (self->finished);
  return TRUE;
}

/**
 * gtx_queue_join:
 * @self: a #GtxQueue
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until gtx_queue_task_done() was called for every
 * item that was put: asyncio's `Queue.join()`.
 *
 * Does not suspend if all items are done.  Sets %G_IO_ERROR_CANCELLED if the
 * task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a task, and
 * %GTX_ERROR_INVALID_ARGUMENT if tasks of another main context use the queue.
 *
 * Returns: %TRUE when all items are done, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_queue_join (GtxQueue  *self,
                GError   **error)
{
  g_return_val_if_fail (GTX_IS_QUEUE (self), FALSE);

  return gtx_line_begin (&self->getters, G_STRFUNC, error) && gtx_event_wait (self->finished, error);
}

/**
 * gtx_queue_shutdown:
 * @self: a #GtxQueue
 * @how: whether the items in the queue are kept or freed
 *
 * Ends the queue: asyncio's `Queue.shutdown()`.
 *
 * From now on no task can put an item, and once the queue is empty no task can get
 * one: tasks that wait to do so fail with %GTX_ERROR_QUEUE_SHUT_DOWN.  Items freed
 * by %GTX_SHUTDOWN_IMMEDIATE count as done.  Never suspends; to be called in the
 * thread of the tasks that use it.
 *
 * Since: 0.1
 */
void
gtx_queue_shutdown (GtxQueue    *self,
                    GtxShutdown  how)
{
  g_return_if_fail (GTX_IS_QUEUE (self));

  if (!may_change (self, G_STRFUNC, NULL))
    return;
  /* An item that is freed may have had the last reference of the queue. */
  g_object_ref (self);
  self->is_shut_down = TRUE;
  while (how == GTX_SHUTDOWN_IMMEDIATE && gtx_queue_count_items (self) > 0)
    {
      drop (self, pop (self));
      if (self->n_unfinished > 0)
        self->n_unfinished--;
    }
  if (self->n_unfinished == 0)
    gtx_event_set (self->finished);
  gtx_line_call (&self->getters, G_MAXUINT);
  gtx_line_call (&self->putters, G_MAXUINT);
  g_object_unref (self);
}
