/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a request to cancel goes from a task to what it waits for: asyncio's Task.cancel(). */

#include "task/task-private.h"

/* A request goes down from a task to what the task waits for, and if that is a task, on from there.
 * This happens in a loop, since a chain of tasks may be longer than the stack is deep.  None of the
 * program's code runs meanwhile. */
typedef struct
{
  GtxFuture *future;
  GtxWaiter *asker;             /* the waiter that passes the request on to it; NULL if is_over */
  guint n_again;                /* tasks right above it that passed one on and have not gone on since */
  gboolean is_over;             /* all that it waits for were asked */
} Visit;

typedef struct
{
  GArray *visits;               /* to make, the next one last */
  GPtrArray *asked;             /* futures that the visited task waits for */
  const char *reason;           /* of the request that is under way; NULL: none */
  guint n_visits_again;         /* planned in this request, below a task that has passed one on already */
  gboolean is_under_way;
} Way;

/* Until one of the tasks that were asked goes on, a further request changes only counts below a task
 * that has passed one on already.  Down to this depth, and for this number of visits, the counts are
 * those of asyncio.  There are limits so that n requests to a chain of n tasks do not take n * n steps,
 * and a request to a graph does not take every way through it. */
#define MOST_AGAIN 8
#define MOST_VISITS_AGAIN 1000

static void
way_free (gpointer data)
{
  Way *way = data;

  g_array_unref (way->visits);
  g_ptr_array_unref (way->asked);
  g_free (way);
}

static GPrivate way_of_thread = G_PRIVATE_INIT (way_free);

static Way *
current_way (void)
{
  Way *way = g_private_get (&way_of_thread);

  if (way == NULL)
    {
      way = g_new0 (Way, 1);
      way->visits = g_array_new (FALSE, FALSE, sizeof (Visit));
      way->asked = g_ptr_array_new ();
      g_private_set (&way_of_thread, way);
    }
  return way;
}

static gboolean
passes_on (const GtxWaiter *waiter)
{
  return waiter && waiter->kind->cancel == gtx_waiter_pass_on;
}

/* Breaks a ring of tasks that wait for one another. */
static void
stop_waiting (GtxTask *self)
{
  self->must_cancel = TRUE;
  self->waiter->state = GTX_WAITER_CANCELLED;
  if (gtx_handle_is_linked (&self->step.handle))
    gtx_handle_unlink (&self->step.handle);
  gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
}

/* A request to a task that runs inside another is made to the outer task, and one to a future that
 * waits for another is made to that one. */
static GtxFuture *
who_takes (GtxFuture *future)
{
  future = gtx_future_get_addressee (future);
  return gtx_future_is_task (future) ? &gtx_task_outermost ((GtxTask *) future)->parent_instance : future;
}

static void
take (GtxWaiter *asker)
{
  if (asker)
    asker->was_taken = asker->passed_on = TRUE;
}

/* Plans visits to the futures that @waiter waits for, in order.  Only the visits tell whether a future
 * takes the request: another thread may have settled one, and its home does not know yet. */
static void
ask_awaited (Way       *way,
             GtxWaiter *waiter,
             guint      n_again)
{
  gboolean in_ring = FALSE;

  waiter->was_taken = FALSE;
  g_ptr_array_set_size (way->asked, 0);
  waiter->kind->list_awaited (waiter, way->asked);
  for (guint i = way->asked->len; i-- > 0;)
    {
      GtxFuture *future = way->asked->pdata[i];
      Visit visit = { who_takes (future), waiter, n_again, FALSE };

      if (gtx_future_done (future))
        {
          gtx_future_forgive_error (future);
          continue;
        }
      if (gtx_future_is_task (visit.future) && ((GtxTask *) visit.future)->in_request)
        in_ring = TRUE;
      else if (n_again == 0 || (n_again < MOST_AGAIN && way->n_visits_again++ < MOST_VISITS_AGAIN))
        g_array_append_val (way->visits, visit);
      else
        take (waiter);
    }
  if (in_ring)
    take (waiter);
  waiter->passed_at = gtx_task_n_gone_on (waiter->task);
  if (in_ring && waiter->state == GTX_WAITER_PENDING)
    stop_waiting (waiter->task);
}

static gboolean
is_asked_again (const GtxWaiter *waiter)
{
  return waiter->passed_on && waiter->passed_at == gtx_task_n_gone_on (waiter->task);
}

void
gtx_task_set_reason (GtxTask    *self,
                     const char *reason)
{
  if (self->reason == NULL && reason == NULL)
    return;
  g_free (self->reason);
  self->reason = g_strdup (reason);
}

/* As in asyncio, the last reason counts, but the request that has ended a wait is the one that the task
 * is told of. */
static gboolean
is_told_before (const GtxWaiter *waiter)
{
  return waiter && (waiter->state == GTX_WAITER_CANCELLED || is_asked_again (waiter));
}

