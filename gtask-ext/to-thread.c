/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/to-thread.h"

#include "task-private.h"

#include "gtask-ext/error.h"
#include "gtask-ext/operation.h"

/* On the stack of the task, which waits for the thread whatever happens. */
typedef struct
{
  GtxThreadFunc func;           /* or the other one */
  GtxPointerThreadFunc pointer_func;
  gpointer data;
  GPtrArray *locals;            /* or NULL */
  gpointer result;
} Call;

static void
run_in_thread (GTask        *task,
               gpointer      source_object,
               gpointer      task_data,
               GCancellable *cancellable)
{
  Call *call = task_data;
  GError *error = NULL;
  gboolean succeeded = TRUE;

  (void) source_object;
  gtx_task_locals_set_of_thread (g_steal_pointer (&call->locals));
  if (call->func)
    succeeded = call->func (call->data, cancellable, &error);
  else
    call->result = call->pointer_func (call->data, cancellable, &error);
  gtx_task_locals_set_of_thread (NULL);

  if (!succeeded && error == NULL)
    {
      g_critical ("A function that gtx_to_thread() ran returned FALSE without setting an error");
      error = g_error_new_literal (GTX_ERROR, GTX_ERROR_NO_REASON,
                                   "A function in a thread failed without saying why");
    }
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/* What the function made of it is asked for, whatever became of the task. */
static gboolean
run (const char  *file,
     int          line,
     Call        *call,
     GError     **error)
{
  GTask *task;

  if (gtx_task_begin_await ("gtx_to_thread", error) == NULL)
    return FALSE;
  task = g_task_new (NULL, GTX_CANCELLABLE, gtx_operation_ready, gtx_operation_begin (file, line));
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, call, NULL);
  call->locals = gtx_task_locals_inherit ();
  g_task_run_in_thread (task, run_in_thread);
  g_object_unref (task);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
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
  Call call = { .func = func, .data = data };

  g_return_val_if_fail (func != NULL, FALSE);

  return run (file, line, &call, error);
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
  Call call = { .pointer_func = func, .data = data };

  g_return_val_if_fail (func != NULL, NULL);

  run (file, line, &call, error);
  return call.result;
}
