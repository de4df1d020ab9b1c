/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* These tests run in real time, so no task sleeps for long. */
static void
begin_trace (void)
{
  trace = g_string_new (NULL);
  n_freed = 0;
}

static void
end_trace (const char *expected)
{
  assert_trace (expected);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- The coroutine's outcome ---- */

static gboolean
double_it (int *number, GError **error)
{
  *number *= 2;
  return gtx_sleep (0.001, error);
}

static void
test_success (void)
{
  g_autoptr (GError) error = NULL;
  int number = 21;

  g_assert_true (gtx_run (double_it, &number, &error));
  g_assert_no_error (error);
  g_assert_cmpint (number, ==, 42);
}

static void
test_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (fail, "no luck", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "no luck");
}

static void
test_error_ignored (void)
{
  g_assert_false (gtx_run (fail, "no luck", NULL));
}

static gboolean
cancel_itself (gpointer data, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_sleep (0, error);
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (cancel_itself, NULL, &error));
  assert_cancelled (error);
}

/* ---- Tasks that are left ---- */

static gboolean
clean_up_slowly (const char *word, GError **error)
{
  if (gtx_sleep (1000, error))
    return TRUE;
  note (word);
  gtx_sleep (0.001, NULL);
  note (word);
  return FALSE;
}

static gboolean
leave_two (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (clean_up_slowly, "a", NULL));
  g_object_unref (gtx_create_task (clean_up_slowly, "b", NULL));
  return gtx_sleep (0, error);
}

static void
test_leftovers (void)
{
  begin_trace ();
  g_assert_true (gtx_run (leave_two, NULL, NULL));
  end_trace ("a b a b");
}

static gboolean
create_on_the_way_out (gpointer data, GError **error)
{
  gtx_sleep (1000, NULL);
  note ("first");
  g_object_unref (gtx_create_task (clean_up_slowly, "second", NULL));
  return gtx_sleep (0, error);
}

static gboolean
leave_one_that_creates (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (create_on_the_way_out, NULL, NULL));
  return gtx_sleep (0, error);
}

static void
test_leftovers_of_leftovers (void)
{
  begin_trace ();
  g_assert_true (gtx_run (leave_one_that_creates, NULL, NULL));
  end_trace ("first second second");
}

static gboolean
leave_one_unbegun (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (note_and_return, g_strdup ("never"), count_free));
  return TRUE;
}

static void
test_leftover_unbegun (void)
{
  begin_trace ();
  g_assert_true (gtx_run (leave_one_unbegun, NULL, NULL));
  end_trace ("never");
  g_assert_cmpint (n_freed, ==, 1);
}

static gboolean
fail_when_cancelled (gpointer data, GError **error)
{
  gtx_sleep (1000, NULL);
  return fail ("on the way out", error);
}

static gboolean
leave_one_that_fails (GtxTask **left, GError **error)
{
  *left = gtx_create_task (fail_when_cancelled, NULL, NULL);
  return gtx_sleep (0, error);
}

/* The run has succeeded; the library warns of the error unless it is retrieved. */
static void
test_leftover_fails (void)
{
  GtxTask *left = NULL;

  g_assert_true (gtx_run (leave_one_that_fails, &left, NULL));
  g_assert_true (gtx_future_is_done (left));
  g_assert_false (gtx_future_is_cancelled (left));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING,
                         "fail_when_cancelled: its error was never retrieved: on the way out");
  g_object_unref (left);
  g_test_assert_expected_messages ();
}

/* ---- The context of a run ---- */

static gboolean
tell_context (GMainContext **context, GError **error)
{
  *context = g_main_context_get_thread_default ();
  return gtx_sleep (0.001, error) && *context == g_main_context_get_thread_default ();
}

static void
test_thread_default_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GMainContext *seen = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (tell_context, &seen, NULL));
  g_main_context_pop_thread_default (context);
  g_assert_true (seen == context);
}

static void
test_again_and_again (void)
{
  for (int i = 0; i < 100; i++)
    {
      int number = i;

      g_assert_true (gtx_run (double_it, &number, NULL));
      g_assert_cmpint (number, ==, 2 * i);
    }
}

/* ---- Contexts that cannot be run ---- */

static gboolean
run_again (gpointer data, GError **error)
{
  int number = 0;

  return gtx_run (double_it, &number, error);
}

