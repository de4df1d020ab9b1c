/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks in a GApplication: the tasks that hold it, and its end. */

#include "fixture.h"


static void
on_activate (GApplication *application, gpointer data)
{
  note ("activate");
}

static void
on_shutdown (GApplication *application, gpointer data)
{
  note ("shutdown");
}

/* Runs an application in which @start starts tasks. */
static void
run_application (GtxApplicationFlags flags, void (*start) (GApplication *application))
{
  g_autoptr (GApplication) application =
    g_application_new ("org.example.Tasks", G_APPLICATION_NON_UNIQUE);

  trace = g_string_new (NULL);
  gtx_application_attach (application, flags);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  g_signal_connect (application, "activate", G_CALLBACK (start), NULL);
  g_signal_connect (application, "shutdown", G_CALLBACK (on_shutdown), NULL);
  g_assert_cmpint (g_application_run (application, 0, NULL), ==, 0);
}

static void
end (void)
{
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- Holding ---- */

static gboolean
work (GApplication *application, GError **error)
{
  note ("work");
  if (!gtx_sleep (0.05, error))
    {
      note ("cancelled");
      return FALSE;
    }
  note ("done");
  return TRUE;
}

static void
start_two (GApplication *application)
{
  gtx_object_create_task (application, work);
  gtx_object_create_task (application, work);
}

static void
start_others (GApplication *application)
{
  g_object_unref (gtx_create_task (work, application, NULL));
}

static void
test_hold (void)
{
  run_application (GTX_APPLICATION_HOLD, start_two);
  assert_trace ("activate work work done done shutdown");
  end ();
}

/* The application ends at once, and tasks that have not begun are cancelled before they begin. */
static void
test_no_hold (void)
{
  run_application (GTX_APPLICATION_DEFAULT, start_two);
  assert_trace ("activate shutdown");
  end ();
}

static void
test_hold_others (void)
{
  run_application (GTX_APPLICATION_HOLD, start_others);
  assert_trace ("activate shutdown");
  end ();
}

/* The tasks are created before the application is attached. */
static void
test_hold_before (void)
{
  g_autoptr (GApplication) application =
    g_application_new ("org.example.Tasks", G_APPLICATION_NON_UNIQUE);

  trace = g_string_new (NULL);
  gtx_object_create_task (application, work);
  gtx_application_attach (application, GTX_APPLICATION_HOLD);
  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  g_assert_cmpint (g_application_run (application, 0, NULL), ==, 0);
  assert_trace ("activate work done");
  end ();
}

/* ---- The end ---- */

static gboolean
quit_soon (GApplication *application, GError **error)
{
  if (!gtx_sleep (0.01, error))
    return FALSE;
  g_application_quit (application);
  return TRUE;
}

static void
start_and_quit (GApplication *application)
{
  start_two (application);
  gtx_object_create_task (application, quit_soon);
}

static void
test_quit (void)
{
  run_application (GTX_APPLICATION_HOLD, start_and_quit);
  assert_trace ("activate work work cancelled cancelled shutdown");
  end ();
}

static gboolean
clean_up_slowly (GApplication *application, GError **error)
{
  if (gtx_sleep (100, error))
    return TRUE;
  gtx_sleep (2.5, NULL);
  note ("cleaned");
  return FALSE;
}

static void
start_slow_and_quit (GApplication *application)
{
  gtx_object_create_task (application, clean_up_slowly);
  gtx_object_create_task (application, quit_soon);
}

static void
test_slow (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING,
                         "*two seconds*not ended*clean_up_slowly): waits for a sleep*");
  run_application (GTX_APPLICATION_DEFAULT | GTX_APPLICATION_HOLD, start_slow_and_quit);
  g_test_assert_expected_messages ();
  assert_trace ("activate cleaned shutdown");
  end ();
}

/* It was cancelled before, and has two seconds to clean up. */
static gboolean
clean_up_once (GApplication *application, GError **error)
{
  while (!gtx_sleep (0.05, error))
    {
      note ("cancelled");
      g_clear_error (error);
    }
  note ("cleaned");
  return TRUE;
}

static gboolean
cancel_and_quit (gpointer task)
{
  gtx_cancel (task);
  g_application_quit (g_application_get_default ());
  return G_SOURCE_REMOVE;
}

