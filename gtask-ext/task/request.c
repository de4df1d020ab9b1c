/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a request to cancel goes from a task to what it waits for: asyncio's Task.cancel(). */

#include "task/task-private.h"

/* ---- Requests through a GCancellable ---- */

void
gtx_task_take_up_by_cancellable (GtxTask *self)
{
  if (!gtx_task_cancellable_take (self->cancellable))
    return;
  /* One that waits is told, whoever asked. */
  if (self->waiter)
    {
      gtx_task_cancel (&self->parent_instance);
      return;
    }
  self->n_cancels++;
  self->n_standing++;
  self->must_cancel = TRUE;
  self->outlived = TRUE;
}

void
gtx_task_retire_cancellable (GtxTask *self)
{
  /* One that another thread cancelled just now makes a request yet to come. */
  if (!gtx_task_cancellable_is_taken (self->cancellable))
    return;
  if (G_UNLIKELY (self->operation && gtx_task_operation_kind (self)->has_lent (self)))
    gtx_task_cancellable_renew (self->cancellable);
  else
    gtx_task_cancellable_retire (g_steal_pointer (&self->cancellable));
}

/* ---- The way of a request ---- */

/* A request goes down from a task to what it waits for, and where that is a task, on from
 * there: in a loop, since the way may be longer than the stack is deep, and nothing of the
 * program's runs on it. */
typedef struct
{
  GtxFuture *future;
  GtxWaiter *asker;             /* who waits for it; NULL: the request begins here */
  guint n_again;                /* tasks right above it that had passed one on and did not go on yet */
  gboolean is_over;             /* all below it have been asked */
} Visit;

typedef struct
{
  GArray *visits;               /* to make, the next one last */
  GPtrArray *asked;             /* by the task that is visited */
  gboolean is_under_way;
  GPtrArray *to_show;           /* GCancellables: their handlers run whatever they like */
  GPtrArray *to_let_go;         /* main contexts: so does what ends with one */
  guint n_holders;              /* these wait until there is none */
} Way;

/* What has waited. */
typedef struct
{
  GtxHandle handle;
  GPtrArray *to_show;
  GPtrArray *to_let_go;
} News;

/* While nobody who was asked has gone on, another request changes nothing below who passed one
 * on already but counts: so far down these are asyncio's, and n requests to a chain of n tasks take
 * no n * n. */
#define MOST_AGAIN 8

static void
way_free (gpointer data)
{
  Way *way = data;

  g_array_unref (way->visits);
  g_ptr_array_unref (way->asked);
  g_ptr_array_unref (way->to_show);
  g_ptr_array_unref (way->to_let_go);
  g_free (way);
}

static void
begin_news (Way *way)
{
  way->to_show = g_ptr_array_new_with_free_func (g_object_unref);
  way->to_let_go = g_ptr_array_new_with_free_func ((GDestroyNotify) g_main_context_unref);
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
      begin_news (way);
      g_private_set (&way_of_thread, way);
    }
  return way;
}

/* Whoever is told may make requests, and so may what ends with a context. */
static void
tell_apart (gpointer data)
{
  News *news = data;

  for (guint i = 0; i < news->to_show->len; i++)
    gtx_cancellable_show (news->to_show->pdata[i]);
  g_ptr_array_unref (news->to_show);
  g_ptr_array_unref (news->to_let_go);
  g_free (news);
}

/* None of it suspends a task that runs: in the middle of an emission, whose end others may wait
 * for in this thread, and for ever. */
static void
tell (GtxHandle *handle)
{
  gtx_fiber_call_apart (tell_apart, GTX_CONTAINER_OF (handle, News, handle));
}

/* NULL: there are none, or somebody else holds them. */
static GtxHandle *
release (Way *way)
{
  News *news;

  g_assert (way->n_holders > 0);
  if (--way->n_holders > 0 || (way->to_show->len == 0 && way->to_let_go->len == 0))
    return NULL;
  news = g_new0 (News, 1);
  news->handle.run = tell;
  news->to_show = way->to_show;
  news->to_let_go = way->to_let_go;
  begin_news (way);
  return &news->handle;
}

