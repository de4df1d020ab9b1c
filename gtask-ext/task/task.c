/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/task-private.h"
#include "task/error-private.h"
#include "task/references.h"

#include "gtask-ext/error.h"

typedef struct
{
  GtxFutureClass parent_class;
} GtxTaskClass;

G_DEFINE_TYPE (GtxTask, gtx_task, GTX_TYPE_FUTURE)

gpointer gtx_task_class;

/* ---- The current task ---- */

/**
 * gtx_current_task:
 *
 * Tells which task runs: asyncio's `current_task()`.
 *
 * A callback that a main loop dispatches is outside of all tasks, even where a
 * task iterates that main loop.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none) (nullable): the current task, or %NULL outside one
 *
 * Since: 0.1
 */
GtxTask *
gtx_current_task (void)
{
  return gtx_task_current ();
}

GtxTask *
gtx_task_mend_await (GtxTask     *task,
                     const char  *function,
                     GError     **error)
{
  if (task == NULL && gtx_main_stack_is_called ())
    g_set_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK,
                 "%s() was called in a function that gtx_call_on_main_stack() runs, which cannot await; "
                 "await before or after gtx_call_on_main_stack()", function);
  else if (task == NULL)
    g_set_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK,
                 "%s() was called outside a task, and only a task can wait; "
                 "start one with gtx_create_task() or gtx_run()", function);
  else
    gtx_task_operation_kind (task)->leave (task, "awaits something else");
  return task;
}

/* ---- Running ---- */

static GError *
reasonless_error (GtxTask *self)
{
  g_critical ("The coroutine %s returned FALSE without setting an error; a coroutine that fails must set an error",
              self->function);
  return g_error_new (GTX_ERROR, GTX_ERROR_NO_REASON,
                      "The coroutine %s failed without setting an error", self->function);
}

/* A coroutine fails exactly when it sets the error. */
static gpointer
call_coroutine (GtxTask  *self,
                GError  **error)
{
  gpointer result = NULL;
  gboolean succeeded = TRUE;

  if (self->is_pointer)
    result = self->coroutine.pointer (self->data, error);
  else
    succeeded = self->coroutine.boolean (self->data, error);
  self->has_returned = TRUE;

  if (!succeeded && *error == NULL)
    *error = reasonless_error (self);
  if (*error && result)
    {
      if (self->result_free)
        self->result_free (result);
      result = NULL;
    }
  return result;
}

/* Frees the task's data before anybody learns that the task has ended, as Python drops a
 * coroutine's frame. */
void
gtx_task_free_data (GtxTask *self)
{
  gpointer data = g_steal_pointer (&self->data);

  if (data && self->data_free)
    self->data_free (data);
  if (self->locals)
    gtx_task_locals_clear (self);
}

static void
leave_registry (GtxTask *self)
{
  if (gtx_handle_is_linked (&self->link))
    gtx_handle_unlink (&self->link);
}

/* Functions that free the task's data and result may begin operations, too. */
static void
end_operations (GtxTask *self)
{
  if (self->operation)
    gtx_task_operation_kind (self)->end_all (self);
}

/* A request that no await has delivered is not lost, as in asyncio: the task ends as cancelled, unless
 * the request is its own. */
static gboolean
ends_as_cancelled (GtxTask      *self,
                   const GError *error)
{
  if (self->runner == NULL)
    gtx_task_take_up_request (self);
  if (error)
    return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return self->runner == NULL && self->must_cancel && !self->is_its_own;
}

static void
settle_at_end (GtxTask *self)
{
  gtx_task_settle_request (self);
  if (self->n_cancels > 0 && gtx_handle_is_linked (&self->link))
    gtx_task_count_going_on (self);
}

/* Takes @result and @error. */
static void
finish (GtxTask  *self,
        gpointer  result,
        GError   *error)
{
  GtxFuture *future = &self->parent_instance;
  gboolean is_cancelled = ends_as_cancelled (self, error);

  if (is_cancelled && result && self->result_free)
    {
      self->result_free (result);
      end_operations (self);
    }
  if (G_UNLIKELY (!gtx_task_is_unasked (self)))
    settle_at_end (self);
  leave_registry (self);

  if (!is_cancelled)
    {
      gtx_future_finish (future, result, result ? self->result_free : NULL, error);
      return;
    }
  if (error == NULL && self->reason)
    gtx_set_cancelled_error_for (&error, self->reason);
  else if (error && !gtx_error_tells_reason (error))
    gtx_take_cancelled_error (g_steal_pointer (&error));
  gtx_future_finish_cancelled_for (future, error);
}

/* A coroutine, and the function that frees its data, must end in the process in which they began. */
static inline void
ensure_not_in_child (GtxTask *self)
{
  if (G_UNLIKELY (gtx_fiber_is_parents (self->step.fiber)))
    g_error ("%s returned in the child of a fork(), and would return to the parent's main loop: "
             "end the child with _exit(), or execute a program",
             gtx_task_get_name (self));
}

