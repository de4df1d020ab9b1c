/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of GIO that tasks start: a task never abandons an operation that is under way. */

#include "gtask-ext/operation.h"

#include "task/caller.h"
#include "outside/operation-private.h"
#include "outside/told.h"
#include "loop/pushed.h"
#include "task/references.h"

#include "gtask-ext/error.h"

/* ---- Operations of one task ---- */

/* An operation that is started holds a reference to its GCancellable, as a rule; an operation
 * whose function has refused its arguments, or was not called yet, holds none.  If another
 * argument holds a reference, the operation is taken for started: the wait may never end then,
 * but the opposite mistake would free what is in use. */
static gboolean
is_seen_to_be_started (const GtxOperation *self)
{
  return self->task->cancellable &&
         gtx_n_references (self->task->cancellable) > self->n_references;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxOperation *self = GTX_CONTAINER_OF (waiter, GtxOperation, waiter);
  g_autofree char *caller = gtx_caller_describe ("started at", "of", self->file, self->line);

  g_string_append_printf (text, "the operation %s%s", caller,
                          is_seen_to_be_started (self) ? "" : ", which has taken no GCancellable");
}

/* The operation ends by itself, or because its GCancellable is cancelled. */
static const GtxWaiterKind waiter_kind = { "operation", gtx_waiter_leave_standing, describe, NULL, NULL };

static void leave (GtxTask *task, const char *what);
static void end_all (GtxTask *task);
static gboolean has_lent (const GtxTask *task);

static const GtxOperationKind operation_kind = { leave, end_all, has_lent, gtx_operation_free };

GtxOperation *
gtx_operation_new (GtxTask *task)
{
  GtxOperation *self = g_new0 (GtxOperation, 1);

  gtx_told_watch ();
  self->kind = &operation_kind;
  self->task = task;
  self->token = gtx_token_new (self);
  return self;
}

static void
forget_result (GtxOperation *self)
{
  self->state = GTX_OPERATION_NONE;
  g_clear_object (&self->result);
}

void
gtx_operation_free (GtxOperation *self)
{
  g_assert (self->state != GTX_OPERATION_BEGUN && self->outer == NULL);
  forget_result (self);
  g_clear_object (&self->lent);
  gtx_token_free (self->token);
  g_free (self);
}

static gboolean
is_over (const GtxOperation *self)
{
  return self->state == GTX_OPERATION_NONE || self->state == GTX_OPERATION_HANDED_OUT;
}

/* Drops operations that are over.  Returns the innermost of @task that is not over, or the last
 * one; NULL if there never was any. */
static GtxOperation *
drop_finished (GtxTask *task)
{
  GtxOperation *self = task->operation;

  while (self && is_over (self))
    {
      forget_result (self);
      if (self->outer == NULL)
        break;
      task->operation = g_steal_pointer (&self->outer);
      gtx_operation_free (self);
      self = task->operation;
    }
  return self;
}

/* ---- The callback of an operation ---- */

/* Called in the home of the task. */
static void
arrive (GtxOperation *self,
        GAsyncResult *result)
{
  self->result = g_object_ref (result);
  self->state = GTX_OPERATION_ARRIVED;
  if (self->task->waiter != &self->waiter)
    return;
  /* The code that cancels a GCancellable goes on before the task. */
  if (gtx_told_in_this_turn ())
    gtx_waiter_wake (&self->waiter);
  else
    gtx_waiter_wake_now (&self->waiter);
}

typedef struct
{
  GtxOperation *operation;
  GAsyncResult *result;
} Arrival;

static void
arrive_later (gpointer data)
{
  Arrival *arrival = data;

  arrive (arrival->operation, arrival->result);
  g_object_unref (arrival->result);
  g_free (arrival);
}

/* A callback belongs to the context in which the operation was started, but
 * not every library keeps to that. */
static void
hand_over (GtxOperation *self,
           GAsyncResult *result)
{
  Arrival *arrival = g_new (Arrival, 1);

  arrival->operation = self;
  arrival->result = g_object_ref (result);
  if (gtx_scheduler_post (self->task->parent_instance.home, arrive_later, arrival))
    return;
  g_object_unref (arrival->result);
  g_free (arrival);
}

/**
 * gtx_operation_ready:
 * @source: (nullable): ignored
 * @result: the operation's result
 * @operation: what gtx_operation_begin() returned
 *
 * The callback that %GTX_CALLBACK passes: a #GAsyncReadyCallback.
 *
 * The callback resumes the waiting task, if possible before it returns, but not while
 * the handlers of a cancelled #GCancellable run.  A second call is a mistake of the
 * operation, and a g_critical() says so.  May be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_operation_ready (GObject      *source,
                     GAsyncResult *result,
                     gpointer      operation)
{
  GtxOperation *self = gtx_token_claim (operation);

  if (self == NULL)
    return;
  if (self->task == NULL)
    gtx_operation_arrive_outside (self, result);
  else if (gtx_scheduler_is_local (self->task->parent_instance.home))
    arrive (self, result);
  else
    hand_over (self, result);
}

/* ---- Waiting for an operation ---- */

