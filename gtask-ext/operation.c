/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The border with GIO: one operation at a time for each task, never abandoned
 * while it is under way. */

#include "config.h"

#include "gtask-ext/operation.h"

#include "task-private.h"

#include "gtask-ext/error.h"

struct _GtxOperation
{
  GtxWaiter waiter;             /* of the task, while it waits for the callback */
  GtxTask *task;                /* NULL: started outside of all tasks */
  GMainContext *context;        /* for one outside */
  const char *file;             /* where it was started */
  int line;
  enum
  {
    NONE,
    UNDER_WAY,
    ARRIVED,                    /* the callback came; the result was not asked for */
    HANDED_OUT
  } state;
  GAsyncResult *result;
  GCancellable *lent;           /* what a mistake may still be using */
};

static void thread_ended (gpointer operation);

/* The one that this thread started outside of all tasks. */
static GPrivate outside = G_PRIVATE_INIT (thread_ended);

/* ---- One operation ---- */

/* The operation ends by itself, if its GCancellable makes it: the request
 * stands until it has. */
static gboolean
leave_request_standing (GtxWaiter *waiter)
{
  (void) waiter;
  return FALSE;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxOperation *self = (GtxOperation *) waiter;

  g_string_append_printf (text, "the operation started at %s:%d", self->file, self->line);
}

static const GtxWaiterKind operation_kind = { leave_request_standing, describe, NULL };

static GtxOperation *
current_operation (void)
{
  GtxTask *task = gtx_task_current ();
  GtxOperation *operation = task ? task->operation : g_private_get (&outside);

  if (operation)
    return operation;
  operation = g_new0 (GtxOperation, 1);
  operation->task = task;
  if (task)
    task->operation = operation;
  else
    g_private_set (&outside, operation);
  return operation;
}

static void
forget_result (GtxOperation *self)
{
  self->state = NONE;
  g_clear_object (&self->result);
}

void
gtx_operation_free (GtxOperation *self)
{
  g_assert (self->state != UNDER_WAY);
  forget_result (self);
  g_clear_object (&self->lent);
  g_free (self);
}

/* One that was never awaited may call back yet. */
static void
thread_ended (gpointer operation)
{
  if (((GtxOperation *) operation)->state != UNDER_WAY)
    gtx_operation_free (operation);
}

/* In the thread that waits. */
static void
arrive (GtxOperation *self,
        GAsyncResult *result)
{
  GtxTask *task = self->task;

  if (self->state != UNDER_WAY)
    {
      g_critical ("The operation started at %s:%d called back twice", self->file, self->line);
      return;
    }
  self->result = g_object_ref (result);
  self->state = ARRIVED;
  if (task == NULL)
    return;

  gtx_scheduler_release (task->parent_instance.home);
  if (task->waiter == &self->waiter)
    gtx_scheduler_call_now (task->parent_instance.home, &task->step.handle);
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

static gboolean
arrive_later_outside (gpointer data)
{
  arrive_later (data);
  return G_SOURCE_REMOVE;
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
  if (self->task == NULL)
    g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, arrive_later_outside, arrival, NULL);
  else
    gtx_scheduler_post (self->task->parent_instance.home, arrive_later, arrival);
}

/**
 * gtx_operation_ready:
 * @source: (nullable): ignored
 * @result: the operation's result
 * @operation: what gtx_operation_begin() returned
 *
 * The callback that %GTX_CALLBACK passes: a #GAsyncReadyCallback.
 *
 * It resumes the task that waits, before it returns where that is possible.
 * May be called in any thread.
 *
 * Since: 0.1
 */
void
gtx_operation_ready (GObject      *source,
                     GAsyncResult *result,
                     gpointer      operation)
{
  GtxOperation *self = operation;
  gboolean here;

  (void) source;
  if (self->task)
    here = gtx_scheduler_is_local (self->task->parent_instance.home);
  else
    here = self == g_private_get (&outside);

  if (here)
    arrive (self, result);
  else
    hand_over (self, result);
}

/* ---- Waiting for it ---- */

static void
wait_in_task (GtxOperation *self)
{
  if (self->state != UNDER_WAY)
    return;
  gtx_waiter_init (&self->waiter, self->task, &operation_kind);
  gtx_task_suspend_raw (self->task, &self->waiter);
  g_assert (self->state == ARRIVED);
}

static void
wait_outside (GtxOperation *self)
{
  while (self->state == UNDER_WAY)
    g_main_context_iteration (self->context, TRUE);
}

/* A GTask may look at its GCancellable as late as in its _finish (): another
 * thread that cancels until then would be reported, and be a request to the
 * next await too.  FALSE where it has been cancelled meanwhile. */
static gboolean
fix_outcome (GTask *result)
{
  if (g_task_get_return_on_cancel (result) && !g_task_set_return_on_cancel (result, FALSE))
    return FALSE;
  g_task_set_check_cancellable (result, FALSE);
  return TRUE;
}

