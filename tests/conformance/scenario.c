/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a scenario in virtual time and prints its trace, as CPython's asyncio
 * does: scenario FILE */

#include <gtask-ext.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LINES 2000

/* ---- The program ---- */

typedef struct
{
  char **words;
  char *line;                   /* the words, one blank apart */
  GPtrArray *body;
  GPtrArray *handler;
  char *handled;                /* the kind that the handler takes */
  GPtrArray *final;
} Statement;

static char ***lines;
static guint position;
static GHashTable *coroutines;  /* of names: bodies */
static GHashTable *shared;      /* of names: tasks */
static GHashTable *futures;     /* of names: futures */
static GHashTable *spawned;     /* of coroutines: how many tasks */
static GtxTask *main_task;
static gboolean watch_is_set;   /* a task of ours, not the scenario's, is alive */
static guint n_lines;

static gboolean
is_word (const char *word, const char *const *words)
{
  return g_strv_contains (words, word);
}

static GPtrArray *
parse_block (const char *const *stops)
{
  static const char *const of_try[] = { "except", "finally", "end", NULL };
  static const char *const of_handler[] = { "finally", "end", NULL };
  static const char *const of_block[] = { "end", NULL };
  static const char *const blocks[] = { "coro", "main", "timeout", "group", "repeat", NULL };
  GPtrArray *block = g_ptr_array_new ();

  while (!is_word (lines[position][0], stops))
    {
      Statement *statement = g_new0 (Statement, 1);

      statement->words = lines[position++];
      statement->line = g_strjoinv (" ", statement->words);
      g_ptr_array_add (block, statement);
      if (strcmp (statement->words[0], "try") == 0)
        {
          statement->body = parse_block (of_try);
          if (strcmp (lines[position][0], "except") == 0)
            {
              statement->handled = lines[position++][1];
              statement->handler = parse_block (of_handler);
            }
          if (strcmp (lines[position][0], "finally") == 0)
            {
              position++;
              statement->final = parse_block (of_block);
            }
          position++;
        }
      else if (is_word (statement->words[0], blocks))
        {
          statement->body = parse_block (of_block);
          position++;
        }
    }
  return block;
}

static void
parse (const char *text)
{
  static const char *const at_end[] = { "<eof>", NULL };
  g_auto (GStrv) split = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  g_autoptr (GPtrArray) statements = NULL;

  for (char **line = split; *line; line++)
    {
      char *comment = strchr (*line, '#');
      GStrvBuilder *words = g_strv_builder_new ();
      g_auto (GStrv) parts = NULL;
      char **added;

      if (comment)
        *comment = '\0';
      parts = g_strsplit_set (*line, " \t\r", -1);
      for (char **part = parts; *part; part++)
        if (**part)
          g_strv_builder_add (words, *part);
      added = g_strv_builder_end (words);
      g_strv_builder_unref (words);
      if (added[0])
        g_ptr_array_add (kept, added);
      else
        g_strfreev (added);
    }
  g_ptr_array_add (kept, g_strsplit ("<eof>", " ", -1));
  lines = (char ***) kept->pdata;

  statements = parse_block (at_end);
  for (guint i = 0; i < statements->len; i++)
    {
      Statement *statement = statements->pdata[i];

      if (strcmp (statement->words[0], "coro") == 0)
        g_hash_table_insert (coroutines, statement->words[1], statement->body);
      else if (strcmp (statement->words[0], "main") == 0)
        g_hash_table_insert (coroutines, (char *) "main", statement->body);
      else if (strcmp (statement->words[0], "future") == 0)
        g_hash_table_insert (futures, statement->words[1], gtx_future_new ());
      else
        g_error ("%s: this declaration is not known", statement->line);
    }
}

/* ---- What is printed ---- */

static long end_time = -1;

static long
milliseconds (void)
{
  return lround (gtx_test_get_time () * 1000);
}