/* Pushes the main contexts of the task again.  They were popped before the operation was started,
 * since an operation calls back in the thread-default context, which is the task's own meanwhile. */
static inline void
put_back_pushed (GtxOperation *self)
{
  if (G_UNLIKELY (self->pushed != NULL))
    gtx_pushed_put_back (g_steal_pointer (&self->pushed));
}

static void
wait_in_task (GtxOperation *self)
{
  GtxScheduler *home = self->task->parent_instance.home;

  if (self->state != GTX_OPERATION_BEGUN)
    {
      gtx_task_take_up_request (self->task);
      return;
    }
  gtx_waiter_init (&self->waiter, self->task, &waiter_kind);
  gtx_scheduler_hold (home);
  gtx_waiter_wait_out (&self->waiter);
  gtx_scheduler_release (home);
  g_assert (self->state == GTX_OPERATION_ARRIVED);
}

/* Makes @result ignore its GCancellable from now on: FALSE if that was cancelled meanwhile.  A
 * GTask may look at its GCancellable as late as in its _finish (): if another thread cancelled
 * until then, _finish () would report it, and the next await would deliver the request, too. */
static gboolean
fix_outcome (GTask *result)
{
  if (g_task_get_return_on_cancel (result) && !g_task_set_return_on_cancel (result, FALSE))
    return FALSE;
  g_task_set_check_cancellable (result, FALSE);
  return TRUE;
}

/* Whether the _finish () of @result will report a cancellation, for sure.  A GTask does not tell
 * which error it has; but if it has one, and its GCancellable was cancelled, it is made to report
 * the cancellation. */
static gboolean
reports_cancellation (GTask *result)
{
  if (!g_task_had_error (result) || !g_cancellable_is_cancelled (g_task_get_cancellable (result)))
    return FALSE;
  g_task_set_check_cancellable (result, TRUE);
  return TRUE;
}

/* Returns @result if it is a GTask that was given the GCancellable of the task, else NULL: any
 * other result does not show whether it reports a request to the task. */
static GTask *
as_asked (GtxTask      *task,
          GAsyncResult *result)
{
  if (task->cancellable == NULL || !G_IS_TASK (result) ||
      g_task_get_cancellable ((GTask *) result) != (GCancellable *) task->cancellable)
    return NULL;
  return (GTask *) result;
}

/* An outcome that is a cancellation delivers the request; after any other outcome the request
 * stands.  If the outcome cannot be seen, the request stands, too: delivered twice is better than
 * lost. */
static void
deliver_request (GtxTask      *task,
                 GAsyncResult *result)
{
  GTask *asked = as_asked (task, result);

  if (!task->must_cancel && asked && !fix_outcome (asked))
    gtx_task_take_up_request (task);
  if (!task->must_cancel || (asked && reports_cancellation (asked)))
    gtx_task_settle_request (task);
  else
    task->outlived = TRUE;
}

/* ---- Operations that are not awaited ---- */

static void
complain (const GtxOperation *self,
          const char         *what)
{
  g_autofree char *caller = gtx_caller_describe ("started at", "of", self->file, self->line);

  g_critical ("%s %s before the operation %s was awaited; it is cancelled%s: "
              "call gtx_await_result() right after the call with GTX_ASYNC%s",
              gtx_task_get_name (self->task), what, caller,
              self->state == GTX_OPERATION_BEGUN ? ", and waited for" : "",
              is_seen_to_be_started (self) ? ", and where an argument awaits, do not reference the task's "
                                             "GCancellable before" : "");
}

static void
end_unawaited (GtxOperation *self,
               const char   *what)
{
  GtxTask *task = self->task;

  complain (self, what);
  if (self->state == GTX_OPERATION_BEGUN)
    {
      /* GTX_ASYNC may have lent the same GCancellable to the next operation already. */
      GCancellable *cancellable = gtx_task_get_cancellable (task);

      g_set_object (&self->lent, cancellable);
      if (gtx_task_cancellable_is_to_show ((GtxTaskCancellable *) cancellable))
        gtx_request_show (cancellable);
      wait_in_task (self);
      if (!task->must_cancel)
        gtx_task_settle_request (task);
    }
  put_back_pushed (self);
  forget_result (self);
}

/* Where a function takes GTX_ASYNC, a compiler may begin the operation before it evaluates the
 * other arguments, which may await anything.  So an operation that is not seen to be started is
 * set aside, for gtx_await_result () to come back to. */
static void
leave (GtxTask    *task,
       const char *what)
{
  GtxOperation *self;

  while ((self = drop_finished (task)) && self->state != GTX_OPERATION_NONE)
    {
      if (self->state == GTX_OPERATION_BEGUN && !self->is_set_aside)
        self->is_set_aside = !is_seen_to_be_started (self);
      if (self->is_set_aside && self->state == GTX_OPERATION_BEGUN)
        return;
      end_unawaited (self, what);
    }
}