static void
start_and_cancel (GApplication *application)
{
  g_idle_add_full (G_PRIORITY_LOW, cancel_and_quit, gtx_object_create_task (application, clean_up_once), NULL);
}

static void
test_cancelled_before (void)
{
  run_application (GTX_APPLICATION_HOLD, start_and_cancel);
  assert_trace ("activate cancelled cleaned shutdown");
  end ();
}

/* What its clean-up waits for is spared as well. */
static gboolean
sleep_shortly (gpointer data, GError **error)
{
  return gtx_sleep (0.05, error);
}

static gboolean
clean_up_in_task (GApplication *application, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  task = gtx_create_task (sleep_shortly, NULL, NULL);
  note (gtx_await (task, NULL) ? "cleaned" : "cut-short");
  return FALSE;
}

static gboolean
quit_in_clean_up (gpointer data)
{
  g_application_quit (g_application_get_default ());
  return G_SOURCE_REMOVE;
}

static gboolean
cancel_and_quit_later (gpointer task)
{
  gtx_cancel (task);
  g_timeout_add (10, quit_in_clean_up, NULL);
  return G_SOURCE_REMOVE;
}

static void
start_and_clean_up_in_task (GApplication *application)
{
  g_idle_add_full (G_PRIORITY_LOW, cancel_and_quit_later, gtx_object_create_task (application, clean_up_in_task), NULL);
}

static void
test_clean_up_in_task (void)
{
  run_application (GTX_APPLICATION_HOLD, start_and_clean_up_in_task);
  assert_trace ("activate cleaned shutdown");
  end ();
}

/* Then it is cancelled again. */
static gboolean
ignore_once (GApplication *application, GError **error)
{
  g_assert_false (gtx_sleep (GTX_FOREVER, NULL));
  note ("ignored");
  g_assert_false (gtx_sleep (GTX_FOREVER, error));
  note ("cancelled");
  return FALSE;
}

static void
start_and_ignore (GApplication *application)
{
  g_idle_add_full (G_PRIORITY_LOW, cancel_and_quit, gtx_object_create_task (application, ignore_once), NULL);
}

static void
test_ignores_first (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*two seconds*not ended*ignore_once): waits for a sleep*");
  run_application (GTX_APPLICATION_HOLD, start_and_ignore);
  g_test_assert_expected_messages ();
  assert_trace ("activate ignored cancelled shutdown");
  end ();
}

/* A request of a block of its own does not count: it is cancelled at once. */
static GTask *pending;

/* Takes no notice of a request. */
static void
answer_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  pending = g_task_new (NULL, NULL, callback, data);
}

static gboolean
await_answer (gpointer data, GError **error)
{
  answer_async (GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
go_on (GApplication *application, GError **error)
{
  g_assert_true (gtx_call_with_timeout (0, await_answer, NULL, error));
  if (gtx_sleep (GTX_FOREVER, error))
    return TRUE;
  note ("cancelled");
  return FALSE;
}

static gboolean
answer (gpointer data)
{
  g_task_return_boolean (pending, TRUE);
  g_clear_object (&pending);
  return G_SOURCE_REMOVE;
}

static gboolean
quit_when_asked (gpointer task)
{
  if (gtx_cancelling (task) == 0)
    return G_SOURCE_CONTINUE;
  g_application_quit (g_application_get_default ());
  g_timeout_add (10, answer, NULL);
  return G_SOURCE_REMOVE;
}

static void
start_and_time_out (GApplication *application)
{
  g_idle_add (quit_when_asked, gtx_object_create_task (application, go_on));
}

static void
test_timed_out_before (void)
{
  run_application (GTX_APPLICATION_HOLD, start_and_time_out);
  assert_trace ("activate cancelled shutdown");
  end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/application/hold", test_hold);
  g_test_add_func ("/application/no-hold", test_no_hold);
  g_test_add_func ("/application/hold-others", test_hold_others);
  g_test_add_func ("/application/hold-before", test_hold_before);
  g_test_add_func ("/application/quit", test_quit);
  g_test_add_func ("/application/slow", test_slow);
  g_test_add_func ("/application/cancelled-before", test_cancelled_before);
  g_test_add_func ("/application/timed-out-before", test_timed_out_before);
  g_test_add_func ("/application/clean-up-in-task", test_clean_up_in_task);
  g_test_add_func ("/application/ignores-first", test_ignores_first);
  return g_test_run ();
}
