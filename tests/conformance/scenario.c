/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "scenario.h"

#include "ending.h"
#include "objects.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

static GHashTable *coroutines;  /* by name */
static GHashTable *shared;      /* tasks by name */
static GHashTable *spawned;     /* the number of tasks by coroutine */
static GtxTask *main_task;
static guint n_calls;           /* calls that are not freed */

/* ---- A call of a coroutine ---- */

typedef struct
{
  GPtrArray *body;
  GHashTable *tasks;            /* by variable */
  GPtrArray *timeouts;          /* GtxTimeout, the innermost last */
  GPtrArray *groups;            /* GtxTaskGroup, the innermost last */
  GPtrArray *errors;            /* errors that are handled, the innermost last */
  int value;                    /* the value of the last `return` */
} Call;

static Flow run_block (Call *call, GPtrArray *block, GError **error);

static Call *
call_new (const char *name)
{
  Call *call = g_new0 (Call, 1);

  n_calls++;
  call->body = g_hash_table_lookup (coroutines, name);
  call->tasks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  call->timeouts = g_ptr_array_new ();
  call->groups = g_ptr_array_new ();
  call->errors = g_ptr_array_new ();
  return call;
}

static void
call_free (Call *call)
{
  g_hash_table_unref (call->tasks);
  g_ptr_array_unref (call->timeouts);
  g_ptr_array_unref (call->groups);
  g_ptr_array_unref (call->errors);
  g_free (call);
  n_calls--;
}

/* A `return` does not count if its block failed. */
static int *
run_call (Call *call, GError **error)
{
  Flow result = run_block (call, call->body, error);

  if (result != RETURN)
    call->value = 0;
  return result == FAIL ? NULL : g_memdup2 (&call->value, sizeof (int));
}

static GtxTask *
task_for (const char *coroutine)
{
  return gtx_task_new_pointer (run_call, call_new (coroutine), (GDestroyNotify) call_free, g_free);
}

static void
name_task (GtxTask *task, const char *coroutine)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (spawned, coroutine)) + 1;
  g_autofree char *name = g_strdup_printf ("%s.%u", coroutine, n);

  g_hash_table_insert (spawned, (char *) coroutine, GUINT_TO_POINTER (n));
  gtx_task_set_name (task, name);
}

static void
spawn (Call *call, char **words)
{
  GtxTask *task = task_for (words[2]);

  name_task (task, words[2]);
  if (strcmp (words[0], "spawn_eager") == 0)
    gtx_task_start_eager (task);
  else
    gtx_task_start (task);
  g_hash_table_insert (call->tasks, words[1], task);
}

static GtxTask *
find (Call *call, const char *variable)
{
  GtxTask *task = g_hash_table_lookup (call->tasks, variable);

  return task ? task : g_hash_table_lookup (shared, variable);
}

/* Returns the tasks of those variables that are set. */
static GPtrArray *
find_all (Call *call, char **variables)
{
  GPtrArray *tasks = g_ptr_array_new ();

  for (; *variables; variables++)
    {
      GtxTask *task = find (call, *variables);

      if (task)
        g_ptr_array_add (tasks, task);
    }
  return tasks;
}

/* Returns the outcome of a task or a future as a word. */
static char *
outcome (gpointer future)
{
  const GError *error;

  if (!gtx_future_is_done (future))
    return g_strdup ("pending");
  error = gtx_future_get_error (future);
  return error ? kind_of (error) : g_strdup_printf ("%d", *(int *) gtx_future_get_result (future));
}

/* ---- Statements ---- */

/* Awaits the task or a shield of it. */
static Flow
await_task (Statement *statement, GtxTask *task, GError **error)
{
  const char *what = statement->words[0];
  gboolean limited = g_str_has_prefix (what, "wait_for");
  g_autoptr (GtxFuture) future = g_str_has_suffix (what, "shield") ? gtx_shield (task)
                                                                  : g_object_ref (GTX_FUTURE (task));

  return trace_value (statement->line, future,
                      limited ? gtx_wait_for (future, seconds_of (statement->words[1]), error)
                              : gtx_await (future, error));
}

static Flow
run_with_task (Statement *statement, GtxTask *given, GError **error)
{
  const char *what = statement->words[0];
  g_autoptr (GtxTask) task = g_object_ref (given);

  if (strcmp (what, "cancel") == 0)
    trace ("%s -> %d", statement->line, gtx_cancel (task));
  else if (strcmp (what, "state") == 0)
    {
      g_autofree char *state = outcome (task);

      trace ("%s -> %s", statement->line, state);
    }
  else
    return await_task (statement, task, error);
  return GO_ON;
}

