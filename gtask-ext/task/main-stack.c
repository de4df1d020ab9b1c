/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls functions outside of tasks, on the stack of the thread. */

#include "gtask-ext/main-stack.h"

#include "task/task-private.h"

#include "gtask-ext/error.h"

/* A call; lies on the stack of the caller. */
typedef struct
{
  GtxMainStackFunc func;        /* NULL: pointer_func is called */
  GtxPointerMainStackFunc pointer_func;
  gpointer data;
  GtxTask *caller;              /* NULL: no task */
  gboolean succeeded;
  gpointer result;
  GError *error;
} Call;

/* No main loop has this depth. */
#define NONE -1

static __thread gint depth_of_call = NONE;
static __thread GtxTask *caller_of_call;

gboolean
gtx_main_stack_is_called (void)
{
  return depth_of_call == g_main_depth ();
}

GtxTask *
gtx_main_stack_get_caller (void)
{
  return gtx_main_stack_is_called () ? caller_of_call : NULL;
}

static void
run_call (gpointer data)
{
  Call *self = data;
  gint outer_depth = depth_of_call;
  GtxTask *outer_caller = caller_of_call;

  depth_of_call = g_main_depth ();
  caller_of_call = self->caller;
  if (self->func)
    self->succeeded = self->func (self->data, &self->error);
  else
    self->result = self->pointer_func (self->data, &self->error);
  depth_of_call = outer_depth;
  caller_of_call = outer_caller;
}

/* Outside of all tasks, task-local values are those of the thread, which has the task's meanwhile. */
static void
call_with_locals (Call *self)
{
  GtxTask *task = gtx_task_current ();
  GPtrArray *of_thread;

  self->caller = task;
  if (task == NULL)
    {
      gtx_fiber_call_outside (run_call, self);
      return;
    }
  of_thread = gtx_task_locals_exchange_of_thread (g_steal_pointer (&task->locals));
  gtx_fiber_call_outside (run_call, self);
  task->locals = gtx_task_locals_exchange_of_thread (of_thread);
}

/**
 * gtx_call_on_main_stack_named: (skip)
 *
 * The function behind gtx_call_on_main_stack(), with the name of its function as an argument, static or interned.
 */
gboolean
gtx_call_on_main_stack_named (const char        *name,
                              GtxMainStackFunc   func,
                              gpointer           data,
                              GError           **error)
{
  Call call = { .func = func, .data = data };

  g_return_val_if_fail (func != NULL, FALSE);

  call_with_locals (&call);
  if (call.succeeded && call.error == NULL)
    return TRUE;
  if (call.error == NULL)
    {
      g_critical ("%s(), which gtx_call_on_main_stack() called, must set an error: "
                  "it returned FALSE without setting an error", name);
      call.error = g_error_new (GTX_ERROR, GTX_ERROR_NO_REASON, "%s() failed without setting an error", name);
    }
  g_propagate_error (error, call.error);
  return FALSE;
}

/**
 * gtx_call_on_main_stack_pointer_named: (skip)
 *
 * The function behind gtx_call_on_main_stack_pointer(), with the name of its function as an argument, static or interned.
 */
gpointer
gtx_call_on_main_stack_pointer_named (const char               *name,
                                      GtxPointerMainStackFunc   func,
                                      gpointer                  data,
                                      GError                  **error)
{
  Call call = { .pointer_func = func, .data = data };

  g_return_val_if_fail (func != NULL, NULL);

  call_with_locals (&call);
  if (call.error)
    g_propagate_error (error, call.error);
  return call.result;
}
