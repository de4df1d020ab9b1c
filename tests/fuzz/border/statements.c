/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All other statements and their permitted outcomes. statements-of-tasks.c has the rest. */

#include "statements.h"

#include <stdlib.h>

void
resumed (Task *self)
{
  if (cancelling > 0)
    broken ("%s goes on while something is being cancelled", self->coroutine);
  if (home_here () != self->home)
    broken ("%s runs in a thread that is not its home's", self->coroutine);
  count (&border_n_steps);
}

gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static Ending
ending_of (const GError *error)
{
  return error == NULL ? WELL : is_cancelled (error) ? CANCELLED : FAILED;
}

Flow
flow (GError *failure, GError **error)
{
  if (border_is_traced && failure)
    g_printerr ("%s: %s\n", gtx_task_get_name (gtx_current_task ()), failure->message);
  if (failure == NULL)
    return GO_ON;
  g_propagate_error (error, failure);
  return FAIL;
}

void
judge_plain (Task *self, const char *what, const GError *failure)
{
  resumed (self);
  book_resumed (self);
  if (is_cancelled (failure))
    book_cancelled (self);
  else
    book_undisturbed (self, what);
}

void
judge_unwaited (Task *self)
{
  resumed (self);
  book_resumed (self);
}

static Flow
run_sleep (Task *self, Statement *statement, GError **error)
{
  GError *failure = NULL;

  gtx_sleep (atoi (statement->words[1]) * moment / 1e6, &failure);
  judge_plain (self, statement->line, failure);
  if (failure && !is_cancelled (failure))
    broken ("%s: %s", statement->line, failure->message);
  return flow (failure, error);
}

/* ---- Operations and threads ---- */

/* The await has ended, so the other thread has certainly cancelled. */
static void
book_own_cancelling (Task *self)
{
  self->n_elsewhere_told++;
  self->may = TRUE;
  self->request = OWED;
}

static void
check_called_back (Operation *operation, const char *what)
{
  if (!peek (&operation->has_called_back))
    broken ("%s: %s: the task goes on before its operation has called back", operation->owner->coroutine,
            what);
}

static void
judge_operation (Task *self, Operation *operation, const char *what, const GError *failure)
{
  gboolean fails = operation->end == FAIL_BY_ITSELF || operation->end == CANCEL_AND_FAIL;

  check_called_back (operation, what);
  if (peek (&operation->has_cancelled))
    book_own_cancelling (self);
  if (is_cancelled (failure))
    {
      gboolean may_say_so = operation->kind == TASK || (operation->kind == BLIND && fails) ||
                            (operation->kind == OWN && operation->end >= CANCEL_AND_SUCCEED);

      if (!peek (&operation->says_cancelled) && !may_say_so)
        broken ("%s: %s: what came of the operation is lost", self->coroutine, what);
      if (operation->kind == OWN)
        book_cancelled_by_itself (self);
      else
        book_cancelled (self);
      /* Only the operation's _finish () knows the meaning of this result. */
      if (operation->kind == OTHER)
        self->may = TRUE;
    }
  else if (peek (&operation->says_cancelled) || (failure != NULL) != fails)
    broken ("%s: %s: something else came of the operation: %s", self->coroutine, what,
            failure ? failure->message : "nothing");
}

static Flow
run_operation (Task *self, Statement *statement, GError **error)
{
  Operation *operation = operation_new (self, statement->words + 1);
  GCancellable *cancellable = operation->kind == DEAF || operation->kind == OWN ? NULL : GTX_CANCELLABLE;
  GAsyncResult *result;
  GError *failure = NULL;

  self->lent = cancellable ? g_object_ref (cancellable) : NULL;
  if (self->lent && book_is_owed (self) && !g_cancellable_is_cancelled (self->lent))
    broken ("%s: %s: the GCancellable does not show a request that stands", self->coroutine, statement->line);
  operation_start (operation, cancellable, GTX_CALLBACK);
  result = gtx_await_result ();
  resumed (self);
  g_clear_object (&self->lent);
  /* Another thread may cancel now, too. */
  if (operation->moments % 2 == 1)
    g_usleep (moment / 10);
  operation_finish (operation, result, &failure);
  book_resumed (self);
  judge_operation (self, operation, statement->line, failure);
  operation_unref (operation);
  return flow (failure, error);
}