static Flow
run_call_here (Statement *statement, GError **error)
{
  gboolean limited = strcmp (statement->words[0], "wait_for_call") == 0;
  g_autoptr (GtxTask) task = task_for (statement->words[limited ? 2 : 1]);

  return trace_value (statement->line, task,
                      limited ? gtx_wait_for (task, seconds_of (statement->words[1]), error)
                              : gtx_await (task, error));
}

static Flow
run_gather (Call *call, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) futures = find_all (call, statement->words + 1);
  g_autoptr (GString) values = g_string_new (NULL);
  const char *what = statement->words[0];
  gboolean keeps_errors = strcmp (what, "gather_errors") == 0;
  gboolean shields = strcmp (what, "gather_shields") == 0;

  for (guint i = 0; i < futures->len; i++)
    futures->pdata[i] = shields ? (gpointer) gtx_shield (futures->pdata[i])
                                : g_object_ref (futures->pdata[i]);
  g_ptr_array_set_free_func (futures, g_object_unref);
  if (!gtx_gather (futures, keeps_errors ? GTX_GATHER_RETURN_ERRORS : 0, error))
    return FAIL;
  for (guint i = 0; i < futures->len; i++)
    {
      g_autofree char *value = outcome (futures->pdata[i]);

      g_string_append_printf (values, "%s%s", i > 0 ? "," : "", value);
    }
  trace ("%s -> [%s]", statement->line, values->str);
  return GO_ON;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (gtx_task_get_name (*(GtxTask *const *) a), gtx_task_get_name (*(GtxTask *const *) b));
}

static Flow
run_wait (Call *call, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) tasks = find_all (call, statement->words + 3);
  const char *mode = statement->words[1];
  GtxReturnWhen when = strcmp (mode, "first_completed") == 0 ? GTX_FIRST_COMPLETED
                       : strcmp (mode, "first_exception") == 0 ? GTX_FIRST_ERROR : GTX_ALL_COMPLETED;
  g_autoptr (GString) done = g_string_new (NULL);
  g_autoptr (GString) pending = g_string_new (NULL);

  if (tasks->len == 0)
    {
      trace ("%s -> unset", statement->line);
      return GO_ON;
    }
  g_ptr_array_set_free_func (tasks, g_object_unref);
  g_ptr_array_foreach (tasks, (GFunc) (void (*) (void)) g_object_ref, NULL);
  if (!gtx_wait (tasks, when, seconds_of (statement->words[2]), error))
    return FAIL;
  g_ptr_array_sort (tasks, compare_names);
  for (guint i = 0; i < tasks->len; i++)
    {
      GString *list = gtx_future_is_done (tasks->pdata[i]) ? done : pending;

      if (i > 0 && tasks->pdata[i] == tasks->pdata[i - 1])
        continue;
      g_string_append_printf (list, "%s%s", list->len > 0 ? "," : "", gtx_task_get_name (tasks->pdata[i]));
    }
  trace ("%s -> done[%s] pending[%s]", statement->line, done->str, pending->str);
  return GO_ON;
}

/* Traces a task that is done, and the error if the scenario raised it. */
static Flow
take_completed (Statement *statement, gpointer task, GError **error)
{
  const GError *failure = gtx_future_get_error (task);

  if (failure && !is_raised (failure))
    {
      g_propagate_error (error, g_error_copy (failure));
      return FAIL;
    }
  if (failure)
    trace ("%s !! %s", statement->line, failure->message);
  else
    trace ("%s -> %d", statement->line, *(int *) gtx_future_get_result (task));
  return GO_ON;
}

static Flow
run_as_completed (Call *call, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) tasks = find_all (call, statement->words + 1);
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  GError *failure = NULL;
  gpointer task;
  Flow result = flow (each != NULL);

  while (result == GO_ON && (task = gtx_as_completed_next (each, &failure)))
    result = take_completed (statement, task, error);
  if (failure == NULL)
    return result;
  g_propagate_error (error, failure);
  return FAIL;
}

/* ---- Blocks ---- */

