/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "many/continuation.h"

#include "task/references.h"

#include "gtask-ext/error.h"

typedef GtxFutureClass GtxContinuationClass;

G_DEFINE_TYPE (GtxContinuation, gtx_continuation, GTX_TYPE_FUTURE)

/* ---- Keeping ---- */

/* References that are dropped in a loop.  Data that is freed in the loop may suspend the fiber, and others
 * do not wait for that. */
typedef struct
{
  GQueue futures;
  GtxFiber *fiber;
} Releases;

void
gtx_continuation_release (GtxFuture *future)
{
  static GPrivate under_way;
  Releases mine = { G_QUEUE_INIT, gtx_fiber_current () };
  Releases *outer;

  if (future == NULL)
    return;
  outer = g_private_get (&under_way);
  if (outer && outer->fiber == mine.fiber)
    {
      g_queue_push_tail (&outer->futures, future);
      return;
    }
  g_private_set (&under_way, &mine);
  do
    g_object_unref (future);
  while ((future = g_queue_pop_head (&mine.futures)));
  g_private_set (&under_way, NULL);
}

/* When the main context is gone, several threads may do this. */
void
gtx_continuation_release_at (GtxFuture **where)
{
  gtx_continuation_release (__atomic_exchange_n (where, NULL, __ATOMIC_ACQ_REL));
}

static void
stop_watching_end (GtxContinuation *self)
{
  if (gtx_handle_is_linked (&self->at_end))
    gtx_handle_unlink (&self->at_end);
}

void
gtx_continuation_free_data (GtxContinuation *self)
{
  GDestroyNotify data_free = self->data_free;

  self->data_free = NULL;
  if (data_free)
    data_free (self->data);
}

void
gtx_continuation_add_use (GtxContinuation *self)
{
  g_atomic_int_inc (&self->n_uses);
}

void
gtx_continuation_drop_use (GtxContinuation *self)
{
  if (!g_atomic_int_dec_and_test (&self->n_uses))
    return;
  self->phase = GTX_OVER;
  stop_watching_end (self);
  gtx_continuation_release_at (&self->awaited);
  gtx_continuation_release_at (&self->there);
  gtx_continuation_release_at (&self->ended);
  if (__atomic_exchange_n (&self->keeper, GTX_FREE, __ATOMIC_ACQ_REL) == GTX_LET_GO)
    gtx_continuation_release (&self->parent_instance);
}

void
gtx_continuation_let_go (GtxContinuation *self)
{
  stop_watching_end (self);
  gtx_continuation_release_at (&self->awaited);
  gtx_continuation_release_at (&self->there);
}

static void
let_go_and_unref (gpointer self)
{
  gtx_continuation_let_go (self);
  g_object_unref (self);
}

static void
let_go (GtxContinuation *self)
{
  GtxScheduler *home = self->parent_instance.home;
  GtxVisit visit = gtx_scheduler_enter (home);

  if (visit)
    gtx_continuation_let_go (self);
  else if (!gtx_scheduler_post (home, let_go_and_unref, g_object_ref (self)))
    let_go_and_unref (self);
  gtx_scheduler_leave (home, visit);
}

GtxKeeper
gtx_continuation_keeper (GtxContinuation *self)
{
  return (GtxKeeper) __atomic_load_n (&self->keeper, __ATOMIC_ACQUIRE);
}

/* The last reference goes.  If a callback has @self still, the callback takes it over. */
static gboolean
is_taken_over (GtxContinuation *self)
{
  gint held = GTX_HELD;

  g_object_ref (self);
  if (__atomic_compare_exchange_n (&self->keeper, &held, GTX_LET_GO, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return TRUE;
  g_object_unref (self);
  return FALSE;
}

static void
gtx_continuation_dispose (GObject *object)
{
  GtxContinuation *self = (GtxContinuation *) object;
  gboolean is_used = gtx_n_references (object) == 1 && gtx_continuation_keeper (self) != GTX_FREE;

  if (is_used && is_taken_over (self))
    let_go (self);
  else if (is_used && gtx_continuation_keeper (self) == GTX_LET_GO)
    gtx_future_keep_after_mistake (&self->parent_instance);
  else
    G_OBJECT_CLASS (gtx_continuation_parent_class)->dispose (object);
}

/* ---- The end ---- */

static gboolean
has_error (GtxFuture *outcome)
{
  return gtx_future_state (outcome) == GTX_FUTURE_FINISHED && outcome->error;
}

void
gtx_continuation_finish_as (GtxContinuation *self,
                            GtxFuture       *outcome)
{
  GtxFuture *future = &self->parent_instance;

  if (self->is_cancelled && (self->phase == GTX_CALLS || !has_error (outcome)))
    {
      gtx_future_forgive_error (outcome);
      gtx_future_finish_cancelled (future);
      return;
    }
  /* An error that was retrieved, or that nobody need know, is not warned of once more. */
  if (g_atomic_int_get (&outcome->error_is_no_news))
    gtx_future_forgive_error (future);
  gtx_future_finish_like (future, outcome);
}

void
gtx_continuation_lose (GtxContinuation *self)
{
  GtxFuture *future = &self->parent_instance;

  if (gtx_scheduler_get_context (future->home) == NULL && !gtx_future_done (future))
    gtx_future_fail_quietly (future,
                             g_error_new_literal (GTX_ERROR, GTX_ERROR_CONTEXT_GONE,
                                                  "What the future waits for can never end: its main context "
                                                  "is gone"));
  gtx_continuation_free_data (self);
}

static void
end_with_context (GtxContinuation *self)
{
  if (self->phase == GTX_WAITS_FOR_ANSWERS)
    gtx_continuation_finish_as (self, self->ended);
  else if (self->awaited && !gtx_future_done (self->awaited))
    gtx_future_take_back (self->awaited, self->callback);
}

/* If what is waited for is done by now, the callback is queued, and still runs. */
static void
context_has_ended (gpointer data)
{
  end_with_context (data);
  g_object_unref (data);
}

/* The function posts a message because what is waited for may end with the main context, too. */
static void
context_ends (GtxHandle *handle)
{
  GtxContinuation *self = GTX_CONTAINER_OF (handle, GtxContinuation, at_end);

  gtx_scheduler_post (self->parent_instance.home, context_has_ended, g_object_ref (self));
}

void
gtx_continuation_watch_end (GtxContinuation *self)
{
  if (self->phase != GTX_OVER && gtx_continuation_keeper (self) == GTX_HELD)
    gtx_scheduler_call_at_end (self->parent_instance.home, &self->at_end);
}

/* ---- The class ---- */

static void
gtx_continuation_class_init (GtxContinuationClass *class)
{
  G_OBJECT_CLASS (class)->dispose = gtx_continuation_dispose;
  class->cancel = gtx_continuation_cancel;
  class->get_awaited = gtx_continuation_get_awaited;
}

static void
gtx_continuation_init (GtxContinuation *self)
{
  self->at_end.run = context_ends;
}
