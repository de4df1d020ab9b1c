/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One object that has many: members, children, callbacks, timers, items, values. */

#include "cases.h"

#include <string.h>

static GPtrArray *
make_futures (guint n)
{
  GPtrArray *futures = array_of_objects ();

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (futures, gtx_future_new ());
  return futures;
}

/* Sets the futures in the order of the job after a task has begun to wait for them; in
 * the cases with "woken" that task is cancelled instead. */
static void
end_futures (const Job *job, GPtrArray *futures, GtxTask *waiting)
{
  g_autoptr (GPtrArray) tasks = array_of_objects ();

  g_ptr_array_add (tasks, waiting);
  let_others_run ();
  chill ();
  if (job->way == WOKEN)
    gtx_cancel (waiting);
  else
    for (guint i = 0; i < job->n; i++)
      gtx_future_set_result (futures->pdata[job->order[i]], NULL, NULL);
  gather_all (tasks, job->way != WOKEN);
}

/* ---- Members ---- */

static gboolean
gather (GPtrArray *futures, GError **error)
{
  return gtx_gather (futures, GTX_GATHER_NONE, error);
}

static gboolean
wait_for_all (GPtrArray *futures, GError **error)
{
  return gtx_wait (futures, GTX_ALL_COMPLETED, GTX_FOREVER, error);
}

static gboolean
take_each (GPtrArray *futures, GError **error)
{
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, GTX_FOREVER, error);

  for (guint i = 0; i < futures->len; i++)
    if (gtx_as_completed_next (each, error) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
run_gather (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = make_futures (job->n);

  end_futures (job, futures, gtx_create_task (gather, futures, NULL));
  return TRUE;
}

static gboolean
run_wait (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = make_futures (job->n);

  end_futures (job, futures, gtx_create_task (wait_for_all, futures, NULL));
  return TRUE;
}

static gboolean
run_as_completed (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = make_futures (job->n);

  end_futures (job, futures, gtx_create_task (take_each, futures, NULL));
  return TRUE;
}

/* Waits for the same few futures again and again. */
static gboolean
run_wait_again (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = make_futures (3);

  for (guint i = 0; i < job->n; i++)
    if (!gtx_wait (futures, GTX_FIRST_COMPLETED, 0, error))
      return FALSE;
  return TRUE;
}

/* ---- Children ---- */

static gboolean
wait_for_event (GtxEvent *event, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
run_group (const Job *job, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autofree GtxTask **children = g_new (GtxTask *, job->n);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < job->n; i++)
    children[i] = gtx_task_group_create_task (&group, wait_for_event, event, NULL, NULL);
  chill ();
  let_others_run ();
  chill ();
  if (job->way == WOKEN)
    gtx_event_set (event);
  else
    for (guint i = 0; i < job->n; i++)
      gtx_cancel (children[job->order[i]]);
  chill ();
  return gtx_task_group_end (&group, &failure, error);
}

static gboolean
run_group_cancel (const Job *job, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < job->n; i++)
    gtx_task_group_create_task (&group, wait_long, NULL, NULL, NULL);
  chill ();
  let_others_run ();
  chill ();
  gtx_task_group_cancel (&group);
  return gtx_task_group_end (&group, &failure, error);
}

static gboolean
fail (gpointer data, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
  return FALSE;
}

static gboolean
run_group_fail (const Job *job, GError **error)
{
  g_autoptr (GError) failed = NULL;
  GError *failure = NULL;
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < job->n; i++)
    gtx_task_group_create_task (&group, fail, NULL, NULL, NULL);
  gtx_sleep (0, &failure);
  gtx_task_group_end (&group, &failure, &failed);
  g_assert_error (failed, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (failed), ==, job->n);
  return TRUE;
}

static gboolean
let_others_run_once (gpointer data, GError **error)
{
  return gtx_sleep (0, error);
}

static gboolean
run_group_limit (const Job *job, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  GError *failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 10);
  for (guint i = 0; i < job->n; i++)
    gtx_task_group_create_task (&group, let_others_run_once, NULL, NULL, NULL);
  return gtx_task_group_end (&group, &failure, error);
}

/* Tasks that a run leaves are cancelled when it ends. */
static gboolean
run_leave (const Job *job, GError **error)
{
  for (guint i = 0; i < job->n; i++)
    g_object_unref (gtx_create_task (wait_long, NULL, NULL));
  let_others_run ();
  return TRUE;
}

static gboolean
await_previous (GtxTask *previous, GError **error)
{
  return previous == NULL ? wait_long (NULL, error) : gtx_await (previous, error);
}

static gboolean
run_leave_chain (const Job *job, GError **error)
{
  GtxTask *last = NULL;

  for (guint i = 0; i < job->n; i++)
    last = gtx_create_task (await_previous, last, g_object_unref);
  g_object_unref (last);
  let_others_run ();
  return TRUE;
}

