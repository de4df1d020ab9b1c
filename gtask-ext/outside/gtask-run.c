/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GTask of other code, and the task that does its work. */

#include "gtask-ext/gtask-run.h"

#include "outside/gtask-run-private.h"
#include "task/done-callback.h"
#include "task/table.h"
#include "task/task-private.h"

/* What the GTask and its runner share.  A run belongs to the home thread once the runner starts,
 * except for what the handler of the GCancellable uses: home, and the reference that the handler
 * was given. */
typedef struct
{
  GtxScheduler *home;
  GTask *task;
  GtxTask *runner;              /* NULL once it is done */
  GtxIntCoroutine coroutine;    /* for an integer result, which a GtxTask cannot have */
  gssize number;
  enum
  {
    BOOLEAN,
    POINTER,
    INT
  } kind;
  GDestroyNotify result_free;
  gulong handler;
  gboolean returned;
} Run;

static void
run_clear (gpointer data)
{
  Run *run = data;
  GtxVisit visit = gtx_scheduler_enter (run->home);

  /* The GTask frees what its caller gave to it, so it is dropped at home: an emission in another
   * thread may have held the last reference. */
  if (run->task && (visit || !gtx_scheduler_post (run->home, g_object_unref, run->task)))
    g_object_unref (run->task);
  gtx_scheduler_leave (run->home, visit);
  gtx_scheduler_unref (run->home);
}

static void
run_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, run_clear);
}

/* ---- Cancelling ---- */

static void
cancel_at_home (gpointer data)
{
  Run *run = data;

  if (run->runner && !run->returned && g_task_get_return_on_cancel (run->task))
    run->returned = g_task_return_error_if_cancelled (run->task);
  if (run->runner)
    gtx_future_cancel_here (&run->runner->parent_instance);
  run_unref (run);
}

/* The request is posted, never made at once: the handler might be disconnected while it runs. */
static void
on_cancelled (GCancellable *cancellable,
              gpointer      data)
{
  Run *run = data;

  g_atomic_rc_box_acquire (run);
  if (!gtx_scheduler_post (run->home, cancel_at_home, run))
    run_unref (run);
}

/* ---- The end of the coroutine ---- */

static void
return_result (Run     *run,
               GtxTask *runner)
{
  const GError *error = gtx_future_get_error (runner);

  if (error)
    g_task_return_error (run->task, g_error_copy (error));
  else if (run->kind == BOOLEAN)
    g_task_return_boolean (run->task, TRUE);
  else if (run->kind == POINTER)
    g_task_return_pointer (run->task, gtx_task_steal_pointer (runner), run->result_free);
  else
    g_task_return_int (run->task, run->number);
}

/* ---- GTasks that call back in a later turn ---- */

#define RETURNING GTX_TABLE_KEY (GTX_TABLE_RETURNING, 0)

static void
add_returning (GtxScheduler *home,
               gint          n)
{
  GHashTable *table = gtx_scheduler_get_table (home);
  gint sum = GPOINTER_TO_INT (g_hash_table_lookup (table, RETURNING)) + n;

  if (sum > 0)
    g_hash_table_insert (table, RETURNING, GINT_TO_POINTER (sum));
  else
    g_hash_table_remove (table, RETURNING);
}

gboolean
gtx_gtask_runs_are_returning (GtxScheduler *scheduler)
{
  return g_hash_table_contains (gtx_scheduler_get_table (scheduler), RETURNING);
}

static void
on_completed (GTask      *task,
              GParamSpec *property,
              gpointer    home)
{
  add_returning (home, -1);
}

static void
drop_home (gpointer  home,
           GClosure *closure)
{
  gtx_scheduler_unref (home);
}

/* A GTask calls back at once, except in the turn of the main loop in which it was made. */
static void
watch_returning (Run *run)
{
  if (g_task_get_completed (run->task))
    return;
  add_returning (run->home, 1);
  g_signal_connect_data (run->task, "notify::completed", G_CALLBACK (on_completed), gtx_scheduler_ref (run->home),
                         drop_home, 0);
}