/* The future has the result, or is cancelled. */
static Flow
run_operation_future (Task *self, Statement *statement, GError **error)
{
  Operation *operation = operation_new (self, statement->words + 1);
  g_autoptr (GtxFuture) future = gtx_operation_future_new ();
  GError *failure = NULL;

  /* The operation's GCancellable is not the task's. */
  if (operation->end >= CANCEL_AND_SUCCEED)
    operation->end -= CANCEL_AND_SUCCEED;
  operation_start (operation, GTX_ASYNC_FUTURE (future));
  gtx_await (future, &failure);
  resumed (self);
  book_resumed (self);
  check_called_back (operation, statement->line);
  if (failure)
    {
      if (!is_cancelled (failure))
        broken ("%s: %s: the future fails by itself: %s", self->coroutine, statement->line, failure->message);
      if (operation->handler)
        g_cancellable_disconnect (operation->cancellable, operation->handler);
      book_cancelled (self);
    }
  else
    {
      operation_finish (operation, gtx_future_get_result (future), &failure);
      judge_operation (self, operation, statement->line, failure);
    }
  operation_unref (operation);
  return flow (failure, error);
}

static void
judge_thread (Task *self, Function *function, const char *what, const GError *failure)
{
  gboolean fails = function->end == FAIL_BY_ITSELF || function->end == CANCEL_AND_FAIL;
  gboolean has_begun = peek (&function->has_begun);

  if (peek (&function->has_cancelled))
    book_own_cancelling (self);
  if (is_cancelled (failure))
    {
      if (has_begun && !peek (&function->says_cancelled))
        broken ("%s: %s: what the function came to is lost", self->coroutine, what);
      book_cancelled (self);
    }
  else if (!has_begun || peek (&function->says_cancelled) || (failure != NULL) != fails)
    broken ("%s: %s: something else came of the function: %s", self->coroutine, what,
            failure ? failure->message : "nothing");
}

static Flow
run_thread (Task *self, Statement *statement, GError **error)
{
  Function *function = g_new0 (Function, 1);
  GError *failure = NULL;

  function_init (function, self, statement->words + 1);
  self->lent = g_object_ref (gtx_operation_get_cancellable ());
  gtx_to_thread (function_run, function, &failure);
  resumed (self);
  g_clear_object (&self->lent);
  book_resumed (self);
  judge_thread (self, function, statement->line, failure);
  g_free (function);
  return flow (failure, error);
}

/* ---- Requests to itself ---- */

static Flow
run_cancel_self (Task *self)
{
  book_request (self);
  if (!gtx_cancel (gtx_current_task ()))
    broken ("%s: gtx_cancel () of the current task is FALSE", self->coroutine);
  return GO_ON;
}

static Flow
run_uncancel (Task *self)
{
  guint before = gtx_cancelling (gtx_current_task ());
  guint after = gtx_uncancel (gtx_current_task ());

  if (after != (before > 0 ? before - 1 : 0))
    broken ("%s: gtx_uncancel () makes %u of %u", self->coroutine, after, before);
  book_uncancelled (self, before);
  return GO_ON;
}

/* ---- Blocks ---- */

