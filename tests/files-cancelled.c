/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to cancel that come before, during and after work on a file. */

#include "fixture.h"

#include "file-cases.h"
#include "test-file.h"

#include "task/task-private.h"
#include "outside/thread-pool.h"

#define FEW_THREADS 16

typedef struct
{
  const FileCase *each;
  GFile *file;
  char *result;
  GError *error;
  gboolean has_returned;
} Work;

static gboolean
work (Work *self, GError **error)
{
  self->result = self->each->run (self->file, TRUE, &self->error);
  self->has_returned = TRUE;
  if (self->error == NULL || !g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return gtx_sleep (9, error);
  g_propagate_error (error, g_error_copy (self->error));
  return FALSE;
}

static void
work_clear (Work *self)
{
  g_object_unref (self->file);
  g_free (self->result);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

/* The name in the folder on which the case works. */
static const char *
name_for (const FileCase *each)
{
  if (g_str_equal (each->name, "enumerate"))
    return "folder";
  return each->always_in_thread ? "missing" : "file";
}

static GFile *
file_for (const FileCase *each, GFile *tree, gboolean is_native, TestFileMode mode)
{
  g_autoptr (GFile) real = g_file_get_child (tree, name_for (each));

  return test_file_new (real, is_native, mode);
}

static Work
work_on (const FileCase *each, GFile *tree, gboolean is_native, TestFileMode mode)
{
  return (Work) { .each = each, .file = file_for (each, tree, is_native, mode) };
}

static void
wait_for_call (guint n_calls)
{
  while (test_file_n_calls () == n_calls)
    g_assert_true (gtx_sleep (0, NULL));
}

typedef void (*CaseFunc) (const FileCase *each, GFile *tree, gboolean is_native);

static void
for_each_case (CaseFunc func)
{
  GFile *tree = file_tree_new ();

  for (guint i = 0; i < 2 * n_file_cases; i++)
    {
      file_tree_restore (tree);
      func (&file_cases[i / 2], tree, i % 2);
    }
  file_tree_remove (tree);
}

/* ---- During the work ---- */

static void
cancel_meanwhile (const FileCase *each, GFile *tree, gboolean is_native)
{
  g_auto (Work) self = work_on (each, tree, is_native, TEST_FILE_WAITS);
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);
  g_autofree char *before = file_tree_print (tree);
  g_autofree char *after = NULL;

  wait_for_call (n_calls);
  g_assert_false (self.has_returned);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_cancelled (self.error);
  g_assert_null (self.result);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (test_file_n_calls (), ==, n_calls + 1);
  after = file_tree_print (tree);
  g_assert_cmpstr (after, ==, before);
}

static gboolean
test_meanwhile (gpointer data, GError **error)
{
  for_each_case (cancel_meanwhile);
  return TRUE;
}

/* ---- In spite of the request ---- */

/* A function in a thread returns its outcome, and the next await delivers the request.  GIO's own
 * operations drop the outcome, and fail as cancelled. */
static void
cancel_in_vain (const FileCase *each, GFile *tree, gboolean is_native)
{
  g_auto (Work) self = work_on (each, tree, is_native, TEST_FILE_IS_DEAF);
  gboolean in_thread = is_native || each->always_in_thread;
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);

  wait_for_call (n_calls);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  if (in_thread && each->stops_late)
    assert_cancelled (self.error);
  else if (in_thread)
    g_assert_false (g_error_matches (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_assert_true ((self.result == NULL) == (self.error != NULL));
}

static gboolean
test_in_vain (gpointer data, GError **error)
{
  for_each_case (cancel_in_vain);
  return TRUE;
}

static const FileCase *
case_named (const char *name)
{
  for (guint i = 0; i < n_file_cases; i++)
    if (g_str_equal (file_cases[i].name, name))
      return &file_cases[i];
  g_assert_not_reached ();
}

static void
assert_result (const FileCase *each, GFile *tree, const char *expected)
{
  g_auto (Work) self = work_on (each, tree, TRUE, TEST_FILE_IS_DEAF);
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);

  wait_for_call (n_calls);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_no_error (self.error);
  g_assert_cmpstr (self.result, ==, expected);
}

/* The outcome of a function in a thread is never lost. */
static gboolean
test_result (gpointer data, GError **error)
{
  GFile *tree = file_tree_new ();
  static const struct
  {
    const char *name;
    const char *result;
  } expected[] = {
    { "load_contents", "what is in it 13" },
    { "load_bytes", "what is in it" },
    { "query_info", "file:1:13" },
    { "append_to", "written" },
    { "copy", "13 of 13" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      assert_result (case_named (expected[i].name), tree, expected[i].result);
      file_tree_restore (tree);
    }
  file_tree_remove (tree);
  return TRUE;
}

/* ---- In the middle of a folder ---- */

/* The part that was read is freed, and the folder is closed. */
static void
break_inside (GFile *tree, gboolean is_native)
{
  const FileCase *enumerate = case_named ("enumerate");
  g_autoptr (GFile) folder = file_for (enumerate, tree, is_native, TEST_FILE_BREAKS_INSIDE);
  guint n_closed = test_file_n_closed ();
  g_autoptr (GError) failure = NULL;

  g_assert_null (enumerate->run (folder, TRUE, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_assert_cmpuint (test_file_n_closed (), ==, n_closed + 1);
}

static void
cancel_inside (GFile *tree, gboolean is_native)
{
  const FileCase *enumerate = case_named ("enumerate");
  g_auto (Work) self = work_on (enumerate, tree, is_native, TEST_FILE_WAITS_INSIDE);
  guint n_calls = test_file_n_calls ();
  guint n_closed = test_file_n_closed ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);

  wait_for_call (n_calls);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_cancelled (self.error);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (test_file_n_closed (), ==, n_closed + 1);
}

/* The whole folder was read.  Neither the result nor the request is lost. */
static void
cancel_at_end (GFile *tree, gboolean is_native)
{
  const FileCase *enumerate = case_named ("enumerate");
  g_auto (Work) self = work_on (enumerate, tree, is_native, TEST_FILE_WAITS_AT_END);
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);

  wait_for_call (n_calls);
  gtx_cancel (task);
  g_assert_true (gtx_sleep (0, NULL));
  g_assert_false (self.has_returned);
  test_file_let_close ();
  g_assert_false (gtx_await (task, NULL));
  g_assert_no_error (self.error);
  g_assert_cmpstr (self.result, ==, "one:1:1\nthree:2:0\ntwo:1:2\n");
  g_assert_true (gtx_future_is_cancelled (task));
}

static gboolean
test_folder (gpointer data, GError **error)
{
  GFile *tree = file_tree_new ();

  for (int is_native = FALSE; is_native <= TRUE; is_native++)
    {
      break_inside (tree, is_native);
      cancel_inside (tree, is_native);
      cancel_at_end (tree, is_native);
    }
  file_tree_remove (tree);
  return TRUE;
}

/* ---- Before ---- */

static gboolean
cancel_itself_and_work (Work *self, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return work (self, error);
}

/* GIO's functions look for a request before they begin, and so do the library's. */
static void
cancel_first (const FileCase *each, GFile *tree, gboolean is_native)
{
  g_auto (Work) self = work_on (each, tree, is_native, TEST_FILE_PASSES);
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (cancel_itself_and_work, &self, NULL);

  g_assert_false (gtx_await (task, NULL));
  assert_cancelled (self.error);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (test_file_n_calls (), ==, n_calls);
}

static gboolean
test_before (gpointer data, GError **error)
{
  for_each_case (cancel_first);
  return TRUE;
}

/* All threads of the pool wait at this gate until it is opened. */
typedef struct
{
  GMutex mutex;
  GCond cond;
  guint n_inside;
  gboolean is_open;
} Gate;

static gboolean
pass (Gate *gate, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&gate->mutex);
  gate->n_inside++;
  g_cond_broadcast (&gate->cond);
  while (!gate->is_open)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
  return TRUE;
}

static gboolean
pass_in_thread (Gate *gate, GError **error)
{
  return gtx_to_thread (pass, gate, error);
}

static GPtrArray *
take_all_threads (Gate *gate)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  gtx_thread_pool_set_patience (G_MAXINT, G_MAXINT);
  for (guint i = 0; i < FEW_THREADS; i++)
    g_ptr_array_add (tasks, gtx_create_task (pass_in_thread, gate, NULL));
  g_assert_true (gtx_sleep (0, NULL));
  g_mutex_lock (&gate->mutex);
  while (gate->n_inside < FEW_THREADS)
    g_cond_wait (&gate->cond, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
  return tasks;
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->mutex);
}

