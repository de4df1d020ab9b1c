/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/task-local.h"
#include "gtask-ext/task.h"

#include "fiber/fiber.h"
#include "task/future-private.h"
#include "task/waiter.h"

typedef struct _GtxOperation GtxOperation;
typedef struct _GtxTaskCancellable GtxTaskCancellable;

/* How a task treats its operations of GIO.  GtxTask.operation begins with a pointer to this, and is NULL
 * until the task begins its first operation. */
typedef struct
{
  /* Called before the task does what @what says, as in "awaits something else".  To have an operation in
   * flight is a mistake then: it is cancelled and waited for.  An operation that is not started yet is
   * set aside.  May suspend. */
  void (*leave) (GtxTask    *task,
                 const char *what);
  /* Called when the task ends: ends the operations that it did not await.  May suspend. */
  void (*end_all) (GtxTask *task);
  /* Whether the task's GCancellable is lent to an operation that was set aside. */
  gboolean (*has_lent) (const GtxTask *task);
  void (*free) (GtxOperation *operation);
} GtxOperationKind;

/* A function that runs when a task ends; the task owns this until then. */
typedef struct _GtxTaskEnd GtxTaskEnd;

struct _GtxTaskEnd
{
  GtxTaskEnd *next;
  void (*run) (GtxTaskEnd *self);
};

/* Invariants, outside of the functions that change them:
 * - A task that is started and not done is in its home's registry, and a
 *   pin of its own keeps it.
 * - The task's step is linked only while the task does not run: in the list of what is ready, or
 *   in the callbacks of the future that it awaits.  It is never linked twice.
 * - must_cancel: a request is pending that no await has delivered yet.  While n_cancels is 0,
 *   no request is pending, and none stands.
 * - All requests that stand are settled together.  The request that a block has made is among
 *   them while the task's n_settled is what it was when the block made the request.
 * - The waiter is set while the task is suspended in it, and NULL while the task
 *   runs or only lets other tasks run. */
struct _GtxTask
{
  GtxFuture parent_instance;

  GtxStep step;
  GtxHandle link;               /* in the registry */
  GtxWaiter *waiter;
  GtxTask *runner;              /* the task that awaited this one unstarted, and runs its coroutine */

  union
  {
    GtxCoroutine boolean;
    GtxPointerCoroutine pointer;
  } coroutine;
  gpointer data;
  GDestroyNotify data_free;
  GDestroyNotify result_free;   /* frees what the coroutine returns */

  const char *function;         /* the coroutine's name */
  char *name;
  guint64 number;               /* in its default name, Task-N; 0: it has none */
  gsize stack_size;             /* 0: the default */

  gint is_started;              /* read in any thread, so that it is no bit-field */
  guint n_cancels;
  guint n_standing;             /* requests that stand: not settled yet */
  guint n_own;                  /* of these, requests that blocks of its own made, and have not withdrawn */
  guint n_settled;              /* how often requests were settled: delivered or withdrawn */
  guint n_let_go;               /* while it runs inside another task: the requests that objects made which
                                 * it let go of, since that task has settled any */
  guint let_go_at;              /* that task's n_settled then */
  guint is_pointer : 1;
  guint must_cancel : 1;
  guint outlived : 1;           /* the pending request was made by other code, and stands behind an
                                 * operation which took no notice or a group that was left, or came
                                 * while the task ran */
  guint made_anew : 1;          /* the pending request belongs to other code until it is delivered: the
                                 * errors of a group hid it, and the group made it again */
  guint is_its_own : 1;         /* the requests that stand come from objects that the task itself let go of */
  guint has_returned : 1;       /* the coroutine has returned */
  guint in_request : 1;         /* a request is being passed on through this task */
  guint begins_cancelled : 1;   /* begins even if a request came before: the first await delivers it */
  guint is_shielded : 1;        /* runs a shielded call, and is not cancelled with all tasks */

