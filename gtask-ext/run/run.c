/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run/interrupt.h"
#include "run/run-private.h"

#include "outside/gtask-run-private.h"
#include "outside/operation-private.h"
#include "scope/patience.h"
#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"

/* Tasks that are started while others are cancelled are cancelled as well, in at least so many
 * passes and for at least so long: other threads may be starting tasks. */
#define FEWEST_PASSES 10
#define PASSES_US 100000

/* One run of the main loop, until a future is done. */
typedef struct
{
  GtxScheduler *scheduler;
  GMainContext *context;
  const char *function;         /* the public function, for messages */
  GMainLoop *loop;
  gint depth;                   /* g_main_depth () around the run */
  gboolean spares;              /* tasks that were cancelled before are not cancelled in the next pass */
  GPtrArray *spared;            /* those tasks */
} Run;

/* Not on the stack: a program may exit in a task, where leak checkers do not look at the main
 * loop's stack. */
static Run *
run_new (GtxScheduler *scheduler,
         GMainContext *context,
         const char   *function)
{
  Run *run = g_new0 (Run, 1);

  run->scheduler = scheduler;
  run->context = context;
  run->function = function;
  run->spared = g_ptr_array_new_with_free_func (g_object_unref);
  return run;
}

static void
run_free (Run *run)
{
  g_ptr_array_unref (run->spared);
  g_free (run);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

static GPtrArray *
list_tasks (Run *run)
{
  /* Another thread may have started a task. */
  gtx_scheduler_run_messages (run->scheduler);
  return gtx_scheduler_list_tasks (run->scheduler);
}

static gboolean
is_shielded (GtxTask *task)
{
  return task->is_shielded;
}

/* Finds the tasks among @futures that @are_meant is TRUE for, and those that they wait for, which are
 * parts of their work: if such a task runs inside another one, that one. */
static GHashTable *
find_with_awaited (GPtrArray *futures,
                   gboolean (*are_meant) (GtxTask *task))
{
  GHashTable *found = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) left = g_ptr_array_new ();

  for (guint i = 0; i < futures->len; i++)
    if (GTX_IS_TASK (futures->pdata[i]) && are_meant (futures->pdata[i]))
      g_ptr_array_add (left, futures->pdata[i]);
  while (left->len > 0)
    {
      GtxTask *task = g_ptr_array_steal_index_fast (left, left->len - 1);
      g_autoptr (GPtrArray) awaited = g_hash_table_add (found, task) ? gtx_task_get_awaited (task) : NULL;

      for (guint i = 0; awaited && i < awaited->len; i++)
        g_ptr_array_add (left, gtx_task_outermost (awaited->pdata[i]));
    }
  return found;
}

/* Cancels all tasks, if one of them runs a main loop above this one, as for a modal dialog: this
 * one goes on when that has ended. */
static void
ask_to_return (Run *run)
{
  g_autoptr (GPtrArray) tasks = list_tasks (run);
  g_autoptr (GHashTable) shielded = find_with_awaited (tasks, is_shielded);

  run->spares = TRUE;
  for (guint i = 0; i < tasks->len; i++)
    if (!g_hash_table_contains (shielded, tasks->pdata[i]))
      gtx_cancel (tasks->pdata[i]);
}

/* asyncio's run_until_complete (): finishes the round in which the callback of the future runs,
 * and leaves what is ready after it for later. */
static void
stop (gpointer future,
      gpointer data)
{
  Run *run = data;

  g_main_loop_quit (run->loop);
  gtx_scheduler_stop (((GtxFuture *) future)->home);
  if (g_main_depth () > run->depth + 1)
    ask_to_return (run);
}

static void
iterate_until_done (Run      *run,
                    gpointer  future)
{
  run->loop = g_main_loop_new (run->context, FALSE);
  run->depth = g_main_depth ();
  gtx_future_call_back (future, stop, run, NULL, NULL);
  g_main_loop_run (run->loop);
  while (gtx_scheduler_is_stopping (run->scheduler))
    g_main_context_iteration (run->context, TRUE);
  g_clear_pointer (&run->loop, g_main_loop_unref);
}

/* ---- Tasks and operations that are left ---- */

typedef struct
{
  GtxFuture *gathering;
  guint n_left;
} Leftovers;

static void
on_leftover_done (gpointer future,
                  gpointer data)
{
  Leftovers *leftovers = data;

  if (--leftovers->n_left == 0)
    gtx_future_set_result (leftovers->gathering, NULL, NULL);
}

/* Lists the tasks that are left, which may still start operations while they clean up; if there
 * is none, the operations that no task waits for: GIO calls back into this main context, and
 * keeps it for ever if nobody runs it any more. */
