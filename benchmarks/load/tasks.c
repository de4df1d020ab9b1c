/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks by themselves: crowds, timers, groups. */

#include "load.h"

#define SMALL_STACK (64 * 1024)

/* ---- Crowds ---- */

typedef struct
{
  guint n_freed;
  guint n_done;                 /* counted by done callbacks */
} Crowd;

static gboolean
be_one_of_many (Crowd *crowd, GError **error)
{
  guint n = random_below (4);

  for (guint i = 0; i < n; i++)
    if (!gtx_sleep (random_below (8) == 0 ? random_seconds (0.005) : 0, error))
      return FALSE;
  return random_below (16) > 0 || load_fail (error);
}

static void
count_freed (gpointer crowd)
{
  ((Crowd *) crowd)->n_freed++;
}

static void
count_done (gpointer future, gpointer crowd)
{
  ((Crowd *) crowd)->n_done++;
}

static void
create_crowd (GPtrArray *tasks, guint n, Crowd *crowd)
{
  for (guint i = 0; i < n; i++)
    {
      GtxTask *task = gtx_task_new (be_one_of_many, crowd, count_freed);

      if (random_below (4) > 0)
        gtx_task_set_stack_size (task, SMALL_STACK);
      gtx_future_add_done_callback (task, count_done, crowd, NULL);
      g_ptr_array_add (tasks, gtx_task_start (task));
    }
}

static gboolean
take_as_completed (GPtrArray *tasks, GError **error)
{
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (tasks, GTX_FOREVER, error);
  GError *failure = NULL;
  guint n = 0;

  if (each == NULL)
    return FALSE;
  while (gtx_as_completed_next (each, &failure))
    n++;
  if (failure == NULL && n != tasks->len)
    complain ("crowd: %u of %u were given as completed", n, tasks->len);
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
await_crowd (GPtrArray *tasks, GError **error)
{
  switch (random_below (5))
    {
    case 0:
      return gtx_gather (tasks, GTX_GATHER_NONE, error);
    case 1:
      return gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error);
    case 2:
      return gtx_wait (tasks, GTX_FIRST_ERROR, random_below (2) ? GTX_FOREVER : random_seconds (0.005), error);
    case 3:
      return take_as_completed (tasks, error);
    default:
      return gtx_await (tasks->pdata[random_below (tasks->len)], error);
    }
}

gboolean
load_crowd (gpointer data, GError **error)
{
  Crowd crowd = { 0, 0 };
  g_autoptr (GPtrArray) tasks = tasks_new ();
  g_autoptr (GError) failure = NULL;
  guint n = 1 + random_below (random_below (8) ? 50 : 500);

  create_crowd (tasks, n, &crowd);
  for (guint i = random_below (n); i > 0 && random_below (4) == 0; i--)
    gtx_cancel (tasks->pdata[random_below (n)]);
  await_crowd (tasks, &failure);
  tasks_end (tasks);
  if (crowd.n_done != n || crowd.n_freed != n)
    complain ("crowd: of %u tasks the end of %u was told, and data of %u freed", n, crowd.n_done, crowd.n_freed);

  /* Some of them were cancelled, and some have failed. */
  if (failure && !is_cancellation (failure) && failure->domain != LOAD_ERROR)
    g_propagate_error (error, g_steal_pointer (&failure));
  return failure == NULL || is_cancellation (failure) || failure->domain == LOAD_ERROR;
}

/* ---- Timers ---- */

static gboolean
sleep_for_long (gpointer data, GError **error)
{
  return gtx_sleep (3600, error);
}

static gboolean
sleep_a_little (gpointer data, GError **error)
{
  return gtx_sleep (random_seconds (0.003), error);
}

static gboolean
run_out_of_time (GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) body = NULL;
  GError *failure = NULL;

  gtx_timeout_begin (&timeout, random_seconds (0.003));
  sleep_for_long (NULL, &body);
  gtx_timeout_end (&timeout, &body, &failure);
  return expect_error ("a timeout", failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, error);
}

