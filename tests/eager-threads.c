/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Eager tasks in threads, and in main contexts that change their thread, or go. */

#include "eager.h"

/* ---- Threads ---- */

static gboolean
look_at_thread (GThread **thread, GError **error)
{
  *thread = g_thread_self ();
  return TRUE;
}

static gpointer
start_there (gpointer task)
{
  gtx_task_start_eager (task);
  return NULL;
}

/* In a thread that is not the home's, the task starts as others do. */
static gboolean
test_other_thread (gpointer data, GError **error)
{
  GThread *seen = NULL;
  g_autoptr (GtxTask) task = gtx_task_new (look_at_thread, &seen, NULL);

  g_thread_join (g_thread_new ("starts", start_there, task));
  g_assert_null (seen);
  g_assert_true (gtx_await (task, error));
  g_assert_true (seen == g_thread_self ());
  return TRUE;
}

static gpointer
run_own_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;

  g_main_context_push_thread_default (context);
  task = start_and_note ();
  iterate_until_done (context, task);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_own_context (void)
{
  g_thread_join (g_thread_new ("own", run_own_context, NULL));
  assert_trace ("in back later");
}

/* ---- Main contexts that change their thread, or go ---- */

typedef struct
{
  GMainContext *context;
  GtxTask *task;
} Home;

static gpointer
run_there (gpointer data)
{
  Home *home = data;

  g_main_context_push_thread_default (home->context);
  if (home->task)
    g_main_context_iteration (home->context, FALSE);
  else
    iterate_until_done (home->context, home->task = start_and_note ());
  g_main_context_pop_thread_default (home->context);
  return NULL;
}

/* A task that is suspended stays in the thread that has started it. */
static void
test_stays (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  Home home = { context, NULL };

  g_main_context_push_thread_default (context);
  home.task = task = start_and_note ();
  g_main_context_pop_thread_default (context);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*tasks belong to another thread*");
  g_thread_join (g_thread_new ("other", run_there, &home));
  g_test_assert_expected_messages ();
  assert_trace ("in back");

  g_main_context_push_thread_default (context);
  iterate_until_done (context, task);
  g_main_context_pop_thread_default (context);
  assert_trace ("later");
}

/* The main loop that the eager part runs makes this thread the owner, until the part has ended. */
static gboolean
iterate_in_part (GMainContext *context, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  iterate_until_done (context, other);
  return TRUE;
}

static void
test_changes_hands (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  Home home = { context, NULL };

  g_main_context_push_thread_default (context);
  task = gtx_create_task_eager (iterate_in_part, context, NULL);
  g_main_context_pop_thread_default (context);
  assert_trace ("other");

  g_thread_join (g_thread_new ("other", run_there, &home));
  assert_trace ("in back later");
  g_object_unref (home.task);
}

/* The eager part drops the last references of its main context and of its task. */
static gboolean
drop_home (Home *home, GError **error)
{
  g_main_context_release (home->context);
  g_main_context_unref (home->context);
  g_object_unref (home->task);
  return TRUE;
}

static void
test_context_goes (void)
{
  Home home = { g_main_context_new (), NULL };

  g_main_context_acquire (home.context);
  g_main_context_push_thread_default (home.context);
  home.task = gtx_task_new (drop_home, &home, NULL);
  g_main_context_pop_thread_default (home.context);
  g_object_add_weak_pointer (G_OBJECT (home.task), (gpointer *) &home.task);
  gtx_task_start_eager (home.task);
  g_assert_null (home.task);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_outside ("/eager-threads/own-context", test_own_context);
  add_outside ("/eager-threads/stays", test_stays);
  add_outside ("/eager-threads/changes-hands", test_changes_hands);
  add_outside ("/eager-threads/context-goes", test_context_goes);
  add_coroutine ("/eager-threads/other-thread", test_other_thread);
  return g_test_run ();
}
