/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that a thread of a pool runs: how it begins, ends and is cancelled. */

#include "pool/job.h"

#include "task/crossing.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

/* Invariants:
 * - The state leaves GTX_JOB_IN_LINE once: to begun, by the thread that takes the job out of a line, or
 *   to withdrawn, by a request to cancel, or because the pool is closed.
 * - The worker, the copy and the outcome are the worker's until the message that ends the job; the
 *   other fields are the home's.  The home reads the worker when it has seen that the job has begun.
 * - n_answers counts the messages to come from the worker: that the copy has ended, and one for each
 *   request.  The last one ends the job. */
struct _GtxJob
{
  GtxHandle link;               /* in a line, or among those that a worker has begun */
  gatomicrefcount n_references; /* one of the home's, one of the line's and the worker's, and the messages' */
  gint state;                   /* atomic */
  GtxTask *task;                /* a reference, until the job has ended */
  GObject *pool;                /* a reference, until the job has ended */
  gpointer data;                /* of the task; freed in the home */
  char *name;                   /* of the task when it was started; NULL: it has none of its own */
  GPtrArray *locals;            /* those that the coroutine begins with */
  gboolean is_pointer;          /* as in the task, where bits beside it change */

  /* The home's */
  GtxWaiter waiter;
  GtxHandle step;               /* ends the task early */
  GtxCrossingPoint point;
  guint n_answers;
  gboolean was_refused;         /* a request came when the coroutine had ended */
  gboolean holds;               /* virtual time is held, and an answer expected */

  /* The worker's */
  GtxWorker *worker;
  GtxTask *copy;                /* runs the coroutine; a reference */
  GtxHandle done;               /* among the callbacks of the copy */
  gpointer result;
  GError *error;
};

enum
{
  GTX_JOB_IN_LINE,
  GTX_JOB_BEGUN,
  GTX_JOB_WITHDRAWN
};

static GtxJob *
job_ref (GtxJob *self)
{
  g_atomic_ref_count_inc (&self->n_references);
  return self;
}

static void
job_unref (GtxJob *self)
{
  if (!g_atomic_ref_count_dec (&self->n_references))
    return;
  g_assert (self->task == NULL && self->data == NULL && self->pool == NULL && self->copy == NULL);
  g_clear_pointer (&self->locals, g_ptr_array_unref);
  g_free (self->name);
  g_free (self);
}

GtxHandle *
gtx_job_link (GtxJob *self)
{
  return &self->link;
}

GtxJob *
gtx_job_of_link (GtxHandle *link)
{
  return GTX_CONTAINER_OF (link, GtxJob, link);
}

static gboolean
leave_line (GtxJob *self,
            gint    state)
{
  return g_atomic_int_compare_and_exchange (&self->state, GTX_JOB_IN_LINE, state);
}

static GError *
cancelled_error (void)
{
  GError *error = NULL;

  gtx_set_cancelled_error (&error);
  return error;
}

/* ---- The end, in the home ---- */

/* Takes @result and @error. */
static void
end_task (GtxJob   *self,
          gpointer  result,
          GError   *error)
{
  GtxTask *task = self->task;

  /* It has ended before, with its main context or as one of a ring. */
  if (gtx_future_done (&task->parent_instance))
    {
      if (result && task->result_free)
        task->result_free (result);
      g_clear_error (&error);
      return;
    }
  task->waiter = NULL;
  if (self->was_refused && task->n_cancels > 0)
    task->must_cancel = TRUE;
  gtx_task_end_without_stack (task, result, error);
}

static void
free_data (GtxJob *self)
{
  gpointer data = g_steal_pointer (&self->data);

  if (data && self->task->data_free)
    self->task->data_free (data);
}

/* The data goes before anybody learns of the end, as with other tasks.  The reference of the task is dropped
 * here, and not where the last reference of the job goes. */