static void
cancel_in_line (const FileCase *each, GFile *tree)
{
  g_auto (Work) self = work_on (each, tree, TRUE, TEST_FILE_PASSES);
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);

  g_assert_true (gtx_sleep (0, NULL));
  g_assert_false (self.has_returned);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  assert_cancelled (self.error);
}

/* A call that waits for a thread is cancelled at once, and does nothing. */
static gboolean
test_in_line (gpointer data, GError **error)
{
  Gate gate = { .n_inside = 0 };
  g_autoptr (GPtrArray) tasks = take_all_threads (&gate);
  GFile *tree = file_tree_new ();
  guint n_calls = test_file_n_calls ();

  for (guint i = 0; i < n_file_cases; i++)
    cancel_in_line (&file_cases[i], tree);
  open_gate (&gate);
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpuint (test_file_n_calls (), ==, n_calls);
  file_tree_remove (tree);
  return TRUE;
}

/* ---- Printed descriptions ---- */

static void
assert_described (GtxTask *task, const char *expected)
{
  g_autoptr (GString) tree = g_string_new (NULL);
  g_autofree char *line = g_strdup_printf ("%s (work): %s\n", gtx_task_get_name (task), expected);

  gtx_scheduler_describe_tasks (gtx_scheduler_get (), tree);
  if (strstr (tree->str, line) == NULL)
    g_error ("%s and not %s", tree->str, line);
}

/* The printed name is that of the case without its variant. */
static void
describe_meanwhile (const FileCase *each, GFile *tree, gboolean is_native)
{
  g_auto (Work) self = work_on (each, tree, is_native, TEST_FILE_WAITS);
  guint n_calls = test_file_n_calls ();
  g_autoptr (GtxTask) task = gtx_create_task (work, &self, NULL);
  g_autofree char *expected = NULL;

  wait_for_call (n_calls);
  expected = g_strdup_printf ("waits for the %s gtx_file_%.*s()",
                              is_native || each->always_in_thread ? "thread for" : "operation of",
                              (int) strcspn (each->name, ","), each->name);
  assert_described (task, expected);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
}

static gboolean
test_described (gpointer data, GError **error)
{
  for_each_case (describe_meanwhile);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  GFile *home = file_home_new ();
  int status;

  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/files-cancelled/meanwhile", test_meanwhile);
  add_real_coroutine ("/files-cancelled/in-vain", test_in_vain);
  add_real_coroutine ("/files-cancelled/in-vain/result", test_result);
  add_real_coroutine ("/files-cancelled/folder", test_folder);
  add_real_coroutine ("/files-cancelled/before", test_before);
  add_real_coroutine ("/files-cancelled/in-line", test_in_line);
  add_real_coroutine ("/files-cancelled/described", test_described);
  status = g_test_run ();
  file_tree_remove (home);
  return status;
}
