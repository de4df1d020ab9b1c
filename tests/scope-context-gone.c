/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scopes whose main context ends before their tasks. */

#include "object-job.h"

/* Kept, so that leak checkers find them. */
static GPtrArray *suspended_for_ever;

static GMainContext *
begin (void)
{
  GMainContext *context = g_main_context_new ();

  trace = g_string_new (NULL);
  n_freed = 0;
  g_main_context_push_thread_default (context);
  return context;
}

static void
turn (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

/* Drops the context, in which this many tasks are suspended. */
static void
end (GMainContext *context, guint n_suspended)
{
  g_autofree char *message = g_strdup_printf ("A main context goes away with %u suspended task*", n_suspended);
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  if (suspended_for_ever == NULL)
    suspended_for_ever = g_ptr_array_new ();
  for (guint i = 0; n_suspended > 0 && i < tasks->len; i++)
    g_ptr_array_add (suspended_for_ever, g_object_ref (tasks->pdata[i]));
  g_main_context_pop_thread_default (context);
  if (n_suspended > 0)
    g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, message);
  g_main_context_unref (context);
  g_test_assert_expected_messages ();
}

static void
assert_words (const char *words)
{
  assert_trace (words);
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static gboolean
clean_up (gpointer data, GError **error)
{
  gboolean succeeded = gtx_sleep (1000, error);

  note ("cancelled");
  gtx_sleep (1000, NULL);
  return succeeded;
}

static void
test_spared (void)
{
  GMainContext *context = begin ();
  g_autoptr (Job) job = job_new ();
  GtxScope *scope = gtx_object_get_scope (job);
  GtxTask *task = gtx_scope_create_task (scope, clean_up, NULL, NULL);

  turn (context);
  gtx_cancel (task);
  turn (context);
  gtx_scope_close (scope);
  end (context, 1);
  g_assert_cmpuint (gtx_scope_get_n_tasks (scope), ==, 0);
  assert_words ("cancelled");
}

/* ---- What follows the end of a scope ---- */

static void
note_and_free (gpointer data)
{
  g_assert_null (gtx_current_task ());
  note ("then");
  count_free (data);
}

/* The task that waits for the end is suspended. */
static void
test_close_then (void)
{
  GMainContext *context = begin ();
  Job *job = job_new ();
  gpointer gone = job;

  g_object_add_weak_pointer (G_OBJECT (job), &gone);
  gtx_scope_create_task (gtx_object_get_scope (job), clean_up, NULL, NULL);
  turn (context);
  gtx_scope_close_then (gtx_object_get_scope (job), note_and_free, g_malloc (1));
  g_object_unref (job);
  turn (context);
  g_assert_nonnull (gone);
  end (context, 2);
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_null (gone);
  assert_words ("cancelled then");
}

/* The task that waits for the end has not begun. */
static void
test_close_then_unbegun (void)
{
  GMainContext *context = begin ();
  g_autoptr (Job) job = job_new ();

  gtx_scope_close_then (gtx_object_get_scope (job), note_and_free, g_malloc (1));
  end (context, 0);
  g_assert_cmpint (n_freed, ==, 1);
  assert_words ("then");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scope-context-gone/spared", test_spared);
  g_test_add_func ("/scope-context-gone/close-then", test_close_then);
  g_test_add_func ("/scope-context-gone/close-then/unbegun", test_close_then_unbegun);
  return g_test_run ();
}
