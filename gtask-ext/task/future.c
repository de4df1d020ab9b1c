/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/future-private.h"

#include "task/done-callback.h"
#include "task/task-private.h"
#include "task/error-private.h"
#include "task/references.h"

#include "gtask-ext/error.h"

#include <gio/gio.h>

static void async_result_init (GAsyncResultIface *iface);

G_DEFINE_TYPE_WITH_CODE (GtxFuture, gtx_future, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, async_result_init))

gboolean
gtx_future_check (gconstpointer  object,
                  const char    *function)
{
  if (G_LIKELY (object && gtx_future_is_task (object)) || GTX_IS_FUTURE (object))
    return TRUE;
  g_critical ("%s: takes a GtxFuture or GtxTask, and was given something else: %s", function,
              object ? g_type_name_from_instance ((GTypeInstance *) object) : "NULL");
  return FALSE;
}

/* ---- The outcome ---- */

static void
propagate_cancelled (GtxFuture  *self,
                     GError    **error)
{
  const GError *own = __atomic_load_n (&self->error, __ATOMIC_ACQUIRE);

  if (own && error)
    g_propagate_error (error, g_error_copy (own));
  else
    gtx_set_cancelled_error (error);
}

gboolean
gtx_future_propagate (GtxFuture  *self,
                      GError    **error)
{
  g_assert (gtx_future_done (self));

  if (gtx_future_state (self) == GTX_FUTURE_CANCELLED)
    {
      propagate_cancelled (self, error);
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

/* Marks a result that belongs to another future: the result field has that future. */
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
gtx_future_keeps_context (GtxFuture *self)
{
  GtxFuture *owner = gtx_future_done (self) ? result_owner (self) : self;

  return ((GtxFutureClass *) G_OBJECT_GET_CLASS (owner))->result_keeps_context;
}

/* Another future sees to its result itself. */
static void
free_result (GtxFuture *self)
{
  if (self->result_free == unref_owner)
    unref_owner (self->result);
  else
    gtx_future_free_at_home (self, self->result, self->result_free);
}

void
gtx_future_finish_like (GtxFuture *self,
                        GtxFuture *other)
{
  /* Another thread may be making the error of a future that was cancelled. */
  const GError *failure = __atomic_load_n (&other->error, __ATOMIC_ACQUIRE);

  if (gtx_future_state (other) == GTX_FUTURE_CANCELLED)
    gtx_future_finish_cancelled_for (self, failure ? g_error_copy (failure) : NULL);
  else if (failure == NULL)
    {
      GtxFuture *owner = g_object_ref (result_owner (other));

      if (!gtx_future_finish (self, owner, unref_owner, NULL))
        g_object_unref (owner);
    }
  else
    {
      GError *error = g_error_copy (failure);

      /* The library does not warn that the main context has ended: a caller that has dropped the
       * future need not know. */
      if (g_error_matches (error, GTX_ERROR, GTX_ERROR_CONTEXT_GONE))
        gtx_future_forgive_error (self);
      if (gtx_future_finish (self, NULL, NULL, error))
        gtx_future_forgive_error (other);
      else
        g_error_free (error);
    }
}

static void
set_taken_error (GError **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                       "The result was taken before: gtx_await_pointer() gives it to one caller; if several "
                       "tasks need it, call gtx_await_peek_pointer() in each, and take a reference or copy");
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

/* The last reference goes, and it is the home's: some code has dropped a reference that
 * was not its own.  The home gets its reference back. */
void
gtx_future_keep_after_mistake (GtxFuture *self)
{
  if (gtx_future_is_task (self))
    g_critical ("The task of %s lost its last reference before it ended, although its main context keeps one: "
                "g_object_unref() was called once too often; the task goes on",
                gtx_task_get_function ((GtxTask *) self));
  else
    g_critical ("A GtxFuture lost its last reference although its main context keeps one, because it is awaited or "
                "its callbacks are due: g_object_unref() was called once too often; the future is kept");
  g_object_ref (self);
}

static gboolean
is_kept (GtxFuture *self)
{
  return self->pins.n > 0 ||
         (!gtx_future_done (self) && gtx_future_is_task (self) && ((GtxTask *) self)->is_started);
}

/* GObject's own dispose() looks for handlers and weak references to remove.  The
 * last g_object_unref() does so anyway, so that the first search can be saved. */
static void
gtx_future_dispose (GObject *object)
{
  if (gtx_n_references (object) > 1)
    G_OBJECT_CLASS (gtx_future_parent_class)->dispose (object);
  else if (G_UNLIKELY (is_kept ((GtxFuture *) object)))
    gtx_future_keep_after_mistake ((GtxFuture *) object);
}

static void
close_pending (GtxFuture *self)
{
  gtx_future_close (self);
  if (__atomic_load_n (&self->state, __ATOMIC_RELAXED) & GTX_FUTURE_LOOKED_ON)
    gtx_onlookers_tell (&self->onlookers, self->home, NULL);
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
  if (G_UNLIKELY (!gtx_future_done (self)))
    close_pending (self);
  if (G_UNLIKELY (self->callback_table != NULL || !gtx_handle_list_is_empty (&self->callbacks)))
    gtx_future_drop_callbacks (self);
  if (self->result && !self->is_taken)
    free_result (self);
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

/* ---- Public functions ---- */

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
  g_critical ("%s: the outcome of a task is set by its coroutine; call this for a plain GtxFuture only", function);
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
 * If the future was done already, this function frees @result and returns %FALSE;
 * asyncio raises `InvalidStateError`.  Never suspends; may be called in any thread,
 * and tasks that await the future go on in their own threads.
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
 * If the future was done already, this function frees @error and returns %FALSE;
 * asyncio raises `InvalidStateError`.  If the error is not retrieved, the library
 * warns of it when the future is freed.  Never suspends; may be called in any
 * thread.
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
 * Tells whether @future has a result or an error, or was cancelled: asyncio's
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
 * Tells whether @future ended by being cancelled: asyncio's `Future.cancelled()`.
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
 * Lends the result: asyncio's `Future.result()`, which raises an exception where
 * this function returns %NULL.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the result, valid while @future lives
 *   and nobody takes it; %NULL if @future is not done, failed or was cancelled, or
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

/* Makes the error of a cancelled future when it is first asked for. */
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
 * Lends the error: asyncio's `Future.exception()`.  For a future that was cancelled
 * the error is %G_IO_ERROR_CANCELLED, where asyncio raises an exception.  The error
 * counts as retrieved.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the error, valid while @future lives;
 *   %NULL if @future is not done, or succeeded
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
