/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Done callbacks: functions that are called when a future is done. */

#include "task/done-callback.h"

#include "task/references.h"
#include "task/task-private.h"

/* A done callback that waits in the future, or in the ready list.  It is in no list
 * when its data is freed, for the function that frees the data may do anything. */
struct _GtxDoneCallback
{
  GtxHandle handle;
  GtxFuture *future;
  GtxDoneFunc func;
  gpointer data;
  GDestroyNotify data_free;
  GPtrArray *locals;            /* the task-local values of the code that added it; NULL: none */
  gboolean has_locals;          /* func is called with these values, and not with the thread's */
  GtxDoneCallback *next_alike;  /* the next with this function and data; a ring, if there is a table */
};

static void
done_callback_free (GtxDoneCallback *self)
{
  if (self->data_free)
    self->data_free (self->data);
  if (self->locals)
    g_ptr_array_unref (self->locals);
  g_free (self);
}

static void
call_with_locals (GtxDoneCallback *self)
{
  GPtrArray *of_thread = gtx_task_locals_exchange_of_thread (g_steal_pointer (&self->locals));

  self->func (self->future, self->data);
  gtx_task_locals_end_of_callback (of_thread);
}

static void
done_callback_run (GtxHandle *handle)
{
  GtxDoneCallback *callback = (GtxDoneCallback *) handle;
  GtxFuture *future = callback->future;

  if (G_UNLIKELY (callback->has_locals && gtx_task_locals_are_used ()))
    call_with_locals (callback);
  else
    callback->func (future, callback->data);
  done_callback_free (callback);
  /* Callbacks that are called when the main context goes are the last code that runs in it. */
  if (gtx_scheduler_is_running (future->home))
    gtx_scheduler_let_go_of_pushed ();
  gtx_pins_drop (&future->pins, future);
}

/* ---- When a future ends ---- */

G_GNUC_NO_INLINE void
gtx_done_callbacks_pin (GtxFuture *self)
{
  for (GtxHandle *handle = self->callbacks.ring.next; handle != &self->callbacks.ring; handle = handle->next)
    if (handle->run == done_callback_run)
      gtx_pins_add (&self->pins, self);
  g_clear_pointer (&self->callback_table, g_hash_table_unref);
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

/* Removes callbacks that will never be called. */
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

/* ---- Adding ---- */

/* A search for a callback passes all others.  A search that has passed more than this
 * many makes a table, so that the next one need not. */
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

/* Of callbacks with the same function and data, the table has the last. */
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

  /* If another thread has settled the future, earlier callbacks may still have to be queued first. */
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

/* A callback on its way to a future that must not stay with the message, see GtxFutureClass. */
typedef struct
{
  GWeakRef future;
  GtxDoneCallback *callback;
} Late;

static void
late_free (Late *self)
{
  if (self->callback)
    done_callback_free (self->callback);
  g_weak_ref_clear (&self->future);
  g_free (self);
}

static void
add_if_alive (gpointer data)
{
  Late *late = data;
  g_autoptr (GtxFuture) future = g_weak_ref_get (&late->future);

  if (future)
    {
      g_atomic_int_add (&future->n_on_the_way, -1);
      add_done_callback (g_steal_pointer (&late->callback));
    }
  late_free (late);
}

static void
post_to_lost_thread (GtxFuture       *self,
                     GtxDoneCallback *callback)
{
  Late *late = g_new0 (Late, 1);

  g_weak_ref_init (&late->future, self);
  late->callback = callback;
  g_atomic_int_inc (&self->n_on_the_way);
  if (gtx_scheduler_post (self->home, add_if_alive, late))
    return;
  g_atomic_int_add (&self->n_on_the_way, -1);
  late_free (late);
}

static void
post_done_callback (GtxFuture       *self,
                    GtxDoneCallback *callback)
{
  if (gtx_future_keeps_context (self) && gtx_scheduler_has_lost_thread (self->home))
    {
      post_to_lost_thread (self, callback);
      return;
    }
  g_object_ref (self);
  g_atomic_int_inc (&self->n_on_the_way);
  if (gtx_scheduler_post (self->home, add_done_callback_and_unref, callback))
    return;
  g_atomic_int_add (&self->n_on_the_way, -1);
  done_callback_free (callback);
  g_object_unref (self);
}

static void
call_back (GtxFuture        *self,
           GtxDoneCallback   wanted,
           GtxDoneCallback **callback)
{
  GtxDoneCallback *added = g_new (GtxDoneCallback, 1);
  GtxVisit visit;

  *added = wanted;
  added->handle.run = done_callback_run;
  added->future = self;
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

void
gtx_future_call_back (GtxFuture        *self,
                      GtxDoneFunc       func,
                      gpointer          data,
                      GDestroyNotify    data_free,
                      GtxDoneCallback **callback)
{
  call_back (self, (GtxDoneCallback) { .func = func, .data = data, .data_free = data_free }, callback);
}

void
gtx_future_call_back_with_locals (GtxFuture        *self,
                                  GtxDoneFunc       func,
                                  gpointer          data,
                                  GDestroyNotify    data_free,
                                  GtxDoneCallback **callback)
{
  call_back (self,
             (GtxDoneCallback) {
               .func = func, .data = data, .data_free = data_free,
               .locals = gtx_task_locals_inherit (), .has_locals = TRUE
             },
             callback);
}

gboolean
gtx_future_may_call_back (gpointer    future,
                          const char *function)
{
  if (!gtx_future_check (future, function))
    return FALSE;
  if (G_LIKELY (gtx_n_references (future) > 0))
    return TRUE;
  g_critical ("%s: the future is being freed, so the callback will not be called; "
              "do not add a callback in a function that frees another callback's data", function);
  return FALSE;
}

/**
 * gtx_future_add_done_callback:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @callback: called once @future is done
 * @data: (nullable): for @callback
 * @data_free: (nullable): frees @data after the call, or when @callback will not be called
 *
 * Has @callback called in a round after @future is done, or in the next round if
 * @future is done already: asyncio's `Future.add_done_callback()`.
 *
 * Callbacks and awaiting tasks run in the order in which they came.  As in asyncio, @callback
 * has a copy of the task-local values (see #GtxTaskLocal) of the code that adds it.  Never
 * suspends; may be called in any thread, and @callback runs in the home of
 * @future, where @data is freed, too, as long as the main context exists.
 *
 * Since: 0.1
 */
void
gtx_future_add_done_callback (gpointer        future,
                              GtxDoneFunc     callback,
                              gpointer        data,
                              GDestroyNotify  data_free)
{
  g_return_if_fail (callback != NULL);

  if (gtx_future_may_call_back (future, G_STRFUNC))
    gtx_future_call_back_with_locals (future, callback, data, data_free, NULL);
  else if (data_free)
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

/* Takes none of a future that is done, for those are called. */
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
 * @callback: the function that was passed to gtx_future_add_done_callback()
 * @data: (nullable): the data that was passed with it
 *
 * Removes every @callback with @data, if @future is not done: asyncio's
 * `Future.remove_done_callback()`.
 *
 * All of them are removed before their data is freed, so that the function that
 * frees the data may do anything with @future.  A callback is found among many as
 * fast as among few.  Never suspends; to be called in the thread of the home of
 * @future.
 *
 * Returns: how many callbacks were removed
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
  /* The data that is freed may have had the last reference of the future. */
  free_callbacks (&taken);
  gtx_scheduler_leave (home, visit);
  gtx_scheduler_unref (home);
  return n;
}