/* Runs outside of all tasks, as the callback of the GTask expects. */
static void
on_done (gpointer runner,
         gpointer data)
{
  Run *run = data;

  g_clear_object (&run->runner);
  if (run->handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (run->task), run->handler);
  if (run->returned)
    gtx_future_get_error (runner);
  else
    {
      run->returned = TRUE;
      return_result (run, runner);
    }
  watch_returning (run);
  /* Handlers in other threads may keep the run for longer, and the GTask keeps the main context. */
  g_clear_object (&run->task);
}

/* ---- The beginning of the coroutine ---- */

static void
watch_cancellable (gpointer data)
{
  Run *run = data;
  GCancellable *cancellable = run->task ? g_task_get_cancellable (run->task) : NULL;

  if (cancellable && run->runner)
    run->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                          g_atomic_rc_box_acquire (run), run_unref);
  run_unref (run);
}

/* Takes @run and @runner, which was not started.  The GCancellable is watched after the start, so
 * that a request finds the runner started. */
static void
start (Run     *run,
       GtxTask *runner)
{
  run->runner = g_object_ref (runner);
  runner->begins_cancelled = TRUE;
  if (g_task_get_name (run->task))
    gtx_task_set_name (runner, g_task_get_name (run->task));
  gtx_future_set_home (&runner->parent_instance, run->home);
  gtx_future_call_back (&runner->parent_instance, on_done, g_atomic_rc_box_acquire (run), run_unref, NULL);
  gtx_task_start (runner);
  g_object_unref (runner);
  if (gtx_scheduler_is_local (run->home))
    watch_cancellable (run);
  else if (!gtx_scheduler_post (run->home, watch_cancellable, run))
    run_unref (run);
}

static Run *
run_new (GTask *task)
{
  Run *run = g_atomic_rc_box_new0 (Run);

  run->task = g_object_ref (task);
  run->home = gtx_scheduler_ref (gtx_scheduler_for_context (g_task_get_context (task)));
  return run;
}

/**
 * gtx_gtask_run_named: (skip)
 *
 * The function behind gtx_gtask_run(), with the name of its coroutine as an argument, static or interned.
 */
void
gtx_gtask_run_named (const char   *function,
                    GTask        *task,
                    GtxCoroutine  coroutine)
{
  g_return_if_fail (G_IS_TASK (task));

  start (run_new (task), gtx_task_new_named (function, coroutine, g_object_ref (task), g_object_unref));
}

/**
 * gtx_gtask_run_pointer_named: (skip)
 *
 * The function behind gtx_gtask_run_pointer(), with the name of its coroutine as an argument, static or interned.
 */
void
gtx_gtask_run_pointer_named (const char          *function,
                            GTask               *task,
                            GtxPointerCoroutine  coroutine,
                            GDestroyNotify       result_free)
{
  Run *run;

  g_return_if_fail (G_IS_TASK (task));

  run = run_new (task);
  run->kind = POINTER;
  run->result_free = result_free;
  start (run, gtx_task_new_pointer_named (function, coroutine, g_object_ref (task), g_object_unref,
                                          result_free));
}

static gboolean
run_for_number (gpointer   data,
                GError   **error)
{
  Run *run = data;
  GError *failure = NULL;

  run->number = run->coroutine (run->task, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

/**
 * gtx_gtask_run_int_named: (skip)
 *
 * The function behind gtx_gtask_run_int(), with the name of its coroutine as an argument, static or interned.
 */
void
gtx_gtask_run_int_named (const char      *function,
                        GTask           *task,
                        GtxIntCoroutine  coroutine)
{
  Run *run;

  g_return_if_fail (G_IS_TASK (task));

  run = run_new (task);
  run->kind = INT;
  run->coroutine = coroutine;
  start (run, gtx_task_new_named (function, run_for_number, g_atomic_rc_box_acquire (run), run_unref));
}