static gboolean
has_lent (const GtxTask *task)
{
  for (const GtxOperation *operation = task->operation; operation; operation = operation->outer)
    if (operation->state == GTX_OPERATION_BEGUN && operation->is_set_aside)
      return TRUE;
  return FALSE;
}

static void
end_all (GtxTask *task)
{
  GtxOperation *self;

  while ((self = drop_finished (task)) && self->state != GTX_OPERATION_NONE)
    end_unawaited (self, "ends");
}

/* ---- The public side ---- */

/**
 * gtx_operation_get_cancellable:
 *
 * Lends the #GCancellable for an operation of the current task: the function behind
 * %GTX_CANCELLABLE.  Outside a task this function lends a cancelled #GCancellable.
 * Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): the #GCancellable
 *
 * Since: 0.1
 */
GCancellable *
gtx_operation_get_cancellable (void)
{
  GtxTask *task = gtx_task_current ();

  if (task == NULL)
    return gtx_operation_cancelled_cancellable ();
  return task->cancellable ? (GCancellable *) task->cancellable : gtx_task_get_cancellable (task);
}

/**
 * gtx_operation_begin:
 * @file: the source file of the caller
 * @line: the line in @file; 0 in the library itself, where @file is the calling function's name
 *
 * Notes that an operation is about to be started: the function behind
 * %GTX_CALLBACK.
 *
 * This function suspends only if the current task has started another operation before and not
 * awaited it, which is a mistake.  May be called in any thread.
 *
 * Returns: (transfer none): the data for gtx_operation_ready(), valid for one call
 *
 * Since: 0.1
 */
gpointer
gtx_operation_begin (const char *file,
                     int         line)
{
  GtxTask *task = gtx_task_current ();
  GtxOperation *self;

  if (task == NULL)
    return gtx_operation_begin_outside (file, line);

  if (task->operation)
    leave (task, "starts another operation");
  self = task->operation;
  if (self == NULL || self->state != GTX_OPERATION_NONE)
    {
      self = gtx_operation_new (task);
      self->outer = task->operation;
      task->operation = self;
    }

  self->file = file;
  self->line = line;
  self->state = GTX_OPERATION_BEGUN;
  self->is_set_aside = FALSE;
  self->pushed = gtx_scheduler_take_off_pushed ();
  self->n_references = task->cancellable ? gtx_n_references (task->cancellable) : 1;
  return gtx_token_arm (self->token, file, line);
}

static GAsyncResult *
nothing_to_await (GtxTask *task)
{
  GTask *result = g_task_new (NULL, NULL, NULL, NULL);

  g_critical ("gtx_await_result: nothing to await; call it once, right after the call with GTX_ASYNC");
  if (task)
    g_task_return_new_error (result, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
                             "No operation was started; start one with GTX_ASYNC");
  else
    g_task_return_new_error (result, GTX_ERROR, GTX_ERROR_NOT_IN_TASK,
                             "No operation was started, and only a task can wait for one; use GTX_ASYNC in a task");
  if (task == NULL)
    return gtx_operation_lend_outside (G_ASYNC_RESULT (result));
  if (task->operation == NULL)
    task->operation = gtx_operation_new (task);
  task->operation->result = G_ASYNC_RESULT (result);
  task->operation->state = GTX_OPERATION_HANDED_OUT;
  return task->operation->result;
}

/**
 * gtx_await_result:
 *
 * Suspends the current task until the operation that it started with
 * %GTX_ASYNC has called back.
 *
 * The result is for the operation's `_finish` function, which reports errors,
 * %G_IO_ERROR_CANCELLED among them when the task was cancelled: that error delivers the
 * request.  An operation that succeeds, or fails with another error, although the task
 * was cancelled keeps its result, and the request is delivered by the next await that
 * suspends.  If a #GTask that was given the task's #GCancellable has failed, and that
 * #GCancellable was cancelled, its `_finish` function reports the cancellation in place
 * of its own error.  The library cannot see the error of a result that is not a #GTask,
 * or of a #GTask that was given none or another #GCancellable: if `_finish` then
 * reports a cancellation, the next await delivers the request again.
 *
 * Outside a task this function iterates the main context instead, or waits for the
 * thread that does; the operation was given a cancelled #GCancellable then.  May be
 * called in any thread.
 *
 * Returns: (transfer none): the result, valid until the next await
 *
 * Since: 0.1
 */
GAsyncResult *
gtx_await_result (void)
{
  GtxTask *task = gtx_task_current ();
  GtxOperation *self;
  GAsyncResult *result;

  if (task == NULL)
    {
      result = gtx_operation_await_outside ();
      return result ? result : nothing_to_await (NULL);
    }

  self = task->operation;
  if (self == NULL || is_over (self))
    self = drop_finished (task);
  if (self == NULL || self->state == GTX_OPERATION_NONE)
    return nothing_to_await (task);
  wait_in_task (self);
  put_back_pushed (self);
  deliver_request (task, self->result);
  self->state = GTX_OPERATION_HANDED_OUT;
  return self->result;
}