/* A request goes down a chain that crosses from one main context to another at each step. */
static gboolean
run_chain_across (const Job *job, GError **error)
{
  g_autoptr (GMainContext) other = g_main_context_new ();
  GtxTask *last = NULL;

  for (guint i = 0; i < job->n; i++)
    last = gtx_create_task_in (i % 2 ? other : NULL, await_previous, last, g_object_unref);
  let_others_run ();
  while (g_main_context_iteration (other, FALSE))
    ;
  let_others_run ();
  gtx_cancel (last);
  while (!gtx_future_is_done (last))
    {
      gtx_sleep (0, NULL);
      g_main_context_iteration (other, FALSE);
    }
  g_object_unref (last);
  return TRUE;
}

/* ---- Members of a scope ---- */

static gboolean
cancel_scope_at_end (GtxScope *scope, GError **error)
{
  gboolean succeeded = wait_long (NULL, error);

  gtx_scope_cancel (scope);
  return succeeded;
}

/* Each member asks all others to end while it ends. */
static gboolean
run_scope_cancel (const Job *job, GError **error)
{
  g_autoptr (GtxScope) scope = g_object_new (GTX_TYPE_SCOPE, NULL);

  for (guint i = 0; i < job->n; i++)
    gtx_scope_create_task (scope, cancel_scope_at_end, scope, NULL);
  let_others_run ();
  gtx_scope_cancel (scope);
  return gtx_scope_join (scope, error);
}

static GtxCommand *command;

static gboolean
cancel_command_at_end (gpointer object, GVariant *parameter, GError **error)
{
  gboolean succeeded = wait_long (NULL, error);

  gtx_command_cancel (command);
  return succeeded;
}

static gboolean
run_command_cancel (const Job *job, GError **error)
{
  g_autoptr (GtxEvent) object = gtx_event_new ();

  command = gtx_command_new ("x", NULL, cancel_command_at_end, object);
  gtx_command_set_mode (command, GTX_COMMAND_PARALLEL);
  for (guint i = 0; i < job->n; i++)
    g_action_activate (G_ACTION (command), NULL);
  let_others_run ();
  gtx_command_cancel (command);
  g_object_unref (command);
  return gtx_scope_join (gtx_object_get_scope (object), error);
}

/* ---- Callbacks ---- */

static void
on_done (gpointer future, gpointer data)
{
}

static gboolean
run_callbacks (const Job *job, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  guint n_removed = 0;

  for (guint i = 0; i < job->n; i++)
    gtx_future_add_done_callback (future, on_done, GUINT_TO_POINTER (i), NULL);
  chill ();
  for (guint i = 0; job->way != WOKEN && i < job->n; i++)
    n_removed += gtx_future_remove_done_callback (future, on_done, GUINT_TO_POINTER (job->order[i]));
  g_assert_cmpuint (n_removed, ==, job->way == WOKEN ? 0 : job->n);
  gtx_future_set_result (future, NULL, NULL);
  return gtx_sleep (0, error);
}

/* Taken back while n others stay, and n - 1 of them are the same. */
static gboolean
run_callbacks_among (const Job *job, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();

  for (guint i = 0; i < job->n; i++)
    gtx_future_add_done_callback (future, on_done, NULL, NULL);
  for (guint i = 0; i < job->n; i++)
    {
      gtx_future_add_done_callback (future, on_done, future, NULL);
      g_assert_cmpuint (gtx_future_remove_done_callback (future, on_done, future), ==, 1);
    }
  g_assert_cmpuint (gtx_future_remove_done_callback (future, on_done, NULL), ==, job->n);
  return TRUE;
}

/* ---- Timers ---- */

static gboolean
run_sleep_futures (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of_objects ();

  for (guint i = 0; i < job->n; i++)
    g_ptr_array_add (futures, gtx_sleep_future (job->way == WOKEN ? 0.02 * ((i * 7919) % job->n) / job->n
                                                                  : 1000 + i));
  chill ();
  for (guint i = 0; job->way != WOKEN && i < job->n; i++)
    gtx_cancel (futures->pdata[job->order[i]]);
  gather_all (futures, job->way == WOKEN);
  return TRUE;
}

/* They begin and end in the same order, or so. */
static gboolean
run_timeouts (const Job *job, GError **error)
{
  g_autofree GtxTimeout *timeouts = g_new0 (GtxTimeout, job->n);

  for (guint i = 0; i < job->n; i++)
    gtx_timeout_begin (&timeouts[i], 1000 + job->order[i]);
  chill ();
  for (guint i = 0; i < job->n; i++)
    {
      gtx_timeout_end (&timeouts[i], NULL, NULL);
      gtx_timeout_clear (&timeouts[i]);
    }
  return TRUE;
}

static gboolean
run_reschedule (const Job *job, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  GError *failure = NULL;

  gtx_timeout_begin (&timeout, 1000);
  for (guint i = 0; i < job->n; i++)
    gtx_timeout_reschedule (&timeout, 1000 + job->order[i], NULL);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* ---- Items ---- */

static gint
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return (a > b) - (a < b);
}

static void
put_and_get (const Job *job, GtxQueue *queue)
{
  for (guint i = 0; i < job->n; i++)
    gtx_queue_put (queue, GUINT_TO_POINTER (job->order[i] + 1), NULL);
  chill ();
  for (guint i = 0; i < job->n; i++)
    g_assert_nonnull (gtx_queue_get (queue, NULL));
  g_object_unref (queue);
}