void
gtx_requests_hold (void)
{
  current_way ()->n_holders++;
}

void
gtx_requests_release (void)
{
  GtxHandle *news = release (current_way ());

  if (news)
    tell (news);
}

void
gtx_request_show (GCancellable *cancellable)
{
  gtx_requests_hold ();
  g_ptr_array_add (current_way ()->to_show, g_object_ref (cancellable));
  gtx_requests_release ();
}

void
gtx_request_let_go (GMainContext *context)
{
  gtx_requests_hold ();
  g_ptr_array_add (current_way ()->to_let_go, context);
  gtx_requests_release ();
}

static gboolean
passes_on (const GtxWaiter *waiter)
{
  return waiter && waiter->kind->cancel == gtx_waiter_pass_on;
}

/* Tasks that wait for one another in a ring: here it breaks. */
static void
stop_waiting (GtxTask *self)
{
  self->must_cancel = TRUE;
  self->waiter->state = GTX_WAITER_CANCELLED;
  if (gtx_handle_is_linked (&self->step.handle))
    gtx_handle_unlink (&self->step.handle);
  gtx_scheduler_call_soon (self->parent_instance.home, &self->step.handle);
}

/* A task that runs inside another is asked there. */
static GtxFuture *
who_runs (GtxFuture *future)
{
  while (gtx_future_is_task (future) && ((GtxTask *) future)->runner)
    future = &((GtxTask *) future)->runner->parent_instance;
  return future;
}

static void
take (GtxWaiter *asker)
{
  if (asker)
    asker->was_taken = asker->passed_on = TRUE;
}

/* Has what @waiter waits for visited, in order.  Whether any of that takes the request is known
 * when it was: another thread may have set a future whose home does not know yet. */
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
      Visit visit = { who_runs (future), waiter, n_again, FALSE };

      if (gtx_future_done (future))
        {
          gtx_future_forgive_error (future);
          continue;
        }
      if (gtx_future_is_task (visit.future) && ((GtxTask *) visit.future)->in_request)
        in_ring = TRUE;
      else if (n_again < MOST_AGAIN)
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

static gboolean
asks_itself (const GtxTask *self)
{
  return gtx_task_current () == self && !gtx_scheduler_runs_messages (self->parent_instance.home);
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
  if (self->waiter == NULL && !asks_itself (self))
    self->outlived = TRUE;
  if (self->cancellable && gtx_task_cancellable_is_to_show (self->cancellable))
    g_ptr_array_add (way->to_show, g_object_ref (self->cancellable));

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

/* What it waits for was visited. */
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
      if (gtx_future_cancel_here (future))
        take (visit.asker);
    }
  else if (!gtx_future_done (future))
    {
      take (visit.asker);
      visit_task (way, (GtxTask *) future, visit.n_again);
    }
}

/* All the way down; @waiter is where it begins, or NULL: with @task. */
static gboolean
make_request (GtxTask   *task,
              GtxWaiter *waiter)
{
  Way *way = current_way ();

  g_assert (!way->is_under_way);
  gtx_requests_hold ();
  way->is_under_way = TRUE;
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
  return make_request (self->task, self);
}

gboolean
gtx_task_cancel (GtxFuture *future)
{
  GtxTask *self = (GtxTask *) who_runs (future);

  if (!g_atomic_int_get (&self->is_started))
    return gtx_future_finish_cancelled (future);
  if (gtx_future_done (&self->parent_instance))
    return FALSE;
  make_request (self, NULL);
  return TRUE;
}

/* Handlers are not run in the task, where they might await: it waits as good as already. */
void
gtx_request_pass_standing (GtxWaiter *waiter)
{
  GtxTask *self = waiter->task;
  GtxHandle *news;

  gtx_requests_hold ();
  if (waiter->kind->cancel (waiter))
    self->must_cancel = FALSE;
  news = release (current_way ());
  if (news)
    gtx_scheduler_call_soon (self->parent_instance.home, news);
}