gboolean
gtx_task_was_cancelled (GtxTask *self)
{
  const GtxTask *asked = gtx_task_outermost (self);
  const GtxWaiter *waiter = asked->waiter;
  gboolean may_be_answered = passes_on (waiter) && waiter->passed_on && !is_asked_again (waiter);

  return gtx_cancelling (self) > (may_be_answered ? 0 : asked->n_own);
}

gboolean
gtx_task_asks_itself (const GtxTask *self)
{
  GtxTask *current = gtx_task_current ();

  if (current == NULL)
    current = gtx_main_stack_get_caller ();
  return current == self && !gtx_scheduler_runs_messages (self->parent_instance.home);
}

/* An eager task that the task has begun runs as a function that the task calls, as in asyncio. */
static gboolean
is_asked_from_inside (const GtxTask *self)
{
  if (gtx_task_asks_itself (self))
    return TRUE;
  return self->step.fiber && gtx_fiber_has_begun_running (self->step.fiber) &&
         !gtx_scheduler_runs_messages (self->parent_instance.home);
}

static void
visit_task (Way     *way,
            GtxTask *self,
            guint    n_above_again)
{
  GtxWaiter *waiter = self->waiter;
  Visit end = { &self->parent_instance, NULL, 0, TRUE };

  self->n_cancels++;
  self->n_standing++;
  self->is_its_own = FALSE;
  if (!is_told_before (waiter))
    gtx_task_set_reason (self, way->reason);
  if (self->waiter == NULL && !is_asked_from_inside (self))
    self->outlived = TRUE;
  if (self->cancellable && gtx_task_cancellable_is_to_show (self->cancellable))
    gtx_request_show ((GCancellable *) self->cancellable);

  if (!passes_on (waiter))
    {
      if (waiter == NULL || !waiter->kind->cancel (waiter))
        self->must_cancel = TRUE;
      return;
    }
  self->in_request = TRUE;
  g_array_append_val (way->visits, end);
  ask_awaited (way, waiter, is_asked_again (waiter) ? n_above_again + 1 : 0);
}

/* Called when all that the task waits for was visited. */
static void
end_visit (GtxTask *self)
{
  self->in_request = FALSE;
  if (!self->waiter->was_taken)
    self->must_cancel = TRUE;
}

static void
make_visit (Way  *way,
            Visit visit)
{
  GtxFuture *future = visit.future;

  if (visit.is_over)
    end_visit ((GtxTask *) future);
  else if (!gtx_future_is_task (future))
    {
      if (gtx_future_cancel_here_for (future, way->reason))
        take (visit.asker);
    }
  else if (!gtx_future_done (future))
    {
      take (visit.asker);
      visit_task (way, (GtxTask *) future, visit.n_again);
    }
}

/* Passes a request all the way down, beginning with @waiter, or with @task if that is NULL. */
static gboolean
make_request (GtxTask    *task,
              GtxWaiter  *waiter,
              const char *reason)
{
  Way *way = current_way ();

  g_assert (!way->is_under_way);
  gtx_requests_hold ();
  way->is_under_way = TRUE;
  way->n_visits_again = 0;
  way->reason = reason;
  task->in_request = waiter != NULL;
  if (waiter)
    ask_awaited (way, waiter, 0);
  else
    visit_task (way, task, 0);
  while (way->visits->len > 0)
    {
      Visit visit = g_array_index (way->visits, Visit, way->visits->len - 1);

      g_array_set_size (way->visits, way->visits->len - 1);
      make_visit (way, visit);
    }
  task->in_request = FALSE;
  way->is_under_way = FALSE;
  gtx_requests_release ();
  return waiter == NULL || waiter->was_taken;
}

gboolean
gtx_waiter_pass_on (GtxWaiter *self)
{
  return make_request (self->task, self, self->task->reason);
}

gboolean
gtx_task_cancel_for (GtxFuture  *future,
                     const char *reason)
{
  GtxTask *self = gtx_task_outermost ((GtxTask *) future);

  if (!g_atomic_int_get (&self->is_started))
    return gtx_future_finish_cancelled_as_asked (future, reason);
  if (gtx_future_done (&self->parent_instance))
    return FALSE;
  make_request (self, NULL, reason);
  return TRUE;
}

gboolean
gtx_task_cancel (GtxFuture *future)
{
  return gtx_task_cancel_for (future, NULL);
}

/* Handlers do not run in the task, where they might await, for the task is about to wait itself. */
void
gtx_request_pass_standing (GtxWaiter *waiter)
{
  GtxTask *self = waiter->task;
  GtxHandle *news;

  gtx_requests_hold ();
  if (waiter->kind->cancel (waiter))
    self->must_cancel = FALSE;
  news = gtx_requests_release_later ();
  if (news)
    gtx_scheduler_call_soon (self->parent_instance.home, news);
}