static GPtrArray *
list_leftovers (Run *run)
{
  GtxVisit visit = gtx_scheduler_enter_home (run->scheduler, run->function);
  GPtrArray *futures;

  if (visit == GTX_ELSEWHERE)
    return g_ptr_array_new ();
  futures = list_tasks (run);
  if (futures->len == 0)
    gtx_operation_futures_list (run->scheduler, futures);
  gtx_scheduler_leave (run->scheduler, visit);
  return futures;
}

static void
cancel_or_spare (Run       *run,
                 GPtrArray *futures)
{
  g_autoptr (GHashTable) shielded = find_with_awaited (futures, is_shielded);
  g_autoptr (GHashTable) cancelled = run->spares ? find_with_awaited (futures, gtx_task_was_cancelled) : NULL;

  for (guint i = 0; i < futures->len; i++)
    if (g_hash_table_contains (shielded, futures->pdata[i]))
      continue;
    else if (cancelled && g_hash_table_contains (cancelled, futures->pdata[i]))
      g_ptr_array_add (run->spared, g_object_ref (futures->pdata[i]));
    else
      gtx_cancel (futures->pdata[i]);
  run->spares = FALSE;
}

static gboolean
cancel_leftovers (Run *run)
{
  g_autoptr (GPtrArray) futures = list_leftovers (run);
  Leftovers leftovers = { NULL, futures->len };

  if (futures->len == 0)
    return FALSE;

  leftovers.gathering = gtx_future_new ();
  cancel_or_spare (run, futures);
  for (guint i = 0; i < futures->len; i++)
    gtx_future_call_back (g_ptr_array_index (futures, i), on_leftover_done, &leftovers, NULL, NULL);
  iterate_until_done (run, leftovers.gathering);
  g_object_unref (leftovers.gathering);
  return TRUE;
}

/* Runs the callbacks of what ended last, and lets GTasks call back.  Returns whether there was
 * something to do: then there may be more. */
static gboolean
let_others_know (Run *run)
{
  GtxFuture *nothing;

  if (!gtx_scheduler_has_work (run->scheduler) && !gtx_gtask_runs_are_returning (run->scheduler))
    return FALSE;
  nothing = gtx_future_new ();
  gtx_future_set_result (nothing, NULL, NULL);
  iterate_until_done (run, nothing);
  g_object_unref (nothing);
  if (gtx_gtask_runs_are_returning (run->scheduler))
    g_main_context_iteration (run->context, FALSE);
  return TRUE;
}

/* The number of passes is limited: a worker that is started again whenever it ends would never
 * let the run end. */
static void
end_leftovers (Run *run)
{
  gint64 end = g_get_monotonic_time () + PASSES_US;
  g_autoptr (GPtrArray) left = NULL;

  for (guint i = 0; i < FEWEST_PASSES || g_get_monotonic_time () < end; i++)
    if (!cancel_leftovers (run) && !let_others_know (run))
      return;
  left = list_leftovers (run);
  if (left->len > 0)
    gtx_scheduler_log_tasks (run->scheduler, G_LOG_LEVEL_WARNING,
                             "%s() ends although tasks are left, since others were started again and again "
                             "while they were cancelled", run->function);
}

/* ---- A run ---- */

/* Returns why @context, which is acquired, cannot be iterated; NULL: it can. */
static const char *
why_not_here (GtxScheduler *scheduler,
              GMainContext *context)
{
  GSource *source = g_main_current_source ();

  if (gtx_scheduler_is_others (scheduler))
    return "tasks of another thread are suspended in the main context: iterate it in that thread";
  if (gtx_scheduler_is_running (scheduler))
    return "a task runs: await the coroutine by calling it, or start it with gtx_create_task()";
  if (source && g_source_get_context (source) == context)
    return "the main loop runs already: start the coroutine with gtx_create_task()";
  return NULL;
}

gboolean
gtx_run_may_begin (GtxScheduler  *scheduler,
                   GMainContext  *context,
                   GError       **error)
{
  gboolean acquired = FALSE;
  const char *why = NULL;

  if (gtx_scheduler_is_parents (scheduler))
    why = "this is the child of a fork(), and the main context's tasks belong to the parent: "
          "push a new main context in the child";
  else if (gtx_task_current ())
    why = "a task runs: await the coroutine by calling it, or start it with gtx_create_task()";
  else if (!(acquired = g_main_context_acquire (context)))
    why = "another thread runs the main context: give this thread a main context of its own first, with "
          "g_main_context_push_thread_default(), or start the coroutine in that thread with gtx_create_task()";
  else
    why = why_not_here (scheduler, context);

  if (why && acquired)
    g_main_context_release (context);
  if (why)
    g_set_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING, "gtx_run() cannot begin, because %s", why);
  return why == NULL;
}

/* Whether SIGINT has ended @main_task, or came too late for it.  As in asyncio, a cancellation for which
 * other code asked as well is one. */