/* Whether the operation reported a cancellation is seen by its _finish ()
 * alone.  What may have reported one counts as delivery. */
static void
deliver_request (GtxTask      *task,
                 GAsyncResult *result)
{
  gtx_task_take_up_request (task);
  if (!task->must_cancel && G_IS_TASK (result) && !fix_outcome (G_TASK (result)))
    gtx_task_take_up_request (task);
  if (task->must_cancel && G_IS_TASK (result) && !g_task_had_error (G_TASK (result)))
    return;
  gtx_task_settle_request (task);
}

static void
complain (GtxOperation *self,
          const char   *what)
{
  g_critical ("%s %s before the operation started at %s:%d was awaited; it is cancelled: "
              "call gtx_await_result() right after what takes GTX_ASYNC",
              self->task ? gtx_task_get_name (self->task) : "The program", what,
              self->file, self->line);
}

void
gtx_operation_leave (GtxTask    *task,
                     const char *what)
{
  GtxOperation *self = task->operation;

  if (self->state == UNDER_WAY)
    {
      /* In GTX_ASYNC it may have been lent to the next operation already. */
      GCancellable *cancellable = gtx_task_get_cancellable (task);

      complain (self, what);
      g_set_object (&self->lent, cancellable);
      gtx_task_cancellable_show ((GtxTaskCancellable *) cancellable);
      wait_in_task (self);
      if (!task->must_cancel)
        gtx_task_settle_request (task);
    }
  else if (self->state == ARRIVED)
    complain (self, what);
  forget_result (self);
}

/* ---- The public side ---- */

static GCancellable *
cancelled_cancellable (void)
{
  static GCancellable *cancelled;

  if (g_once_init_enter (&cancelled))
    {
      GCancellable *made = g_cancellable_new ();

      g_cancellable_cancel (made);
      g_once_init_leave (&cancelled, made);
    }
  return cancelled;
}

/**
 * gtx_operation_get_cancellable:
 *
 * Lends the #GCancellable for an operation of the current task: the function
 * behind %GTX_CANCELLABLE.  Outside a task it is one that is cancelled.  Never
 * suspends; may be called in any thread.
 *
 * Returns: (transfer none): the #GCancellable
 *
 * Since: 0.1
 */
GCancellable *
gtx_operation_get_cancellable (void)
{
  GtxTask *task = gtx_task_current ();

  return task ? gtx_task_get_cancellable (task) : cancelled_cancellable ();
}

/**
 * gtx_operation_begin:
 * @file: the source file of the caller
 * @line: the line in @file
 *
 * Notes that an operation is about to be started: the function behind
 * %GTX_CALLBACK.
 *
 * It suspends only where the current task made the mistake of starting one
 * before and not awaiting it.  May be called in any thread.
 *
 * Returns: (transfer none): the data for gtx_operation_ready()
 *
 * Since: 0.1
 */
gpointer
gtx_operation_begin (const char *file,
                     int         line)
{
  GtxOperation *self = current_operation ();

  if (self->task)
    gtx_operation_leave (self->task, "starts another operation");
  else if (self->state == UNDER_WAY || self->state == ARRIVED)
    {
      complain (self, "starts another operation");
      wait_outside (self);
    }
  forget_result (self);

  self->file = file;
  self->line = line;
  self->state = UNDER_WAY;
  if (self->task)
    gtx_scheduler_hold (self->task->parent_instance.home);
  else
    self->context = g_main_context_get_thread_default ();
  return self;
}

static GAsyncResult *
nothing_to_await (GtxOperation *self)
{
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  g_critical ("gtx_await_result: nothing to await; call it once, right after what takes GTX_ASYNC");
  g_task_return_new_error (task, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "No operation was started");
  forget_result (self);
  self->result = G_ASYNC_RESULT (task);
  return self->result;
}

/**
 * gtx_await_result:
 *
 * Suspends the current task until the operation that it started with
 * %GTX_ASYNC has called back.
 *
 * The result is for the operation's `_finish` function, which reports errors,
 * %G_IO_ERROR_CANCELLED among them when the task was cancelled.  An operation
 * that succeeds although the task was cancelled keeps its result, and the
 * request is delivered by the next await that suspends.
 *
 * Outside a task it iterates the main context instead; the operation was
 * given a cancelled #GCancellable then.  May be called in any thread.
 *
 * Returns: (transfer none): the result, valid until the next await
 *
 * Since: 0.1
 */
GAsyncResult *
gtx_await_result (void)
{
  GtxOperation *self = current_operation ();

  if (self->state != UNDER_WAY && self->state != ARRIVED)
    return nothing_to_await (self);

  if (self->task)
    {
      wait_in_task (self);
      deliver_request (self->task, self->result);
    }
  else
    wait_outside (self);
  self->state = HANDED_OUT;
  return self->result;
}
