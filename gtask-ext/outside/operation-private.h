/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "outside/token.h"
#include "task/task-private.h"

#include "gtask-ext/operation.h"

/* The operation that a task has begun last, and behind it (outer) those that were begun before
 * and set aside, since the function that takes them was not called yet.  A thread has its
 * operations outside of all tasks in the same way, under the lock of operation-outside.c. */
struct _GtxOperation
{
  const GtxOperationKind *kind;
  GtxWaiter waiter;             /* of the task, while it waits for the callback */
  GtxTask *task;                /* NULL: begun outside of all tasks */
  GtxOperation *outer;          /* begun before, and not over */
  GtxToken *token;
  const char *file;             /* where it was begun, as for gtx_caller_describe () */
  int line;
  enum
  {
    GTX_OPERATION_NONE,
    GTX_OPERATION_BEGUN,
    GTX_OPERATION_ARRIVED,      /* the callback came; the result was not asked for */
    GTX_OPERATION_HANDED_OUT
  } state;
  gboolean is_set_aside;
  gint n_references;            /* to the task's GCancellable when the operation was begun */
  GSList *pushed;               /* main contexts that the task had pushed, popped until the operation is
                                 * awaited */
  GAsyncResult *result;
  GCancellable *lent;           /* the GCancellable that an operation which was not awaited may still use */
  GMainContext *context;        /* outside of all tasks: where the operation calls back */
};

/* GTX_ASYNC and GTX_CALLBACK for the library's own @function, whose name is in messages about the
 * operation. */
#define GTX_ASYNC_OF(function) GTX_CANCELLABLE, GTX_CALLBACK_OF (function)
#define GTX_CALLBACK_OF(function) gtx_operation_ready, gtx_operation_begin ((function), 0)

/* ---- operation.c ---- */

GtxOperation *gtx_operation_new  (GtxTask      *task);
void          gtx_operation_free (GtxOperation *operation);

/* ---- operation-future.c ---- */

/* Adds the futures of @scheduler whose operations are under way. */
void          gtx_operation_futures_list          (GtxScheduler *scheduler,
                                                   GPtrArray    *futures);

/* ---- operation-outside.c ---- */

GCancellable *gtx_operation_cancelled_cancellable (void);
gpointer      gtx_operation_begin_outside         (const char   *file,
                                                   int           line);
/* Called in any thread. */
void          gtx_operation_arrive_outside        (GtxOperation *self,
                                                   GAsyncResult *result);
/* NULL: no operation was begun. */
GAsyncResult *gtx_operation_await_outside         (void);
/* Takes @result, which is kept until the next result that is lent to the thread. */
GAsyncResult *gtx_operation_lend_outside          (GAsyncResult *result);
