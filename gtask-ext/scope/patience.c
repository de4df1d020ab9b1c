/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scope/patience.h"

#include "loop/deadline.h"
#include "task/task-private.h"

/* Tasks that are spared until a time is over. */
typedef struct
{
  GtxTimer timer;
  GtxHandle at_end;             /* runs when the main context goes */
  GtxScheduler *home;
  GtxHandleList spared;
  GtxHandleList *candidates;    /* that the spared ones go back to; gone if none is left */
} Reprieve;

static void
reprieve_free (Reprieve *self)
{
  gtx_scheduler_cancel_timer (self->home, &self->timer);
  if (gtx_handle_is_linked (&self->at_end))
    gtx_handle_unlink (&self->at_end);
  gtx_scheduler_unref (self->home);
  g_free (self);
}

static void
time_is_over (GtxHandle *handle)
{
  Reprieve *self = GTX_CONTAINER_OF (handle, Reprieve, timer.handle);
  GtxHandle *link;

  gtx_requests_hold ();
  while ((link = gtx_handle_list_pop (&self->spared)))
    {
      GtxCandidate *candidate = GTX_CONTAINER_OF (link, GtxCandidate, link);

      gtx_handle_list_append (self->candidates, link);
      if (gtx_cancelling (candidate->task) <= candidate->n_cancels)
        gtx_cancel (candidate->task);
      candidate->n_cancels = 0;
    }
  reprieve_free (self);
  gtx_requests_release ();
}

static void
context_ends (GtxHandle *handle)
{
  Reprieve *self = GTX_CONTAINER_OF (handle, Reprieve, at_end);

  while (gtx_handle_list_pop (&self->spared))
    ;
  reprieve_free (self);
}

static Reprieve *
reprieve_new (GtxScheduler  *home,
              GtxHandleList *candidates)
{
  Reprieve *self = g_new0 (Reprieve, 1);

  self->timer.handle.run = time_is_over;
  self->at_end.run = context_ends;
  self->home = gtx_scheduler_ref (home);
  self->candidates = candidates;
  gtx_handle_list_init (&self->spared);
  gtx_scheduler_call_at_end (home, &self->at_end);
  gtx_scheduler_call_at (home, &self->timer, gtx_deadline (home, GTX_PATIENCE));
  return self;
}

/* FALSE if the task was not cancelled before. */
static gboolean
spare (GtxCandidate   *candidate,
       GtxHandleList  *candidates,
       Reprieve      **reprieve)
{
  if (!gtx_task_was_cancelled (candidate->task))
    return FALSE;
  candidate->n_cancels = gtx_cancelling (candidate->task);
  if (*reprieve == NULL)
    *reprieve = reprieve_new (candidate->task->parent_instance.home, candidates);
  gtx_handle_unlink (&candidate->link);
  gtx_handle_list_append (&(*reprieve)->spared, &candidate->link);
  return TRUE;
}

gboolean
gtx_spare (GtxCandidate  *candidate,
           GtxHandleList *candidates)
{
  Reprieve *reprieve = NULL;

  return candidate->n_cancels > 0 || spare (candidate, candidates, &reprieve);
}

/* A task may await another one, which then gets the request from it: who was cancelled before is found
 * out first, and nobody is asked twice. */
static void
cancel_or_spare (GtxHandleList *candidates)
{
  Reprieve *reprieve = NULL;
  GtxHandle *next;

  for (GtxHandle *link = candidates->ring.next; link != &candidates->ring; link = next)
    {
      next = link->next;
      spare (GTX_CONTAINER_OF (link, GtxCandidate, link), candidates, &reprieve);
    }
  for (GtxHandle *link = candidates->ring.next; link != &candidates->ring; link = link->next)
    {
      GtxTask *task = GTX_CONTAINER_OF (link, GtxCandidate, link)->task;

      if (!gtx_task_was_cancelled (task))
        gtx_cancel (task);
    }
}

void
gtx_cancel_patiently (GtxHandleList *candidates,
                      GtxScheduler  *home,
                      const char    *function)
{
  GtxVisit visit = gtx_scheduler_enter_home (home, function);

  if (visit == GTX_ELSEWHERE)
    return;
  gtx_scheduler_ref (home);
  gtx_requests_hold ();
  cancel_or_spare (candidates);
  /* Handlers of the program run now, and may free the candidates. */
  gtx_requests_release ();
  gtx_scheduler_leave (home, visit);
  gtx_scheduler_unref (home);
}
