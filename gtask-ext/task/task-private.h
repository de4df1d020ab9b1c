/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/task-local.h"
#include "gtask-ext/task.h"

#include "fiber/fiber.h"
#include "task/future-private.h"
#include "task/waiter.h"

typedef struct _GtxOperation GtxOperation;
typedef struct _GtxTaskCancellable GtxTaskCancellable;

/* What a task keeps of the border with GIO; it is set when there is something. */
typedef struct
{
  /* The task is about to @what, as in "awaits something else": an operation in flight is a mistake
   * then, and waited for; one that is not started is set aside.  May suspend. */
  void (*leave) (GtxTask    *task,
                 const char *what);
  /* The task ends.  May suspend. */
  void (*end_all) (GtxTask *task);
  /* Whether the task's GCancellable is lent to one that was set aside. */
  gboolean (*has_lent) (const GtxTask *task);
  void (*free) (GtxOperation *operation);
} GtxOperationKind;

/* What is to happen when a task ends; the task's until then. */
typedef struct _GtxTaskEnd GtxTaskEnd;

struct _GtxTaskEnd
{
  GtxTaskEnd *next;
  void (*run) (GtxTaskEnd *self);
};

/* Invariants, outside of the functions that change them:
 * - A task that is started and not done is in its home's registry, and a
 *   pin of its own keeps it.
 * - Its step is queued or linked exactly while it is suspended and something
 *   is to wake it; never twice.
 * - must_cancel: a request that no await has delivered yet.  While n_cancels is 0
 *   there is none, and none stands.
 * - Requests that stand are told of together: a block's own is among them while the
 *   task's n_settled is what it was when the block made it.
 * - The waiter is set while the task is suspended in one, and NULL while it
 *   runs or only lets others run. */
struct _GtxTask
{
  GtxFuture parent_instance;

  GtxStep step;
  GtxHandle link;               /* in the registry */
  GtxWaiter *waiter;
  GtxTask *runner;              /* the task inside which it was awaited unstarted */

  union
  {
    GtxCoroutine boolean;
    GtxPointerCoroutine pointer;
  } coroutine;
  gpointer data;
  GDestroyNotify data_free;
  GDestroyNotify result_free;   /* for what the coroutine will return */

  const char *function;         /* the coroutine's name */
  char *name;
  guint64 number;               /* of its default name */
  gsize stack_size;             /* 0: the default */

  gint is_started;              /* read in any thread: no bit among others */
  guint n_cancels;
  guint n_standing;             /* of these: nobody was told of yet */
  guint n_settled;              /* how often those that stood were told of, or taken back */
  guint is_pointer : 1;
  guint must_cancel : 1;
  guint outlived : 1;           /* that request is another's, and stands behind an operation which took no
                                 * notice or a group that was left, or came while the task ran */
  guint made_anew : 1;          /* that request is another's until it is told of: the errors of a group hid it */
  guint is_its_own : 1;         /* the one request that stands came of what the task itself let go of */
  guint has_returned : 1;       /* its coroutine */
  guint in_request : 1;         /* a request is on its way down through it */
  guint begins_cancelled : 1;   /* where a request came before: the first await delivers it */

  GtxTaskCancellable *cancellable; /* made when asked for */
  GPtrArray *locals;            /* of task-local.c; NULL: no values */
  GtxOperation *operation;      /* its last one, made when needed; begins with its GtxOperationKind */
  GtxTaskEnd *ends;
  gpointer timeouts;            /* the innermost that was begun, of timeout.c */
};

/* ---- task.c ---- */

/* gtx_current_task (), inlined. */
static inline GtxTask *
gtx_task_current (void)
{
  GtxFiber *fiber = gtx_fiber_current ();

  return fiber ? gtx_fiber_get_data (fiber) : NULL;
}

/* Where there is none, or it may have left an operation, which is a mistake. */
GtxTask *gtx_task_mend_await       (GtxTask     *task,
                                    const char  *function,
                                    GError     **error);

/* For each public function that may suspend, first of all: the current task,
 * or NULL with GTX_ERROR_NOT_IN_TASK.  May suspend itself, to mend a mistake. */