static void
end (const char *how)
{
  printf ("%ld end %s\n", end_time >= 0 ? end_time : milliseconds (), how);
  fflush (stdout);
  _exit (0);
}

G_GNUC_PRINTF (1, 2)
static void
trace (const char *format, ...)
{
  va_list arguments;

  if (++n_lines > MOST_LINES)
    end ("TOO LONG");
  printf ("%ld %s ", milliseconds (), gtx_task_get_name (gtx_current_task ()));
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
}

/* ---- Errors, as the scenario names them ---- */

G_DEFINE_QUARK (scenario-error-quark, scenario_error)
G_DEFINE_QUARK (scenario-invalid-quark, scenario_invalid)

static char *
kind_of (const GError *error)
{
  if (error->domain == scenario_error_quark ())
    return g_strconcat ("error:", error->message, NULL);
  if (error->domain == scenario_invalid_quark ())
    return g_strdup ("invalid");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_strdup ("cancelled");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return g_strdup ("timeout");
  if (g_error_matches (error, GTX_ERROR, GTX_ERROR_INVALID_STATE))
    return g_strdup ("runtime");
  if (g_error_matches (error, GTX_ERROR, GTX_ERROR_GROUP))
    {
      g_autoptr (GString) kinds = g_string_new ("group[");

      for (guint i = 0; i < gtx_error_get_n_errors (error); i++)
        {
          g_autofree char *kind = kind_of (gtx_error_get_error (error, i));

          g_string_append_printf (kinds, "%s%s", i > 0 ? "," : "", kind);
        }
      g_string_append_c (kinds, ']');
      return g_string_free (g_steal_pointer (&kinds), FALSE);
    }
  g_error ("An error without a kind: %s", error->message);
}

static gboolean
is_taken_by (const GError *error, const char *handled)
{
  g_autofree char *kind = kind_of (error);
  gsize family = strcspn (kind, ":[");

  return strcmp (handled, "any") == 0 || strcmp (handled, kind) == 0 ||
         (strlen (handled) == family && strncmp (handled, kind, family) == 0);
}

/* ---- A call of a coroutine ---- */

typedef struct
{
  GPtrArray *body;
  GHashTable *tasks;            /* of variables */
  GPtrArray *timeouts;          /* GtxTimeout, the innermost last */
  GPtrArray *groups;            /* GtxTaskGroup, the innermost last */
  GPtrArray *errors;            /* being handled, the innermost last */
  int value;                    /* what it returns */
} Call;

typedef enum
{
  GO_ON,
  RETURN,
  FAIL
} Flow;

static Flow run_block (Call *call, GPtrArray *block, GError **error);

static Call *
call_new (const char *name)
{
  Call *call = g_new0 (Call, 1);

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
}