static Flow
run_timeout (Call *call, Statement *statement, GError **error)
{
  Task *self = call->task;
  TimeoutBlock block = { .timeout = GTX_TIMEOUT_INIT };
  GError *failure = NULL;
  GError *end = NULL;
  gboolean timed_out;
  Ending body;
  Flow result;

  book_timeout_begins (self, &block);
  gtx_timeout_begin (&block.timeout, atoi (statement->words[1]) * moment / 1e6);
  g_ptr_array_add (self->timeouts, &block);
  result = run_block (call, statement->body, &failure);
  g_ptr_array_set_size (self->timeouts, (int) self->timeouts->len - 1);
  body = ending_of (failure);
  book_timeout_ends (&block);
  gtx_timeout_end (&block.timeout, &failure, &end);
  timed_out = body == CANCELLED && g_error_matches (end, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  book_timeout_ended (self, &block, body, timed_out);
  if (body != WELL && end == NULL)
    broken ("%s: a timeout swallows an error", self->coroutine);
  gtx_timeout_clear (&block.timeout);
  return end ? flow (end, error) : result;
}

static Flow
run_group (Call *call, Statement *statement, GError **error)
{
  Task *self = call->task;
  GroupBlock *group = g_new0 (GroupBlock, 1);
  GError *failure = NULL;
  GError *end = NULL;
  Flow result;

  border_keep_group (group);
  group->parent = self;
  group->n_timeouts = self->timeouts->len;
  group->is_open = TRUE;
  gtx_task_group_begin (&group->group);
  g_ptr_array_add (self->groups, group);
  result = run_block (call, statement->body, &failure);
  book_group_ends (group, ending_of (failure));
  gtx_task_group_end (&group->group, &failure, &end);
  resumed (self);
  group->is_open = FALSE;
  g_ptr_array_set_size (self->groups, (int) self->groups->len - 1);
  book_resumed (self);
  book_group_ended (group, end);
  gtx_task_group_clear (&group->group);
  if (end)
    return flow (end, error);
  /* The group's own request ended the block. */
  return result == FAIL ? GO_ON : result;
}

static Flow
run_try (Call *call, Statement *statement, GError **error)
{
  GError *failure = NULL;
  Flow result = run_block (call, statement->body, &failure);
  Cause cause;

  if (result == FAIL && statement->handler)
    {
      g_clear_error (&failure);
      result = run_block (call, statement->handler, &failure);
    }
  cause = call->task->cause;
  if (statement->final)
    {
      Flow final = run_block (call, statement->final, error);

      if (final != GO_ON)
        {
          g_clear_error (&failure);
          return final;
        }
    }
  call->task->cause = cause;
  return failure ? flow (failure, error) : result;
}

static Flow
run_repeat (Call *call, Statement *statement, GError **error)
{
  Flow result = GO_ON;

  for (int i = atoi (statement->words[1]); result == GO_ON && i > 0; i--)
    result = run_block (call, statement->body, error);
  return result;
}

static Flow
run_call (Call *call, Statement *statement, GError **error)
{
  Flow result = run_block (call, border_body (statement->words[1]), error);

  return result == FAIL ? FAIL : GO_ON;
}

/* ---- All of them ---- */

static Flow
fail_as_told (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "As told");
  return FAIL;
}

static const struct
{
  const char *word;
  Flow (*of_call) (Call *call, Statement *statement, GError **error);
  Flow (*of_task) (Task *self, Statement *statement, GError **error);
} statements[] = {
  { "try", run_try, NULL }, { "repeat", run_repeat, NULL }, { "timeout", run_timeout, NULL },
  { "group", run_group, NULL }, { "call", run_call, NULL },
  { "sleep", NULL, run_sleep }, { "operation", NULL, run_operation },
  { "operation_future", NULL, run_operation_future }, { "thread", NULL, run_thread },
  { "await", NULL, run_with_task }, { "shield", NULL, run_with_task }, { "wait_for", NULL, run_with_task },
  { "gather", NULL, run_gather }, { "gspawn", NULL, run_gspawn }, { "await_future", NULL, run_await_future },
  { "await_signal", NULL, run_await_signal }, { "await_process_signal", NULL, run_await_process_signal },
};

static Flow
run_statement (Call *call, Statement *statement, GError **error)
{
  const char *what = statement->words[0];

  count (&border_n_steps);
  if (border_is_traced)
    g_printerr ("%s, %s: %s\n", gtx_task_get_name (gtx_current_task ()), call->task->coroutine,
                statement->line);
  for (guint i = 0; i < G_N_ELEMENTS (statements); i++)
    if (strcmp (statements[i].word, what) == 0)
      return statements[i].of_call ? statements[i].of_call (call, statement, error)
                                   : statements[i].of_task (call->task, statement, error);
  if (g_str_has_prefix (what, "spawn"))
    return run_spawn (call->task, statement->words);
  if (strcmp (what, "bind") == 0)
    return run_bind (call->task, statement->words);
  if (strcmp (what, "cancel_self") == 0)
    return run_cancel_self (call->task);
  if (strcmp (what, "uncancel") == 0)
    return run_uncancel (call->task);
  if (strcmp (what, "raise") == 0)
    return fail_as_told (error);
  if (strcmp (what, "return") == 0)
    return RETURN;
  if (!is_action (what))
    g_error ("%s: this statement is not known", statement->line);
  run_action (call->task, statement->words);
  return GO_ON;
}

Flow
run_block (Call *call, GPtrArray *block, GError **error)
{
  Flow result = GO_ON;

  for (guint i = 0; result == GO_ON && i < block->len; i++)
    result = run_statement (call, block->pdata[i], error);
  return result;
}
