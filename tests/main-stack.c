/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task leaves its own stack for that of its thread. */

#define _GNU_SOURCE             /* pthread_getattr_np () */

#include "fixture.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- The place ---- */

G_GNUC_NO_INLINE static gboolean
is_on_stack_of_thread (void)
{
  guint8 *here = __builtin_frame_address (0);
  pthread_attr_t attributes;
  void *base;
  size_t size;

  g_assert_cmpint (pthread_getattr_np (pthread_self (), &attributes), ==, 0);
  g_assert_cmpint (pthread_attr_getstack (&attributes, &base, &size), ==, 0);
  pthread_attr_destroy (&attributes);
  return here >= (guint8 *) base && here < (guint8 *) base + size;
}

static gboolean
look (gboolean *is_there, GError **error)
{
  g_assert_null (gtx_current_task ());
  *is_there = is_on_stack_of_thread ();
  return TRUE;
}

static void
assert_called_there (void)
{
  gboolean is_there = FALSE;

  g_assert_true (gtx_call_on_main_stack (look, &is_there, NULL));
  g_assert_true (is_there);
}

static gboolean
call_often (gpointer data, GError **error)
{
  GtxTask *task = gtx_current_task ();

  for (int i = 0; i < 20; i++)
    {
      g_assert_false (is_on_stack_of_thread ());
      assert_called_there ();
      g_assert_true (gtx_current_task () == task);
      if (!gtx_sleep (i % 3 * 0.0001, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
many_call (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 20; i++)
    g_ptr_array_add (tasks, gtx_create_task (call_often, NULL, NULL));
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gpointer
run_in_thread (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContextPusher) pusher = g_main_context_pusher_new (context);

  assert_called_there ();
  return GINT_TO_POINTER (gtx_run (many_call, NULL, NULL) && pusher != NULL);
}

static void
test_other_thread (void)
{
  g_assert_true (g_thread_join (g_thread_new ("other", run_in_thread, NULL)) != NULL);
}

static void
test_outside (void)
{
  assert_called_there ();
}

/* ---- Returned values and errors ---- */

static gboolean
fail_without_reason (gpointer data, GError **error)
{
  return FALSE;
}

static char *
make_text (const char *text, GError **error)
{
  return g_strdup (text);
}

static char *
make_nothing (const char *text, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, text);
  return NULL;
}

static gboolean
test_results (gpointer data, GError **error)
{
  g_autofree char *text = gtx_call_on_main_stack_pointer (make_text, "text", error);
  g_autoptr (GError) failure = NULL;

  g_assert_cmpstr (text, ==, "text");
  g_assert_false (gtx_call_on_main_stack (fail, "failed", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&failure);
  g_assert_false (gtx_call_on_main_stack (fail, "failed", NULL));
  g_assert_null (gtx_call_on_main_stack_pointer (make_nothing, "nothing", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&failure);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "fail_without_reason(), *without setting an error");
  g_assert_false (gtx_call_on_main_stack (fail_without_reason, NULL, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_REASON);
  return TRUE;
}

/* ---- Permitted and refused functions ---- */

static gboolean
try_to_wait (gpointer data, GError **error)
{
  g_autoptr (GError) refused = NULL;

  g_assert_false (gtx_sleep (1, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_nonnull (strstr (refused->message, "gtx_call_on_main_stack()"));
  return TRUE;
}

static gboolean
call_again (gpointer data, GError **error)
{
  assert_called_there ();
  g_assert_true (gtx_call_on_main_stack (try_to_wait, NULL, error));
  return try_to_wait (NULL, error);
}

static gboolean
test_no_await (gpointer data, GError **error)
{
  return gtx_call_on_main_stack (try_to_wait, NULL, error) && gtx_call_on_main_stack (call_again, NULL, error) &&
         gtx_sleep (0.001, error);
}

/* The request is pending during the call, and the next await delivers it. */
static gboolean
test_request_stands (gpointer data, GError **error)
{
  g_autoptr (GError) cancelled = NULL;

  gtx_cancel (gtx_current_task ());
  assert_called_there ();
  g_assert_false (gtx_sleep (0, &cancelled));
  assert_cancelled (cancelled);
  gtx_uncancel (gtx_current_task ());
  return TRUE;
}

/* No task runs during the call. */
static gboolean
test_nobody_runs (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "other", NULL);

  assert_called_there ();
  assert_trace ("");
  if (!gtx_await (task, error))
    return FALSE;
  assert_trace ("other");
  return TRUE;
}

static GtxTaskLocal word = GTX_TASK_LOCAL_INIT (g_free);

static gboolean
change_word (gpointer data, GError **error)
{
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "task's");
  gtx_task_local_set (&word, g_strdup ("changed"));
  return TRUE;
}

static gboolean
test_task_local (gpointer data, GError **error)
{
  gtx_task_local_set (&word, g_strdup ("task's"));
  if (!gtx_call_on_main_stack (change_word, NULL, error))
    return FALSE;
  g_assert_cmpstr (gtx_task_local_get (&word), ==, "changed");
  return TRUE;
}

/* ---- Main loops ---- */

static void
close_dialog (gpointer task, gpointer loop)
{
  g_main_loop_quit (loop);
}

/* Tasks run during the call, and make such calls themselves. */
static gboolean
run_dialog (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) task = gtx_create_task (many_call, NULL, NULL);

  gtx_future_add_done_callback (task, close_dialog, loop, NULL);
  g_main_loop_run (loop);
  g_assert_true (gtx_future_is_done (task));
  assert_called_there ();
  return TRUE;
}

static gboolean
test_loop_in_call (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (call_often, NULL, NULL);

  return gtx_call_on_main_stack (run_dialog, NULL, error) && gtx_await (other, error);
}

/* The callback runs on the stack of the task that runs the loop, but outside of the task. */
static gboolean
call_in_callback (gpointer n_calls)
{
  g_assert_null (gtx_current_task ());
  g_assert_false (is_on_stack_of_thread ());
  assert_called_there ();
  ++*(int *) n_calls;
  return G_SOURCE_REMOVE;
}

static gboolean
test_call_in_loop (gpointer data, GError **error)
{
  int n_calls = 0;

  g_idle_add (call_in_callback, &n_calls);
  run_dialog (NULL, error);
  g_assert_cmpint (n_calls, ==, 1);
  return gtx_call_on_main_stack (run_dialog, NULL, error);
}

/* ---- At a task's end ---- */

static void
call_and_free (gpointer data)
{
  assert_called_there ();
  count_free (data);
}

static char *
return_text (gpointer data, GError **error)
{
  return g_strdup ("text");
}

static gboolean
test_end_of_task (gpointer data, GError **error)
{
  for (int i = 0; i < 10; i++)
    g_object_unref (gtx_create_task_pointer (return_text, g_strdup ("data"), call_and_free, call_and_free));
  if (!gtx_sleep (0.01, error))
    return FALSE;
  g_assert_cmpint (n_freed, ==, 20);
  return TRUE;
}

/* ---- fork () ---- */

static gboolean
fork_there (gpointer data, GError **error)
{
  int status;
  pid_t pid = fork ();

  if (pid == 0 && data)
    _exit (gtx_current_task () ? 1 : 0);
  if (pid == 0)
    return TRUE;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status == 0, ==, data != NULL);
  return TRUE;
}

static gboolean
fork_and_return (gpointer data, GError **error)
{
  return gtx_call_on_main_stack (fork_there, data, error);
}

static gboolean
test_fork (gpointer data, GError **error)
{
  return fork_and_return ((gpointer) "exits", error);
}

/* A function that returns in a child would go on with the parent's task. */
static void
test_fork_and_return (void)
{
  if (g_test_subprocess ())
    {
      g_assert_true (gtx_run (fork_and_return, NULL, NULL));
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*returned in the child of a fork()*");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/main-stack/many", many_call);
  g_test_add_func ("/main-stack/other-thread", test_other_thread);
  g_test_add_func ("/main-stack/outside", test_outside);
  add_coroutine ("/main-stack/results", test_results);
  add_coroutine ("/main-stack/no-await", test_no_await);
  add_coroutine ("/main-stack/request-stands", test_request_stands);
  add_coroutine ("/main-stack/nobody-runs", test_nobody_runs);
  add_coroutine ("/main-stack/task-local", test_task_local);
  add_real_coroutine ("/main-stack/loop-in-call", test_loop_in_call);
  add_real_coroutine ("/main-stack/call-in-loop", test_call_in_loop);
  add_real_coroutine ("/main-stack/end-of-task", test_end_of_task);
  if (!UNDER_TSAN)
    {
      add_real_coroutine ("/main-stack/fork", test_fork);
      g_test_add_func ("/main-stack/fork-and-return", test_fork_and_return);
    }
  return g_test_run ();
}