static void
run_ends (GtxTask *self)
{
  GtxTaskEnd *end;

  while ((end = self->ends))
    {
      self->ends = end->next;
      end->run (end);
    }
}

static void
run_on_fiber (gpointer data)
{
  GtxTask *self = data;
  GError *error = NULL;
  gpointer result = call_coroutine (self, &error);

  ensure_not_in_child (self);
  end_operations (self);
  gtx_task_free_data (self);
  ensure_not_in_child (self);
  end_operations (self);
  if (G_UNLIKELY (self->ends != NULL))
    run_ends (self);
  finish (self, result, error);
  gtx_scheduler_let_go_of_pushed ();
}

void
gtx_task_end_without_stack (GtxTask  *self,
                            gpointer  result,
                            GError   *error)
{
  gtx_task_free_data (self);
  finish (self, result, error);
  gtx_pins_drop (&self->parent_instance.pins, self);
}

/* Returns the fiber to go straight on to, or NULL.  Returns NULL if no other code keeps the
 * task, so that its result is freed on the resumer's stack, which is larger, and before the
 * next task begins. */
static GtxFiber *
go_straight_on (gpointer data)
{
  GtxTask *self = data;
  GtxPins *pins = &self->parent_instance.pins;
  GtxFiber *next;

  if (pins->n == 1 && gtx_n_references (self) == 1)
    return NULL;
  next = gtx_scheduler_take_next ();
  if (next == NULL)
    return NULL;
  self->step.fiber = NULL;
  gtx_pins_drop (pins, self);
  return next;
}

static void
fiber_ended (gpointer data)
{
  GtxTask *self = data;

  self->step.fiber = NULL;
  gtx_pins_drop (&self->parent_instance.pins, self);
}

static GtxFiber *
make_fiber (GtxStep   *step,
            GtxFiber  *like,
            char     **problem)
{
  GtxTask *self = GTX_CONTAINER_OF (step, GtxTask, step);

  gtx_task_take_up_request (self);
  if (self->must_cancel && !self->begins_cancelled)
    return NULL;
  return gtx_fiber_new (gtx_scheduler_get_stacks (self->parent_instance.home),
                        self->stack_size ? self->stack_size : gtx_stack_default_size (),
                        run_on_fiber, go_straight_on, fiber_ended, self, like, problem);
}

static void
abandon (GtxStep *step,
         char    *problem)
{
  gtx_task_end_without_stack (GTX_CONTAINER_OF (step, GtxTask, step), NULL,
                              problem ? g_error_new_literal (GTX_ERROR, GTX_ERROR_NO_STACK, problem) : NULL);
  g_free (problem);
}

static const GtxStepKind step_kind = { make_fiber, abandon };

gboolean
gtx_task_run_inside (GtxTask *self,
                     GtxTask *runner)
{
  GError *error = NULL;
  gpointer result;

  if (!gtx_task_claim_start (self))
    return FALSE;
  self->runner = runner;
  result = call_coroutine (self, &error);
  gtx_task_withdraw_let_go (self);
  gtx_task_free_data (self);
  finish (self, result, error);
  self->runner = NULL;
  return TRUE;
}

/* ---- GObject ---- */

static void
gtx_task_finalize (GObject *object)
{
  GtxTask *self = (GtxTask *) object;

  g_assert (self->step.fiber == NULL && !gtx_handle_is_linked (&self->step.handle));

  if (!self->is_started && !gtx_future_done (&self->parent_instance))
    g_warning ("coroutine '%s' was never awaited", self->function);
  gtx_future_close (&self->parent_instance);
  gtx_future_free_at_home (&self->parent_instance, self->data, self->data_free);
  /* The function that freed the result may have set values. */
  if (self->locals)
    gtx_task_locals_clear (self);
  if (self->operation)
    gtx_task_operation_kind (self)->free (self->operation);
  if (self->cancellable)
    gtx_task_cancellable_retire (self->cancellable);
  g_free (self->name);
  g_free (self->reason);

  ((GObjectClass *) gtx_task_parent_class)->finalize (object);
}

static void
gtx_task_class_init (GtxTaskClass *class)
{
  gtx_check_references ();
  __atomic_store_n (&gtx_task_class, class, __ATOMIC_RELAXED);
  G_OBJECT_CLASS (class)->finalize = gtx_task_finalize;
  ((GtxFutureClass *) class)->cancel = gtx_task_cancel;
}

/* The coroutine of a task that the program made with g_object_new (). */
static gboolean
no_coroutine (gpointer   data,
              GError   **error)
{
  g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_STATE,
                       "A task made with g_object_new() has no coroutine; make it with gtx_task_new()");
  return FALSE;
}

static void
gtx_task_init (GtxTask *self)
{
  self->coroutine.boolean = no_coroutine;
  self->function = "no_coroutine";
  self->step.handle.run = gtx_scheduler_resume;
  self->step.kind = &step_kind;
}
