/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outcome of a task, a result or an error: which code gets it, and when it is freed. */

#include "fixture.h"

/* ---- Results ---- */

static GtxTask *shared_task;

static char *
make_string (const char *text, GError **error)
{
  return text ? g_strdup (text) : NULL;
}

static gboolean
test_result (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  char *lent = gtx_await_peek_pointer (task, error);

  g_assert_cmpstr (lent, ==, "hello");
  g_assert_true (lent == gtx_await_peek_pointer (task, error));
  g_assert_true (lent == gtx_future_get_result (task));
  g_assert_null (gtx_future_get_error (task));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_result_stolen (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  g_autofree char *stolen = NULL;

  g_assert_true (gtx_await (task, error));
  stolen = gtx_task_steal_pointer (task);
  g_assert_cmpstr (stolen, ==, "hello");
  g_assert_null (gtx_task_steal_pointer (task));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* A gathering and gtx_wait_for () leave the result for one other caller. */
static gboolean
test_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  g_autofree char *taken = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, task, NULL));
  g_assert_true (gtx_wait_for (task, 1, error));
  taken = gtx_await_pointer (task, error);
  g_assert_cmpstr (taken, ==, "hello");

  g_assert_null (gtx_task_steal_pointer (task));
  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, task, NULL));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* Two tasks await the task, and one of them gets the result. */
static gboolean
take_for (int *n_taken, GError **error)
{
  g_autofree char *taken = gtx_await_pointer (shared_task, error);

  *n_taken += taken != NULL;
  return taken != NULL;
}

static gboolean
test_result_taken_by_one (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;
  int n_taken = 0;

  shared_task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  first = gtx_create_task (take_for, &n_taken, NULL);
  second = gtx_create_task (take_for, &n_taken, NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, first, second, NULL));
  g_assert_cmpint (n_taken, ==, 1);
  g_assert_null (gtx_future_get_error (first));
  g_assert_error (gtx_future_get_error (second), GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_object (&shared_task);
  return TRUE;
}

/* Only the group has a reference to the child, which it drops when the child is done. */
static gboolean
test_result_of_child (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autofree char *taken = NULL;
  GtxTask *child;

  gtx_task_group_begin (&group);
  child = gtx_task_group_create_task_pointer (&group, make_string, "hello", NULL, g_free, error);
  taken = gtx_await_pointer (child, error);
  g_assert_cmpstr (taken, ==, "hello");
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_result_not_taken (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task_pointer (make_string, "hello", NULL, count_free));
  gtx_sleep (0, NULL);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static GtxFuture *
give_future (GtxFuture *future, GError **error)
{
  return g_object_ref (future);
}

/* A future as a result is not awaited. */
static gboolean
test_result_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task_pointer (give_future, future, NULL, g_object_unref);
  g_autoptr (GtxFuture) got = gtx_await_pointer (task, error);

  g_assert_true (got == future);
  g_assert_false (gtx_future_is_done (future));
  return TRUE;
}

static void
note_word (gpointer future, gpointer word)
{
  note (word);
}

/* Freeing a result makes futures and tasks, and ends some of them. */
static void
free_busily (gpointer result)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "never", NULL);

  gtx_future_add_done_callback (future, note_word, ".", NULL);
  gtx_future_set_result (future, NULL, NULL);
  gtx_cancel (task);
  count_free (result);
}

static gboolean
test_result_freed_busily (gpointer data, GError **error)
{
  enum { N = 100 };
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < N; i++)
    g_ptr_array_add (tasks, gtx_create_task_pointer (make_string, "hello", NULL, free_busily));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_ptr_array_set_size (tasks, 0);
  g_assert_cmpint (n_freed, ==, N);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpuint (trace->len, ==, 2 * N - 1);
  return TRUE;
}

static gboolean
test_result_null (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, (const char *) NULL, NULL, count_free);
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_no_error (failure);
  g_assert_true (gtx_await (task, &failure));
  return TRUE;
}

static char *
make_string_and_fail (gpointer data, GError **error)
{
  fail ("failed all the same", error);
  return g_strdup ("lost");
}

static gboolean
test_result_and_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string_and_fail, NULL, NULL, count_free);
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static void
note_freed (gpointer data)
{
  g_free (data);
  note ("freed");
}

static void
note_done (gpointer future, gpointer data)
{
  note (data);
}

static gboolean
test_data_freed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, g_strdup ("ran"), note_freed);

  gtx_future_add_done_callback (task, note_done, "done", NULL);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ran freed done");
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail, "no luck", NULL);
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  g_assert_false (gtx_await (task, &first));
  g_assert_false (gtx_await (task, &second));
  g_assert_error (first, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (second->message, ==, "no luck");
  g_assert_true (first != second);
  g_assert_false (gtx_future_is_cancelled (task));
  g_assert_cmpstr (gtx_future_get_error (task)->message, ==, "no luck");
  return TRUE;
}

static gboolean
test_error_never_retrieved (gpointer data, GError **error)
{
  GtxTask *task = gtx_create_task (fail, "no luck", NULL);

  gtx_sleep (0, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "fail: its error was never retrieved: no luck");
  g_object_unref (task);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* Each of these functions retrieves the error, so the library does not warn. */
static gboolean
test_error_retrieved (gpointer data, GError **error)
{
  g_autoptr (GtxTask) awaited = gtx_create_task (fail, "awaited", NULL);
  g_autoptr (GtxTask) asked = gtx_create_task (fail, "asked", NULL);
  g_autoptr (GtxTask) cancelled = gtx_create_task (fail, "cancelled", NULL);

  g_assert_false (gtx_await (awaited, NULL));
  g_assert_nonnull (gtx_future_get_error (asked));
  g_assert_false (gtx_cancel (cancelled));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/task-result/lent", test_result);
  add_coroutine ("/task-result/stolen", test_result_stolen);
  add_coroutine ("/task-result/taken", test_result_taken);
  add_coroutine ("/task-result/taken-by-one", test_result_taken_by_one);
  add_coroutine ("/task-result/of-child", test_result_of_child);
  add_coroutine ("/task-result/not-taken", test_result_not_taken);
  add_coroutine ("/task-result/future", test_result_future);
  add_coroutine ("/task-result/freed-busily", test_result_freed_busily);
  add_coroutine ("/task-result/null", test_result_null);
  add_coroutine ("/task-result/with-an-error", test_result_and_error);
  add_coroutine ("/task-result/data-freed", test_data_freed);
  add_coroutine ("/task-result/error/each-gets-a-copy", test_error);
  add_coroutine ("/task-result/error/never-retrieved", test_error_never_retrieved);
  add_coroutine ("/task-result/error/retrieved", test_error_retrieved);
  return g_test_run ();
}
