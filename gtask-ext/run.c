/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "run-private.h"

#include "task-private.h"

#include "gtask-ext/error.h"

/* asyncio's run_until_complete (): the round in which the future's callback
 * runs is finished, and then the rest waits. */
static void
stop (gpointer future,
      gpointer data)
{
  g_main_loop_quit (data);
  gtx_scheduler_stop (((GtxFuture *) future)->home);
}

static void
iterate_until_done (GtxScheduler *scheduler,
                    GMainContext *context,
                    gpointer      future)
{
  GMainLoop *loop = g_main_loop_new (context, FALSE);

  gtx_future_add_done_callback (future, stop, loop, NULL);
  g_main_loop_run (loop);
  while (gtx_scheduler_is_stopping (scheduler))
    g_main_context_iteration (context, TRUE);
  g_main_loop_unref (loop);
}

/* ---- What is left ---- */

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

  (void) future;
  if (--leftovers->n_left == 0)
    gtx_future_set_result (leftovers->gathering, NULL, NULL);
}

/* Tasks first, which may yet start operations while they clean up, and then the
 * operations that nobody waits for: GIO calls back into this main context, which
 * it keeps for ever if nobody runs it any more. */
static gboolean
cancel_leftovers (GtxScheduler *scheduler,
                  GMainContext *context)
{
  g_autoptr (GPtrArray) futures = NULL;
  Leftovers leftovers = { NULL, 0 };
  GtxVisit visit = gtx_scheduler_enter_home (scheduler, G_STRFUNC);

  if (visit == GTX_ELSEWHERE)
    return FALSE;
  /* Another thread may have started one. */
  gtx_scheduler_run_messages (scheduler);
  futures = gtx_scheduler_list_tasks (scheduler);
  if (futures->len == 0)
    gtx_operation_futures_list (scheduler, futures);
  gtx_scheduler_leave (scheduler, visit);
  leftovers.n_left = futures->len;
  if (futures->len == 0)
    return FALSE;

  leftovers.gathering = gtx_future_new ();
  for (guint i = 0; i < futures->len; i++)
    gtx_cancel (g_ptr_array_index (futures, i));
  for (guint i = 0; i < futures->len; i++)
    gtx_future_add_done_callback (g_ptr_array_index (futures, i), on_leftover_done, &leftovers, NULL);
  iterate_until_done (scheduler, context, leftovers.gathering);
  g_object_unref (leftovers.gathering);
  return TRUE;
}

/* ---- A run ---- */

/* For who has acquired @context: NULL, or why it cannot be iterated. */
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
    why = "this is the child of a fork(), and the main context's tasks are the parent's: "
          "make it a main context of its own";
  else if (gtx_task_current ())
    why = "a task runs: await the coroutine by calling it, or start it with gtx_create_task()";
  else if (!(acquired = g_main_context_acquire (context)))
    why = "another thread runs the main context: give this thread one of its own first, with "
          "g_main_context_push_thread_default(), or start the coroutine in that one with gtx_create_task()";
  else
    why = why_not_here (scheduler, context);

  if (why && acquired)
    g_main_context_release (context);
  if (why)
    g_set_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING, "gtx_run() cannot begin, since %s", why);
  return why == NULL;
}

gboolean
gtx_run_on (GtxScheduler  *scheduler,
            GMainContext  *context,
            const char    *name,
            GtxCoroutine   coroutine,
            gpointer       data,
            GError       **error)
{
  GtxTask *main_task = gtx_create_task_named (name, coroutine, data, NULL);
  gboolean succeeded;

  iterate_until_done (scheduler, context, main_task);
  while (cancel_leftovers (scheduler, context))
    ;
  succeeded = gtx_future_propagate (&main_task->parent_instance, error);
  g_object_unref (main_task);
  g_main_context_release (context);
  return succeeded;
}

/**
 * gtx_run_named: (skip)
 * @name: the name of @coroutine, for messages: static or interned, it is
 *   kept as it is
 * @coroutine: (scope call): a boolean coroutine
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Runs @coroutine on the thread-default main context: the function behind
 * gtx_run(), which see.
 *
 * Returns: %TRUE if the coroutine succeeded
 *
 * Since: 0.1
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
         gtx_run_on (scheduler, context, name, coroutine, data, error);
}

/**
 * gtx_cancel_all:
 *
 * Cancels the tasks of the thread-default main context, and iterates it until
 * they are done: what gtx_run() does in the end, for a program that has a main
 * loop of its own.
 *
 * Tasks that others start while they clean up are cancelled too, so none is
 * left; and so are operations of gtx_operation_future_new().  A #GApplication
 * calls it in its `shutdown`:
 *
 * |[<!-- language="C" -->
 * g_signal_connect (application, "shutdown", G_CALLBACK (gtx_cancel_all), NULL);
 * ]|
 *
 * Blocks; not to be called in a task, nor in what runs inside a main loop that
 * a task runs.  May be called in the thread that runs the context.
 *
 * Since: 0.1
 */
void
gtx_cancel_all (void)
{
  GtxScheduler *scheduler = gtx_scheduler_get ();
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  if (!g_main_context_acquire (context))
    {
      g_critical ("gtx_cancel_all() was called in a thread that does not run the main context");
      return;
    }
  if (gtx_scheduler_is_others (scheduler))
    g_critical ("gtx_cancel_all() was called in a thread to which the tasks do not belong");
  else if (gtx_task_current () || gtx_scheduler_is_running (scheduler))
    g_critical ("gtx_cancel_all() was called while a task runs, which could not end before it returns");
  else
    while (cancel_leftovers (scheduler, context))
      ;
  g_main_context_release (context);
}