static Flow
run_timeout (Call *call, Statement *statement, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  Flow result;

  gtx_timeout_begin (&timeout, seconds_of (statement->words[1]));
  g_ptr_array_add (call->timeouts, &timeout);
  result = run_block (call, statement->body, &failure);
  g_ptr_array_remove_index (call->timeouts, call->timeouts->len - 1);
  return gtx_timeout_end (&timeout, &failure, error) ? result : FAIL;
}

static Flow
run_group (Call *call, Statement *statement, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  Flow result;

  gtx_task_group_begin (&group);
  g_ptr_array_add (call->groups, &group);
  result = run_block (call, statement->body, &failure);
  g_ptr_array_remove_index (call->groups, call->groups->len - 1);
  return gtx_task_group_end (&group, &failure, error) ? result : FAIL;
}

static Flow
run_with (Call *call, Statement *statement, GError **error)
{
  const char *name = statement->words[1];
  GError *failure = NULL;
  Flow result;

  if (acquire_object (name, error) == FAIL)
    return FAIL;
  result = run_block (call, statement->body, &failure);
  if (release_object (name, error) == FAIL)
    {
      g_clear_error (&failure);
      return FAIL;
    }
  if (failure)
    g_propagate_error (error, failure);
  return result;
}

static Flow
run_gspawn (Call *call, char **words, GError **error)
{
  GtxTask *task;

  if (call->groups->len == 0)
    return GO_ON;
  task = task_for (words[2]);
  name_task (task, words[2]);
  task = gtx_task_group_start (call->groups->pdata[call->groups->len - 1], task, error);
  if (task == NULL)
    return FAIL;
  g_hash_table_insert (call->tasks, words[1], g_object_ref (task));
  return GO_ON;
}

static Flow
run_handler (Call *call, Statement *statement, GError **error)
{
  GError *handled = g_steal_pointer (error);
  g_autofree char *kind = kind_of (handled);
  Flow result;

  trace ("caught %s", kind);
  g_ptr_array_add (call->errors, handled);
  result = run_block (call, statement->handler, error);
  g_ptr_array_remove_index (call->errors, call->errors->len - 1);
  g_error_free (handled);
  return result;
}

static Flow
run_try (Call *call, Statement *statement, GError **error)
{
  GError *failure = NULL;
  Flow result = run_block (call, statement->body, &failure);
  int value;

  if (result == FAIL && statement->handler && is_taken_by (failure, statement->handled))
    result = run_handler (call, statement, &failure);
  value = call->value;
  if (statement->final)
    {
      Flow final = run_block (call, statement->final, error);

      if (final != GO_ON)
        {
          g_clear_error (&failure);
          return final;
        }
      call->value = value;
    }
  if (failure)
    g_propagate_error (error, failure);
  return result;
}

