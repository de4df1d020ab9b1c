/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/to-thread.h"

#include "task-private.h"
#include "thread-pool.h"

#include "gtask-ext/error.h"

/* The task and the thread have it: a task that is cancelled does not wait for a
 * thread to be free.  What the function made of it is written in the thread, and read by
 * the task once it was woken. */
typedef struct
{
  GtxJob job;
  gint is_taken;                /* by the thread, or the task gave up: atomic */
  GtxWaiter *waiter;            /* NULL: nobody waits any more; the home thread's */
  GtxScheduler *home;
  GMainContext *context;        /* the thread's reference */
  GtxThreadFunc func;           /* or the other one */
  GtxPointerThreadFunc pointer_func;
  gpointer data;
  GCancellable *cancellable;
  GPtrArray *locals;            /* or NULL */
  gpointer result;
  GError *error;
} Call;

typedef struct
{
  GtxWaiter waiter;
  Call *call;
  const char *file;
  int line;
} CallWaiter;

static void
call_clear (gpointer data)
{
  Call *call = data;

  gtx_scheduler_unref (call->home);
  g_object_unref (call->cancellable);
  g_clear_pointer (&call->locals, g_ptr_array_unref);
  g_clear_error (&call->error);
}

static void
call_unref (Call *call)
{
  g_atomic_rc_box_release_full (call, call_clear);
}

static gboolean
take (Call *call)
{
  return g_atomic_int_compare_and_exchange (&call->is_taken, FALSE, TRUE);
}

/* ---- In the thread ---- */

static void
call_function (Call *call)
{
  gboolean succeeded = TRUE;

  gtx_task_locals_set_of_thread (g_steal_pointer (&call->locals));
  if (call->func)
    succeeded = call->func (call->data, call->cancellable, &call->error);
  else
    call->result = call->pointer_func (call->data, call->cancellable, &call->error);
  gtx_task_locals_set_of_thread (NULL);

  if (succeeded || call->error)
    return;
  g_critical ("A function that gtx_to_thread() ran returned FALSE without setting an error");
  call->error = g_error_new_literal (GTX_ERROR, GTX_ERROR_NO_REASON,
                                     "A function in a thread failed without saying why");
}

static void
returned (gpointer data)
{
  Call *call = data;

  if (call->waiter)
    gtx_waiter_wake (call->waiter);
  call_unref (call);
}

static void
run_call (GtxJob *job)
{
  Call *call = GTX_CONTAINER_OF (job, Call, job);
  GMainContext *context = call->context;

  if (!take (call))
    call_unref (call);
  else
    {
      call_function (call);
      gtx_scheduler_post_near (call->home, context, returned, call);
    }
  g_main_context_unref (context);
}

/* ---- In the task ---- */

/* A function that runs ends by itself, if its GCancellable makes it: the request
 * stands until it has. */
static gboolean
give_up (GtxWaiter *waiter)
{
  return take (((CallWaiter *) waiter)->call) && gtx_waiter_cancel (waiter);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  CallWaiter *self = (CallWaiter *) waiter;

  g_string_append_printf (text, "%s %s:%d",
                          self->call->is_taken ? "the thread started at" : "a free thread at",
                          self->file, self->line);
}

static const GtxWaiterKind call_kind = { give_up, describe, NULL };

/* The task waits for the thread whatever becomes of it, once there is one. */
static gboolean
wait_for_thread (CallWaiter  *self,
                 GError     **error)
{
  Call *call = self->call;
  GtxTask *task = self->waiter.task;

  call->waiter = &self->waiter;
  gtx_scheduler_hold (call->home);
  gtx_task_suspend_raw (task, &self->waiter);
  gtx_scheduler_release (call->home);
  call->waiter = NULL;

  /* One that failed may have reported the request: that counts as delivery. */
  if (self->waiter.state == GTX_WAITER_CANCELLED || call->error || !task->must_cancel)
    gtx_task_settle_request (task);
  if (self->waiter.state == GTX_WAITER_CANCELLED)
    gtx_set_cancelled_error (error);
  else if (call->error)
    g_propagate_error (error, g_steal_pointer (&call->error));
  else
    return TRUE;
  return FALSE;
}

/* @function: what is to be called, and no more. */
static Call *
call_new (const Call *function,
          GtxTask    *task)
{
  Call *call = (Call *) g_atomic_rc_box_dup (sizeof (Call), function);

  call->job.run = run_call;
  call->home = gtx_scheduler_ref (task->parent_instance.home);
  call->cancellable = g_object_ref (gtx_task_get_cancellable (task));
  call->locals = gtx_task_locals_inherit ();
  return call;
}

static gboolean
push (Call    *call,
      GError **error)
{
  call->context = g_main_context_ref (gtx_scheduler_get_context (call->home));
  if (gtx_thread_pool_push (&g_atomic_rc_box_acquire (call)->job, error))
    return TRUE;
  g_main_context_unref (call->context);
  call_unref (call);
  return FALSE;
}

static gboolean
run (const char  *file,
     int          line,
     const Call  *function,
     gpointer    *result,
     GError     **error)
{
  GtxTask *task = gtx_task_begin_await ("gtx_to_thread", error);
  CallWaiter self = { .file = file, .line = line };
  gboolean succeeded;

  if (task == NULL)
    return FALSE;
  gtx_waiter_init (&self.waiter, task, &call_kind);
  self.call = call_new (function, task);
  succeeded = push (self.call, error) && wait_for_thread (&self, error);
  if (result)
    *result = self.call->result;
  call_unref (self.call);
  return succeeded;
}

/**
 * gtx_to_thread_at: (skip)
 * @file: the source file of the caller
 * @line: the line in @file
 * @func: (scope call): a function that blocks
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Runs @func in a thread: the function behind gtx_to_thread(), which see.
 *
 * Returns: what @func returned
 *
 * Since: 0.1
 */
gboolean
gtx_to_thread_at (const char     *file,
                  int             line,
                  GtxThreadFunc   func,
                  gpointer        data,
                  GError        **error)
{
  Call function = { .func = func, .data = data };

  g_return_val_if_fail (func != NULL, FALSE);

  return run (file, line, &function, NULL, error);
}

/**
 * gtx_to_thread_pointer_at: (skip)
 * @file: the source file of the caller
 * @line: the line in @file
 * @func: (scope call): a function that blocks
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Runs @func in a thread: the function behind gtx_to_thread_pointer(), which
 * see.
 *
 * Returns: (transfer full) (nullable): what @func returned
 *
 * Since: 0.1
 */
gpointer
gtx_to_thread_pointer_at (const char            *file,
                          int                    line,
                          GtxPointerThreadFunc   func,
                          gpointer               data,
                          GError               **error)
{
  Call function = { .pointer_func = func, .data = data };
  gpointer result = NULL;

  g_return_val_if_fail (func != NULL, NULL);

  run (file, line, &function, &result, error);
  return result;
}