static void
end (GtxJob *self)
{
  GtxScheduler *home = self->task->parent_instance.home;

  if (gtx_handle_is_linked (&self->step))
    gtx_handle_unlink (&self->step);
  free_data (self);
  if (self->holds)
    {
      gtx_scheduler_expect_less (home);
      gtx_scheduler_release (home);
    }
  end_task (self, g_steal_pointer (&self->result), g_steal_pointer (&self->error));
  g_clear_object (&self->pool);
  g_clear_object (&self->task);
  job_unref (self);
}

/* Ends a job whose home is gone, in any thread. */
static void
end_homeless (GtxJob *self)
{
  self->holds = FALSE;
  end (self);
}

static void
answered (gpointer data)
{
  GtxJob *self = data;

  if (--self->n_answers > 0)
    return;
  if (self->waiter.state == GTX_WAITER_PENDING)
    self->waiter.state = GTX_WAITER_WOKEN;
  end (self);
}

/* The outcome is in the job. */
static void
post_end (GtxJob *self)
{
  if (!gtx_scheduler_post (self->task->parent_instance.home, answered, self))
    end_homeless (self);
}

/* ---- Requests, in the home ---- */

static void
request_answered (gpointer data)
{
  answered (data);
  job_unref (data);
}

static void
request_refused (gpointer data)
{
  ((GtxJob *) data)->was_refused = TRUE;
  request_answered (data);
}

/* If the home is gone, this may be the last answer that it waited for. */
static void
answer_request (GtxJob   *self,
                gboolean  made)
{
  if (gtx_scheduler_post (self->task->parent_instance.home, made ? request_answered : request_refused, self))
    return;
  if (--self->n_answers == 0)
    end_homeless (self);
  job_unref (self);
}

static void
cancel_there (gpointer data)
{
  GtxJob *self = gtx_crossing_get_data (data);
  gboolean made = FALSE;

  if (self->copy)
    made = gtx_crossing_cancel (data, &self->copy->parent_instance);
  else
    gtx_crossing_unref (data);
  answer_request (self, made);
}

/* Ends a task that was not begun, or breaks a ring of tasks that wait for one another: then the job
 * ends later than the task. */
static void
end_early (GtxHandle *handle)
{
  GtxJob *self = GTX_CONTAINER_OF (handle, GtxJob, step);

  if (g_atomic_int_get (&self->state) == GTX_JOB_BEGUN)
    {
      end_task (self, NULL, cancelled_error ());
      return;
    }
  self->error = cancelled_error ();
  end (self);
}

static gboolean
stop_waiting (GtxJob *self)
{
  self->waiter.state = GTX_WAITER_CANCELLED;
  gtx_scheduler_call_soon (self->task->parent_instance.home, &self->step);
  return TRUE;
}

static gboolean
cancel (GtxWaiter *waiter)
{
  GtxJob *self = GTX_CONTAINER_OF (waiter, GtxJob, waiter);
  GtxCrossing *crossing;
  guint64 request;

  if (waiter->state != GTX_WAITER_PENDING)
    return FALSE;
  if (leave_line (self, GTX_JOB_WITHDRAWN))
    return stop_waiting (self);
  /* The pool has withdrawn it, and posts so. */
  if (g_atomic_int_get (&self->state) != GTX_JOB_BEGUN)
    return TRUE;
  if (gtx_crossing_point_was_passed (&self->point))
    return stop_waiting (self);

  crossing = gtx_crossing_new (&self->point, job_ref (self));
  request = gtx_crossing_get_request (crossing);
  if (!gtx_scheduler_post (self->worker->scheduler, cancel_there, crossing))
    {
      gtx_crossing_unref (crossing);
      job_unref (self);
      return FALSE;
    }
  self->n_answers++;
  gtx_crossing_point_count (&self->point, request);
  /* Tasks that go on in the pool are not counted in this main context. */
  gtx_task_count_going_on (self->task);
  return TRUE;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  GtxJob *self = GTX_CONTAINER_OF (waiter, GtxJob, waiter);

  if (g_atomic_int_get (&self->state) == GTX_JOB_BEGUN)
    g_string_append_printf (text, "thread %u of a pool, which runs it", self->worker->number);
  else
    g_string_append (text, "a thread of a pool");
}

static const GtxWaiterKind pool_kind = { "pool", cancel, describe, NULL, NULL };

