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

/* A value is freed with the last task that has it. */
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

/* ---- Many, and callbacks ---- */

static gboolean
change_again_and_again (const int *first, GError **error)
{
  for (int i = 0; i < 10; i++)
    {
      gpointer mine = GINT_TO_POINTER (*first + i);

      gtx_task_local_set (&number, mine);
      if (!gtx_sleep (g_test_rand_double_range (0.001, 0.05), error))
        return FALSE;
      g_assert_true (gtx_task_local_get (&number) == mine);
    }
  return TRUE;
}

static gboolean
test_hundred (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  int first[100];

  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    {
      first[i] = g_test_rand_int_range (1, 11);
      g_ptr_array_add (tasks, gtx_create_task (change_again_and_again, &first[i], NULL));
    }
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_null (gtx_task_local_get (&number));
  return TRUE;
}

static void
pollute (gpointer future, gpointer expected)
{
  g_assert_true (gtx_task_local_get (&number) == expected);
  gtx_task_local_set (&number, GINT_TO_POINTER (-1));
  note (gtx_task_local_get (&number) == GINT_TO_POINTER (-1) ? "set" : "lost");
  gtx_task_local_set (&number, NULL);
}

/* A done callback runs outside of all tasks, and has a copy of the values that the task had when it
 * added the callback. */
static gboolean
test_done_callback (gpointer data, GError **error)
{
  for (int i = 1; i < 3; i++)
    {
      g_autoptr (GtxFuture) future = gtx_future_new ();

      gtx_future_add_done_callback (future, pollute, GINT_TO_POINTER (i - 1), NULL);
      gtx_task_local_set (&number, GINT_TO_POINTER (i));
      gtx_future_set_result (future, NULL, NULL);
      g_assert_true (gtx_await (future, error) && gtx_sleep (0, error));
      g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, i);
    }
  assert_trace ("set set");
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

/* ---- At a thread's end ---- */

static GtxTask *made_at_end;
static gint n_ran;

static gboolean
count_run (gpointer data, GError **error)
{
  g_atomic_int_inc (&n_ran);
  return TRUE;
}

static void
create_task_elsewhere (gpointer value)
{
  made_at_end = gtx_create_task_in (NULL, count_run, NULL, NULL);
}

static GtxTaskLocal creates_at_end = GTX_TASK_LOCAL_INIT (create_task_elsewhere);

static gpointer
set_and_end (gpointer data)
{
  gtx_task_local_set (&creates_at_end, data);
  return NULL;
}

/* The function that destroys a thread's value may start a task. */
static void
test_thread_ends (void)
{
  g_thread_join (g_thread_new ("ends", set_and_end, &n_ran));
  g_assert_nonnull (made_at_end);
  g_assert_false (gtx_future_is_done (made_at_end));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (gtx_future_is_done (made_at_end));
  g_assert_cmpint (n_ran, ==, 1);
  g_clear_object (&made_at_end);
}

/* ---- Values that are set while others are destroyed ---- */

static void destroy_and_set (gpointer text);

static GtxTaskLocal request = GTX_TASK_LOCAL_INIT (destroy_and_set);
static GtxTaskLocal log_buffer = GTX_TASK_LOCAL_INIT (destroy_and_set);

static void
destroy_and_set (gpointer text)
{
  if (g_str_equal (text, "request") && gtx_task_local_get (&log_buffer) == NULL)
    gtx_task_local_set (&log_buffer, g_strdup ("log"));
  note (text);
  g_free (text);
}

static gboolean
handle_request (gpointer data, GError **error)
{
  gtx_task_local_set (&request, g_strdup ("request"));
  return gtx_sleep (0, error);
}

static gboolean
test_set_in_destroy (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (handle_request, NULL, NULL);

  g_assert_true (gtx_await (task, error));
  assert_trace ("request log");
  return TRUE;
}

static void
set_in_result_free (gpointer result)
{
  gtx_task_local_set (&log_buffer, g_strdup ("log"));
}

static char *
make_and_be_cancelled (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return (char *) "result";
}

static gboolean
test_set_in_result_free (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_and_be_cancelled, NULL, NULL, set_in_result_free);

  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_sleep (0, error));
  g_clear_object (&task);
  assert_trace ("log");
  return TRUE;
}

static void destroy_and_set_again (gpointer self);

static GtxTaskLocal endless = GTX_TASK_LOCAL_INIT (destroy_and_set_again);

static void
destroy_and_set_again (gpointer self)
{
  gtx_task_local_set (&endless, self);
}

static gboolean
set_endless (gpointer data, GError **error)
{
  gtx_task_local_set (&endless, &endless);
  return TRUE;
}

static gboolean
test_set_endlessly (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (set_endless, NULL, NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*of set_endless ends*again and again*");
  g_assert_true (gtx_await (task, error));
  g_test_assert_expected_messages ();
  return TRUE;
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
  add_coroutine ("/task-local/set-in-destroy", test_set_in_destroy);
  add_coroutine ("/task-local/set-in-result-free", test_set_in_result_free);
  add_coroutine ("/task-local/set-in-destroy/endlessly", test_set_endlessly);
  add_coroutine ("/task-local/hundred", test_hundred);
  add_coroutine ("/task-local/done-callback", test_done_callback);
  g_test_add_func ("/task-local/thread", test_thread);
  g_test_add_func ("/task-local/thread-ends", test_thread_ends);
  return g_test_run ();
}
