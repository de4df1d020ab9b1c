/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making requests to cancel, counting them and taking them back. */

#include "task/error-private.h"
#include "task/task-private.h"

/* ---- Futures and tasks ---- */

gboolean
gtx_future_finish_cancelled_as_asked (GtxFuture  *self,
                                      const char *reason)
{
  GError *error = NULL;

  if (reason)
    gtx_set_cancelled_error_for (&error, reason);
  return gtx_future_finish_cancelled_for (self, error);
}

/* A future that ends otherwise than at once, with what it stands for, tells no reason. */
static gboolean
cancel (GtxFuture  *self,
        const char *reason)
{
  const GtxFutureClass *class = (GtxFutureClass *) G_OBJECT_GET_CLASS (self);

  if (reason && gtx_future_is_task (self))
    return gtx_task_cancel_for (self, reason);
  if (reason && class->cancel == gtx_future_finish_cancelled)
    return gtx_future_finish_cancelled_as_asked (self, reason);
  return class->cancel (self);
}

gboolean
gtx_future_cancel_here_for (GtxFuture  *self,
                            const char *reason)
{
  if (!gtx_future_done (self) && cancel (self, reason))
    return TRUE;
  /* As in asyncio: code that cancels a future does not ask for its error. */
  gtx_future_forgive_error (self);
  return FALSE;
}

gboolean
gtx_future_cancel_here (GtxFuture *self)
{
  return gtx_future_cancel_here_for (self, NULL);
}

/* A loop, since a chain of futures may be longer than the stack is deep.  A future that another thread
 * is settling takes no request any more. */
GtxFuture *
gtx_future_get_addressee (GtxFuture *self)
{
  for (;;)
    {
      const GtxFutureClass *class = gtx_future_class (self);
      GtxFuture *awaited = class->get_awaited ? class->get_awaited (self) : NULL;

      if (awaited == NULL || gtx_future_state (awaited) != GTX_FUTURE_PENDING)
        return self;
      self = awaited;
    }
}

/* Code that is told of the request may drop the last reference of @self. */
static gboolean
cancel_on_visit (GtxFuture  *self,
                 const char *reason)
{
  gboolean made;

  g_object_ref (self);
  made = gtx_future_cancel_here_for (self, reason);
  gtx_scheduler_leave (self->home, GTX_VISITING);
  g_object_unref (self);
  return made;
}

/* A request that is posted to the future's home. */
typedef struct
{
  GtxFuture *future;            /* a reference; or NULL, if the weak one is used */
  GWeakRef weak;                /* to a future that must not stay with the message, see GtxFutureClass */
  char *reason;
} Posted;

static Posted *
posted_new (GtxFuture  *future,
            const char *reason)
{
  Posted *self = g_new0 (Posted, 1);

  self->reason = g_strdup (reason);
  if (gtx_future_keeps_context (future))
    g_weak_ref_init (&self->weak, future);
  else
    self->future = g_object_ref (future);
  return self;
}

static void
posted_free (Posted *self)
{
  if (self->future)
    g_object_unref (self->future);
  else
    g_weak_ref_clear (&self->weak);
  g_free (self->reason);
  g_free (self);
}

/* The future may be a task that was started in another main context meanwhile. */
static void
cancel_posted (gpointer data)
{
  Posted *posted = data;
  g_autoptr (GtxFuture) future = posted->future ? g_object_ref (posted->future) : g_weak_ref_get (&posted->weak);

  if (future)
    gtx_cancel_with_reason (future, posted->reason);
  posted_free (posted);
}

static gboolean
post (GtxFuture  *self,
      const char *reason)
{
  Posted *posted = posted_new (self, reason);

  g_atomic_int_set (&self->is_watched, TRUE);
  if (gtx_scheduler_post (self->home, cancel_posted, posted))
    return TRUE;
  posted_free (posted);
  return FALSE;
}

/* Cancels a future whose main context is gone, so that there is no home thread to settle it.  A task
 * that was suspended there never ends. */
static gboolean
cancel_homeless (GtxFuture *self)
{
  if (gtx_future_is_task (self) && !gtx_task_is_unstarted (self))
    return FALSE;
  return gtx_future_finish_homeless (self);
}

static gboolean
cancel_from_anywhere (GtxFuture  *self,
                      const char *reason)
{
  GtxVisit visit = gtx_scheduler_enter (self->home);

  if (visit == GTX_VISITING)
    return cancel_on_visit (self, reason);
  if (visit == GTX_HERE || gtx_future_done (self))
    return gtx_future_cancel_here_for (self, reason);
  return post (self, reason) || cancel_homeless (self);
}

/**
 * gtx_cancel:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 *
 * Requests that @future be cancelled: asyncio's `Task.cancel()` and
 * `Future.cancel()`.
 *
 * A plain future is cancelled at once.  A task fails with %G_IO_ERROR_CANCELLED at the await
 * that it is in, or at the next one that suspends; the task may then clean up and await, and
 * may even carry on.  If the task awaits another task, a gathering or an operation of GIO, that
 * one is cancelled first.  A task that has not begun never begins.  Never suspends; may be
 * called in any thread: outside the thread of the home of @future, the request is made there
 * later.
 *
 * Returns: %TRUE if the request was made, %FALSE if @future was done already, or is a suspended
 *   task whose main context is gone
 *
 * Since: 0.1
 */