  GtxTaskCancellable *cancellable; /* made when asked for */
  GPtrArray *locals;            /* of task-local.c; NULL: no values */
  GtxOperation *operation;      /* the last one, made when needed; begins with its GtxOperationKind */
  GtxTaskEnd *ends;
  gpointer timeouts;            /* the innermost block of timeout.c that was begun */
  char *reason;                 /* of the last request that the task is, or was, to be told of; NULL: none */
};

/* ---- task.c ---- */

/* gtx_current_task (), inlined. */
static inline GtxTask *
gtx_task_current (void)
{
  GtxFiber *fiber = gtx_fiber_current ();

  return fiber ? gtx_fiber_get_data (fiber) : NULL;
}

/* Whether @self runs, or a main loop that it runs: cheaper than to ask for the current task. */
static inline gboolean
gtx_task_is_running (const GtxTask *self)
{
  return gtx_running_fiber && gtx_running_fiber == self->step.fiber;
}

/* The slow path of gtx_task_begin_await (): @task is NULL, or may have left an operation unawaited,
 * which is a mistake. */
GtxTask *gtx_task_mend_await       (GtxTask     *task,
                                    const char  *function,
                                    GError     **error);

/* Each public function that may suspend calls this first.  Returns the current task, or NULL with
 * GTX_ERROR_NOT_IN_TASK set.  May suspend, to wait for an operation that was left unawaited. */
static inline GtxTask *
gtx_task_begin_await (const char  *function,
                      GError     **error)
{
  GtxTask *task = gtx_task_current ();

  if (G_LIKELY (task && task->operation == NULL))
    return task;
  return gtx_task_mend_await (task, function, error);
}

/* Tasks of several threads may await the same unstarted task: TRUE for the one that starts it. */
static inline gboolean
gtx_task_claim_start (GtxTask *self)
{
  return !g_atomic_int_get (&self->is_started) &&
         g_atomic_int_compare_and_exchange (&self->is_started, FALSE, TRUE);
}

/* Frees the task's data before anybody learns that the task has ended, as Python drops a
 * coroutine's frame. */
void     gtx_task_free_data        (GtxTask     *self);
/* Ends a task that never ran here, so that there is no stack to leave.  Takes @result and @error. */
void     gtx_task_end_without_stack (GtxTask    *self,
                                    gpointer     result,
                                    GError      *error);

/* Runs the coroutine of an unstarted task inside @runner; FALSE if the task
 * was started before. */
gboolean gtx_task_run_inside       (GtxTask     *self,
                                    GtxTask     *runner);

void     gtx_task_start_unless_started (GtxTask *self);

/* Starts @self, which was claimed, and which waits already, in @waiter, for other code to run its
 * coroutine and to end it. */
void     gtx_task_start_waiting    (GtxTask     *self,
                                    GtxWaiter   *waiter);
/* Starts @self, in its home's thread, as the one that runs the coroutine of @task, which has that name
 * and number.  Takes @locals. */
void     gtx_task_start_in_place_of (GtxTask    *self,
                                    const char  *name,
                                    guint64      number,
                                    GPtrArray   *locals);

static inline gboolean
gtx_task_is_unstarted (GtxFuture *future)
{
  return gtx_future_is_task (future) && !g_atomic_int_get (&((GtxTask *) future)->is_started);
}

/* Starts @future if it is a task that was not started: asyncio's ensure_future(). */
static inline void
gtx_task_ensure_started (GtxFuture *future)
{
  if (G_UNLIKELY (gtx_task_is_unstarted (future)))
    gtx_task_start_unless_started ((GtxTask *) future);
}

/* ---- registry.c ---- */

/* Adds @task, which is started, and whose main context exists. */
void     gtx_registry_add          (GtxTask     *task);
/* Ends a task that cannot begin any more, because its main context is gone. */
void     gtx_task_end_homeless     (GtxTask     *self);

/* Lists the tasks of @scheduler that are started and not done, in the order of their starts. */
GPtrArray *gtx_scheduler_list_tasks (GtxScheduler *scheduler);

/* Returns a table of @scheduler for code of other folders; see task/table.h. */
GHashTable *gtx_scheduler_get_table (GtxScheduler *scheduler);

/* The first returns how often tasks of @task's home have gone on, or ended, after a request to
 * cancel; the second adds one. */