static Flow
run_raise (Call *call, Statement *statement, GError **error)
{
  if (statement->words[1])
    {
      g_autofree char *kind = g_strconcat ("error:", statement->words[1], NULL);

      return fail_with (kind, error);
    }
  if (call->errors->len == 0)
    return GO_ON;
  g_propagate_error (error, g_error_copy (call->errors->pdata[call->errors->len - 1]));
  return FAIL;
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
run_of_task (Statement *statement)
{
  const char *what = statement->words[0];
  GtxTask *current = gtx_current_task ();
  g_autoptr (GPtrArray) all = NULL;

  if (strcmp (what, "cancel_self") == 0)
    trace ("%s -> %d", statement->line, gtx_cancel (current));
  else if (strcmp (what, "cancel_main") == 0)
    trace ("%s -> %d", statement->line, gtx_cancel (main_task));
  else if (strcmp (what, "uncancel") == 0)
    trace ("%s -> %u", statement->line, gtx_uncancel (current));
  else if (strcmp (what, "cancelling") == 0)
    trace ("%s -> %u", statement->line, gtx_cancelling (current));
  else if (strcmp (what, "current") == 0)
    trace ("%s -> %s", statement->line, gtx_task_get_name (current));
  else
    {
      all = gtx_all_tasks ();
      trace ("%s -> %u", statement->line, all->len - n_own_tasks ());
    }
  return GO_ON;
}

static Flow
run_statement (Call *call, Statement *statement, GError **error)
{
  static const char *const of_one[] = {
    "cancel", "await", "shield", "wait_for", "wait_for_shield", "state", NULL
  };
  static const char *const of_current[] = {
    "cancel_self", "cancel_main", "uncancel", "cancelling", "current", "all_tasks", NULL
  };
  char **words = statement->words;
  const char *what = words[0];

  if (strcmp (what, "log") == 0)
    trace ("%s", statement->line);
  else if (strcmp (what, "sleep") == 0)
    return flow (gtx_sleep (atoi (words[1]) / 1000.0, error));
  else if (strcmp (what, "call") == 0 || strcmp (what, "wait_for_call") == 0)
    return run_call_here (statement, error);
  else if (strcmp (what, "spawn") == 0 || strcmp (what, "spawn_eager") == 0)
    spawn (call, words);
  else if (strcmp (what, "share") == 0 || is_word (what, of_one))
    {
      GtxTask *task = find (call, words[g_strv_length (words) - 1]);

      if (task == NULL)
        trace ("%s -> unset", statement->line);
      else if (strcmp (what, "share") == 0)
        g_hash_table_insert (shared, words[1], g_object_ref (task));
      else
        return run_with_task (statement, task, error);
    }
  else if (is_word (what, of_current))
    return run_of_task (statement);
  else if (is_of_object (what))
    return run_with_object (statement, error);
  else if (g_str_has_prefix (what, "gather"))
    return run_gather (call, statement, error);
  else if (strcmp (what, "as_completed") == 0)
    return run_as_completed (call, statement, error);
  else if (strcmp (what, "wait") == 0)
    return run_wait (call, statement, error);
  else if (strcmp (what, "try") == 0)
    return run_try (call, statement, error);
  else if (strcmp (what, "raise") == 0)
    return run_raise (call, statement, error);
  else if (strcmp (what, "repeat") == 0)
    return run_repeat (call, statement, error);
  else if (strcmp (what, "timeout") == 0)
    return run_timeout (call, statement, error);
  else if (strcmp (what, "group") == 0)
    return run_group (call, statement, error);
  else if (strcmp (what, "with") == 0)
    return run_with (call, statement, error);
  else if (strcmp (what, "gspawn") == 0)
    return run_gspawn (call, words, error);
  else if (strcmp (what, "reschedule") == 0)
    return call->timeouts->len == 0 ? GO_ON
           : flow (gtx_timeout_reschedule (call->timeouts->pdata[call->timeouts->len - 1],
                                           seconds_of (words[1]), error));
  else if (strcmp (what, "return") == 0)
    {
      call->value = atoi (words[1]);
      return RETURN;
    }
  else
    g_error ("%s: this statement is not known", statement->line);
  return GO_ON;
}

static Flow
run_block (Call *call, GPtrArray *block, GError **error)
{
  Flow result = GO_ON;

  for (guint i = 0; result == GO_ON && i < block->len; i++)
    result = run_statement (call, block->pdata[i], error);
  return result;
}

/* ---- The program ---- */

static int main_value;

static void
on_main_done (gpointer task, gpointer data)
{
  const GError *error = gtx_future_get_error (task);
  g_autofree char *kind = error ? kind_of (error) : NULL;

  begin_to_end (kind ? g_strconcat ("!! ", kind, NULL) : g_strdup_printf ("-> %d", main_value));
}

static void
declare (Statement *statement)
{
  if (strcmp (statement->words[0], "coro") == 0)
    g_hash_table_insert (coroutines, statement->words[1], statement->body);
  else if (strcmp (statement->words[0], "main") == 0)
    g_hash_table_insert (coroutines, (char *) "main", statement->body);
  else if (!declare_object (statement))
    g_error ("%s: this declaration is not known", statement->line);
}

gboolean
run_scenario (GPtrArray *program, GError **error)
{
  g_autofree int *value = NULL;
  Call *call;

  coroutines = g_hash_table_new (g_str_hash, g_str_equal);
  shared = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  spawned = g_hash_table_new (g_str_hash, g_str_equal);
  main_task = gtx_current_task ();
  gtx_task_set_name (main_task, "main");
  gtx_future_add_done_callback (main_task, on_main_done, NULL, NULL);
  g_ptr_array_foreach (program, (GFunc) (void (*) (void)) declare, NULL);

  call = call_new ("main");
  value = run_call (call, error);
  call_free (call);
  if (value)
    main_value = *value;
  return value != NULL;
}

guint
clear_scenario (void)
{
  g_clear_pointer (&coroutines, g_hash_table_unref);
  g_clear_pointer (&shared, g_hash_table_unref);
  g_clear_pointer (&spawned, g_hash_table_unref);
  clear_objects ();
  return n_calls;
}