static gboolean
end_in_time (GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) body = NULL;

  gtx_timeout_begin (&timeout, 1800);
  if (random_below (4) == 0 && !gtx_timeout_reschedule (&timeout, 3600, error))
    return FALSE;
  sleep_a_little (NULL, &body);
  return gtx_timeout_end (&timeout, &body, error);
}

static gboolean
wait_in_vain (GError **error)
{
  g_autoptr (GtxFuture) never = random_below (2) ? gtx_future_new () : gtx_sleep_future (3600);
  GError *failure = NULL;

  gtx_wait_for (never, random_seconds (0.003), &failure);
  if (!gtx_future_is_cancelled (never))
    complain ("timers: a future whose time is over is not cancelled");
  return expect_error ("wait_for", failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, error);
}

static gboolean
shield_a_task (GError **error)
{
  g_autoptr (GPtrArray) tasks = tasks_new ();
  g_autoptr (GtxFuture) shield = NULL;
  GtxTask *task = gtx_create_task (sleep_for_long, NULL, NULL);
  GError *failure = NULL;

  g_ptr_array_add (tasks, task);
  shield = gtx_shield (task);
  gtx_wait_for (shield, random_seconds (0.003), &failure);
  if (gtx_future_is_done (task))
    complain ("timers: the end of its shield ended a task");
  tasks_end (tasks);
  return expect_error ("wait_for", failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, error);
}

gboolean
load_timers (gpointer data, GError **error)
{
  switch (random_below (5))
    {
    case 0:
      return run_out_of_time (error);
    case 1:
      return end_in_time (error);
    case 2:
      return wait_in_vain (error);
    case 3:
      return shield_a_task (error);
    default:
      return sleep_a_little (NULL, error);
    }
}

/* ---- Groups ---- */

static gboolean
fail_soon (gpointer data, GError **error)
{
  return sleep_a_little (NULL, error) && load_fail (error);
}

static gboolean
run_group (guint n_failing, guint depth, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  if (random_below (4) == 0)
    gtx_task_group_set_limit (&group, 4);
  for (guint i = 0; i < 8 && failure == NULL; i++)
    gtx_task_group_create_task (&group, sleep_a_little, NULL, NULL, &failure);
  for (guint i = 0; i < n_failing && failure == NULL; i++)
    gtx_task_group_create_task (&group, fail_soon, NULL, NULL, &failure);
  if (failure == NULL && depth > 0)
    run_group (random_below (2), depth - 1, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* The group still waits for its children. */
static gboolean
leave_group (guint n, Crowd *crowd, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < n; i++)
    gtx_future_add_done_callback (gtx_task_group_create_task (&group, sleep_for_long, NULL, NULL, NULL),
                                  count_done, crowd, NULL);
  return random_below (2) || gtx_sleep (0, error);
}

static gboolean
leave_a_group (GError **error)
{
  Crowd crowd = { 0, 0 };
  guint n = 1 + random_below (8);
  gboolean succeeded = leave_group (n, &crowd, error);

  let_others_run ();
  if (crowd.n_done != n)
    complain ("groups: of %u children the end of %u was told when their group was left", n, crowd.n_done);
  return succeeded;
}

/* The leaves of the tree are expected failures, and failures to start a task in a group
 * that had failed already. */
static gboolean
has_only_wanted_failures (const GError *error)
{
  guint n = gtx_error_get_n_errors (error);

  if (!g_error_matches (error, GTX_ERROR, GTX_ERROR_GROUP))
    return error->domain == LOAD_ERROR || g_error_matches (error, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  for (guint i = 0; i < n; i++)
    if (!has_only_wanted_failures (gtx_error_get_error (error, i)))
      return FALSE;
  return n > 0;
}

gboolean
load_group (gpointer data, GError **error)
{
  guint n_failing = random_below (3);
  g_autoptr (GError) failure = NULL;

  if (random_below (4) == 0)
    return leave_a_group (error);
  if (run_group (n_failing, random_below (3), &failure))
    {
      if (n_failing > 0)
        complain ("groups: one with a child that fails did not");
      return TRUE;
    }
  if (has_only_wanted_failures (failure))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
