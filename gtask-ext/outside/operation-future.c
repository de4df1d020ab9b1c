/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operation of GIO as a future: no task waits for it, so it needs no stack. */

#include "gtask-ext/operation.h"

#include "outside/operation-private.h"

#include "gtask-ext/error.h"

/* Invariant: while the operation is under way, its callback holds a reference to the future,
 * virtual time is held in the home, and at_end is linked. */
typedef struct
{
  GtxFuture parent_instance;
  GCancellable *cancellable;
  GtxHandle at_end;             /* runs when the main context goes */
  GtxToken *token;              /* of the operation's callback, once it has begun */
  gboolean is_under_way;
  gboolean cancelling;          /* under way, and asked to end */
} GtxOperationFuture;

typedef GtxFutureClass GtxOperationFutureClass;

static GType gtx_operation_future_get_type (void);

G_DEFINE_TYPE (GtxOperationFuture, gtx_operation_future, GTX_TYPE_FUTURE)

/* A callback that comes later finds the future done. */
static void
context_ends (GtxHandle *handle)
{
  GtxOperationFuture *self = GTX_CONTAINER_OF (handle, GtxOperationFuture, at_end);

  if (self->cancelling)
    {
      gtx_future_finish_cancelled (&self->parent_instance);
      return;
    }
  gtx_future_fail_quietly (&self->parent_instance,
                           g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                                                "The operation's main context went away before the operation "
                                                "ended"));
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

/* The operation is never abandoned: the future ends when the operation has ended. */
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

/* The default main context is never freed, and may be GTK's, whose objects are freed at home. */
static gboolean
is_dropped_at_home (GtxFuture *self)
{
  return gtx_scheduler_get_context (self->home) == g_main_context_default () &&
         !gtx_scheduler_is_abandoned (self->home);
}

/* A GTask keeps its main context.  If no thread runs that any more, a message to it would keep both
 * for ever, and the thread that runs it now may be about to end.  So the result is dropped here.  A
 * result that the program has set need not be an object. */
static void
drop_result_elsewhere (GtxFuture *self)
{
  GtxVisit visit;

  if (self->result == NULL || self->result_free != g_object_unref || self->is_taken)
    return;
  visit = gtx_scheduler_enter (self->home);
  gtx_scheduler_leave (self->home, visit);
  if (visit == GTX_ELSEWHERE && !is_dropped_at_home (self))
    g_clear_object ((GObject **) &self->result);
}

static void
gtx_operation_future_finalize (GObject *object)
{
  GtxOperationFuture *self = (GtxOperationFuture *) object;

  g_clear_pointer (&self->token, gtx_token_free);
  g_object_unref (self->cancellable);
  drop_result_elsewhere (&self->parent_instance);
  G_OBJECT_CLASS (gtx_operation_future_parent_class)->finalize (object);
}

static void
gtx_operation_future_class_init (GtxOperationFutureClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_operation_future_finalize;
  class->cancel = gtx_operation_future_cancel;
  class->result_keeps_context = TRUE;
}

static void
gtx_operation_future_init (GtxOperationFuture *self)
{
  self->cancellable = g_cancellable_new ();
  self->at_end.run = context_ends;
}

/* ---- The end of the operation ---- */

typedef struct
{
  GtxOperationFuture *future;
  GAsyncResult *result;
} Arrival;

static void
arrival_free (Arrival *arrival)
{
  g_clear_object (&arrival->result);
  g_object_unref (arrival->future);
  g_free (arrival);
}

static void
arrive (gpointer data)
{
  Arrival *arrival = data;
  GtxOperationFuture *self = arrival->future;

  /* If it was started in another thread, by mistake, it is not under way here. */
  if (self->is_under_way)
    gtx_scheduler_release (self->parent_instance.home);
  self->is_under_way = FALSE;
  if (gtx_handle_is_linked (&self->at_end))
    gtx_handle_unlink (&self->at_end);
  /* The future gets this reference: once it is done, another thread may take the result and drop it. */
  if (self->cancelling)
    gtx_future_finish_cancelled (&self->parent_instance);
  else if (gtx_future_finish (&self->parent_instance, arrival->result, g_object_unref, NULL))
    arrival->result = NULL;
  arrival_free (arrival);
}