guint64  gtx_task_n_gone_on        (const GtxTask *task);
void     gtx_task_count_going_on   (const GtxTask *task);

/* ---- task-local.c ---- */

/* Whether there has been any value in this program. */
gboolean   gtx_task_locals_are_used (void);
/* Returns the values that a new task starts with, or NULL. */
GPtrArray *gtx_task_locals_inherit (void);
/* Sets a value of a task that was started and has not begun yet. */
void       gtx_task_locals_bind  (GtxTask      *task,
                                  GtxTaskLocal *local,
                                  gpointer      value);
/* Destroys the values of a task that ends, and values that are set meanwhile. */
void       gtx_task_locals_clear (GtxTask *task);
/* Sets the values that the thread has outside of all tasks to @values, or to none. */
void       gtx_task_locals_set_of_thread (GPtrArray *values);
/* Destroys the thread's values when a function has ended that it ran for a task, at @line of
 * @file, so that its next function has none of them. */
void       gtx_task_locals_clear_of_thread (const char *file,
                                            int         line);
/* Sets the thread's values to @values, and returns the values that it had. */
GPtrArray *gtx_task_locals_exchange_of_thread (GPtrArray *values);
/* Destroys the thread's values, which a callback had for itself, and sets them to @of_thread again. */
void       gtx_task_locals_end_of_callback (GPtrArray *of_thread);

/* ---- main-stack.c ---- */

/* Whether the code that runs was called by gtx_call_on_main_stack (). */
gboolean   gtx_main_stack_is_called (void);
/* The task that has called it so; NULL: no task has. */
GtxTask   *gtx_main_stack_get_caller (void);

/* ---- task-info.c ---- */

/* Appends what @task does or waits for, for a person. */
void     gtx_task_append_state     (GtxTask     *task,
                                    GString     *text);
/* Returns the tasks of @task's home that @task waits for and that are not done, without references.
 * NULL: it waits for no futures. */
GPtrArray *gtx_task_get_awaited    (GtxTask     *task);

/* ---- print.c ---- */

/* Appends the tree of the tasks of @scheduler to @text, line by line. */
void     gtx_scheduler_describe_tasks (GtxScheduler *scheduler,
                                       GString      *text);
/* Logs a message with the tree of the tasks of @scheduler below it. */
void     gtx_scheduler_log_tasks   (GtxScheduler   *scheduler,
                                    GLogLevelFlags  level,
                                    const char     *format,
                                    ...) G_GNUC_PRINTF (3, 4);

/* ---- request.c ---- */

/* The slow paths of gtx_task_take_up_request () and gtx_task_settle_request (), for a task that has
 * a GCancellable. */
void     gtx_task_take_up_by_cancellable (GtxTask *self);
void     gtx_task_retire_cancellable (GtxTask *self);

/* Whether no request stands, and none can have come from another thread, so that there is
 * none to take up or to settle. */
static inline gboolean
gtx_task_is_unasked (const GtxTask *self)
{
  return self->n_cancels == 0 && self->cancellable == NULL;
}

/* Takes up a request that another thread has made through the GCancellable, and
 * that has not arrived yet. */
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

/* Settles the requests that stand, if any: they are delivered or withdrawn. */
static inline void
gtx_task_settle_request (GtxTask *self)
{
  self->must_cancel = FALSE;
  self->outlived = FALSE;
  self->made_anew = FALSE;
  self->is_its_own = FALSE;
  self->n_standing = 0;
  self->n_own = 0;
  self->n_settled++;
  if (G_UNLIKELY (self->cancellable != NULL))
    gtx_task_retire_cancellable (self);
}

/* The task that runs @self, which awaited it unstarted, or @self. */
static inline GtxTask *
gtx_task_outermost (GtxTask *self)
{
  while (G_UNLIKELY (self->runner != NULL))
    self = self->runner;
  return self;
}

/* Whether the code that runs is the task's own, and not a message of another thread. */
gboolean gtx_task_asks_itself      (const GtxTask *self);

/* Counts a request that @self has made to @outermost, inside which it runs, since it let go of an
 * object; and withdraws those that still stand when its coroutine has returned. */
