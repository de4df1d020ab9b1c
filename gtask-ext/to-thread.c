/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/to-thread.h"

#include "task-private.h"

#include "gtask-ext/error.h"

/* asyncio has six to 32, GTask ten to some hundred. */
#define N_THREADS 16

/* On the stack of the task, which waits for the thread whatever happens. */
typedef struct
{
  GtxWaiter waiter;
  GtxThreadFunc func;           /* or the other one */
  GtxPointerThreadFunc pointer_func;
  gpointer data;
  GCancellable *cancellable;
  GPtrArray *locals;            /* or NULL */
  const char *file;
  int line;
  gpointer result;
  GError *error;
} Call;

/* ---- In the thread ---- */

static void
returned (gpointer data)
{
  gtx_waiter_wake (&((Call *) data)->waiter);
}

static void
make_call (gpointer data,
           gpointer unused)
{
  Call *call = data;
  GtxScheduler *home = gtx_scheduler_ref (call->waiter.task->parent_instance.home);
  gboolean succeeded = TRUE;

  (void) unused;
  gtx_task_locals_set_of_thread (g_steal_pointer (&call->locals));
  if (call->func)
    succeeded = call->func (call->data, call->cancellable, &call->error);
  else
    call->result = call->pointer_func (call->data, call->cancellable, &call->error);
  gtx_task_locals_set_of_thread (NULL);

  if (!succeeded && call->error == NULL)
    {
      g_critical ("A function that gtx_to_thread() ran returned FALSE without setting an error");
      call->error = g_error_new_literal (GTX_ERROR, GTX_ERROR_NO_REASON,
                                         "A function in a thread failed without saying why");
    }
  /* From here on the call is the task's. */
  gtx_scheduler_post (home, returned, call);
  gtx_scheduler_unref (home);
}

static GThreadPool *
start_threads (GError **error)
{
  GError *failure = NULL;
  GThreadPool *threads = g_thread_pool_new (make_call, NULL, 1, TRUE, &failure);

  if (failure == NULL)
    {
      /* Where so many cannot be had, fewer do it. */
      g_thread_pool_set_max_threads (threads, N_THREADS, NULL);
      return threads;
    }
  if (threads)
    g_thread_pool_free (threads, TRUE, FALSE);
  g_propagate_error (error, failure);
  return NULL;
}

/* They are there from the first call on.  GTask's come as they are needed, so that
 * a call is mostly the next one of the thread that is about to lie down: to wake
 * another one takes half the time.  They are GIO's as well, which would have to
 * wait for those that block. */
static GThreadPool *
get_threads (GError **error)
{
  static GMutex mutex;
  static GThreadPool *threads;
  GThreadPool *found;

  g_mutex_lock (&mutex);
  if (threads == NULL)
    threads = start_threads (error);
  found = threads;
  g_mutex_unlock (&mutex);
  return found;
}

/* ---- In the task ---- */

/* The function ends by itself, if its GCancellable makes it: the request stands
 * until it has. */
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
  const Call *call = (Call *) waiter;

  g_string_append_printf (text, "the thread started at %s:%d", call->file, call->line);
}

static const GtxWaiterKind call_kind = { leave_request_standing, describe, NULL };

/* What the function made of it is asked for, whatever became of the task. */
static gboolean
run (Call        *call,
     GError     **error)
{
  GtxTask *task = gtx_task_begin_await ("gtx_to_thread", error);
  GThreadPool *threads = task ? get_threads (error) : NULL;
  GtxScheduler *home;

  if (threads == NULL)
    return FALSE;
  home = task->parent_instance.home;
  gtx_waiter_init (&call->waiter, task, &call_kind);
  call->cancellable = g_object_ref (gtx_task_get_cancellable (task));
  call->locals = gtx_task_locals_inherit ();

  gtx_scheduler_hold (home);
  g_thread_pool_push (threads, call, NULL);
  gtx_task_suspend_raw (task, &call->waiter);
  gtx_scheduler_release (home);
  g_object_unref (call->cancellable);

  /* One that failed may have reported the request: that counts as delivery. */
  if (call->error || !task->must_cancel)
    gtx_task_settle_request (task);
  if (call->error == NULL)
    return TRUE;
  g_propagate_error (error, call->error);
  return FALSE;
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
  Call call = { .func = func, .data = data, .file = file, .line = line };

  g_return_val_if_fail (func != NULL, FALSE);

  return run (&call, error);
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
  Call call = { .pointer_func = func, .data = data, .file = file, .line = line };

  g_return_val_if_fail (func != NULL, NULL);

  run (&call, error);
  return call.result;
}
