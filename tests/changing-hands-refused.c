/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_run () refuses a main context that another thread runs, or in which another thread has
 * suspended tasks. */

#include "changing-hands.h"

static gboolean
run_elsewhere (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) refused = NULL;

  g_assert_false (gtx_run (sleep_long, NULL, &refused));
  g_assert_error (refused, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
  g_assert_nonnull (strstr (refused->message, "g_main_context_push_thread_default()"));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_sleep_future() was called in a thread that does not run the main context*");
  g_assert_null (gtx_sleep_future (1));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
call_run_elsewhere (gpointer data, GError **error)
{
  return gtx_to_thread (run_elsewhere, NULL, error);
}

static void
test_run_elsewhere (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run (call_run_elsewhere, NULL, &error));
  g_assert_no_error (error);
}

/* The thread of the loop has tasks from time to time, and none in between. */
typedef struct
{
  GMainLoop *loop;
  gint n_ran;
  gint n_refused;
} Busy;

static gboolean
create_short_task (gpointer data)
{
  Busy *busy = data;

  g_object_unref (gtx_create_task (count, &busy->n_ran, NULL));
  return G_SOURCE_CONTINUE;
}

static gpointer
try_often (gpointer data)
{
  Busy *busy = data;

  while (g_atomic_int_get (&busy->n_ran) == 0)
    g_usleep (100);
  for (; busy->n_refused < 200; busy->n_refused++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_false (gtx_run (count, &busy->n_ran, &refused));
      g_assert_error (refused, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
    }
  call_in (NULL, quit, busy->loop);
  return NULL;
}

static void
test_run_while_busy (void)
{
  Busy busy = { .loop = g_main_loop_new (NULL, FALSE) };
  guint source = g_idle_add (create_short_task, &busy);
  GThread *thread = g_thread_new ("tries", try_often, &busy);

  g_main_loop_run (busy.loop);
  g_thread_join (thread);
  g_source_remove (source);
  /* The last task may not have run yet. */
  gtx_cancel_all ();
  g_main_loop_unref (busy.loop);
  g_assert_cmpint (busy.n_refused, ==, 200);
}

typedef struct
{
  GMainContext *context;
  GtxFuture *future;
  gint stage;
} Left;

/* The thread's task is suspended while another thread tries to run the context. */
static gpointer
leave_suspended_for_a_while (gpointer data)
{
  Left *left = data;
  g_autoptr (GtxTask) task = gtx_create_task_in (left->context, await_future, left->future, NULL);

  while (g_main_context_iteration (left->context, FALSE))
    ;
  g_atomic_int_set (&left->stage, 1);
  wait_until (&left->stage, 2);
  gtx_future_set_result (left->future, NULL, NULL);
  while (!gtx_future_is_done (task))
    g_main_context_iteration (left->context, TRUE);
  return NULL;
}

static void
test_suspended_elsewhere (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxFuture) future = make_in (context, gtx_future_new);
  Left left = { context, future, 0 };
  GThread *thread = g_thread_new ("left", leave_suspended_for_a_while, &left);
  g_autoptr (GError) error = NULL;
  gint n_ran = 0;

  wait_until (&left.stage, 1);
  g_main_context_push_thread_default (context);
  g_assert_false (gtx_run (count, &n_ran, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
  g_assert_nonnull (strstr (error->message, "another thread"));
  g_clear_error (&error);
  g_main_context_pop_thread_default (context);
  g_atomic_int_set (&left.stage, 2);
  g_thread_join (thread);

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run (count, &n_ran, &error));
  g_main_context_pop_thread_default (context);
  g_assert_no_error (error);
  g_assert_cmpint (n_ran, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/changing-hands-refused/run-elsewhere", test_run_elsewhere);
  g_test_add_func ("/changing-hands-refused/run-while-busy", test_run_while_busy);
  g_test_add_func ("/changing-hands-refused/suspended-elsewhere", test_suspended_elsewhere);
  return g_test_run ();
}
