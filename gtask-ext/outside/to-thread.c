/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/to-thread.h"

#include "task/caller.h"
#include "task/task-private.h"
#include "outside/thread-pool.h"
#include "loop/pushed.h"

#include "gtask-ext/error.h"

/* On the stack of the task, which waits for the thread once a thread has the job.  The locals,
 * and the outcome of the function, belong to the thread until the function has returned. */
typedef struct
{
  GtxWaiter waiter;
  GtxHandle job;
  GtxThreadFunc func;           /* this one or pointer_func */
  GtxPointerThreadFunc pointer_func;
  gpointer data;
  GMainContext *context;        /* a reference while the job is in line or in a thread; it keeps the home
                                 * of the task, too */
  GCancellable *cancellable;
  GPtrArray *locals;            /* or NULL */
  const char *file;             /* as for gtx_caller_describe () */
  int line;
  gint has_begun;               /* atomic */
  gpointer result;
  GError *error;
} Call;

/* ---- In the thread ---- */

static void
call_function (Call *call)
{
  gboolean succeeded = TRUE;

  if (call->func)
    succeeded = call->func (call->data, call->cancellable, &call->error);
  else
    call->result = call->pointer_func (call->data, call->cancellable, &call->error);
  if (succeeded || call->error)
    return;
  g_critical ("A function that gtx_to_thread() ran returned FALSE without setting an error; "
              "a function that fails must set an error");
  call->error = g_error_new_literal (GTX_ERROR, GTX_ERROR_NO_REASON,
                                     "A function in a thread failed without setting an error");
}

/* Pops the main contexts that the function has left pushed: they would be the thread-default of
 * the next function in this thread.  To be called before the task-local values are cleared, since
 * what ends with a context may set some. */
static void
pop_contexts (Call *call)
{
  g_autofree char *caller = NULL;

  if (!gtx_pushed_is_any ())
    return;
  caller = gtx_caller_describe ("at", "for", call->file, call->line);
  g_critical ("The function that gtx_to_thread() ran %s returned " GTX_PUSHED_LEFT, caller);
  gtx_pushed_pop_all ();
}

static void
returned (gpointer data)
{
  Call *call = data;

  g_main_context_unref (call->context);
  gtx_waiter_wake (&call->waiter);
}

static void
run_call (GtxHandle *job)
{
  Call *call = GTX_CONTAINER_OF (job, Call, job);
  GtxScheduler *home = call->waiter.task->parent_instance.home;

  g_atomic_int_set (&call->has_begun, TRUE);
  gtx_task_locals_set_of_thread (g_steal_pointer (&call->locals));
  call_function (call);
  pop_contexts (call);
  gtx_task_locals_clear_of_thread (call->file, call->line);
  /* From here on the call belongs to the task, and so does the reference to the context: if this
   * thread dropped the last one, what is in the context would end here. */
  gtx_scheduler_post_near (home, call->context, returned, call);
}

/* ---- In the task ---- */

static gboolean
push (Call    *call,
      GError **error)
{
  call->job.run = run_call;
  call->context = g_main_context_ref (gtx_scheduler_get_context (call->waiter.task->parent_instance.home));
  call->locals = gtx_task_locals_inherit ();
  if (gtx_thread_pool_push (&call->job, error))
    return TRUE;
  g_main_context_unref (call->context);
  return FALSE;
}

/* Gives the call up if no thread has it.  A function that runs in a thread ends by itself, or
 * because its GCancellable is cancelled: the request stands until then. */
static gboolean
give_up (GtxWaiter *waiter)
{
  Call *call = (Call *) waiter;

  if (!gtx_thread_pool_withdraw (&call->job))
    return FALSE;
  gtx_request_let_go (call->context);
  return gtx_waiter_cancel (waiter);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  Call *call = (Call *) waiter;
  gboolean has_begun = g_atomic_int_get (&call->has_begun);
  g_autofree char *caller = NULL;

  caller = gtx_caller_describe (has_begun ? "started at" : "at", "for", call->file, call->line);
  g_string_append_printf (text, "%s %s", has_begun ? "the thread" : "a free thread", caller);
}

static const GtxWaiterKind call_kind = { "thread", give_up, describe, NULL, NULL };

/* Waits for the thread, unless the call is given up.  The outcome of the function counts, even if
 * the task was cancelled. */
static gboolean
wait_for_thread (Call    *call,
                 GError **error)
{
  GtxTask *task = call->waiter.task;
  GtxScheduler *home = task->parent_instance.home;
  gboolean given_up;

  gtx_scheduler_hold (home);
  given_up = !gtx_waiter_wait_out (&call->waiter);
  gtx_scheduler_release (home);

  if (given_up)
    return gtx_task_deliver_request (task, error);
  /* Any other outcome than a cancellation leaves the request for the next await. */
  if (!task->must_cancel || g_error_matches (call->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    gtx_task_settle_request (task);
  else
    task->outlived = TRUE;
  if (call->error)
    g_propagate_error (error, call->error);
  return call->error == NULL;
}

static gboolean
run (Call    *call,
     GError **error)
{
  GtxTask *task = gtx_task_begin_await (call->line > 0 ? "gtx_to_thread" : call->file, error);
  gboolean succeeded;

  if (task == NULL)
    return FALSE;
  /* The function does not begin if the task is to end already, unless the request is withdrawn in
   * the turn in which it would have been delivered. */
  gtx_task_take_up_request (task);
  if (task->must_cancel && !gtx_task_let_others_run (task, error))
    return FALSE;
  gtx_waiter_init (&call->waiter, task, &call_kind);
  call->cancellable = g_object_ref (gtx_task_get_cancellable (task));
  succeeded = push (call, error) && wait_for_thread (call, error);
  /* The locals are left if no thread had the job. */
  g_clear_pointer (&call->locals, g_ptr_array_unref);
  g_object_unref (call->cancellable);
  return succeeded;
}

/**
 * gtx_to_thread_at: (skip)
 *
 * The function behind gtx_to_thread(), with the file and line of its caller.
 */
gboolean
gtx_to_thread_at (const char     *file,
                  int             line,
                  GtxThreadFunc   func,
                  gpointer        data,
                  GError        **error)
{
  Call call = { .func = func, .data = data, .file = file, .line = line };

  g_return_val_if_fail (func != NULL, FALSE);

  return run (&call, error);
}

/**
 * gtx_to_thread_pointer_at: (skip)
 *
 * The function behind gtx_to_thread_pointer(), with the file and line of its caller.
 */
gpointer
gtx_to_thread_pointer_at (const char            *file,
                          int                    line,
                          GtxPointerThreadFunc   func,
                          gpointer               data,
                          GError               **error)
{
  Call call = { .pointer_func = func, .data = data, .file = file, .line = line };

  g_return_val_if_fail (func != NULL, NULL);

  run (&call, error);
  return call.result;
}
