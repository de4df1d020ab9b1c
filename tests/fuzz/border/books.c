/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "books.h"

#include <stdlib.h>

Task *
task_new (Home *home, const char *coroutine)
{
  Task *self = g_new0 (Task, 1);

  self->home = home;
  self->coroutine = coroutine;
  self->awaiters = g_ptr_array_new ();
  self->timeouts = g_ptr_array_new ();
  self->groups = g_ptr_array_new ();
  return self;
}

void
task_free (Task *self)
{
  g_ptr_array_unref (self->awaiters);
  g_ptr_array_unref (self->timeouts);
  g_ptr_array_unref (self->groups);
  g_free (self);
}

gboolean
task_is_done (Task *self)
{
  return self->task == NULL || gtx_future_is_done (self->task);
}

/* ---- Requests ---- */

static int
n_elsewhere (Task *self)
{
  return peek (&self->is_wild) ? 1000 : peek (&self->n_elsewhere);
}

void
book_elsewhere (Task *self)
{
  count (&self->n_elsewhere);
}

/* A task that awaits others passes the request on.  If they swallow it, the task carries on,
 * too. */
static void
pass_on (Task *self)
{
  for (guint i = 0; i < self->awaited->len; i++)
    {
      Task *awaited = self->awaited->pdata[i];

      if (awaited->home != self->home || !self->passes_exactly)
        mark (&awaited->is_wild);
      else if (!task_is_done (awaited))
        book_request (awaited);
    }
}

/* If the awaited task is done, a request is for the task itself. */
static gboolean
awaits_what_is_done (Task *self)
{
  Task *first = self->awaited->pdata[0];

  return self->passes_exactly && self->awaited->len == 1 && first->home == self->home && task_is_done (first);
}

static void
owe (Task *self, Request *request)
{
  self->may = TRUE;
  if (self->awaited && !awaits_what_is_done (self))
    {
      *request = MAX (*request, PASSED_ON);
      pass_on (self);
    }
  else
    *request = OWED;
}

void
book_request (Task *self)
{
  self->least++;
  self->most++;
  owe (self, &self->request);
}

static TimeoutBlock *
timeout_at (Task *self, guint i)
{
  return self->timeouts->pdata[i];
}

gboolean
book_is_owed (Task *self)
{
  for (guint i = 0; i < self->timeouts->len; i++)
    if (timeout_at (self, i)->request == OWED)
      return TRUE;
  return self->request == OWED;
}

static void
forget_requests (Task *self)
{
  self->request = NONE;
  self->may = FALSE;
  for (guint i = 0; i < self->timeouts->len; i++)
    timeout_at (self, i)->request = NONE;
}

void
book_doubt (Task *self)
{
  gboolean may = self->may;

  forget_requests (self);
  self->may = may;
}

static void
take_back (Task *self, guint n)
{
  if (n == 0)
    return;
  self->n_taken_back++;
  self->least = MAX (self->least - 1, 0);
  self->most--;
  if (n == 1)
    forget_requests (self);
}

/* The books do not have a group's own request, which may be the one that is withdrawn. */
void
book_uncancelled (Task *self, guint n)
{
  take_back (self, n);
  for (guint i = 0; i < self->groups->len; i++)
    {
      ((GroupBlock *) self->groups->pdata[i])->is_unclear = TRUE;
      mark (&self->is_wild);
    }
}

/* ---- What was made meanwhile ---- */

/* A group that was cancelled, or whose child failed, makes a request to its block. */
static guint
n_own (Task *self)
{
  guint n = 0;

  for (guint i = 0; i < self->groups->len; i++)
    n += group_may_shut_down (self->groups->pdata[i]);
  return n;
}

static void
note_timeouts (Task *self)
{
  for (guint i = 0; i < self->timeouts->len; i++)
    {
      TimeoutBlock *block = timeout_at (self, i);

      if (block->noted || !gtx_timeout_expired (&block->timeout))
        continue;
      block->noted = TRUE;
      self->least++;
      self->most++;
      owe (self, &block->request);
    }
}

static gboolean
is_unclear (Task *self)
{
  return n_elsewhere (self) > self->n_elsewhere_told || n_own (self) > 0;
}

/* Uncertainty about the tasks that await this task makes this task uncertain, too. */
static void
note_awaiters (Task *self)
{
  for (guint i = 0; i < self->awaiters->len; i++)
    {
      Task *awaiter = self->awaiters->pdata[i];

      note_awaiters (awaiter);
      note_timeouts (awaiter);
      if (is_unclear (awaiter))
        mark (&self->is_wild);
    }
}

void
book_resumed (Task *self)
{
  note_awaiters (self);
  note_timeouts (self);
  book_count (self, gtx_cancelling (gtx_current_task ()));
}

void
book_count (Task *self, guint n)
{
  int most = self->most + (int) n_own (self) + n_elsewhere (self) - self->n_elsewhere_counted;

  /* The count does not go below zero, even if more requests are withdrawn than were made. */
  if ((int) n < self->least || (int) n > MAX (most, 0))
    broken ("%s: gtx_cancelling () is %u, and is to be from %d to %d", self->coroutine, n, self->least, most);
}

/* ---- What comes out ---- */

