/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxTaskLocal word = GTX_TASK_LOCAL_INIT (count_free);
static GtxTaskLocal number = GTX_TASK_LOCAL_INIT (NULL);

static void
set_word (const char *value)
{
  gtx_task_local_set (&word, g_strdup (value));
}

#define assert_word(value) g_assert_cmpstr (gtx_task_local_get (&word), ==, (value))

static gboolean
check_inherited (const char *expected, GError **error)
{
  assert_word (expected);
  if (!gtx_sleep (1, error))
    return FALSE;
  assert_word (expected);
  set_word ("the child's");
  assert_word ("the child's");
  return TRUE;
}

static gboolean
test_inherited (gpointer data, GError **error)
{
  g_autoptr (GtxTask) before = gtx_create_task (check_inherited, (const char *) NULL, NULL);
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;

  g_assert_null (gtx_task_local_get (&word));
  set_word ("one");
  first = gtx_create_task (check_inherited, "one", NULL);
  set_word ("two");
  second = gtx_create_task (check_inherited, "two", NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, before, first, second, NULL));
  assert_word ("two");
  return TRUE;
}

static gboolean
hold_word (gpointer data, GError **error)
{
  return gtx_sleep (2, error);
}

/* A value goes with the last task that has it. */
static gboolean
test_destroyed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) child = NULL;

  set_word ("one");
  child = gtx_create_task (hold_word, NULL, NULL);
  set_word ("two");
  g_assert_cmpint (n_freed, ==, 0);
  g_assert_true (gtx_await (child, error));
  g_assert_cmpint (n_freed, ==, 1);
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 2);
  g_assert_null (gtx_task_local_get (&word));
  return TRUE;
}

static gboolean
test_several (gpointer data, GError **error)
{
  set_word ("one");
  gtx_task_local_set (&number, GINT_TO_POINTER (1));
  set_word ("two");
  assert_word ("two");
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 1);
  gtx_task_local_set (&number, NULL);
  assert_word ("two");
  return TRUE;
}

static gboolean
set_inside (gpointer data, GError **error)
{
  assert_word ("outer");
  set_word ("inner");
  return TRUE;
}

/* A coroutine that is awaited unstarted runs in the task that awaits it. */
static gboolean
test_awaited_unstarted (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (set_inside, NULL, NULL);

  set_word ("outer");
  g_assert_true (gtx_await (task, error));
  assert_word ("inner");
  return TRUE;
}

static gboolean
test_never_begun (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  set_word ("one");
  task = gtx_create_task (hold_word, NULL, NULL);
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 0);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
check_thread_value (gpointer data, GError **error)
{
  assert_word ("the thread's");
  set_word ("the task's");
  return TRUE;
}

static void
test_thread (void)
{
  g_autoptr (GError) error = NULL;

  n_freed = 0;
  set_word ("the thread's");
  g_assert_true (gtx_run (check_thread_value, NULL, &error));
  assert_word ("the thread's");
  gtx_task_local_set (&word, NULL);
  g_assert_cmpint (n_freed, ==, 2);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/task-local/inherited", test_inherited);
  add_coroutine ("/task-local/destroyed", test_destroyed);
  add_coroutine ("/task-local/several", test_several);
  add_coroutine ("/task-local/awaited-unstarted", test_awaited_unstarted);
  add_coroutine ("/task-local/never-begun", test_never_begun);
  g_test_add_func ("/task-local/thread", test_thread);
  return g_test_run ();
}
