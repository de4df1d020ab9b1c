/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "border.h"

#include "../messages.h"

#include "task/task-private.h"

#include <stdlib.h>
#include <unistd.h>

#define STALL 0.01              /* seconds without progress */
#define MOST_STALLS 2000
#define N_VARIABLES 32

static Home homes[2];           /* the second one only if the program uses it */
static GHashTable *coroutines;  /* bodies by name */
static GHashTable *futures;     /* by name */
static GHashTable *objects;
static GPtrArray *tasks;        /* of Task; the mutex protects this and the variables */
static GPtrArray *groups;       /* of GroupBlock */
static GMutex mutex;

typedef struct
{
  char *name;
  GtxTask *task;
  Task *record;
} Variable;

static Variable variables[N_VARIABLES];

gboolean border_is_traced;
gint border_n_steps;
gint border_n_calls;
GtxFuture *border_over;

/* ---- An object with a signal ---- */

typedef GObject Pinger;
typedef GObjectClass PingerClass;

static GType pinger_get_type (void);

G_DEFINE_TYPE (Pinger, pinger, G_TYPE_OBJECT)

static void
pinger_class_init (PingerClass *class)
{
  g_signal_new ("ping", pinger_get_type (), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
pinger_init (Pinger *self)
{
}

/* ---- What a program names ---- */

GPtrArray *
border_body (const char *coroutine)
{
  return g_hash_table_lookup (coroutines, coroutine);
}

Future *
border_future (const char *name)
{
  return g_hash_table_lookup (futures, name);
}

Object *
border_object (const char *name)
{
  return g_hash_table_lookup (objects, name);
}

Home *
border_other_home (Home *home)
{
  return home == &homes[1] ? &homes[0] : &homes[1];
}

static Variable *
variable_of (const char *name)
{
  Variable *variable = variables;

  while (variable->name && strcmp (variable->name, name) != 0)
    variable++;
  g_assert (variable < variables + N_VARIABLES);
  if (variable->name == NULL)
    variable->name = g_strdup (name);
  return variable;
}

void
border_publish (const char *name, GtxTask *task, Task *record)
{
  Variable *variable;
  GtxTask *old;

  g_mutex_lock (&mutex);
  variable = variable_of (name);
  old = variable->task;
  variable->task = task;
  variable->record = record;
  g_mutex_unlock (&mutex);
  g_clear_object (&old);
}

GtxTask *
border_find (const char *name, Task **record)
{
  Variable *variable;
  GtxTask *task;

  g_mutex_lock (&mutex);
  variable = variable_of (name);
  task = variable->task ? g_object_ref (variable->task) : NULL;
  *record = variable->record;
  g_mutex_unlock (&mutex);
  return task;
}

static void
group_free (gpointer data)
{
  g_ptr_array_unref (((GroupBlock *) data)->children);
  g_free (data);
}

void
border_keep_group (GroupBlock *group)
{
  group->children = g_ptr_array_new ();
  g_mutex_lock (&mutex);
  g_ptr_array_add (groups, group);
  g_mutex_unlock (&mutex);
}

/* ---- Tasks ---- */

/* The task's home is this thread's, or its main context is gone. */
static gboolean
is_at_home (Task *task)
{
  return home_here () == task->home || task->home->context == NULL;
}

static void
result_free (gpointer result)
{
  Task *task = *(Task **) result;

  if (!is_at_home (task))
    broken ("%s: its result is freed in a thread that is not its home's", task->coroutine);
  count (&task->n_results_freed);
  g_free (result);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  if (!is_at_home (call->task))
    broken ("%s: its data is freed in a thread that is not its home's", call->task->coroutine);
  count (&call->task->n_data_freed);
  g_free (call);
  if (g_atomic_int_dec_and_test (&border_n_calls))
    gtx_future_set_result (border_over, NULL, NULL);
}

static gpointer
run_task (Call *call, GError **error)
{
  Task *self = call->task;
  Task **result;
  Flow flow;

  count (&self->n_begun);
  resumed (self);
  book_resumed (self);
  if (book_is_owed (self))
    broken ("%s begins though it was cancelled before", self->coroutine);
  flow = run_block (call, call->body, error);
  count (&self->n_ended);
  if (flow == FAIL)
    {
      g_assert (*error);
      self->failed = !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      return NULL;
    }
  count (&self->n_results_made);
  result = g_new (Task *, 1);
  *result = self;
  return result;
}

static void
on_done (gpointer task, gpointer data)
{
  Task *record = data;

  record->task = NULL;
  g_object_unref (task);
}

GtxTask *
border_make_task (Home *home, const char *coroutine, Task **record)
{
  Call *call = g_new0 (Call, 1);
  GtxTask *task;

  call->task = *record = task_new (home, coroutine);
  call->body = border_body (coroutine);
  g_atomic_int_inc (&border_n_calls);
  task = gtx_task_new_pointer (run_task, call, call_free, result_free);
  (*record)->task = g_object_ref (task);
  g_mutex_lock (&mutex);
  g_ptr_array_add (tasks, *record);
  g_mutex_unlock (&mutex);
  return task;
}

GtxTask *
border_watch (GtxTask *task, Task *record)
{
  gtx_future_add_done_callback (task, on_done, record, NULL);
  return task;
}

/* ---- The books have to balance ---- */

static void
check_task (Task *self)
{
  if (self->n_begun > 1 || self->n_ended != self->n_begun)
    broken ("%s has begun %d times and ended %d times", self->coroutine, self->n_begun, self->n_ended);
  if (self->n_data_freed != 1)
    broken ("%s: its data was freed %d times", self->coroutine, self->n_data_freed);
  if (self->n_results_freed != self->n_results_made)
    broken ("%s: of %d results %d were freed", self->coroutine, self->n_results_made, self->n_results_freed);
}

static void
check_scheduler (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GPtrArray) left = gtx_all_tasks ();

  if (left->len > 0)
    broken ("Tasks are left after the run");
  if (gtx_stack_pool_n_used (gtx_scheduler_get_stacks (scheduler)) > 0)
    broken ("Stacks are in use after the run");
}

/* ---- The second home ---- */

static gpointer
run_home (gpointer data)
{
  Home *home = data;

  home_set (home);
  g_main_context_push_thread_default (home->context);
  g_main_loop_run (home->loop);
  drain_loop (home);
  check_scheduler ();
  g_main_context_pop_thread_default (home->context);
  return NULL;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
open_second_home (void)
{
  homes[1].context = g_main_context_new ();
  homes[1].loop = g_main_loop_new (homes[1].context, FALSE);
  homes[1].thread = g_thread_new ("home", run_home, &homes[1]);
}

static void
close_second_home (void)
{
  do_in_loop (&homes[1], 0, quit, homes[1].loop);
  g_thread_join (homes[1].thread);
  g_main_loop_unref (homes[1].loop);
  g_main_context_unref (g_steal_pointer (&homes[1].context));
  memset (&homes[1], 0, sizeof homes[1]);
}

/* ---- Names ---- */

static Future *
future_new (void)
{
  Future *self = g_new0 (Future, 1);

  self->future = gtx_future_new ();
  return self;
}

static void
future_free (gpointer data)
{
  Future *self = data;

  /* An error of the future is expected. */
  gtx_future_get_error (self->future);
  g_object_unref (self->future);
  g_free (self);
}

static Object *
object_new (void)
{
  Object *self = g_new0 (Object, 1);

  self->object = g_object_new (pinger_get_type (), NULL);
  self->bound = g_ptr_array_new ();
  g_mutex_init (&self->mutex);
  return self;
}

void
object_emit (Object *self)
{
  count (&self->n_emitting);
  g_signal_emit_by_name (self->object, "ping");
  count (&self->n_emitted);
}

static void
object_free (gpointer data)
{
  Object *self = data;

  g_object_unref (self->object);
  g_ptr_array_unref (self->bound);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static void
declare (gpointer data, gpointer unused)
{
  Statement *statement = data;
  char **words = statement->words;

  if (strcmp (words[0], "coro") == 0)
    g_hash_table_insert (coroutines, words[1], statement->body);
  else if (strcmp (words[0], "main") == 0)
    g_hash_table_insert (coroutines, (char *) "main", statement->body);
  else if (strcmp (words[0], "future") == 0)
    g_hash_table_insert (futures, words[1], future_new ());
  else if (strcmp (words[0], "object") == 0)
    g_hash_table_insert (objects, words[1], object_new ());
  else
    g_error ("%s: this declaration is not known", statement->line);
}

void
border_open (void)
{
  GHashTableIter iter;
  gpointer each;

  g_hash_table_iter_init (&iter, futures);
  while (g_hash_table_iter_next (&iter, NULL, &each))
    gtx_future_set_result (((Future *) each)->future, NULL, NULL);
  g_hash_table_iter_init (&iter, objects);
  while (g_hash_table_iter_next (&iter, NULL, &each))
    object_emit (each);
  raise (PROCESS_SIGNAL);
}

/* ---- A run ---- */

static void
begin (GPtrArray *program)
{
  coroutines = g_hash_table_new (g_str_hash, g_str_equal);
  futures = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, future_free);
  objects = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, object_free);
  tasks = g_ptr_array_new_with_free_func ((GDestroyNotify) task_free);
  groups = g_ptr_array_new_with_free_func (group_free);
  border_over = gtx_future_new ();
  border_n_steps = 0;
  border_n_calls = 0;
  g_ptr_array_foreach (program, declare, NULL);
}

static void
drop_variables (void)
{
  for (Variable *variable = variables; variable->name; variable++)
    {
      g_clear_object (&variable->task);
      g_clear_pointer (&variable->name, g_free);
      variable->record = NULL;
    }
}

/* Call this after all tasks have ended. */
static void
finish (void)
{
  for (guint i = 0; i < tasks->len; i++)
    check_task (tasks->pdata[i]);
  g_ptr_array_unref (groups);
  g_ptr_array_unref (tasks);
  g_hash_table_unref (objects);
  g_hash_table_unref (futures);
  g_hash_table_unref (coroutines);
  g_clear_object (&border_over);
}

/* When nothing goes on any more, this function opens all objects for which tasks wait. */
static gboolean
supervise (gpointer unused, GError **error)
{
  g_autoptr (GPtrArray) over = g_ptr_array_new ();
  gint n_steps = -1;
  guint n_stalls = 0;
  Task *record;
  GtxTask *task = border_make_task (&homes[0], "main", &record);

  border_publish ("main", border_watch (gtx_task_start (task), record), record);
  g_ptr_array_add (over, border_over);
  while (!gtx_future_is_done (border_over))
    {
      gtx_wait (over, GTX_ALL_COMPLETED, STALL, NULL);
      if (peek (&border_n_steps) == n_steps && !gtx_future_is_done (border_over))
        {
          if (++n_stalls > MOST_STALLS)
            broken ("It does not end");
          border_open ();
        }
      n_steps = peek (&border_n_steps);
    }
  return TRUE;
}

static void
run (gboolean has_second_home)
{
  if (has_second_home)
    open_second_home ();
  if (!gtx_run (supervise, NULL, NULL))
    broken ("The run could not begin");
  drop_variables ();
  join_threads ();
  drain_loop (&homes[0]);
  if (has_second_home)
    close_second_home ();
  drain_loop (&homes[0]);
  check_scheduler ();
}

void
run_border (const char *text, guint microseconds)
{
  g_autoptr (GPtrArray) program = parse_program (text);

  set_up_messages ();
  moment = microseconds;
  homes[0].context = g_main_context_ref_thread_default ();
  home_set (&homes[0]);
  begin (program);
  run (strstr (text, "spawn_elsewhere") != NULL);
  finish ();
  home_set (NULL);
  g_main_context_unref (homes[0].context);
}
