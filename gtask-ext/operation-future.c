/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operation of GIO as a future: no task waits for it, so it needs no stack. */

#include "config.h"

#include "gtask-ext/operation.h"

#include "task-private.h"
#include "token.h"

#include "gtask-ext/error.h"

/* Invariant: while it is under way its callback has a reference, its home is
 * held, for virtual time, and its at_end is linked. */
typedef struct
{
  GtxFuture parent_instance;
  GCancellable *cancellable;
  GtxHandle at_end;             /* of its main context */
  GtxToken *token;              /* of its callback, once it has begun */
  gboolean is_under_way;
  gboolean cancelling;          /* under way, and asked to end */
} GtxOperationFuture;

typedef GtxFutureClass GtxOperationFutureClass;

static GType gtx_operation_future_get_type (void);

G_DEFINE_TYPE (GtxOperationFuture, gtx_operation_future, GTX_TYPE_FUTURE)

/* What calls back later finds it done. */
static void
context_ends (GtxHandle *handle)
{
  GtxOperationFuture *self = GTX_CONTAINER_OF (handle, GtxOperationFuture, at_end);
  GError *error = g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                                       "The operation's main context is gone before it has ended");

  if (!gtx_future_finish (&self->parent_instance, NULL, NULL, error))
    g_error_free (error);
}

static void
add_future (GtxHandle *handle,
            gpointer   futures)
{
  GtxOperationFuture *self = GTX_CONTAINER_OF (handle, GtxOperationFuture, at_end);

  if (!gtx_future_done (&self->parent_instance))
    g_ptr_array_add (futures, g_object_ref (self));
}

void
gtx_operation_futures_list (GtxScheduler *scheduler,
                            GPtrArray    *futures)
{
  gtx_scheduler_foreach_at_end (scheduler, context_ends, add_future, futures);
}

/* It is never abandoned: it ends when the operation has. */
static gboolean
gtx_operation_future_cancel (GtxFuture *future)
{
  GtxOperationFuture *self = (GtxOperationFuture *) future;

  if (gtx_future_done (future))
    return FALSE;
  if (!self->is_under_way)
    return gtx_future_finish_cancelled (future);
  self->cancelling = TRUE;
  gtx_request_show (self->cancellable);
  return TRUE;
}

static void
gtx_operation_future_finalize (GObject *object)
{
  GtxOperationFuture *self = (GtxOperationFuture *) object;

  g_clear_pointer (&self->token, gtx_token_free);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (gtx_operation_future_parent_class)->finalize (object);
}

static void
gtx_operation_future_class_init (GtxOperationFutureClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_operation_future_finalize;
  class->cancel = gtx_operation_future_cancel;
}

static void
gtx_operation_future_init (GtxOperationFuture *self)
{
  self->cancellable = g_cancellable_new ();
  self->at_end.run = context_ends;
}

static gboolean
is_operation_future (gpointer    future,
                     const char *function)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (future, gtx_operation_future_get_type ()))
    return TRUE;
  g_critical ("%s: GTX_ASYNC_FUTURE wants what gtx_operation_future_new() made", function);
  return FALSE;
}

/* ---- Its end ---- */

typedef struct
{
  GtxOperationFuture *future;
  GAsyncResult *result;
} Arrival;

static void
arrival_free (Arrival *arrival)
{
  g_object_unref (arrival->result);
  g_object_unref (arrival->future);
  g_free (arrival);
}

static void
arrive (gpointer data)
{
  Arrival *arrival = data;
  GtxOperationFuture *self = arrival->future;

  /* By mistake it may have begun in another thread. */
  if (self->is_under_way)
    gtx_scheduler_release (self->parent_instance.home);
  self->is_under_way = FALSE;
  if (gtx_handle_is_linked (&self->at_end))
    gtx_handle_unlink (&self->at_end);
  if (self->cancelling)
    gtx_future_finish_cancelled (&self->parent_instance);
  else if (gtx_future_finish (&self->parent_instance, arrival->result, g_object_unref, NULL))
    g_object_ref (arrival->result);
  arrival_free (arrival);
}

