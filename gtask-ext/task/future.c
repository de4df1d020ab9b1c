/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/future-private.h"

#include "task/task-private.h"

#include "gtask-ext/error.h"

#include <gio/gio.h>

static void async_result_init (GAsyncResultIface *iface);

G_DEFINE_TYPE_WITH_CODE (GtxFuture, gtx_future, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, async_result_init))

/* A done callback that waits in the future, or in the ready list.  It is linked
 * nowhere when its data is freed: what frees that may do anything. */
struct _GtxDoneCallback
{
  GtxHandle handle;
  GtxFuture *future;
  GtxDoneFunc func;
  gpointer data;
  GDestroyNotify data_free;
  GtxDoneCallback *next_alike;  /* in the table: a ring, in which the last knows the first */
};

static void done_callback_run (GtxHandle *handle);

static void
done_callback_free (GtxDoneCallback *self)
{
  if (self->data_free)
    self->data_free (self->data);
  g_free (self);
}

gboolean
gtx_future_check (gconstpointer  object,
                  const char    *function)
{
  if (G_LIKELY (object && gtx_future_is_task (object)) || GTX_IS_FUTURE (object))
    return TRUE;
  g_critical ("%s: a GtxFuture or GtxTask is wanted, and this is none: %s", function,
              object ? g_type_name_from_instance ((GTypeInstance *) object) : "NULL");
  return FALSE;
}

/* GLib looks an error's domain up under a lock, to make it and to free it: a
 * crowd that is cancelled passes one on. */
static GPrivate spare_error = G_PRIVATE_INIT ((GDestroyNotify) g_error_free);

static const char cancelled_message[] = "The task was cancelled";

void
gtx_set_cancelled_error (GError **error)
{
  GError *spare = g_private_get (&spare_error);

  if (spare == NULL || error == NULL || *error)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, cancelled_message);
      return;
    }
  g_private_set (&spare_error, NULL);
  *error = spare;
}

void
gtx_take_cancelled_error (GError *error)
{
  if (g_private_get (&spare_error) == NULL && strcmp (error->message, cancelled_message) == 0)
    g_private_set (&spare_error, error);
  else
    g_error_free (error);
}

/* ---- Settling ---- */

/* The callbacks outlive the future's other users from here on. */
G_GNUC_NO_INLINE static void
pin_for_done_callbacks (GtxFuture *self)
{
  for (GtxHandle *handle = self->callbacks.ring.next; handle != &self->callbacks.ring; handle = handle->next)
    if (handle->run == done_callback_run)
      gtx_pins_add (&self->pins, self);
  g_clear_pointer (&self->callback_table, g_hash_table_unref);
}

/* Who only waits adds none of those. */
static void
queue_callbacks (gpointer data)
{
  GtxFuture *self = data;

  if (G_UNLIKELY (g_atomic_int_get (&self->is_watched)))
    pin_for_done_callbacks (self);
  gtx_scheduler_call_all_soon (self->home, &self->callbacks);
}

static void
queue_callbacks_and_unref (gpointer data)
{
  queue_callbacks (data);
  g_object_unref (data);
}

/* Only one thread gets past this, and only once. */
static gboolean
claim_settling (GtxFuture *self)
{
  return g_atomic_int_compare_and_exchange (&self->state, GTX_FUTURE_PENDING, GTX_FUTURE_SETTLING);
}

/* Nor past this: a task is settled by the thread of its home alone. */
static gboolean
begin_to_settle (GtxFuture *self)
{
  if (gtx_future_is_task (self))
    return gtx_future_state (self) == GTX_FUTURE_PENDING;
  return claim_settling (self);
}

static void
free_callbacks (GtxHandleList *callbacks)
{
  GtxHandle *handle;

  while ((handle = gtx_handle_list_pop (callbacks)))
    if (handle->run == done_callback_run)
      done_callback_free ((GtxDoneCallback *) handle);
}

static void
free_dropped (gpointer callbacks)
{
  free_callbacks (callbacks);
  g_free (callbacks);
}