static gboolean
was_interrupted (const GtxInterrupt *interrupt,
                 GtxTask            *main_task)
{
  if (gtx_future_state (&main_task->parent_instance) == GTX_FUTURE_CANCELLED)
    return gtx_cancelling (main_task) <= 1;
  return main_task->parent_instance.error == NULL && !interrupt->has_asked;
}

static gboolean
end_run (GtxTask   *main_task,
         gboolean   is_interrupted,
         GError   **error)
{
  gboolean succeeded = FALSE;

  if (is_interrupted)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "The run was interrupted by SIGINT");
  else
    succeeded = gtx_future_propagate (&main_task->parent_instance, error);
  g_object_unref (main_task);
  return succeeded;
}

gboolean
gtx_run_on (GtxScheduler  *scheduler,
            GMainContext  *context,
            gboolean       is_interruptible,
            const char    *name,
            GtxCoroutine   coroutine,
            gpointer       data,
            GError       **error)
{
  g_autoptr (Run) run = run_new (scheduler, context, "gtx_run");
  GtxTask *main_task = gtx_create_task_named (name, coroutine, data, NULL);
  GtxInterrupt interrupt = { 0 };
  gboolean is_interrupted;
  gboolean succeeded;

  if (is_interruptible)
    gtx_interrupt_begin (&interrupt, context, main_task);
  iterate_until_done (run, main_task);
  is_interrupted = gtx_interrupt_end (&interrupt) && was_interrupted (&interrupt, main_task);
  end_leftovers (run);
  succeeded = end_run (main_task, is_interrupted, error);
  gtx_scheduler_leave_for_now (scheduler);
  g_main_context_release (context);
  return succeeded;
}

/**
 * gtx_run_named: (skip)
 *
 * The function behind gtx_run(), with the name of its coroutine as an argument, static or interned.
 */
gboolean
gtx_run_named (const char    *name,
               GtxCoroutine   coroutine,
               gpointer       data,
               GError       **error)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  g_return_val_if_fail (coroutine != NULL, FALSE);

  return gtx_run_may_begin (scheduler, context, error) &&
         gtx_run_on (scheduler, context, TRUE, name, coroutine, data, error);
}

static gboolean
tell_what_is_left (gpointer data)
{
  Run *run = data;

  gtx_scheduler_log_tasks (run->scheduler, G_LOG_LEVEL_WARNING,
                           "%s() has waited for two seconds, and these tasks have not ended", run->function);
  for (guint i = 0; i < run->spared->len; i++)
    gtx_cancel (run->spared->pdata[i]);
  return G_SOURCE_REMOVE;
}

static void
end_leftovers_patiently (Run *run)
{
  g_autoptr (GSource) patience = g_timeout_source_new ((guint) (GTX_PATIENCE * 1000));

  g_source_set_priority (patience, G_PRIORITY_HIGH);
  g_source_set_callback (patience, tell_what_is_left, run, NULL);
  g_source_attach (patience, run->context);
  end_leftovers (run);
  g_source_destroy (patience);
}

/**
 * gtx_cancel_all:
 *
 * Cancels the tasks of the thread-default main context, and iterates the context until
 * they are done: gtx_run() does the same at its end.  This function is for a program that
 * has a main loop of its own.
 *
 * Tasks that are started while others clean up are cancelled, too, and so are the
 * operations of gtx_operation_future_new().  If more and more are started, for a tenth of
 * a second, it warns of what is left and returns.  After two seconds it warns of the tasks
 * that have not ended, and waits on.  A task that was cancelled before, such as one of a window
 * that is being closed, has these two seconds to clean up, and is cancelled again only then; unlike
 * gtx_run() and `asyncio.run()`, which cancel it at once.  gtx_application_attach() calls this
 * function at the end of a #GApplication.
 *
 * Blocks; not to be called in a task, nor in a callback of a main loop that a task runs.
 * May be called in the thread that runs the context.
 *
 * Since: 0.1
 */
void
gtx_cancel_all (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (Run) run = run_new (scheduler, context, "gtx_cancel_all");

  if (!g_main_context_acquire (context))
    {
      g_critical ("gtx_cancel_all() was called in a thread that does not run the main context; "
                  "call it in the thread that does");
      return;
    }
  if (gtx_scheduler_is_others (scheduler))
    g_critical ("gtx_cancel_all() was called in a thread to which the tasks do not belong; "
                "call it in the thread that ran them first");
  else if (gtx_task_current () || gtx_scheduler_is_running (scheduler))
    g_critical ("gtx_cancel_all() was called while a task runs, and that task could not end before it returns; "
                "call it outside of all tasks");
  else
    {
      run->spares = TRUE;
      end_leftovers_patiently (run);
      gtx_scheduler_leave_for_now (scheduler);
    }
  g_main_context_release (context);
}