static void
test_in_a_task (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_run (run_again, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
}

static gboolean
run_in_callback (gpointer data)
{
  GError **error = data;
  int number = 0;

  g_assert_false (gtx_run (double_it, &number, error));
  return G_SOURCE_REMOVE;
}

static void
test_in_a_callback (void)
{
  g_autoptr (GError) error = NULL;

  g_idle_add (run_in_callback, &error);
  while (error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
}

static gpointer
run_on_default_context (gpointer data)
{
  GError **error = data;
  int number = 0;

  g_assert_false (gtx_run (double_it, &number, error));
  return NULL;
}

static void
test_in_another_thread (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_main_context_acquire (NULL));
  g_thread_join (g_thread_new ("other", run_on_default_context, &error));
  g_main_context_release (NULL);
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
}

/* ---- gtx_cancel_all() ---- */

static gboolean
start_another (gpointer data, GError **error)
{
  if (gtx_sleep (1000, error))
    return TRUE;
  g_object_unref (gtx_create_task (sleep_and_note, "9000:another", NULL));
  return gtx_sleep (0, NULL) && FALSE;
}

static void
test_cancel_all (void)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_and_note, "9000:a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (start_another, NULL, NULL);
  g_autoptr (GPtrArray) left = NULL;

  trace = g_string_new (NULL);
  for (int i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  gtx_cancel_all ();
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_true (gtx_future_is_cancelled (b));
  left = gtx_all_tasks ();
  g_assert_cmpuint (left->len, ==, 0);
  gtx_cancel_all ();
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static gboolean
cancel_all_inside (gpointer data, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_cancel_all() was called while a task runs*");
  gtx_cancel_all ();
  g_test_assert_expected_messages ();
  return TRUE;
}

static void
start_task (GApplication *application, GtxTask **task)
{
  *task = gtx_create_task (sleep_long, NULL, NULL);
  g_application_hold (application);
  g_idle_add ((GSourceFunc) (void (*) (void)) g_application_quit, application);
}

/* The main loop has been left, as at the end of an application. */
static void
test_application (void)
{
  g_autoptr (GApplication) application = g_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_autoptr (GtxTask) task = NULL;

  g_signal_connect (application, "activate", G_CALLBACK (start_task), &task);
  g_signal_connect (application, "shutdown", G_CALLBACK (gtx_cancel_all), NULL);
  g_application_run (application, 0, NULL);
  g_assert_true (gtx_future_is_cancelled (task));
}

/* ---- Tasks that start again and again ---- */

static guint n_begun;

static void
begin_again (gpointer task, gpointer data);

static gboolean
work_for_ever (gpointer data, GError **error)
{
  n_begun++;
  return gtx_sleep (1000, error);
}

static void
begin_worker (void)
{
  g_autoptr (GtxTask) task = gtx_create_task (work_for_ever, NULL, NULL);

  gtx_future_add_done_callback (task, begin_again, NULL, NULL);
}

static void
begin_again (gpointer task, gpointer data)
{
  if (n_begun < 1000000)
    begin_worker ();
}

static gboolean
begin_and_return (gpointer data, GError **error)
{
  n_begun = 0;
  begin_worker ();
  return gtx_sleep (0, error);
}

static void
end_workers (void)
{
  n_begun = G_MAXUINT;
  gtx_cancel_all ();
}

static void
test_respawned (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "gtx_run() ends*again and again*work_for_ever*");
  g_assert_true (gtx_run (begin_and_return, NULL, NULL));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (n_begun, <, 1000000);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "gtx_cancel_all() ends*again and again*work_for_ever*");
  n_begun = 0;
  gtx_cancel_all ();
  g_test_assert_expected_messages ();
  end_workers ();
}

/* ---- A task that runs a main loop of its own ---- */

typedef struct
{
  GMainLoop *loop;
  guint n_asked;
  gboolean has_ended;
} Dialog;

static void
close_dialog (GCancellable *cancellable, Dialog *dialog)
{
  dialog->n_asked++;
  g_main_loop_quit (dialog->loop);
}

static gboolean
show_dialog (Dialog *dialog, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_object_ref (GTX_CANCELLABLE);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (close_dialog), dialog, NULL);

  g_main_loop_run (dialog->loop);
  g_cancellable_disconnect (cancellable, handler);
  g_assert_false (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  dialog->has_ended = TRUE;
  return FALSE;
}

static gboolean
return_below_dialog (Dialog *dialog, GError **error)
{
  g_object_unref (gtx_create_task (show_dialog, dialog, NULL));
  return gtx_sleep (0.01, error);
}

static void
test_dialog_is_left (void)
{
  Dialog dialog = { .loop = g_main_loop_new (NULL, FALSE) };

  g_assert_true (gtx_run (return_below_dialog, &dialog, NULL));
  g_assert_true (dialog.has_ended);
  g_assert_cmpuint (dialog.n_asked, ==, 1);
  g_main_loop_unref (dialog.loop);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/success", test_success);
  g_test_add_func ("/run/error", test_error);
  g_test_add_func ("/run/error-ignored", test_error_ignored);
  g_test_add_func ("/run/cancelled", test_cancelled);
  g_test_add_func ("/run/leftovers/cancelled", test_leftovers);
  g_test_add_func ("/run/leftovers/of-leftovers", test_leftovers_of_leftovers);
  g_test_add_func ("/run/leftovers/unbegun", test_leftover_unbegun);
  g_test_add_func ("/run/leftovers/failing", test_leftover_fails);
  g_test_add_func ("/run/thread-default-context", test_thread_default_context);
  g_test_add_func ("/run/again-and-again", test_again_and_again);
  g_test_add_func ("/run/misuse/in-a-task", test_in_a_task);
  g_test_add_func ("/run/misuse/in-a-callback", test_in_a_callback);
  g_test_add_func ("/run/misuse/in-another-thread", test_in_another_thread);
  g_test_add_func ("/run/cancel-all/leaves-none", test_cancel_all);
  add_coroutine ("/run/cancel-all/inside", cancel_all_inside);
  g_test_add_func ("/run/cancel-all/application", test_application);
  g_test_add_func ("/run/leftovers/respawned", test_respawned);
  g_test_add_func ("/run/leftovers/dialog", test_dialog_is_left);
  return g_test_run ();
}