/* ---- The beginning, in the home ---- */

GtxJob *
gtx_job_new (GtxTask *task,
             GObject *pool)
{
  GtxJob *self = g_new0 (GtxJob, 1);

  g_atomic_ref_count_init (&self->n_references);
  job_ref (self);
  self->state = GTX_JOB_IN_LINE;
  self->task = g_object_ref (task);
  self->pool = g_object_ref (pool);
  self->data = g_steal_pointer (&task->data);
  self->name = g_strdup (task->name);
  self->locals = gtx_task_locals_inherit ();
  self->is_pointer = task->is_pointer;
  self->step.run = end_early;
  self->n_answers = 1;
  gtx_waiter_init (&self->waiter, task, &pool_kind);
  gtx_crossing_point_init (&self->point);
  return self;
}

/* Virtual time stands still until the job has ended, and the main loop expects an answer. */
static void
hold (GtxJob *self)
{
  GtxScheduler *home = self->task->parent_instance.home;

  gtx_scheduler_hold (home);
  gtx_scheduler_expect (home);
  self->holds = TRUE;
}

static void
hold_and_unref (gpointer data)
{
  hold (data);
  job_unref (data);
}

void
gtx_job_start (GtxJob *self)
{
  GtxScheduler *home = self->task->parent_instance.home;
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    hold (self);
  else if (!gtx_scheduler_post (home, hold_and_unref, job_ref (self)))
    job_unref (self);
  gtx_task_start_waiting (self->task, &self->waiter);
  gtx_scheduler_leave (home, visit);
}

/* ---- In the worker ---- */

static void
leave_worker (GtxJob *self)
{
  gtx_handle_unlink (&self->link);
  g_atomic_int_add (&self->worker->n_begun, -1);
  g_clear_object (&self->copy);
}

static void
take_outcome (GtxJob *self)
{
  GtxFuture *copy = &self->copy->parent_instance;
  gpointer result = NULL;

  if (gtx_future_propagate (copy, &self->error) && gtx_future_take_result (copy, &result, &self->error))
    self->result = result;
}

static void
copy_done (GtxHandle *handle)
{
  GtxJob *self = GTX_CONTAINER_OF (handle, GtxJob, done);

  take_outcome (self);
  leave_worker (self);
  post_end (self);
  job_unref (self);
}

static GtxTask *
copy_task (GtxJob *self)
{
  GtxTask *task = self->task;
  GtxTask *copy;

  if (self->is_pointer)
    copy = gtx_task_new_pointer_named (task->function, task->coroutine.pointer, self->data, NULL, task->result_free);
  else
    copy = gtx_task_new_named (task->function, task->coroutine.boolean, self->data, NULL);
  copy->stack_size = task->stack_size;
  return copy;
}

gboolean
gtx_job_begin (GtxJob    *self,
               GtxWorker *worker)
{
  self->worker = worker;
  if (!leave_line (self, GTX_JOB_BEGUN))
    {
      job_unref (self);
      return FALSE;
    }
  gtx_handle_list_append (&worker->begun, &self->link);
  g_atomic_int_inc (&worker->n_begun);
  self->copy = copy_task (self);
  self->done.run = copy_done;
  gtx_handle_list_append (&self->copy->parent_instance.callbacks, &self->done);
  gtx_task_start_in_place_of (self->copy, self->name, self->task->number, g_steal_pointer (&self->locals));
  return TRUE;
}

void
gtx_job_refuse (GtxJob *self,
                GError *error)
{
  if (leave_line (self, GTX_JOB_WITHDRAWN))
    {
      self->error = error ? error : cancelled_error ();
      post_end (self);
    }
  else
    g_clear_error (&error);
  job_unref (self);
}

void
gtx_job_abandon (GtxJob *self)
{
  if (gtx_handle_is_linked (&self->done))
    gtx_handle_unlink (&self->done);
  leave_worker (self);
  self->error = g_error_new (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                             "The coroutine %s had not ended when its pool was closed", self->task->function);
  post_end (self);
  job_unref (self);
}