/* They will never be called. */
G_GNUC_NO_INLINE void
gtx_future_drop_callbacks (GtxFuture *self)
{
  GtxHandleList *dropped;

  g_clear_pointer (&self->callback_table, g_hash_table_unref);
  if (gtx_handle_list_is_empty (&self->callbacks))
    return;
  dropped = g_new (GtxHandleList, 1);
  gtx_handle_list_init (dropped);
  gtx_handle_list_splice (dropped, &self->callbacks);
  gtx_future_free_at_home (self, dropped, free_dropped);
}

static void
settle (GtxFuture      *self,
        GtxFutureState  state)
{
  GtxVisit visit = gtx_scheduler_enter (self->home);

  /* From then on whoever waits for it may let go of it. */
  if (G_UNLIKELY (!visit))
    g_object_ref (self);
  __atomic_store_n (&self->state, state, __ATOMIC_RELEASE);
  if (G_LIKELY (visit))
    {
      queue_callbacks (self);
      gtx_scheduler_leave (self->home, visit);
    }
  else if (!gtx_scheduler_post (self->home, queue_callbacks_and_unref, self))
    {
      gtx_future_drop_callbacks (self);
      g_object_unref (self);
    }
}

gboolean
gtx_future_finish (GtxFuture      *self,
                   gpointer        result,
                   GDestroyNotify  result_free,
                   GError         *error)
{
  if (!begin_to_settle (self))
    return FALSE;
  self->result = result;
  self->result_free = result_free;
  self->error = error;
  settle (self, GTX_FUTURE_FINISHED);
  return TRUE;
}

gboolean
gtx_future_finish_cancelled (GtxFuture *self)
{
  if (!begin_to_settle (self))
    return FALSE;
  settle (self, GTX_FUTURE_CANCELLED);
  return TRUE;
}

gboolean
gtx_future_propagate (GtxFuture  *self,
                      GError    **error)
{
  g_assert (gtx_future_done (self));

  if (gtx_future_state (self) == GTX_FUTURE_CANCELLED)
    {
      gtx_set_cancelled_error (error);
      return FALSE;
    }
  if (self->error == NULL)
    return TRUE;
  gtx_future_forgive_error (self);
  if (error)
    g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}

/* ---- The result ---- */

/* For a result that is another future's. */
static void
unref_owner (gpointer owner)
{
  g_object_unref (owner);
}

static GtxFuture *
result_owner (GtxFuture *self)
{
  return self->result_free == unref_owner ? self->result : self;
}

gboolean
gtx_future_finish_as (GtxFuture *self,
                      GtxFuture *other)
{
  GtxFuture *owner = g_object_ref (result_owner (other));

  if (gtx_future_finish (self, owner, unref_owner, NULL))
    return TRUE;
  g_object_unref (owner);
  return FALSE;
}

static void
set_taken_error (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                       "The result was taken before: gtx_await_pointer() gives it away, and once; "
                       "where several want it, each calls gtx_await_peek_pointer() and takes what it keeps "
                       "a reference to, or a copy of");
}

gboolean
gtx_future_take_result (GtxFuture  *self,
                        gpointer   *result,
                        GError    **error)
{
  GtxFuture *owner = result_owner (self);

  if (owner->result && !g_atomic_int_compare_and_exchange (&owner->is_taken, FALSE, TRUE))
    {
      set_taken_error (error);
      return FALSE;
    }
  *result = owner->result;
  return TRUE;
}

gpointer
gtx_future_lend_result (GtxFuture  *self,
                        GError    **error)
{
  GtxFuture *owner = result_owner (self);

  if (!g_atomic_int_get (&owner->is_taken))
    return owner->result;
  set_taken_error (error);
  return NULL;
}

/* ---- GObject ---- */

/* The last reference goes, and it is the home's: somebody has dropped one that was
 * not theirs.  The home has its own again. */
static void
keep_after_mistake (GtxFuture *self)
{
  if (gtx_future_is_task (self))
    g_critical ("The task of %s lost its last reference before it has ended, while its main context keeps one: "
                "g_object_unref() was called once too often; it goes on",
                gtx_task_get_function ((GtxTask *) self));
  else
    g_critical ("A GtxFuture lost its last reference while its main context keeps one, for it is awaited or its "
                "callbacks are due: g_object_unref() was called once too often; it is kept");
  g_object_ref (self);
}

