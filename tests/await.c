/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* ---- Futures that are done, and futures that are not ---- */

static gboolean
test_done (gpointer data, GError **error)
{
  g_autoptr (GtxTask) done = gtx_create_task (note_and_return, "done", NULL);
  g_autoptr (GtxTask) other = NULL;

  g_assert_true (gtx_await (done, error));
  other = gtx_create_task (note_and_return, "other", NULL);
  g_assert_true (gtx_await (done, error));
  assert_trace ("done");
  return gtx_await (other, error);
}

static gboolean
await_and_note (gpointer future, GError **error)
{
  gboolean succeeded = gtx_await (future, error);

  note (gtx_task_get_name (gtx_current_task ()));
  return succeeded;
}

static GtxTask *
create_awaiter (const char *name, gpointer future)
{
  GtxTask *task = gtx_task_new (await_and_note, future, NULL);

  gtx_task_set_name (task, name);
  return gtx_task_start (task);
}

static void
note_done (gpointer future, gpointer word)
{
  note (word);
}

static gboolean
test_several (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "5:task", NULL);
  g_autoptr (GtxTask) a = create_awaiter ("a", task);
  g_autoptr (GtxTask) b = create_awaiter ("b", task);
  g_autoptr (GtxTask) c = NULL;

  gtx_sleep (0, NULL);
  gtx_future_add_done_callback (task, note_done, "callback", NULL);
  c = create_awaiter ("c", task);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("task a b callback c");
  return TRUE;
}

/* The task that awaits the future keeps it alive. */
static gboolean
drop_and_set (GtxFuture **future, GError **error)
{
  GtxFuture *last = *future;

  *future = NULL;
  gtx_future_set_result (last, g_strdup ("result"), count_free);
  g_object_unref (last);
  return TRUE;
}

static gboolean
test_last_reference (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (drop_and_set, &future, NULL);

  g_assert_true (gtx_await (future, error));
  g_assert_null (future);
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_true (gtx_future_is_done (task));
  return TRUE;
}

static gboolean
await_and_store (gpointer *where, GError **error)
{
  return (*where = gtx_await_peek_pointer (*where, error)) != NULL;
}

/* The awaiting task gets the future's result in the next round. */
static gboolean
test_result (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autofree char *result = g_strdup ("result");
  gpointer got = future;
  g_autoptr (GtxTask) task = gtx_create_task (await_and_store, &got, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_future_set_result (future, result, NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (got == result);
  g_assert_true (gtx_future_is_done (task));
  g_assert_null (gtx_future_get_result (task));
  return TRUE;
}

/* ---- Tasks that were not started ---- */

static gboolean
tell_current (GtxTask **current, GError **error)
{
  *current = gtx_current_task ();
  note ("inside");
  return gtx_sleep (1, error);
}

static gboolean
test_unstarted (gpointer data, GError **error)
{
  GtxTask *seen = NULL;
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);
  g_autoptr (GtxTask) coroutine = gtx_task_new (tell_current, &seen, NULL);
  g_autoptr (GPtrArray) all = NULL;

  g_assert_true (gtx_await (coroutine, error));
  assert_trace ("inside other");
  g_assert_true (seen == gtx_current_task ());
  g_assert_cmpstr (gtx_task_get_name (coroutine), ==, "tell_current");
  all = gtx_all_tasks ();
  g_assert_cmpuint (all->len, ==, 1);
  g_assert_true (gtx_await (coroutine, error));
  return gtx_await (other, error);
}

static int *
give_number (const int *number, GError **error)
{
  return g_memdup2 (number, sizeof (int));
}

static int *
sum (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_task_new_pointer (give_number, &((int) { 42 }), NULL, g_free);
  g_autoptr (GtxTask) second = gtx_task_new_pointer (give_number, &((int) { 1000 }), NULL, g_free);
  g_autofree int *a = gtx_await_pointer (first, error);
  g_autofree int *b = gtx_await_pointer (second, error);
  int result = *a + *b;

  return g_memdup2 (&result, sizeof (int));
}

/* The coroutines call other coroutines for their values. */
static gboolean
test_unstarted_results (gpointer data, GError **error)
{
  g_autoptr (GtxTask) outer = gtx_task_new_pointer (sum, NULL, NULL, g_free);
  g_autofree int *result = gtx_await_pointer (outer, error);

  g_assert_cmpint (*result, ==, 1042);
  return TRUE;
}

static gboolean
test_unstarted_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) coroutine = gtx_task_new (fail, "no luck", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (coroutine, &failure));
  g_assert_cmpstr (failure->message, ==, "no luck");
  g_assert_cmpstr (gtx_future_get_error (coroutine)->message, ==, "no luck");
  return TRUE;
}