static gboolean
run_queue (const Job *job, GError **error)
{
  put_and_get (job, gtx_queue_new (0, NULL));
  return TRUE;
}

static gboolean
run_lifo (const Job *job, GError **error)
{
  put_and_get (job, gtx_queue_new_lifo (0, NULL));
  return TRUE;
}

static gboolean
run_priority (const Job *job, GError **error)
{
  put_and_get (job, gtx_queue_new_priority (0, NULL, compare, NULL));
  return TRUE;
}

/* ---- Values ---- */

static gboolean
have_value (gpointer data, GError **error)
{
  static GtxTaskLocal local = GTX_TASK_LOCAL_INIT (NULL);

  gtx_task_local_set (&local, gtx_current_task ());
  return gtx_sleep (0, error) && gtx_task_local_get (&local) == gtx_current_task ();
}

static gboolean
run_values (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) tasks = array_of_objects ();

  for (guint i = 0; i < job->n; i++)
    g_ptr_array_add (tasks, gtx_create_task (have_value, NULL, NULL));
  gather_all (tasks, TRUE);
  return TRUE;
}

/* ---- What is shown ---- */

static gsize n_printed;

static void
count_text (const char *text)
{
  n_printed += strlen (text);
}

/* A gathering of many sleeps, which are not tasks, and of tasks. */
static gboolean
run_print (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) futures = array_of_objects ();
  g_autoptr (GPtrArray) tasks = array_of_objects ();
  GPrintFunc old = g_set_printerr_handler (count_text);

  for (guint i = 0; i < 5 * job->n; i++)
    g_ptr_array_add (futures, i % 10 ? gtx_sleep_future (1000)
                                     : (GtxFuture *) gtx_create_task (wait_long, NULL, NULL));
  g_ptr_array_add (tasks, gtx_create_task (gather, futures, NULL));
  let_others_run ();
  gtx_print_tasks ();
  g_set_printerr_handler (old);
  g_assert_cmpuint (n_printed, >, job->n);
  gtx_cancel (tasks->pdata[0]);
  gather_all (tasks, FALSE);
  return TRUE;
}

static gboolean
run_print_chain (const Job *job, GError **error)
{
  GPrintFunc old = g_set_printerr_handler (count_text);

  run_leave_chain (job, NULL);
  gtx_print_tasks ();
  g_set_printerr_handler (old);
  return TRUE;
}

static gboolean
run_all_tasks (const Job *job, GError **error)
{
  g_autoptr (GPtrArray) all = NULL;

  run_leave (job, NULL);
  all = gtx_all_tasks ();
  g_assert_cmpuint (all->len, ==, job->n + 1);
  for (guint i = 0; i < all->len; i++)
    g_assert_nonnull (gtx_task_get_name (all->pdata[i]));
  return TRUE;
}

const Case single_cases[] = {
  { "gather-of-many", ALL_WAYS, NULL, run_gather, FALSE },
  { "wait-of-many", ALL_WAYS, NULL, run_wait, FALSE },
  { "wait-again", WAY (WOKEN), NULL, run_wait_again, FALSE },
  { "as-completed-of-many", ALL_WAYS, NULL, run_as_completed, FALSE },
  { "group-of-many", ALL_WAYS, NULL, run_group, FALSE },
  { "group-cancel", WAY (WOKEN), NULL, run_group_cancel, FALSE },
  { "group-fail", WAY (WOKEN), NULL, run_group_fail, FALSE },
  { "group-limit", WAY (WOKEN), NULL, run_group_limit, FALSE },
  { "scope-cancel", WAY (WOKEN), NULL, run_scope_cancel, FALSE },
  { "command-cancel", WAY (WOKEN), NULL, run_command_cancel, FALSE },
  { "run-end", WAY (WOKEN), NULL, run_leave, FALSE },
  { "run-end-chain", WAY (WOKEN), NULL, run_leave_chain, FALSE },
  { "chain-across", WAY (WOKEN), NULL, run_chain_across, FALSE },
  { "callbacks", ALL_WAYS, NULL, run_callbacks, FALSE },
  { "callbacks-among-many", WAY (WOKEN), NULL, run_callbacks_among, FALSE },
  { "sleep-future", ALL_WAYS, NULL, run_sleep_futures, FALSE },
  { "timeouts", ALL_ORDERS, NULL, run_timeouts, FALSE },
  { "timeout-reschedule", ALL_ORDERS, NULL, run_reschedule, FALSE },
  { "queue-items", WAY (WOKEN), NULL, run_queue, FALSE },
  { "queue-items-lifo", WAY (WOKEN), NULL, run_lifo, FALSE },
  { "queue-items-priority", ALL_ORDERS, NULL, run_priority, FALSE },
  { "values", WAY (WOKEN), NULL, run_values, FALSE },
  { "print", WAY (WOKEN), NULL, run_print, FALSE },
  { "print-chain", WAY (WOKEN), NULL, run_print_chain, FALSE },
  { "all-tasks", WAY (WOKEN), NULL, run_all_tasks, FALSE },
  { 0 }
};
