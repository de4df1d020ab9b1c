/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that were cancelled before their start, and whose data is freed by a function that awaits, or
 * drops what the starting function uses. */

#include "object-job.h"

static gboolean
never (gpointer data, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
sleep_a_moment (gpointer data, GError **error)
{
  return gtx_sleep (0.001, error);
}

/* Also when it is called outside of all tasks, where it cannot await. */
static void
sleep_and_count (gpointer data)
{
  gtx_sleep (0.01, NULL);
  count_free (data);
}

static GtxTask *
cancelled_task (void)
{
  GtxTask *task = gtx_task_new (never, g_malloc (1), sleep_and_count);

  gtx_cancel (task);
  return task;
}

static GPtrArray *
both (void)
{
  GPtrArray *futures = g_ptr_array_new_with_free_func (g_object_unref);

  n_freed = 0;
  g_ptr_array_add (futures, gtx_create_task (sleep_a_moment, NULL, NULL));
  g_ptr_array_add (futures, cancelled_task ());
  return futures;
}

static gboolean
test_waits (gpointer data, GError **error)
{
  for (GtxReturnWhen when = GTX_ALL_COMPLETED; when <= GTX_FIRST_ERROR; when++)
    {
      g_autoptr (GPtrArray) futures = both ();

      g_assert_true (gtx_wait (futures, when, GTX_FOREVER, error));
      g_assert_true (gtx_gather (futures, GTX_GATHER_RETURN_ERRORS, error));
      g_assert_true (gtx_sleep (0.1, error));
      g_assert_cmpint (n_freed, ==, 1);
    }
  return TRUE;
}

static gboolean
test_as_completed (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = both ();
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, GTX_FOREVER, error);

  g_assert_true (gtx_as_completed_next (each, error) == futures->pdata[1]);
  g_assert_true (gtx_as_completed_next (each, error) == futures->pdata[0]);
  g_assert_null (gtx_as_completed_next (each, error));
  return TRUE;
}

static gboolean
test_race (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) futures = both ();

  g_assert_true (gtx_race (futures, error) == futures->pdata[1]);
  g_assert_true (gtx_any (futures, error) == NULL);
  g_clear_error (error);
  return TRUE;
}

/* The task's data has the last reference of the object whose scope starts the task. */
static gboolean
test_scope (gpointer data, GError **error)
{
  Job *job = job_new ();
  GtxTask *task = gtx_task_new (never, job, g_object_unref);

  gtx_cancel (task);
  g_assert_nonnull (gtx_scope_start (gtx_object_get_scope (job), task));
  return gtx_sleep (0.1, error);
}

typedef struct
{
  GtxTaskGroup *group;
} Starter;

static gboolean
start_cancelled (Starter *starter, GError **error)
{
  g_assert_nonnull (gtx_task_group_start (starter->group, cancelled_task (), error));
  return TRUE;
}

/* Another task starts it while the group ends. */
static gboolean
test_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  Starter starter = { &group };
  g_autoptr (GtxTask) task = NULL;

  n_freed = 0;
  gtx_task_group_begin (&group);
  g_assert_nonnull (gtx_task_group_create_task (&group, sleep_a_moment, NULL, NULL, error));
  task = gtx_create_task (start_cancelled, &starter, NULL);
  g_assert_true (gtx_task_group_end (&group, NULL, error));
  g_assert_true (gtx_await (task, error));
  g_assert_true (gtx_sleep (0.1, error));
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/cancelled-unstarted/waits", test_waits);
  add_coroutine ("/cancelled-unstarted/as-completed", test_as_completed);
  add_coroutine ("/cancelled-unstarted/race", test_race);
  add_coroutine ("/cancelled-unstarted/scope", test_scope);
  add_coroutine ("/cancelled-unstarted/group", test_group);
  return g_test_run ();
}