gboolean
gtx_cancel (gpointer future)
{
  return gtx_future_check (future, G_STRFUNC) && cancel_from_anywhere (future, NULL);
}

/**
 * gtx_cancel_with_reason:
 * @future: (type GtxFuture): a #GtxFuture or #GtxTask
 * @reason: (nullable): why, for a person; %NULL makes this function the same as gtx_cancel()
 *
 * Requests that @future be cancelled, as gtx_cancel() does, and says why: asyncio's
 * `Task.cancel(msg)`.
 *
 * The message of the %G_IO_ERROR_CANCELLED that the task gets from its await, and ends with if it
 * returns that error, has the reason, and so have the errors of the tasks that await it.
 * The reason is passed on, as the request is, to the tasks and futures that the task awaits in its main
 * context.  A wait for the outside, such as an operation of GIO or a function in a thread, tells its
 * own error.  gtx_print_tasks() shows the reason of a request that is pending.
 *
 * If there are several requests, the first to end the task's wait tells its reason, and if the task does
 * not wait, the last one does, as in asyncio.  A request without a reason counts among them.  Never
 * suspends; may be called in any thread.
 *
 * Returns: as gtx_cancel()
 *
 * Since: 0.1
 */
gboolean
gtx_cancel_with_reason (gpointer    future,
                        const char *reason)
{
  return gtx_future_check (future, G_STRFUNC) && cancel_from_anywhere (future, reason);
}

/* ---- A task's requests ---- */

static guint
withdraw (GtxTask *self)
{
  gtx_task_take_up_request (self);
  if (self->n_cancels == 0 || --self->n_cancels > 0)
    return self->n_cancels;
  gtx_task_settle_request (self);
  gtx_task_set_reason (self, NULL);
  /* The next request is passed on to this task as a new one, not as a repetition. */
  if (g_atomic_int_get (&self->is_started))
    gtx_task_count_going_on (self);
  return 0;
}

static gboolean
is_under_way (GtxTask *self)
{
  return g_atomic_int_get (&self->is_started) && !gtx_future_done (&self->parent_instance);
}

/**
 * gtx_uncancel:
 * @self: a #GtxTask
 *
 * Withdraws one request to cancel: asyncio's `Task.uncancel()`.  When none is
 * left, a request that was not delivered yet is dropped.  Never suspends; to be
 * called in the thread of the task's home: in any other thread it withdraws nothing
 * from a task that has been started and is not done, and a g_critical() says so.
 *
 * Returns: how many requests are left
 *
 * Since: 0.1
 */
guint
gtx_uncancel (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), 0);

  self = gtx_task_outermost (self);
  if (is_under_way (self) && gtx_scheduler_is_foreign (self->parent_instance.home, G_STRFUNC))
    return 0;
  return withdraw (self);
}

/* gtx_uncancel () of a request that was made when n_settled was @made_at, and may still stand. */
static guint
withdraw_request (GtxTask *self,
                  guint    made_at)
{
  gtx_task_take_up_request (self);
  if (self->n_settled == made_at && self->n_standing > 0 && --self->n_standing == 0)
    gtx_task_settle_request (self);
  return withdraw (gtx_task_outermost (self));
}

void
gtx_task_make_own_request (GtxTask *self)
{
  self->n_own++;
  gtx_future_cancel_here (&self->parent_instance);
}

guint
gtx_task_withdraw_own_request (GtxTask *self,
                               guint    made_at)
{
  gtx_task_take_up_request (self);
  if (self->n_settled == made_at)
    self->n_own--;
  return withdraw_request (self, made_at);
}

void
gtx_task_count_let_go (GtxTask *self,
                       GtxTask *outermost)
{
  if (self->let_go_at != outermost->n_settled)
    self->n_let_go = 0;
  self->let_go_at = outermost->n_settled;
  self->n_let_go++;
}

void
gtx_task_withdraw_let_go (GtxTask *self)
{
  GtxTask *outermost = gtx_task_outermost (self);

  for (; self->n_let_go > 0 && outermost->n_settled == self->let_go_at; self->n_let_go--)
    withdraw_request (outermost, self->let_go_at);
}

/**
 * gtx_cancelling:
 * @self: a #GtxTask
 *
 * Tells how many requests to cancel were made and not withdrawn: asyncio's
 * `Task.cancelling()`.  Requests to a task that runs inside another count for the outer task.
 *
 * If tasks await one another in a chain, and the first is asked again before any of them has
 * gone on, the request counts for the eight tasks below it, and in asyncio for all.  Where many
 * tasks gather the same ones, a request counts at most a thousand times below them.  In any
 * case each task learns that it is cancelled.  Never suspends; to be called in the thread of
 * the task's home.
 *
 * Returns: the number of requests
 *
 * Since: 0.1
 */
guint
gtx_cancelling (GtxTask *self)
{
  g_return_val_if_fail (GTX_IS_TASK (self), 0);

  while (self->runner)
    self = self->runner;
  return gtx_task_n_cancels (self);
}