static gboolean
is_kept (GtxFuture *self)
{
  return self->pins.n > 0 ||
         (!gtx_future_done (self) && gtx_future_is_task (self) && ((GtxTask *) self)->is_started);
}

/* What GObject's own dispose() takes off an object (handlers, weak references)
 * the last g_object_unref() takes off as well, so that it would be looked for
 * twice. */
static void
gtx_future_dispose (GObject *object)
{
  if (g_atomic_int_get (&object->ref_count) > 1)
    G_OBJECT_CLASS (gtx_future_parent_class)->dispose (object);
  else if (G_UNLIKELY (is_kept ((GtxFuture *) object)))
    keep_after_mistake ((GtxFuture *) object);
}

/* What is left of a future, to be freed at its home. */
typedef struct
{
  GtxHandle handle;
  GtxScheduler *home;
  gpointer data;
  GDestroyNotify data_free;
} Remains;

static void
free_remains (GtxHandle *handle)
{
  Remains *self = (Remains *) handle;

  self->data_free (self->data);
  gtx_scheduler_unref (self->home);
  g_free (self);
}

static Remains *
remains_new (GtxScheduler   *home,
             gpointer        data,
             GDestroyNotify  data_free)
{
  Remains *self = g_new (Remains, 1);

  *self = (Remains) { .handle.run = free_remains, .home = gtx_scheduler_ref (home), .data = data, .data_free = data_free };
  return self;
}

/* What frees may ask for messages: where one asked for this, that would go on and on, one
 * inside the other. */
static void
free_at_home (gpointer data)
{
  Remains *self = data;

  if (gtx_scheduler_is_asked_for_messages (self->home))
    gtx_scheduler_call_soon (self->home, &self->handle);
  else
    free_remains (&self->handle);
}

/* Data that is freed here would be freed in the wrong thread. */
void
gtx_future_free_at_home (GtxFuture      *self,
                         gpointer        data,
                         GDestroyNotify  data_free)
{
  GtxVisit visit;

  if (data == NULL || data_free == NULL)
    return;
  visit = gtx_scheduler_enter (self->home);
  if (visit && !gtx_scheduler_is_asked_for_messages (self->home))
    data_free (data);
  else
    {
      Remains *remains = remains_new (self->home, data, data_free);

      if (visit)
        gtx_scheduler_call_soon (self->home, &remains->handle);
      else if (!gtx_scheduler_post (self->home, free_at_home, remains))
        free_remains (&remains->handle);
    }
  gtx_scheduler_leave (self->home, visit);
}

static void
gtx_future_finalize (GObject *object)
{
  GtxFuture *self = (GtxFuture *) object;

  g_assert (gtx_handle_list_is_empty (&self->callbacks) || !gtx_future_done (self));

  if (self->error && !self->error_is_no_news && gtx_future_state (self) == GTX_FUTURE_FINISHED)
    g_warning ("%s: its error was never retrieved: %s",
               gtx_future_is_task (self) ? gtx_task_get_function ((GtxTask *) self) : "A GtxFuture",
               self->error->message);
  gtx_future_close (self);
  if (G_UNLIKELY (self->callback_table != NULL || !gtx_handle_list_is_empty (&self->callbacks)))
    gtx_future_drop_callbacks (self);
  if (!self->is_taken)
    gtx_future_free_at_home (self, self->result, self->result_free);
  if (self->error)
    g_error_free (self->error);
  gtx_scheduler_unref (self->home);

  ((GObjectClass *) gtx_future_parent_class)->finalize (object);
}

static void
gtx_future_class_init (GtxFutureClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_future_dispose;
  G_OBJECT_CLASS (class)->finalize = gtx_future_finalize;
  class->cancel = gtx_future_finish_cancelled;
}

static void
gtx_future_init (GtxFuture *self)
{
  self->home = gtx_scheduler_ref (gtx_scheduler_get ());
  gtx_handle_list_init (&self->callbacks);
}

