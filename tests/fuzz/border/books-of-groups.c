/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A group that is cancelled on purpose swallows its own request and no other. */

#include "books.h"

#include <stdlib.h>

gboolean
group_may_shut_down (GroupBlock *self)
{
  if (self->on_purpose)
    return TRUE;
  for (guint i = 0; i < self->children->len; i++)
    if (((Task *) self->children->pdata[i])->failed)
      return TRUE;
  return FALSE;
}

/* Returns how often the task was told of a request, or may have been told. */
static guint
n_told (Task *task)
{
  return task->n_told + task->n_taken_back + task->n_indirect;
}

/* Only the first call cancels the group. */
void
book_group_cancelled (GroupBlock *self)
{
  gboolean is_certain = !group_may_shut_down (self) && !self->ends;

  if (!self->on_purpose)
    self->n_told = n_told (self->parent);
  self->on_purpose = TRUE;
  for (guint i = 0; is_certain && i < self->children->len; i++)
    if (!task_is_done (self->children->pdata[i]))
      book_request (self->children->pdata[i]);
}

void
book_group_ends (GroupBlock *self, Ending body)
{
  Task *parent = self->parent;

  self->ends = TRUE;
  self->body = body;
  self->cause = parent->cause;
  self->was_told = self->on_purpose && n_told (parent) != self->n_told;
  parent->n_indirect++;
  for (guint i = 0; i < self->children->len; i++)
    self->suspends |= !task_is_done (self->children->pdata[i]);
  /* The block may have withdrawn the group's own request.  The group then withdraws a request of
   * other code. */
  if (self->is_unclear)
    self->parent->least = MAX (self->parent->least - 1, 0);
}

/* ---- Its end ---- */

static guint
n_errors_of_children (GroupBlock *self)
{
  guint n = 0;

  for (guint i = 0; i < self->children->len; i++)
    n += ((Task *) self->children->pdata[i])->failed;
  return n;
}

/* Returns whether a request that is not the group's was delivered in the block, or was owed to it
 * while it waited. */
static gboolean
is_cancelled_from_outside (GroupBlock *self)
{
  if (self->is_unclear)
    return FALSE;
  if (self->suspends && book_is_owed (self->parent))
    return TRUE;
  return self->body == CANCELLED && (self->cause.surely || self->cause.timeout < self->n_timeouts);
}

static void
check_children (GroupBlock *self)
{
  for (guint i = 0; i < self->children->len; i++)
    if (!task_is_done (self->children->pdata[i]))
      broken ("%s: a group has ended before its children", self->parent->coroutine);
}

static void
ended_with_errors (GroupBlock *self, const GError *error, gboolean from_outside)
{
  Task *parent = self->parent;
  guint n = n_errors_of_children (self) + (self->body == FAILED);

  if (gtx_error_get_n_errors (error) != n)
    broken ("%s: a group has ended with %u errors, and there were %u", parent->coroutine,
            gtx_error_get_n_errors (error), n);
  /* A request that the group's error does not tell of is made again. */
  if (gtx_cancelling (gtx_current_task ()) == 0)
    return;
  parent->may = TRUE;
  if (from_outside)
    parent->request = OWED;
}

/* Returns whether the cancellation must be the group's own: no block around it may have made
 * another request. */
static gboolean
tells_of_its_own (GroupBlock *self)
{
  Task *parent = self->parent;

  return self->on_purpose && !self->is_unclear && self->body == CANCELLED && !self->cause.maybe &&
         !book_may_be_told (parent);
}

static void
ended_cancelled (GroupBlock *self, gboolean from_outside)
{
  Task *parent = self->parent;

  if (tells_of_its_own (self))
    broken ("%s: a group that was cancelled on purpose does not swallow its own request", parent->coroutine);
  if (self->body != CANCELLED)
    book_cancelled (parent);
  else if (self->suspends)
    book_awaited_was_cancelled (parent);
  /* The group's request, which was told to the block, may have delivered a pending request of other
   * code. */
  else if (self->children->len > 0 || self->was_told)
    book_doubt (parent);
  parent->cause.surely |= from_outside;
  parent->cause.maybe = TRUE;
  if (self->body == CANCELLED)
    parent->cause.timeout = MIN (parent->cause.timeout, self->cause.timeout);
}

static void
ended_well (GroupBlock *self, gboolean from_outside)
{
  if (from_outside)
    broken ("%s: a group has swallowed a request that was not its own", self->parent->coroutine);
  if (self->body == CANCELLED && !self->on_purpose && !self->is_unclear)
    broken ("%s: a group has swallowed a request though nobody cancelled it", self->parent->coroutine);
}

/* As in asyncio, a request that comes while the group waits hides the error of the block. */
static gboolean
loses_error (GroupBlock *self, const GError *error)
{
  if (n_errors_of_children (self) > 0)
    return TRUE;
  return self->body == FAILED && (self->children->len == 0 || error == NULL);
}

void
book_group_ended (GroupBlock *self, const GError *error)
{
  gboolean from_outside = is_cancelled_from_outside (self);

  check_children (self);
  if (g_error_matches (error, GTX_ERROR, GTX_ERROR_GROUP))
    ended_with_errors (self, error, from_outside);
  else if (loses_error (self, error))
    broken ("%s: a group has lost an error", self->parent->coroutine);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    ended_cancelled (self, from_outside);
  else if (error)
    broken ("%s: a group ends with what it cannot end with: %s", self->parent->coroutine, error->message);
  else
    ended_well (self, from_outside);
  if (self->is_unclear)
    book_doubt (self->parent);
}
