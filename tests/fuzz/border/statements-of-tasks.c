/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statements that start tasks, and that await tasks, futures and signals; and their permitted
 * outcomes. */

#include "statements.h"

#include <stdlib.h>

/* ---- Tasks ---- */

/* The await must end as the future does, or be cancelled. */
static void
judge_future (Task *self, const char *what, gpointer future, const GError *failure)
{
  const GError *own = gtx_future_is_done (future) ? gtx_future_get_error (future) : NULL;

  if (failure == NULL && gtx_future_is_done (future) && own == NULL)
    return;
  if (is_cancelled (failure))
    return;
  if (failure && own && g_error_matches (failure, own->domain, own->code))
    return;
  broken ("%s: %s ends with %s, and what it awaited with %s", self->coroutine, what,
          failure ? failure->message : "success", own ? own->message : "none");
}

/* @is_strict: the future was pending when the await began. */
static void
book_outcome (Task *self, const char *what, gboolean was_cancelled, const GError *failure, gboolean is_strict)
{
  gboolean may = self->may;

  if (!is_cancelled (failure))
    {
      if (is_strict)
        book_undisturbed (self, what);
    }
  else if (was_cancelled)
    {
      book_awaited_was_cancelled (self);
      /* If the future was done after all, the await has delivered nothing. */
      self->may = may && !is_strict;
    }
  else
    book_cancelled (self);
  book_passed (self, is_strict);
}

static Flow
await_task (Task *self, const char *what, GtxTask *task, Task *record, GError **error)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  gboolean was_done = gtx_future_is_done (task);
  gboolean is_here = record->home == self->home;
  GError *failure = NULL;

  g_ptr_array_add (one, record);
  if (was_done)
    gtx_await (task, &failure);
  else
    {
      book_awaits (self, one, TRUE);
      gtx_await (task, &failure);
      resumed (self);
      book_awaited (self);
    }
  judge_future (self, what, task, failure);
  if (!gtx_future_is_done (task))
    broken ("%s: %s has ended before the task", self->coroutine, what);
  if (was_done && is_cancelled (failure) != gtx_future_is_cancelled (task))
    broken ("%s: %s, which was done, has delivered a request", self->coroutine, what);
  if (!was_done)
    book_outcome (self, what, gtx_future_is_cancelled (task), failure, is_here);
  return flow (failure, error);
}

static Flow
await_shielded (Task *self, const char *what, GtxTask *task, Task *record, GError **error)
{
  gboolean was_done = gtx_future_is_done (task);
  g_autoptr (GtxFuture) outer = gtx_shield (task);
  GError *failure = NULL;

  gtx_await (outer, &failure);
  resumed (self);
  book_resumed (self);
  judge_future (self, what, task, failure);
  if (!was_done)
    book_outcome (self, what, gtx_future_is_cancelled (task), failure, record->home == self->home);
  return flow (failure, error);
}

/* The books do not see the requests of the function's timeout. */
static Flow
wait_for_task (Task *self, Statement *statement, GtxTask *task, Task *record, GError **error)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  gboolean was_done = gtx_future_is_done (task);
  GError *failure = NULL;

  g_ptr_array_add (one, record);
  if (!was_done)
    book_awaits (self, one, FALSE);
  gtx_wait_for (task, atoi (statement->words[1]) * moment / 1e6, &failure);
  resumed (self);
  if (!was_done)
    book_awaited (self);
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) &&
      (record->home == self->home || !g_error_matches (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT)))
    judge_future (self, statement->line, task, failure);
  if (!was_done)
    book_outcome (self, statement->line, gtx_future_is_cancelled (task), failure, FALSE);
  return flow (failure, error);
}

Flow
run_with_task (Task *self, Statement *statement, GError **error)
{
  const char *what = statement->words[0];
  Task *record;
  g_autoptr (GtxTask) task = border_find (statement->words[g_strv_length (statement->words) - 1], &record);

  if (task == NULL)
    return GO_ON;
  if (strcmp (what, "await") == 0)
    return await_task (self, statement->line, task, record, error);
  if (strcmp (what, "shield") == 0)
    return await_shielded (self, statement->line, task, record, error);
  return wait_for_task (self, statement, task, record, error);
}

/* Finds the existing tasks of this home. */
static void
find_all (Task *self, char **variables, GPtrArray *tasks, GPtrArray *records)
{
  for (; *variables; variables++)
    {
      Task *record;
      GtxTask *task = border_find (*variables, &record);

      if (task && record->home == self->home)
        {
          g_ptr_array_add (tasks, task);
          g_ptr_array_add (records, record);
        }
      else
        g_clear_object (&task);
    }
}

static gboolean
has_one_like (GPtrArray *tasks, const GError *failure)
{
  for (guint i = 0; i < tasks->len; i++)
    {
      const GError *error = gtx_future_get_error (tasks->pdata[i]);

      if (error && g_error_matches (failure, error->domain, error->code))
        return TRUE;
    }
  return FALSE;
}