/**
 * gtx_operation_future_ready:
 * @source: (nullable): ignored
 * @result: the operation's result
 * @operation: what gtx_operation_future_get_data() returned
 *
 * The callback that %GTX_ASYNC_FUTURE passes: a #GAsyncReadyCallback.  A second call is a
 * mistake of the operation, and a g_critical() says so.  May be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_operation_future_ready (GObject      *source,
                            GAsyncResult *result,
                            gpointer      operation)
{
  GtxOperationFuture *self = gtx_token_claim (operation);
  GtxScheduler *home;
  Arrival *arrival;
  GtxVisit visit;

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

/* ---- The beginning of the operation ---- */

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
 * The future ends when the operation has called back, and its result is the #GAsyncResult
 * for the operation's `_finish` function, which reports the operation's errors.  If its
 * main context goes away first, the future fails with %GTX_ERROR_CONTEXT_GONE.
 * Cancelling the future cancels the operation; the future ends as cancelled when the
 * operation has ended.
 *
 * The result keeps the main context, as any #GTask does: a caller that keeps the future
 * after its main loop has ended keeps the context, too.  If the last reference is dropped
 * outside the thread of the context, the result is freed in the thread that drops it, unless
 * it belongs to the default context.  A done callback that is added when the thread of the
 * context has ended keeps neither, and is called only if another thread runs the context
 * while a caller keeps the future.
 *
 * Several operations can be under way at once without a task for each: gather or wait for
 * their futures.  Never suspends; to be called in the thread that runs the thread-default
 * main context, or, if no thread has run it yet, in the one that is about to: in any
 * other thread it returns %NULL, and a g_critical() says so.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_operation_future_new (void)
{
  if (gtx_scheduler_is_foreign (gtx_scheduler_get (), G_STRFUNC))
    return NULL;
  return g_object_new (gtx_operation_future_get_type (), NULL);
}

/* One of the two calls in GTX_ASYNC_FUTURE () that was evaluated, and waits for the other one: a
 * compiler may evaluate either first.  Between the two, another pair may be evaluated, and other
 * tasks may run. */
typedef struct _Half Half;
struct _Half
{
  Half *below;
  GtxTask *task;                /* the task that evaluates the call; NULL: outside of all tasks */
  gboolean has_future;          /* gtx_operation_future_begin () was first; FALSE: the other call */
  GtxToken *token;
};

static __thread Half *halves;

static void
push_half (gboolean  has_future,
           GtxToken *token)
{
  Half *half = g_new (Half, 1);

  *half = (Half) { halves, gtx_task_current (), has_future, token };
  halves = half;
}

/* Takes off the last half of the current task; FALSE if there is none, or it is of the other
 * kind.  *@token is the token of the half. */
static gboolean
pop_half (gboolean   has_future,
          GtxToken **token)
{
  GtxTask *task = gtx_task_current ();
  Half **link = &halves;
  Half *half;

  while (*link && (*link)->task != task)
    link = &(*link)->below;
  half = *link;
  if (half == NULL || half->has_future != has_future)
    return FALSE;
  *link = half->below;
  *token = half->token;
  g_free (half);
  return TRUE;
}

/* Returns a new reference to @future.  If an operation cannot be started with @future, a future
 * that nobody else holds takes its place: the operation will be started in any case. */
static GtxOperationFuture *
beginnable (GtxFuture *future)
{
  GtxOperationFuture *self = (GtxOperationFuture *) future;

  if (!G_TYPE_CHECK_INSTANCE_TYPE (future, gtx_operation_future_get_type ()))
    g_critical ("GTX_ASYNC_FUTURE takes a future that gtx_operation_future_new() made, and no other");
  else if (self->token)
    g_critical ("GTX_ASYNC_FUTURE: an operation was started with this future before, and the future ends "
                "with that operation; make a future for each");
  else
    return g_object_ref (self);
  return g_object_new (gtx_operation_future_get_type (), NULL);
}

/**
 * gtx_operation_future_begin:
 * @future: what gtx_operation_future_new() made, in its own thread
 *
 * Notes that the operation of @future is about to be started: a function behind
 * %GTX_ASYNC_FUTURE.  Starting a second operation with @future is a programmer's mistake,
 * and the end of that operation is ignored.  Never suspends.
 *
 * Returns: (transfer none): the #GCancellable for the operation
 *
 * Since: 0.1
 */
GCancellable *
gtx_operation_future_begin (GtxFuture *future)
{
  GtxOperationFuture *self = beginnable (future);
  GtxScheduler *home = self->parent_instance.home;
  GtxVisit visit;

  if (!pop_half (FALSE, &self->token))
    push_half (TRUE, self->token = gtx_token_new (NULL));
  gtx_token_set_owner (self->token, self);

  /* The future is done already: the operation finds its GCancellable cancelled. */
  if (gtx_future_done (&self->parent_instance))
    g_cancellable_cancel (self->cancellable);
  visit = gtx_scheduler_enter_home (home, G_STRFUNC);
  if (visit)
    begin_at_home (self);
  else
    gtx_future_set_error (&self->parent_instance,
                          g_error_new_literal (GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                                               "The operation was started in another thread; start it in the "
                                               "future's thread"));
  gtx_scheduler_leave (home, visit);
  return self->cancellable;
}

/**
 * gtx_operation_future_get_data:
 *
 * Gives the callback data for the operation whose future the same %GTX_ASYNC_FUTURE
 * begins: a function behind %GTX_ASYNC_FUTURE.  Never suspends.
 *
 * Returns: (transfer none): the data for gtx_operation_future_ready()
 *
 * Since: 0.1
 */
gpointer
gtx_operation_future_get_data (void)
{
  GtxToken *token;

  if (!pop_half (TRUE, &token))
    push_half (FALSE, token = gtx_token_new (NULL));
  return gtx_token_arm (token, NULL, 0);
}