static int *
run_call (Call *call, GError **error)
{
  if (run_block (call, call->body, error) == FAIL)
    return NULL;
  return g_memdup2 (&call->value, sizeof (int));
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

static GtxTask *
spawn (const char *coroutine)
{
  GtxTask *task = gtx_task_start (task_for (coroutine));

  name_task (task, coroutine);
  return task;
}

static GtxTask *
find (Call *call, const char *variable)
{
  GtxTask *task = g_hash_table_lookup (call->tasks, variable);

  return task ? task : g_hash_table_lookup (shared, variable);
}

/* The tasks that are set. */
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

/* What a task or a future came to. */
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

static Flow
flow (gboolean succeeded)
{
  return succeeded ? GO_ON : FAIL;
}

static Flow
trace_value (const Statement *statement, gpointer future, gboolean succeeded)
{
  if (!succeeded)
    return FAIL;
  trace ("%s -> %d", statement->line, *(int *) gtx_future_get_result (future));
  return GO_ON;
}

static Flow
run_with_task (Statement *statement, GtxTask *task, GError **error)
{
  const char *what = statement->words[0];

  g_object_ref (task);
  if (strcmp (what, "cancel") == 0)
    trace ("%s -> %d", statement->line, gtx_cancel (task));
  else if (strcmp (what, "state") == 0)
    {
      g_autofree char *state = outcome (task);

      trace ("%s -> %s", statement->line, state);
    }
  else
    {
      g_autoptr (GtxFuture) shielded = strcmp (what, "shield") == 0 ? gtx_shield (task) : NULL;
      gpointer future = shielded ? (gpointer) shielded : task;
      gboolean succeeded;
      Flow result;

      if (strcmp (what, "wait_for") == 0)
        succeeded = gtx_wait_for (future, atoi (statement->words[1]) / 1000.0, error);
      else
        succeeded = gtx_await (future, error);
      result = trace_value (statement, future, succeeded);
      g_object_unref (task);
      return result;
    }
  g_object_unref (task);
  return GO_ON;
}

static Flow
run_call_here (Statement *statement, GError **error)
{
  gboolean limited = strcmp (statement->words[0], "wait_for_call") == 0;
  g_autoptr (GtxTask) task = task_for (statement->words[limited ? 2 : 1]);

  return trace_value (statement, task,
                      limited ? gtx_wait_for (task, atoi (statement->words[1]) / 1000.0, error)
                              : gtx_await (task, error));
}

static Flow
run_gather (Call *call, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) tasks = find_all (call, statement->words + 1);
  g_autoptr (GString) values = g_string_new (NULL);
  gboolean keeps_errors = strcmp (statement->words[0], "gather_errors") == 0;
  Flow result;

  g_ptr_array_foreach (tasks, (GFunc) (void (*) (void)) g_object_ref, NULL);
  result = flow (gtx_gather (tasks, keeps_errors ? GTX_GATHER_RETURN_ERRORS : 0, error));
  for (guint i = 0; i < tasks->len; i++)
    {
      if (result == GO_ON)
        {
          g_autofree char *value = outcome (tasks->pdata[i]);

          g_string_append_printf (values, "%s%s", i > 0 ? "," : "", value);
        }
      g_object_unref (tasks->pdata[i]);
    }
  if (result == GO_ON)
    trace ("%s -> [%s]", statement->line, values->str);
  return result;
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
  const char *limit = statement->words[2];
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
  if (!gtx_wait (tasks, when, strcmp (limit, "-") == 0 ? GTX_FOREVER : atoi (limit) / 1000.0, error))
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

/* Those that are done, in that order, and who waits for the next. */
typedef struct
{
  grefcount references;
  GQueue done;
  GtxFuture *more;
} Arrivals;

static void
arrivals_unref (gpointer data)
{
  Arrivals *arrivals = data;

  if (!g_ref_count_dec (&arrivals->references))
    return;
  g_queue_clear_full (&arrivals->done, g_object_unref);
  g_free (arrivals);
}

static void
on_arrival (gpointer task, gpointer data)
{
  Arrivals *arrivals = data;

  g_queue_push_tail (&arrivals->done, g_object_ref (task));
  if (arrivals->more)
    gtx_future_set_result (arrivals->more, NULL, NULL);
}

static GtxTask *
next_arrival (Arrivals *arrivals, GError **error)
{
  gboolean awaited = TRUE;

  if (arrivals->done.length == 0)
    {
      arrivals->more = gtx_future_new ();
      awaited = gtx_await (arrivals->more, error);
      g_clear_object (&arrivals->more);
    }
  return awaited ? g_queue_pop_head (&arrivals->done) : NULL;
}

/* One arrival; an error that the scenario raised is traced. */
static Flow
take_arrival (Arrivals *arrivals, Statement *statement, GError **error)
{
  g_autoptr (GtxTask) task = next_arrival (arrivals, error);
  const GError *failure;

  if (task == NULL)
    return FAIL;
  failure = gtx_future_get_error (task);
  if (failure && failure->domain != scenario_error_quark ())
    {
      g_propagate_error (error, g_error_copy (failure));
      return FAIL;
    }
  if (failure)
    trace ("%s !! error:%s", statement->line, failure->message);
  else
    trace ("%s -> %d", statement->line, *(int *) gtx_future_get_result (task));
  return GO_ON;
}

static Flow
run_as_completed (Call *call, Statement *statement, GError **error)
{
  g_autoptr (GPtrArray) tasks = find_all (call, statement->words + 1);
  Arrivals *arrivals = g_new0 (Arrivals, 1);
  guint n = 0;
  Flow result = GO_ON;

  g_ref_count_init (&arrivals->references);
  for (guint i = 0; i < tasks->len; i++)
    {
      guint first;

      g_ptr_array_find (tasks, tasks->pdata[i], &first);
      if (first < i)
        continue;
      n++;
      g_ref_count_inc (&arrivals->references);
      gtx_future_add_done_callback (tasks->pdata[i], on_arrival, arrivals, arrivals_unref);
    }
  for (; result == GO_ON && n > 0; n--)
    result = take_arrival (arrivals, statement, error);
  arrivals_unref (arrivals);
  return result;
}

/* ---- Blocks ---- */

static Flow
run_timeout (Call *call, Statement *statement, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  GError *failure = NULL;
  Flow result;

  gtx_timeout_begin (&timeout, atoi (statement->words[1]) / 1000.0);
  g_ptr_array_add (call->timeouts, &timeout);
  result = run_block (call, statement->body, &failure);
  g_ptr_array_remove_index (call->timeouts, call->timeouts->len - 1);
  return gtx_timeout_end (&timeout, failure, error) ? result : FAIL;
}

static Flow
run_group (Call *call, Statement *statement, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;
  Flow result;

  gtx_task_group_begin (&group);
  g_ptr_array_add (call->groups, &group);
  result = run_block (call, statement->body, &failure);
  g_ptr_array_remove_index (call->groups, call->groups->len - 1);
  return gtx_task_group_end (&group, failure, error) ? result : FAIL;
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
    g_set_error_literal (error, scenario_error_quark (), 0, statement->words[1]);
  else if (call->errors->len > 0)
    g_propagate_error (error, g_error_copy (call->errors->pdata[call->errors->len - 1]));
  else
    return GO_ON;
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

/* ---- Futures ---- */

static Flow
run_with_future (Statement *statement, GError **error)
{
  const char *what = statement->words[0];
  GtxFuture *future = g_hash_table_lookup (futures, statement->words[1]);
  gboolean set = TRUE;

  if (strcmp (what, "await_future") == 0)
    return trace_value (statement, future, gtx_await (future, error));
  if (strcmp (what, "cancel_future") == 0)
    trace ("%s -> %d", statement->line, gtx_cancel (future));
  else if (strcmp (what, "resolve") == 0)
    {
      int value = atoi (statement->words[2]);

      set = gtx_future_set_result (future, g_memdup2 (&value, sizeof value), g_free);
    }
  else
    set = gtx_future_set_error (future, g_error_new_literal (scenario_error_quark (), 0, statement->words[2]));
  if (!set)
    g_set_error_literal (error, scenario_invalid_quark (), 0, "invalid");
  return flow (set);
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
      trace ("%s -> %u", statement->line, all->len - (watch_is_set ? 1 : 0));
    }
  return GO_ON;
}

static Flow
run_statement (Call *call, Statement *statement, GError **error)
{
  static const char *const of_one[] = { "cancel", "await", "shield", "wait_for", "state", NULL };
  static const char *const of_current[] = {
    "cancel_self", "cancel_main", "uncancel", "cancelling", "current", "all_tasks", NULL
  };
  static const char *const of_future[] = { "resolve", "reject", "cancel_future", "await_future", NULL };
  char **words = statement->words;
  const char *what = words[0];

  if (strcmp (what, "log") == 0)
    trace ("%s", statement->line);
  else if (strcmp (what, "sleep") == 0)
    return flow (gtx_sleep (atoi (words[1]) / 1000.0, error));
  else if (strcmp (what, "call") == 0 || strcmp (what, "wait_for_call") == 0)
    return run_call_here (statement, error);
  else if (strcmp (what, "spawn") == 0)
    g_hash_table_insert (call->tasks, words[1], spawn (words[2]));
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
  else if (is_word (what, of_future))
    return run_with_future (statement, error);
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
  else if (strcmp (what, "gspawn") == 0)
    return run_gspawn (call, words, error);
  else if (strcmp (what, "reschedule") == 0)
    return call->timeouts->len == 0 ? GO_ON
           : flow (gtx_timeout_reschedule (call->timeouts->pdata[call->timeouts->len - 1],
                                           strcmp (words[1], "-") == 0 ? GTX_FOREVER : atoi (words[1]) / 1000.0,
                                           error));
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

/* ---- The end ---- */

static char *ending;            /* what the last line says */
static guint n_left;
static int main_value;

static void
at_end (gpointer future, gpointer over)
{
  end (ending);
}

static void
on_over (gpointer future, gpointer data)
{
  end_time = milliseconds ();
  gtx_future_add_done_callback (future, at_end, NULL, NULL);
}

static void
on_left_done (gpointer task, gpointer over)
{
  if (--n_left == 0)
    gtx_future_set_result (over, NULL, NULL);
}

/* Freed with a task that was cancelled before it began: after what was left
 * has been cancelled. */
static void
watch_leftovers (gpointer data)
{
  g_autoptr (GPtrArray) all = gtx_all_tasks ();
  GtxFuture *over = gtx_future_new ();

  gtx_future_add_done_callback (over, on_over, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    if (gtx_cancelling (all->pdata[i]) > 0 && all->pdata[i] != data)
      {
        n_left++;
        gtx_future_add_done_callback (all->pdata[i], on_left_done, over, NULL);
      }
  if (n_left == 0)
    end (ending);
}

static gboolean
never_runs (GtxTask **self, GError **error)
{
  g_assert_not_reached ();
}

static void
watch_self (gpointer data)
{
  GtxTask **self = data;

  watch_is_set = FALSE;
  watch_leftovers (*self);
  g_free (self);
}

static void
on_main_done (gpointer task, gpointer data)
{
  const GError *error = gtx_future_get_error (task);
  g_autofree char *kind = error ? kind_of (error) : NULL;
  GtxTask **self = g_new0 (GtxTask *, 1);

  ending = kind ? g_strconcat ("!! ", kind, NULL) : g_strdup_printf ("-> %d", main_value);
  *self = gtx_create_task (never_runs, self, watch_self);
  watch_is_set = TRUE;
}

static gboolean
run_main (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree int *value = NULL;
  Call *call = call_new ("main");

  main_task = gtx_current_task ();
  gtx_task_set_name (main_task, "main");
  gtx_future_add_done_callback (main_task, on_main_done, NULL, NULL);
  value = run_call (call, &failure);
  call_free (call);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  main_value = *value;
  return TRUE;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0 && g_str_has_prefix (fields[i].value, "Deadlock:"))
      end ("DEADLOCK");
  return level & G_LOG_LEVEL_WARNING ? G_LOG_WRITER_HANDLED : g_log_writer_default (level, fields, n, data);
}

int
main (int argc, char *argv[])
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 2 || !g_file_get_contents (argv[1], &text, NULL, &error))
    {
      fprintf (stderr, "usage: scenario FILE%s%s\n", error ? ": " : "", error ? error->message : "");
      return 2;
    }
  g_log_set_writer_func (write_log, NULL, NULL);
  coroutines = g_hash_table_new (g_str_hash, g_str_equal);
  shared = g_hash_table_new (g_str_hash, g_str_equal);
  futures = g_hash_table_new (g_str_hash, g_str_equal);
  spawned = g_hash_table_new (g_str_hash, g_str_equal);
  parse (text);
  gtx_test_run (run_main, NULL, &error);
  end (ending);
  return 1;
}