Flow
run_gather (Task *self, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) records = g_ptr_array_new ();
  GError *failure = NULL;

  find_all (self, statement->words + 1, tasks, records);
  if (tasks->len == 0)
    return GO_ON;
  book_awaits (self, records, FALSE);
  gtx_gather (tasks, GTX_GATHER_NONE, &failure);
  resumed (self);
  book_awaited (self);
  for (guint i = 0; failure == NULL && i < tasks->len; i++)
    judge_future (self, statement->line, tasks->pdata[i], NULL);
  if (failure && !is_cancelled (failure) && !has_one_like (tasks, failure))
    broken ("%s: %s fails with none of its tasks' errors: %s", self->coroutine, statement->line,
            failure->message);
  book_outcome (self, statement->line, failure && has_one_like (tasks, failure), failure, FALSE);
  return flow (failure, error);
}

/* ---- Starting tasks ---- */

Flow
run_spawn (Task *self, char **words)
{
  gboolean elsewhere = strcmp (words[0], "spawn_elsewhere") == 0;
  Home *home = elsewhere ? border_other_home (self->home) : self->home;
  Task *record;
  GtxTask *task = border_make_task (home, words[2], &record);

  task = elsewhere ? gtx_task_start_in (task, home->context) : gtx_task_start (task);
  border_publish (words[1], border_watch (task, record), record);
  return GO_ON;
}

Flow
run_gspawn (Task *self, Statement *statement, GError **error)
{
  GroupBlock *group;
  GtxTask *task;
  Task *record;

  if (self->groups->len == 0)
    return GO_ON;
  group = self->groups->pdata[self->groups->len - 1];
  task = border_make_task (self->home, statement->words[2], &record);
  record->member_of = group;
  border_watch (task, record);
  /* The group may cancel the task. */
  book_elsewhere (record);
  task = gtx_task_group_start (&group->group, task, error);
  if (task == NULL && !group_may_shut_down (group))
    broken ("%s: %s: a group refuses a task, and is not to shut down", self->coroutine, statement->line);
  if (task && group->on_purpose)
    broken ("%s: %s: a group that was cancelled takes a task", self->coroutine, statement->line);
  if (task == NULL)
    return FAIL;
  g_ptr_array_add (group->children, record);
  border_publish (statement->words[1], g_object_ref (task), record);
  return GO_ON;
}

/* ---- Futures and signals ---- */

Flow
run_await_future (Task *self, Statement *statement, GError **error)
{
  Future *future = border_future (statement->words[1]);
  gboolean was_done = gtx_future_is_done (future->future);
  GError *failure = NULL;
  gboolean is_strict;

  gtx_await (future->future, &failure);
  resumed (self);
  book_resumed (self);
  judge_future (self, statement->line, future->future, failure);
  is_strict = !peek (&future->touched_elsewhere) && self->home != border_other_home (NULL);
  if (!was_done)
    book_outcome (self, statement->line, gtx_future_is_cancelled (future->future), failure, is_strict);
  else if (is_cancelled (failure) != gtx_future_is_cancelled (future->future))
    broken ("%s: %s, which was done, has delivered a request", self->coroutine, statement->line);
  return flow (failure, error);
}

Flow
run_await_signal (Task *self, Statement *statement, GError **error)
{
  Object *object = border_object (statement->words[1]);
  gint n_emitted = peek (&object->n_emitted);
  GError *failure = NULL;
  gboolean emitted = gtx_await_signal (object->object, "ping", &failure);

  /* An object that was disposed of before is not waited for. */
  if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE))
    judge_unwaited (self);
  else
    judge_plain (self, statement->line, failure);
  if (emitted == (failure != NULL))
    broken ("%s: %s: neither an emission nor an error", self->coroutine, statement->line);
  if (emitted && peek (&object->n_emitting) == n_emitted)
    broken ("%s: %s: nobody has emitted it", self->coroutine, statement->line);
  if (failure && !is_cancelled (failure) &&
      (!g_error_matches (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE) || peek (&object->n_disposed) == 0))
    broken ("%s: %s: %s", self->coroutine, statement->line, failure->message);
  return flow (failure, error);
}

/* Another process may send the signal, too. */
Flow
run_await_process_signal (Task *self, Statement *statement, GError **error)
{
  GError *failure = NULL;
  gboolean succeeded = gtx_await_unix_signal (PROCESS_SIGNAL, &failure);

  /* A signal that came before is not waited for. */
  if (succeeded)
    judge_unwaited (self);
  else
    judge_plain (self, statement->line, failure);
  if (succeeded == (failure != NULL) || (failure && !is_cancelled (failure)))
    broken ("%s: %s: %s", self->coroutine, statement->line, failure ? failure->message : "no error");
  return flow (failure, error);
}

Flow
run_bind (Task *self, char **words)
{
  Object *object = border_object (words[2]);
  Task *record;
  g_autoptr (GtxTask) task = border_find (words[1], &record);

  if (task == NULL || record->home != self->home || self->home == border_other_home (NULL))
    return GO_ON;
  g_mutex_lock (&object->mutex);
  g_ptr_array_add (object->bound, record);
  if (object->disposed_elsewhere)
    book_elsewhere (record);
  g_mutex_unlock (&object->mutex);
  gtx_task_bind (task, object->object);
  return GO_ON;
}
