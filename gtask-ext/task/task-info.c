/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts of a task for a person who looks for a fault: what the task does, what it waits for, and what
 * it has used. */

#include "gtask-ext/task-info.h"

#include "debug/debug.h"
#include "fiber/guard.h"
#include "task/task-private.h"

G_STATIC_ASSERT (GTX_CONTEXT_N_REGISTERS <= GTX_TASK_MAX_REGISTERS);

/* ---- For a caller at the task's home ---- */

static void
append_waits (GtxTask *task,
              GString *text)
{
  if (task->step.fiber && gtx_fiber_is_running (task->step.fiber))
    g_string_append (text, "runs");
  else if (task->runner)
    g_string_append_printf (text, "runs inside %s", gtx_task_get_name (task->runner));
  else if (task->step.fiber == NULL && task->waiter == NULL)
    g_string_append (text, "has not begun");
  else if (task->waiter == NULL || gtx_waiter_is_over (task->waiter))
    g_string_append (text, "is ready");
  else
    {
      g_string_append (text, "waits for ");
      task->waiter->kind->describe (task->waiter, text);
    }
}

void
gtx_task_append_state (GtxTask *task,
                       GString *text)
{
  if (gtx_future_done (&task->parent_instance))
    {
      g_string_append (text, "has ended");
      return;
    }
  append_waits (task, text);
  if (task->must_cancel)
    g_string_append_printf (text, ", and is to be cancelled%s%s", task->reason ? ": " : "",
                            task->reason ? task->reason : "");
}

GPtrArray *
gtx_task_get_awaited (GtxTask *task)
{
  GPtrArray *futures;
  guint n = 0;

  if (task->waiter == NULL || task->waiter->kind->list_awaited == NULL)
    return NULL;
  futures = g_ptr_array_new ();
  task->waiter->kind->list_awaited (task->waiter, futures);
  for (guint i = 0; i < futures->len; i++)
    {
      GtxFuture *future = gtx_future_get_addressee (futures->pdata[i]);

      if (gtx_future_is_task (future) && future->home == task->parent_instance.home && !gtx_future_done (future))
        futures->pdata[n++] = future;
    }
  g_ptr_array_set_size (futures, (gint) n);
  return futures;
}

/* ---- The public functions ---- */

/* GTX_ELSEWHERE: the caller is not at the task's home, and has been told so. */
static GtxVisit
enter_home (GtxTask    *self,
            const char *function)
{
  return gtx_scheduler_enter_home (self->parent_instance.home, function);
}

static void
leave_home (GtxTask  *self,
            GtxVisit  visit)
{
  gtx_scheduler_leave (self->parent_instance.home, visit);
}

/**
 * gtx_task_describe_state:
 * @self: a #GtxTask
 *
 * Tells what the task does or waits for, in the words of gtx_print_tasks(), as in "waits
 * for a sleep, 0.250 s left".
 *
 * The text is for a person: a later version may use other words.  Never suspends; to be
 * called in the thread that runs the task's main context.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
gtx_task_describe_state (GtxTask *self)
{
  GString *text;
  GtxVisit visit;

  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  text = g_string_new (NULL);
  visit = enter_home (self, G_STRFUNC);
  if (visit != GTX_ELSEWHERE)
    {
      gtx_task_append_state (self, text);
      leave_home (self, visit);
    }
  return g_string_free (text, FALSE);
}

/**
 * gtx_task_list_awaited:
 * @self: a #GtxTask
 *
 * Lists the tasks of the same main context that the task waits for and that are not done,
 * as gtx_print_tasks() prints them below it.
 *
 * Tasks may wait for one another in a ring, and two tasks for the same one.  Never
 * suspends; to be called in the thread that runs the task's main context.
 *
 * Returns: (transfer container) (element-type GtxTask) (nullable): the tasks, without
 *   references of their own; %NULL if the task waits for no futures
 *
 * Since: 0.1
 */