static gpointer
get_user_data (GAsyncResult *result)
{
  return NULL;
}

static GObject *
get_source_object (GAsyncResult *result)
{
  return NULL;
}

static void
async_result_init (GAsyncResultIface *iface)
{
  iface->get_user_data = get_user_data;
  iface->get_source_object = get_source_object;
}

/* ---- The public side ---- */

/**
 * gtx_future_new:
 *
 * Makes a future that is pending: asyncio's `loop.create_future()`.
 *
 * Never suspends; may be called in any thread, whose thread-default main
 * context is the future's home.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_future_new (void)
{
  return g_object_new (GTX_TYPE_FUTURE, NULL);
}

static gboolean
may_be_set (gpointer    future,
            const char *function)
{
  if (!gtx_future_check (future, function))
    return FALSE;
  if (!gtx_future_is_task (future))
    return TRUE;
  g_critical ("%s: the outcome of a task is what its coroutine returns; set that of a GtxFuture", function);
  return FALSE;
}

/**
 * gtx_future_set_result:
 * @self: a #GtxFuture that is no task
 * @result: (transfer full) (nullable): the result
 * @result_free: (nullable): frees @result with the future
 *
 * Ends the future with a result: asyncio's `Future.set_result()`.
 *
 * asyncio raises `InvalidStateError` where this returns %FALSE; @result is
 * freed then.  Never suspends; may be called in any thread, and what awaits
 * the future goes on in its own.
 *
 * Returns: %TRUE, or %FALSE if the future was done already
 *
 * Since: 0.1
 */
gboolean
gtx_future_set_result (GtxFuture      *self,
                       gpointer        result,
                       GDestroyNotify  result_free)
{
  if (may_be_set (self, G_STRFUNC) && gtx_future_finish (self, result, result_free, NULL))
    return TRUE;
  if (result && result_free)
    result_free (result);
  return FALSE;
}

/**
 * gtx_future_set_error:
 * @self: a #GtxFuture that is no task
 * @error: (transfer full): the error
 *
 * Ends the future with an error: asyncio's `Future.set_exception()`.
 *
 * asyncio raises `InvalidStateError` where this returns %FALSE; @error is
 * freed then.  An error that nobody asks for is warned of when the future
 * goes.  Never suspends; may be called in any thread.
 *
 * Returns: %TRUE, or %FALSE if the future was done already
 *
 * Since: 0.1
 */
gboolean
gtx_future_set_error (GtxFuture *self,
                      GError    *error)
{
  g_return_val_if_fail (error != NULL, FALSE);

  if (may_be_set (self, G_STRFUNC) && gtx_future_finish (self, NULL, NULL, error))
    return TRUE;
  g_error_free (error);
  return FALSE;
}

/**
 * gtx_future_is_done:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Tells whether it has a result or an error, or was cancelled: asyncio's
 * `Future.done()`.  Never suspends; may be called in any thread.
 *
 * Returns: %TRUE if it is done
 *
 * Since: 0.1
 */
gboolean
gtx_future_is_done (gpointer future)
{
  return gtx_future_check (future, G_STRFUNC) && gtx_future_done (future);
}

/**
 * gtx_future_is_cancelled:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Tells whether it ended by being cancelled: asyncio's `Future.cancelled()`.
 * Never suspends; may be called in any thread.
 *
 * Returns: %TRUE if it is done, and was cancelled
 *
 * Since: 0.1
 */
gboolean
gtx_future_is_cancelled (gpointer future)
{
  return gtx_future_check (future, G_STRFUNC) && gtx_future_state (future) == GTX_FUTURE_CANCELLED;
}

/**
 * gtx_future_get_result:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Lends the result: asyncio's `Future.result()`, which raises where this
 * returns %NULL.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the result, valid while @future lives
 *   and nobody takes it; %NULL if it is not done, failed or was cancelled, or
 *   its result was taken
 *
 * Since: 0.1
 */