static inline GtxTask *
gtx_task_begin_await (const char  *function,
                      GError     **error)
{
  GtxTask *task = gtx_task_current ();

  if (G_LIKELY (task && task->operation == NULL))
    return task;
  return gtx_task_mend_await (task, function, error);
}

/* Tasks of several threads may await one that was not started: one starts it. */
static inline gboolean
gtx_task_claim_start (GtxTask *self)
{
  return !g_atomic_int_get (&self->is_started) &&
         g_atomic_int_compare_and_exchange (&self->is_started, FALSE, TRUE);
}

/* As Python drops a coroutine's frame: before anybody learns that it ended. */
void     gtx_task_free_data        (GtxTask     *self);
/* It never ran: neither it nor its stack needs to be left.  Takes @error. */
void     gtx_task_end_unrun        (GtxTask     *self,
                                    GError      *error);

/* Runs the coroutine of an unstarted task inside @runner; FALSE if it was
 * started. */
gboolean gtx_task_run_inside       (GtxTask     *self,
                                    GtxTask     *runner);

/* Gives a task that was not started, and that nobody else has, another home. */
void     gtx_task_set_home         (GtxTask      *self,
                                    GtxScheduler *home);

void     gtx_task_start_unless_started (GtxTask *self);

static inline gboolean
gtx_task_is_unstarted (GtxFuture *future)
{
  return gtx_future_is_task (future) && !g_atomic_int_get (&((GtxTask *) future)->is_started);
}

/* Starts @future if it is a task that was not: asyncio's ensure_future(). */
static inline void
gtx_task_ensure_started (GtxFuture *future)
{
  if (G_UNLIKELY (gtx_task_is_unstarted (future)))
    gtx_task_start_unless_started ((GtxTask *) future);
}

/* ---- registry.c ---- */

/* @task is started; its home is there. */
void     gtx_registry_add          (GtxTask     *task);
/* Ends a task whose main context is gone, so that it cannot begin any more. */
void     gtx_task_end_homeless     (GtxTask     *self);

/* The tasks of @scheduler that are started and not done, as they came. */
GPtrArray *gtx_scheduler_list_tasks (GtxScheduler *scheduler);

/* A table for whoever stands above, by keys of their own; see io/shared-wait.h. */
GHashTable *gtx_scheduler_get_table (GtxScheduler *scheduler);

/* How often tasks of @task's home went on, or ended, that had been asked to end. */
guint64  gtx_task_n_gone_on        (const GtxTask *task);
void     gtx_task_count_going_on   (const GtxTask *task);

/* ---- task-local.c ---- */

/* The values that a task starts with, or NULL. */
GPtrArray *gtx_task_locals_inherit (void);
/* Sets a value of a task that was started and did not begin yet. */
void       gtx_task_locals_bind  (GtxTask      *task,
                                  GtxTaskLocal *local,
                                  gpointer      value);
/* Those of a task that ends are destroyed, and what that sets. */
void       gtx_task_locals_clear (GtxTask *task);
/* Those of a thread outside of all tasks are from now on @values, or none. */
void       gtx_task_locals_set_of_thread (GPtrArray *values);
/* The same as for a task where a function has ended which a thread ran for one, at @line of
 * @file: its next has none of them. */
void       gtx_task_locals_clear_of_thread (const char *file,
                                            int         line);
/* Gives those that they were. */
GPtrArray *gtx_task_locals_exchange_of_thread (GPtrArray *values);

/* ---- main-stack.c ---- */

/* Whether the code that runs was called by gtx_call_on_main_stack (). */
gboolean   gtx_main_stack_is_called (void);

/* ---- print.c ---- */

/* Adds the tree of the tasks of @scheduler, line by line. */
void     gtx_scheduler_describe_tasks (GtxScheduler *scheduler,
                                       GString      *text);

/* ---- request.c ---- */

/* Both where the task has a GCancellable. */
void     gtx_task_take_up_by_cancellable (GtxTask *self);
void     gtx_task_retire_cancellable (GtxTask *self);