GPtrArray *
gtx_task_list_awaited (GtxTask *self)
{
  GPtrArray *awaited;
  GtxVisit visit;

  g_return_val_if_fail (GTX_IS_TASK (self), NULL);

  visit = enter_home (self, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return NULL;
  awaited = gtx_task_get_awaited (self);
  leave_home (self, visit);
  return awaited;
}

/**
 * gtx_task_get_stack_use:
 * @self: a #GtxTask
 * @in_use: (out): the bytes that the task's calls need now
 * @size: (out): the bytes of its stack, the page that guards it included
 *
 * Tells how much of its stack the task uses at this moment.
 *
 * gtx_print_stack_use() prints how much tasks have used at most.  Never suspends; to be
 * called in the thread that runs the task's main context.
 *
 * Returns: %FALSE, with both set to 0, if the task has no stack, since it has not begun,
 *   has ended or runs inside another task; if it runs the caller through
 *   gtx_call_on_main_stack(); or if the library was built to switch stacks with
 *   `ucontext`, and the task is suspended
 *
 * Since: 0.1
 */
gboolean
gtx_task_get_stack_use (GtxTask *self,
                        gsize   *in_use,
                        gsize   *size)
{
  GtxVisit visit;

  g_return_val_if_fail (GTX_IS_TASK (self), FALSE);
  g_return_val_if_fail (in_use != NULL && size != NULL, FALSE);

  *in_use = *size = 0;
  visit = enter_home (self, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return FALSE;
  if (self->step.fiber)
    *in_use = gtx_fiber_measure_stack (self->step.fiber);
  if (*in_use > 0)
    *size = self->step.fiber->stack->size + gtx_guard_size ();
  leave_home (self, visit);
  return *in_use > 0;
}

/**
 * gtx_task_get_registers:
 * @self: a #GtxTask
 * @registers: (out caller-allocates) (array fixed-size=40): the registers, each at its
 *   number in DWARF
 *
 * Tells what the processor's registers are when a task that is suspended goes on, for
 * code that shows its calls.
 *
 * These are the callee-saved registers, the stack pointer and the program counter; the
 * others are 0.  On x86-64 there are 17, with the program counter as number 16; on
 * AArch64 33, with the stack pointer as number 31 and the program counter, without its
 * signature, as number 32.  The stack may be read until the task goes on.  Never
 * suspends; to be called in the thread that runs the task's main context.
 *
 * Returns: the number of registers that are set; 0 if the task is not suspended, if the
 *   processor is another one, or if the library was built to switch stacks with
 *   `ucontext`
 *
 * Since: 0.1
 */
guint
gtx_task_get_registers (GtxTask  *self,
                        guintptr  registers[GTX_TASK_MAX_REGISTERS])
{
  const GtxContext *context = NULL;
  GtxVisit visit;
  guint n = 0;

  g_return_val_if_fail (GTX_IS_TASK (self), 0);
  g_return_val_if_fail (registers != NULL, 0);

  visit = enter_home (self, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return 0;
  if (self->step.fiber)
    context = gtx_fiber_get_context (self->step.fiber);
  if (context)
    n = gtx_context_read_registers (context, registers);
  leave_home (self, visit);
  return n;
}

/* ---- Measuring ---- */

/**
 * gtx_measure_tasks:
 * @measure: %TRUE to begin, %FALSE to end
 *
 * Measures from now on how much of the processor's time each task uses and since when it
 * waits, for gtx_task_get_processor_time() and gtx_task_get_waiting_time().
 *
 * Each call with %TRUE needs one with %FALSE later; the library measures until the last
 * one, and then forgets what it has measured.  It measures the tasks of all threads.
 * Meanwhile each switch between tasks reads two clocks, which takes about half a
 * microsecond; without measuring it takes no time.  Never suspends; may be called in any
 * thread.
 *
 * Since: 0.1
 */
void
gtx_measure_tasks (gboolean measure)
{
  if (!gtx_debug_measure (measure))
    g_critical ("%s(FALSE) was called more often than %s(TRUE): call it once for each of these", G_STRFUNC, G_STRFUNC);
}

static gboolean
read_measurement (GtxTask    *self,
                  const char *function,
                  gint64     *processor_time,
                  gint64     *left_at)
{
  GtxVisit visit = enter_home (self, function);
  gboolean is_measured;

  if (visit == GTX_ELSEWHERE)
    return FALSE;
  is_measured = self->step.fiber && gtx_debug_read (self->step.fiber->stack, processor_time, left_at);
  leave_home (self, visit);
  return is_measured;
}

/**
 * gtx_task_get_processor_time:
 * @self: a #GtxTask
 *
 * Tells how much of the processor's time the task has used since it began or, if that was
 * later, since gtx_measure_tasks() was called.
 *
 * The time of a function that gtx_to_thread() runs does not count.  Never suspends; to be
 * called in the thread that runs the task's main context.
 *
 * Returns: the time in seconds, at least 0; or -1 if the task has not run since then, has
 *   ended, or runs inside another task
 *
 * Since: 0.1
 */
double
gtx_task_get_processor_time (GtxTask *self)
{
  gint64 processor_time, left_at;

  g_return_val_if_fail (GTX_IS_TASK (self), -1);

  return read_measurement (self, G_STRFUNC, &processor_time, &left_at) ? (double) processor_time / 1e9 : -1;
}

/**
 * gtx_task_get_waiting_time:
 * @self: a #GtxTask
 *
 * Tells how long ago the task was suspended, in real time.
 *
 * For a task that waits, this is how long it has waited so far.  Never suspends; to be
 * called in the thread that runs the task's main context.
 *
 * Returns: the time in seconds, at least 0; 0 if the task runs; or -1 if it has not run
 *   since gtx_measure_tasks() was called, has ended, or runs inside another task
 *
 * Since: 0.1
 */
double
gtx_task_get_waiting_time (GtxTask *self)
{
  gint64 processor_time, left_at;

  g_return_val_if_fail (GTX_IS_TASK (self), -1);

  if (!read_measurement (self, G_STRFUNC, &processor_time, &left_at))
    return -1;
  if (left_at == 0 || gtx_fiber_is_running (self->step.fiber))
    return 0;
  return (double) (g_get_monotonic_time () - left_at) / G_USEC_PER_SEC;
}