gpointer
gtx_future_get_result (gpointer future)
{
  GtxFuture *self = future;

  if (!gtx_future_check (future, G_STRFUNC) || !gtx_future_done (self))
    return NULL;
  return gtx_future_lend_result (self, NULL);
}

/* One that was cancelled gets its error when somebody asks. */
static const GError *
cancelled_error (GtxFuture *self)
{
  GError *there = __atomic_load_n (&self->error, __ATOMIC_ACQUIRE);
  GError *error = NULL;

  if (there)
    return there;
  gtx_set_cancelled_error (&error);
  if (__atomic_compare_exchange_n (&self->error, &there, error, FALSE,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return error;
  g_error_free (error);
  return there;
}

/**
 * gtx_future_get_error:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Lends the error: asyncio's `Future.exception()`; %G_IO_ERROR_CANCELLED for
 * one that was cancelled, where asyncio raises.  The error counts as
 * retrieved.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the error, valid while @future lives;
 *   %NULL if it is not done, or succeeded
 *
 * Since: 0.1
 */
const GError *
gtx_future_get_error (gpointer future)
{
  GtxFuture *self = future;

  if (!gtx_future_check (future, G_STRFUNC) || !gtx_future_done (self))
    return NULL;
  gtx_future_forgive_error (self);
  return gtx_future_state (self) == GTX_FUTURE_CANCELLED ? cancelled_error (self) : self->error;
}

/* ---- Done callbacks ---- */

static void
done_callback_run (GtxHandle *handle)
{
  GtxDoneCallback *callback = (GtxDoneCallback *) handle;
  GtxFuture *future = callback->future;

  callback->func (future, callback->data);
  done_callback_free (callback);
  /* Nothing runs after those that are called when the main context goes. */
  if (gtx_scheduler_is_running (future->home))
    gtx_scheduler_let_go_of_pushed ();
  gtx_pins_drop (&future->pins, future);
}

/* To look for one passes all others: among more than so many that is done once,
 * and then there is a table. */
#define MANY 32

static guint
hash_callback (gconstpointer callback)
{
  const GtxDoneCallback *self = callback;

  return g_direct_hash (self->data) + 31 * (guint) (gsize) self->func;
}

static gboolean
are_alike (gconstpointer a,
           gconstpointer b)
{
  const GtxDoneCallback *first = a;
  const GtxDoneCallback *second = b;

  return first->func == second->func && first->data == second->data;
}

/* The table has the last of those that are alike. */
static void
put_into_table (GtxFuture       *self,
                GtxDoneCallback *callback)
{
  GtxDoneCallback *last = g_hash_table_lookup (self->callback_table, callback);

  callback->next_alike = last ? last->next_alike : callback;
  if (last)
    last->next_alike = callback;
  g_hash_table_add (self->callback_table, callback);
}

static void
make_table (GtxFuture *self)
{
  self->callback_table = g_hash_table_new (hash_callback, are_alike);
  for (GtxHandle *handle = self->callbacks.ring.next; handle != &self->callbacks.ring; handle = handle->next)
    if (handle->run == done_callback_run)
      put_into_table (self, (GtxDoneCallback *) handle);
}

static void
add_done_callback (gpointer data)
{
  GtxDoneCallback *callback = data;
  GtxFuture *self = callback->future;

  /* Where another thread has ended it those that came before are still to be queued. */
  if (gtx_future_done (self) && gtx_handle_list_is_empty (&self->callbacks))
    {
      gtx_pins_add (&self->pins, self);
      gtx_scheduler_call_soon (self->home, &callback->handle);
      return;
    }
  gtx_handle_list_append (&self->callbacks, &callback->handle);
  if (self->callback_table)
    put_into_table (self, callback);
}

static void
add_done_callback_and_unref (gpointer data)
{
  GtxFuture *self = ((GtxDoneCallback *) data)->future;

  g_atomic_int_add (&self->n_on_the_way, -1);
  add_done_callback (data);
  g_object_unref (self);
}

static void
post_done_callback (GtxFuture       *self,
                    GtxDoneCallback *callback)
{
  g_object_ref (self);
  g_atomic_int_inc (&self->n_on_the_way);
  if (gtx_scheduler_post (self->home, add_done_callback_and_unref, callback))
    return;
  g_atomic_int_add (&self->n_on_the_way, -1);
  done_callback_free (callback);
  g_object_unref (self);
}

void
gtx_future_call_back (GtxFuture        *self,
                      GtxDoneFunc       func,
                      gpointer          data,
                      GDestroyNotify    data_free,
                      GtxDoneCallback **callback)
{
  GtxDoneCallback *added = g_new (GtxDoneCallback, 1);
  GtxVisit visit;

  *added = (GtxDoneCallback) {
    .handle.run = done_callback_run, .future = self, .func = func, .data = data, .data_free = data_free
  };
  if (callback)
    *callback = added;
  g_atomic_int_set (&self->is_watched, TRUE);
  visit = gtx_scheduler_enter (self->home);
  if (visit)
    {
      add_done_callback (added);
      gtx_scheduler_leave (self->home, visit);
    }
  else
    post_done_callback (self, added);
}

/**
 * gtx_future_add_done_callback:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @callback: called once @future is done
 * @data: (nullable): for @callback
 * @data_free: (nullable): frees @data after the call, or when there will be none
 *
 * Has @callback called in a round after @future is done, or in the next one if
 * it is: asyncio's `Future.add_done_callback()`.
 *
 * Callbacks and awaiting tasks run in the order in which they came.  Never
 * suspends; may be called in any thread, and @callback runs in the home of
 * @future, where @data is freed, too, as long as its main context is there.
 *
 * Since: 0.1
 */
void
gtx_future_add_done_callback (gpointer        future,
                              GtxDoneFunc     callback,
                              gpointer        data,
                              GDestroyNotify  data_free)
{
  if (!gtx_future_check (future, G_STRFUNC))
    return;
  g_return_if_fail (callback != NULL);

  if (G_LIKELY (g_atomic_int_get (&((GObject *) future)->ref_count) > 0))
    {
      gtx_future_call_back (future, callback, data, data_free, NULL);
      return;
    }
  g_critical ("gtx_future_add_done_callback: the future is being freed, so nothing will be called; "
              "do not add a callback in what frees another one's data");
  if (data_free)
    data_free (data);
}

void
gtx_future_take_back (GtxFuture       *self,
                      GtxDoneCallback *callback)
{
  if (self->callback_table)
    g_hash_table_remove (self->callback_table, callback);
  gtx_handle_unlink (&callback->handle);
  done_callback_free (callback);
}

static guint
take_by_table (GtxFuture             *self,
               const GtxDoneCallback *wanted,
               GtxHandleList         *taken)
{
  GtxDoneCallback *last = g_hash_table_lookup (self->callback_table, wanted);
  GtxDoneCallback *callback = last;
  guint n = 0;

  if (last == NULL)
    return 0;
  g_hash_table_remove (self->callback_table, last);
  do
    {
      callback = callback->next_alike;
      gtx_handle_unlink (&callback->handle);
      gtx_handle_list_append (taken, &callback->handle);
      n++;
    }
  while (callback != last);
  return n;
}

static guint
take_by_looking (GtxFuture             *self,
                 const GtxDoneCallback *wanted,
                 GtxHandleList         *taken)
{
  GtxHandle *next;
  guint n_passed = 0;
  guint n = 0;

  for (GtxHandle *handle = self->callbacks.ring.next; handle != &self->callbacks.ring; handle = next)
    {
      next = handle->next;
      n_passed++;
      if (handle->run != done_callback_run || !are_alike (handle, wanted))
        continue;
      gtx_handle_unlink (handle);
      gtx_handle_list_append (taken, handle);
      n++;
    }
  if (n_passed > MANY)
    make_table (self);
  return n;
}

/* None of one that is done: they are called. */
static guint
take_callbacks (GtxFuture             *self,
                const GtxDoneCallback *wanted,
                GtxHandleList         *taken)
{
  if (gtx_future_done (self))
    return 0;
  return self->callback_table ? take_by_table (self, wanted, taken) : take_by_looking (self, wanted, taken);
}

/**
 * gtx_future_remove_done_callback:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @callback: what was given to gtx_future_add_done_callback()
 * @data: (nullable): the data that was given with it
 *
 * Takes back every @callback with @data, if @future is not done: asyncio's
 * `Future.remove_done_callback()`.
 *
 * When their data is freed all of them have been taken back, so that what frees
 * it may do anything with @future.  Among many callbacks one is found as fast as
 * among few.  Never suspends; to be called in the thread of the home of @future.
 *
 * Returns: how many were taken back
 *
 * Since: 0.1
 */
guint
gtx_future_remove_done_callback (gpointer     future,
                                 GtxDoneFunc  callback,
                                 gpointer     data)
{
  GtxFuture *self = future;
  GtxDoneCallback wanted = { .func = callback, .data = data };
  GtxScheduler *home;
  GtxHandleList taken;
  GtxVisit visit;
  guint n;

  if (!gtx_future_check (future, G_STRFUNC))
    return 0;
  visit = gtx_scheduler_enter_home (self->home, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return 0;

  home = gtx_scheduler_ref (self->home);
  gtx_future_fetch_callbacks (self);
  gtx_handle_list_init (&taken);
  n = take_callbacks (self, &wanted, &taken);
  /* What is freed may have had the last reference of the future. */
  free_callbacks (&taken);
  gtx_scheduler_leave (home, visit);
  gtx_scheduler_unref (home);
  return n;
}

/* ---- Cancelling ---- */

gboolean
gtx_future_cancel_here (GtxFuture *self)
{
  if (!gtx_future_done (self) && ((GtxFutureClass *) G_OBJECT_GET_CLASS (self))->cancel (self))
    return TRUE;
  /* As in asyncio: who cancels does not ask for the error. */
  gtx_future_forgive_error (self);
  return FALSE;
}

/* What is told of it may drop the last reference. */
static gboolean
cancel_on_visit (GtxFuture *self)
{
  gboolean made;

  g_object_ref (self);
  made = gtx_future_cancel_here (self);
  gtx_scheduler_leave (self->home, GTX_VISITING);
  g_object_unref (self);
  return made;
}

/* A task that is started elsewhere may have left meanwhile. */
static void
cancel_and_unref (gpointer data)
{
  gtx_cancel (data);
  g_object_unref (data);
}

/* Its main context is gone: no thread is the one to settle it.  A task that has been suspended in
 * there never ends. */
static gboolean
cancel_homeless (GtxFuture *self)
{
  if (gtx_future_is_task (self) && !gtx_task_is_unstarted (self))
    return FALSE;
  if (!claim_settling (self))
    return FALSE;
  settle (self, GTX_FUTURE_CANCELLED);
  return TRUE;
}

/**
 * gtx_cancel:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Requests that it be cancelled: asyncio's `Task.cancel()` and
 * `Future.cancel()`.
 *
 * A plain future is cancelled at once.  A task fails with
 * %G_IO_ERROR_CANCELLED at the await that it is in, or at the next one that
 * suspends; it may clean up and await meanwhile, and may even carry on.  What
 * it awaits (a task, a gathering, an operation of GIO) is cancelled for it.  A
 * task that has not begun never does.  Never suspends; may be called in any
 * thread: from another than that of its home, the request is made there later.
 *
 * Returns: %TRUE if the request was made, %FALSE if @future was done already, or is a suspended
 *   task whose main context is gone
 *
 * Since: 0.1
 */
gboolean
gtx_cancel (gpointer future)
{
  GtxFuture *self = future;
  GtxVisit visit;

  if (!gtx_future_check (future, G_STRFUNC))
    return FALSE;
  visit = gtx_scheduler_enter (self->home);
  if (visit == GTX_VISITING)
    return cancel_on_visit (self);
  if (visit == GTX_HERE || gtx_future_done (self))
    return gtx_future_cancel_here (self);
  g_atomic_int_set (&self->is_watched, TRUE);
  if (gtx_scheduler_post (self->home, cancel_and_unref, g_object_ref (self)))
    return TRUE;
  g_object_unref (self);
  return cancel_homeless (self);
}