void     gtx_task_count_let_go     (GtxTask  *self,
                                    GtxTask  *outermost);
void     gtx_task_withdraw_let_go  (GtxTask  *self);

/* A block of the task's own makes a request, and withdraws it: @made_at is n_settled when it was made, and
 * the request may still stand.  The second returns how many requests are left, as gtx_uncancel (). */
void     gtx_task_make_own_request (GtxTask  *self);
guint    gtx_task_withdraw_own_request (GtxTask *self,
                                        guint    made_at);

/* Whether the task may be cleaning up, or was told to end: other code has cancelled it, or what it waits
 * for may clean up since a block of its own made a request. */
gboolean gtx_task_was_cancelled    (GtxTask  *self);

/* GtxFutureClass.cancel for tasks. */
gboolean gtx_task_cancel           (GtxFuture   *future);
/* The same with a reason, or NULL. */
gboolean gtx_task_cancel_for       (GtxFuture   *future,
                                    const char  *reason);
/* Sets the reason of the last request to a copy of @reason, or to none. */
void     gtx_task_set_reason       (GtxTask     *self,
                                    const char  *reason);

/* Delivers the request that stands: returns FALSE with G_IO_ERROR_CANCELLED set. */
gboolean gtx_task_deliver_request  (GtxTask     *self,
                                    GError     **error);

/* For a function that fails because the current task should have ended.  Whether a request stands behind
 * an operation which took no notice of it; if so, delivers it with @error set, which explains the
 * failure. */
gboolean gtx_current_task_is_late  (GError     **error);

/* Lets other tasks run: FALSE with G_IO_ERROR_CANCELLED set if this one was cancelled. */
gboolean gtx_task_let_others_run   (GtxTask     *self,
                                    GError     **error);
/* The same as gtx_task_let_others_run (), but a request stands and is not delivered. */
void     gtx_task_let_others_run_first (GtxTask *self);

/* Between these two calls requests are made, and none of the program's code runs.  Handlers of
 * GCancellables run at the release, since they may free what makes the requests. */
void     gtx_requests_hold         (void);
void     gtx_requests_release      (void);
/* The same for a caller that is to run the handle that is returned, outside of all tasks, or NULL. */
GtxHandle *gtx_requests_release_later (void);
/* Cancels @cancellable, whose handlers run when the request that is being made has gone all
 * the way down. */
void     gtx_request_show          (GCancellable *cancellable);
/* Takes a reference of @context, and drops it when those handlers run: it may be the last one. */
void     gtx_request_let_go        (GMainContext *context);

/* Passes the request that stands to @waiter, in which the task is about to wait. */
void     gtx_request_pass_standing (GtxWaiter   *waiter);

/* ---- operation.c ---- */

static inline const GtxOperationKind *
gtx_task_operation_kind (const GtxTask *self)
{
  return *(const GtxOperationKind *const *) self->operation;
}

/* ---- cancellable.c ---- */

GtxTaskCancellable *gtx_task_cancellable_new (GtxTask *task);

/* Whether a request through @self is pending and was not taken up; takes it up. */
gboolean gtx_task_cancellable_take   (GtxTaskCancellable *self);
/* Whether a request through @self was counted, or @self shows, or soon will, one made in another way. */
gboolean gtx_task_cancellable_is_taken  (GtxTaskCancellable *self);
/* Whether @self is to show a request that was made in another way to code that watches it.  If so,
 * the caller soon calls gtx_cancellable_show ().  Should the request be delivered before that, the
 * task has another GCancellable from then on. */
gboolean gtx_task_cancellable_is_to_show (GtxTaskCancellable *self);
void     gtx_cancellable_show        (GCancellable *cancellable);
/* Makes @self as good as new, for it is lent to an operation which is not started yet.  Does nothing
 * while its handlers run: then the task's next await tries again. */
void     gtx_task_cancellable_renew  (GtxTaskCancellable *self);
/* Parts @self from its task, and drops the task's reference. */
void     gtx_task_cancellable_retire (GtxTaskCancellable *self);