/* Whether nothing stands, and nothing can have come from another thread, so that there is
 * nothing to take up or to settle. */
static inline gboolean
gtx_task_is_unasked (const GtxTask *self)
{
  return self->n_cancels == 0 && self->cancellable == NULL;
}

/* A request that came by the GCancellable from another thread, and is not yet
 * here, is taken up now. */
static inline void
gtx_task_take_up_request (GtxTask *self)
{
  if (G_UNLIKELY (self->cancellable != NULL))
    gtx_task_take_up_by_cancellable (self);
}

/* gtx_cancelling () of a task that does not run inside another. */
static inline guint
gtx_task_n_cancels (GtxTask *self)
{
  gtx_task_take_up_request (self);
  return self->n_cancels;
}

/* The request that stands, if any, is delivered or withdrawn. */
static inline void
gtx_task_settle_request (GtxTask *self)
{
  self->must_cancel = FALSE;
  self->outlived = FALSE;
  self->made_anew = FALSE;
  self->is_its_own = FALSE;
  self->n_standing = 0;
  self->n_settled++;
  if (G_UNLIKELY (self->cancellable != NULL))
    gtx_task_retire_cancellable (self);
}

/* Takes back one that a block has made when n_settled was @made_at, which may stand:
 * gtx_uncancel () of that one.  Returns how many are left. */
guint    gtx_task_withdraw_request (GtxTask  *self,
                                    guint     made_at);

/* GtxFutureClass.cancel for tasks. */
gboolean gtx_task_cancel           (GtxFuture   *future);

/* The request that stands is delivered: FALSE with G_IO_ERROR_CANCELLED set. */
gboolean gtx_task_deliver_request  (GtxTask     *self,
                                    GError     **error);

/* For a function that fails since the current task was to have ended: whether a request stands behind
 * an operation which took no notice; it is delivered then, with @error set, and explains the failure. */
gboolean gtx_current_task_is_late  (GError     **error);

/* Lets others run: FALSE with G_IO_ERROR_CANCELLED set if the task was cancelled. */
gboolean gtx_task_let_others_run   (GtxTask     *self,
                                    GError     **error);
/* The same, and a request stands. */
void     gtx_task_let_others_run_first (GtxTask *self);

/* Requests that are made in between are made before anything of the program's runs, which may
 * be the end of whoever makes them. */
void     gtx_requests_hold         (void);
void     gtx_requests_release      (void);
/* Cancels @cancellable, whose handlers run when the request that is being made has gone all
 * the way down. */
void     gtx_request_show          (GCancellable *cancellable);
/* Takes a reference of @context, which goes then, too: it may be the last. */
void     gtx_request_let_go        (GMainContext *context);

/* A request that stands goes to what the task is about to wait for. */
void     gtx_request_pass_standing (GtxWaiter   *waiter);

/* ---- operation.c ---- */

static inline const GtxOperationKind *
gtx_task_operation_kind (const GtxTask *self)
{
  return *(const GtxOperationKind *const *) self->operation;
}

/* ---- cancellable.c ---- */

GtxTaskCancellable *gtx_task_cancellable_new (GtxTask *task);

/* Whether a request through it is outstanding and not taken up; takes it up. */
gboolean gtx_task_cancellable_take   (GtxTaskCancellable *self);
/* Whether a request through it has been counted, or one that it shows, be it soon. */
gboolean gtx_task_cancellable_is_taken  (GtxTaskCancellable *self);
/* Whether it is to show a request that came otherwise to whoever watches the GCancellable: then
 * the caller has it shown soon, by the other function.  Meanwhile the task may be told of the
 * request, and has another GCancellable then. */
gboolean gtx_task_cancellable_is_to_show (GtxTaskCancellable *self);
void     gtx_cancellable_show        (GCancellable *cancellable);
/* It is as new, for one that is lent to an operation which is not started yet; but not while its
 * handlers run: then the task's next await tries again. */
void     gtx_task_cancellable_renew  (GtxTaskCancellable *self);
/* It has served its task. */
void     gtx_task_cancellable_retire (GtxTaskCancellable *self);