/**
 * gtx_operation_future_ready:
 * @source: (nullable): ignored
 * @result: the operation's result
 * @operation: what gtx_operation_future_begin() returned
 *
 * The callback that %GTX_ASYNC_FUTURE passes: a #GAsyncReadyCallback.  A second
 * call is a mistake of the operation's that is warned of.  May be called in any
 * thread.
 *
 * Since: 0.1
 */
void
gtx_operation_future_ready (GObject      *source,
                            GAsyncResult *result,
                            gpointer      operation)
{
  GtxOperationFuture *self = operation ? gtx_token_claim (operation) : NULL;
  GtxScheduler *home;
  Arrival *arrival;
  GtxVisit visit;

  (void) source;
  if (self == NULL)
    return;
  home = self->parent_instance.home;
  arrival = g_new (Arrival, 1);
  arrival->future = self;
  arrival->result = g_object_ref (result);
  visit = gtx_scheduler_enter (home);
  if (visit)
    arrive (arrival);
  else if (!gtx_scheduler_post (home, arrive, arrival))
    arrival_free (arrival);
  gtx_scheduler_leave (home, visit);
}

/* ---- Its beginning ---- */

static void
begin_at_home (GtxOperationFuture *self)
{
  GtxScheduler *home = self->parent_instance.home;

  self->is_under_way = TRUE;
  gtx_scheduler_call_at_end (home, &self->at_end);
  gtx_scheduler_hold (home);
}

/**
 * gtx_operation_future_new:
 *
 * Makes a future for an operation of GIO that is started with
 * %GTX_ASYNC_FUTURE.
 *
 * It ends when the operation has called back, and its result is the
 * #GAsyncResult for the operation's `_finish` function, which reports the
 * operation's errors.  Where its main context goes first it fails with
 * %GTX_ERROR_CONTEXT_GONE.  Cancelling it cancels the operation; it ends as
 * cancelled when the operation has ended.
 *
 * Several operations are under way at once like so without a task for each:
 * gather or wait for their futures.  Never suspends; to be called in the thread
 * that runs the thread-default main context.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_operation_future_new (void)
{
  GtxScheduler *home = gtx_scheduler_get ();
  GtxVisit visit = gtx_scheduler_enter_home (home, G_STRFUNC);

  if (visit == GTX_ELSEWHERE)
    return NULL;
  gtx_scheduler_leave (home, visit);
  return g_object_new (gtx_operation_future_get_type (), NULL);
}

/**
 * gtx_operation_future_get_cancellable:
 * @future: what gtx_operation_future_new() made
 *
 * Lends the #GCancellable for the operation of @future: a function behind
 * %GTX_ASYNC_FUTURE.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): the #GCancellable
 *
 * Since: 0.1
 */
GCancellable *
gtx_operation_future_get_cancellable (GtxFuture *future)
{
  if (!is_operation_future (future, G_STRFUNC))
    return NULL;
  return ((GtxOperationFuture *) future)->cancellable;
}

/**
 * gtx_operation_future_begin:
 * @future: what gtx_operation_future_new() made, in its own thread
 *
 * Notes that the operation of @future is about to be started: a function
 * behind %GTX_ASYNC_FUTURE.  To start a second one is a programmer's mistake,
 * and its end is nobody's.  Never suspends.
 *
 * Returns: (transfer none): the data for gtx_operation_future_ready()
 *
 * Since: 0.1
 */
gpointer
gtx_operation_future_begin (GtxFuture *future)
{
  GtxOperationFuture *self = (GtxOperationFuture *) future;
  GtxVisit visit;

  if (!is_operation_future (future, G_STRFUNC))
    return NULL;
  if (self->token)
    {
      g_critical ("%s: an operation was started with this future before, and its end is the future's; "
                  "make a future for each", G_STRFUNC);
      return NULL;
    }

  /* The operation finds its GCancellable cancelled. */
  if (gtx_future_done (future))
    g_cancellable_cancel (self->cancellable);
  self->token = gtx_token_new (g_object_ref (self));
  visit = gtx_scheduler_enter_home (future->home, G_STRFUNC);
  if (visit)
    begin_at_home (self);
  else
    gtx_future_set_error (future, g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                                                       "The operation was started in another thread"));
  gtx_scheduler_leave (future->home, visit);
  return gtx_token_arm (self->token, NULL, 0);
}