static gboolean
take_own (Task *self)
{
  for (guint i = 0; i < self->groups->len; i++)
    {
      GroupBlock *group = self->groups->pdata[i];

      if (!group->own_delivered && group_may_shut_down (group))
        {
          group->own_delivered = TRUE;
          return TRUE;
        }
    }
  return FALSE;
}

gboolean
book_may_be_told (Task *self)
{
  return self->may || n_elsewhere (self) > self->n_elsewhere_told || n_own (self) > 0;
}

/* If one group may have made the request, the request is not from outside for that group. */
static void
find_cause (Task *self)
{
  self->cause.surely = self->request != NONE;
  self->cause.maybe = self->may || n_elsewhere (self) > self->n_elsewhere_told || n_own (self) > 1;
  self->cause.timeout = G_MAXUINT;
  for (guint i = self->timeouts->len; i > 0; i--)
    if (timeout_at (self, i - 1)->request != NONE)
      self->cause.timeout = i - 1;
}

void
book_cancelled (Task *self)
{
  find_cause (self);
  self->n_told++;
  if (!self->may && !take_own (self))
    {
      if (n_elsewhere (self) <= self->n_elsewhere_told)
        broken ("%s is told that it is cancelled, and no request is left", self->coroutine);
      self->n_elsewhere_told++;
    }
  forget_requests (self);
}

void
book_cancelled_by_itself (Task *self)
{
  self->cause = (Cause) { .surely = FALSE, .maybe = TRUE, .timeout = G_MAXUINT };
}

void
book_awaited_was_cancelled (Task *self)
{
  find_cause (self);
  self->cause.maybe = TRUE;
  /* The cause may also be a request of another thread that has not been noticed yet. */
  if (self->may)
    self->n_told++;
  else
    self->n_indirect++;
  forget_requests (self);
}

void
book_undisturbed (Task *self, const char *what)
{
  if (book_is_owed (self))
    broken ("%s: %s has ended as if nothing was, and a request to cancel is lost", self->coroutine, what);
}

/* ---- Tasks that it awaits ---- */

void
book_awaits (Task *self, GPtrArray *tasks, gboolean exactly)
{
  gboolean was_owed;

  note_awaiters (self);
  note_timeouts (self);
  was_owed = book_is_owed (self);
  self->n_indirect++;
  self->awaited = tasks;
  self->passes_exactly = exactly;
  for (guint i = 0; i < tasks->len; i++)
    {
      Task *awaited = tasks->pdata[i];

      if (awaited->home == self->home)
        g_ptr_array_add (awaited->awaiters, self);
      if (awaited->home != self->home || !exactly)
        mark (&awaited->is_wild);
    }
  if (!was_owed)
    return;
  if (self->request == OWED)
    self->request = PASSED_ON;
  for (guint i = 0; i < self->timeouts->len; i++)
    if (timeout_at (self, i)->request == OWED)
      timeout_at (self, i)->request = PASSED_ON;
  pass_on (self);
}

void
book_awaited (Task *self)
{
  book_resumed (self);
  for (guint i = 0; i < self->awaited->len; i++)
    {
      Task *awaited = self->awaited->pdata[i];

      if (awaited->home != self->home)
        continue;
      g_ptr_array_remove_fast (awaited->awaiters, self);
      if (is_unclear (self))
        mark (&awaited->is_wild);
    }
  self->awaited = NULL;
}

void
book_passed (Task *self, gboolean exactly)
{
  if (exactly && !book_is_owed (self))
    self->may = FALSE;
  if (self->request == PASSED_ON)
    self->request = NONE;
  for (guint i = 0; i < self->timeouts->len; i++)
    if (timeout_at (self, i)->request == PASSED_ON)
      timeout_at (self, i)->request = NONE;
}

/* ---- Timeouts ---- */

void
book_timeout_begins (Task *self, TimeoutBlock *block)
{
  block->n_cancels = gtx_cancelling (gtx_current_task ());
  block->one_stood = block->n_cancels > 0 && book_may_be_told (self);
}

/* A pending request that an operation left before the block comes from other code.  A request of
 * the task to itself does not. */
static gboolean
others_is_left (const TimeoutBlock *block, guint n, gboolean timed_out)
{
  if (n == block->n_cancels && block->one_stood)
    return !timed_out;
  return n > block->n_cancels;
}

void
book_timeout_ends (TimeoutBlock *block)
{
  block->n_at_end = gtx_cancelling (gtx_current_task ());
}

void
book_timeout_ended (Task *self, TimeoutBlock *block, Ending body, gboolean timed_out)
{
  gboolean is_over = gtx_timeout_expired (&block->timeout);
  guint n = gtx_cancelling (gtx_current_task ());
  gboolean is_told = is_over && body == CANCELLED && !others_is_left (block, n, timed_out);

  if (is_told != timed_out)
    broken ("%s: a timeout that is%s over ends%s with G_IO_ERROR_TIMED_OUT", self->coroutine,
            is_over ? "" : " not", timed_out ? "" : " not");
  if (is_over && !block->noted)
    broken ("%s: a timeout was over while its task ran", self->coroutine);
  /* The timeout's request, which was told to the block, may have delivered a pending request of
   * other code. */
  if (is_over && body == CANCELLED && !timed_out && block->request != OWED)
    book_doubt (self);
  if (is_over)
    take_back (self, block->n_at_end);
  book_count (self, n);
}
