/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that requests to cancel its task do not reach. */

#include "gtask-ext/timeout.h"

#include "loop/deadline.h"
#include "task/task-private.h"

typedef struct
{
  double seconds;
  GtxCoroutine coroutine;
  gpointer data;
} Call;

/* The step of the calling task is one of the callbacks of the task that runs the coroutine. */
typedef struct
{
  GtxWaiter waiter;
  GtxFuture *awaited;
} ShieldedWait;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append_printf (text, "the shielded task %s",
                          gtx_task_get_name ((GtxTask *) ((ShieldedWait *) waiter)->awaited));
}

static void
list_awaited (GtxWaiter *waiter,
              GPtrArray *futures)
{
  g_ptr_array_add (futures, ((ShieldedWait *) waiter)->awaited);
}

static gboolean
is_over (GtxWaiter *waiter)
{
  return gtx_future_done (((ShieldedWait *) waiter)->awaited);
}

static const GtxWaiterKind shielded_kind = { "shielded", gtx_waiter_leave_standing, describe, list_awaited, is_over };

static gboolean
run_call (gpointer   data,
          GError   **error)
{
  const Call *call = data;

  return gtx_call_with_timeout_to (call->seconds, call->coroutine, call->data, error);
}

static GtxTask *
start (GtxTask    *caller,
       const char *name,
       Call       *call)
{
  GtxTask *task = gtx_task_new_named (name, run_call, call, NULL);

  gtx_future_set_home (&task->parent_instance, caller->parent_instance.home);
  task->stack_size = caller->stack_size;
  task->is_shielded = TRUE;
  return gtx_task_start (task);
}

/* The requests that have come stand, whichever code made them, for the caller has an outcome to return
 * first. */
static void
wait_shielded (GtxTask *caller,
               GtxTask *task)
{
  ShieldedWait wait = { .awaited = &task->parent_instance };

  gtx_waiter_init (&wait.waiter, caller, &shielded_kind);
  gtx_handle_list_append (&task->parent_instance.callbacks, &caller->step.handle);
  gtx_waiter_wait_out (&wait.waiter);
  if (caller->must_cancel)
    caller->outlived = TRUE;
}

/**
 * gtx_call_shielded_named: (skip)
 *
 * The function behind gtx_call_shielded(), with the name of its coroutine as an argument, static or interned.
 */
gboolean
gtx_call_shielded_named (double         seconds,
                         const char    *name,
                         GtxCoroutine   coroutine,
                         gpointer       data,
                         GError       **error)
{
  Call call = { seconds, coroutine, data };
  GtxTask *caller;
  g_autoptr (GtxTask) task = NULL;

  g_return_val_if_fail (coroutine != NULL, FALSE);

  caller = gtx_check_seconds (seconds, error) ? gtx_task_begin_await ("gtx_call_shielded", error) : NULL;
  if (caller == NULL)
    return FALSE;
  task = start (caller, name, &call);
  wait_shielded (caller, task);
  return gtx_future_propagate (&task->parent_instance, error);
}