static gboolean
await_unstarted (const char *what, GError **error)
{
  g_autoptr (GtxTask) coroutine = gtx_task_new (sleep_and_note, what, NULL);
  gboolean succeeded = gtx_await (coroutine, error);

  g_assert_true (gtx_future_is_done (coroutine));
  return succeeded;
}

static gboolean
test_unstarted_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (await_unstarted, "9000:slept", NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (1, NULL);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  assert_trace ("slept!");
  return TRUE;
}

/* ---- Deep ---- */

static gboolean
await_task (guint *left, GError **error)
{
  guint rest = *left - 1;
  g_autoptr (GtxTask) next = NULL;

  if (*left == 0)
    return gtx_sleep (1, error) && fail ("at the bottom", error);
  next = gtx_task_new (await_task, &rest, NULL);
  gtx_task_set_stack_size (next, 64 * 1024);
  return gtx_await (gtx_task_start (next), error);
}

static gboolean
await_coroutine (guint *left, GError **error)
{
  guint rest = *left - 1;
  g_autoptr (GtxTask) next = gtx_task_new (await_coroutine, &rest, NULL);

  if (*left > 0)
    return gtx_await (next, error);
  gtx_cancel (next);
  return gtx_sleep (1, error) && fail ("at the bottom", error);
}

static gboolean
test_deep_tasks (gpointer data, GError **error)
{
  guint depth = RUNNING_ON_VALGRIND ? 200 : 1000;
  g_autoptr (GError) failure = NULL;

  g_assert_false (await_task (&depth, &failure));
  g_assert_cmpstr (failure->message, ==, "at the bottom");
  return TRUE;
}

static gboolean
test_deep_coroutines (gpointer data, GError **error)
{
  guint depth = 1000;
  g_autoptr (GError) failure = NULL;

  g_assert_false (await_coroutine (&depth, &failure));
  g_assert_cmpstr (failure->message, ==, "at the bottom");
  return TRUE;
}

/* GLib's own functions report this in the same way. */
static gboolean
test_error_over_another (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (fail, "first", NULL);
  g_autoptr (GtxTask) second = gtx_create_task (fail, "second", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (first, &failure));
  g_test_expect_message ("GLib", G_LOG_LEVEL_WARNING, "GError set over the top of a previous GError*");
  g_assert_false (gtx_await (second, &failure));
  g_test_assert_expected_messages ();
  g_assert_cmpstr (failure->message, ==, "first");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/await/done", test_done);
  add_coroutine ("/await/several", test_several);
  add_coroutine ("/await/last-reference", test_last_reference);
  add_coroutine ("/await/result", test_result);
  add_coroutine ("/await/unstarted", test_unstarted);
  add_coroutine ("/await/unstarted/results", test_unstarted_results);
  add_coroutine ("/await/unstarted/error", test_unstarted_error);
  add_coroutine ("/await/unstarted/cancelled", test_unstarted_cancelled);
  add_coroutine ("/await/deep/tasks", test_deep_tasks);
  add_coroutine ("/await/deep/coroutines", test_deep_coroutines);
  add_coroutine ("/await/error-over-another", test_error_over_another);
  return g_test_run ();
}
