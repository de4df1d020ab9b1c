/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that start eagerly: what asyncio's Task (…, eager_start=True) does in each of these cases. */

#include "fixture.h"

static const char *
name_of_current (void)
{
  GtxTask *task = gtx_current_task ();

  return task ? gtx_task_get_name (task) : "none";
}

static guint
count_tasks (void)
{
  g_autoptr (GPtrArray) all = gtx_all_tasks ();

  return all->len;
}

/* The task is among all tasks, and the current one. */
static void
assert_is_current (GtxTask *task)
{
  g_autoptr (GPtrArray) all = gtx_all_tasks ();

  g_assert_true (gtx_current_task () == task);
  g_assert_true (g_ptr_array_find (all, task, NULL));
}

/* ---- The first part ---- */

static gboolean
note_twice (GtxTask **task, GError **error)
{
  note ("in");
  *task = gtx_current_task ();
  assert_is_current (*task);
  if (!gtx_sleep (0, error))
    return FALSE;
  note ("later");
  assert_is_current (*task);
  return TRUE;
}

static gboolean
test_order (gpointer data, GError **error)
{
  GtxTask *main_task = gtx_current_task ();
  guint n_before = count_tasks ();
  GtxTask *seen = NULL;
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);
  g_autoptr (GtxTask) task = gtx_create_task_eager (note_twice, &seen, NULL);

  g_assert_true (seen == task);
  g_assert_false (gtx_future_is_done (task));
  assert_is_current (main_task);
  g_assert_cmpuint (count_tasks (), ==, n_before + 2);
  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("in main other later");
  g_assert_cmpuint (count_tasks (), ==, n_before);
  return gtx_await (other, error);
}

static void
note_done (gpointer future, gpointer data)
{
  note ("callback");
}

/* Its done callbacks run in a later round, and to await it does not switch. */
static gboolean
test_ends_at_once (gpointer data, GError **error)
{
  guint n_before = count_tasks ();
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);
  g_autoptr (GtxTask) task = gtx_task_new (note_and_return, g_strdup ("in"), count_free);

  gtx_future_add_done_callback (task, note_done, NULL, NULL);
  g_assert_true (gtx_task_start_eager (task) == task);
  g_assert_true (gtx_future_is_done (task));
  g_assert_false (gtx_cancel (task));
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_cmpuint (count_tasks (), ==, n_before + 1);
  g_assert_true (gtx_await (task, error));
  note ("awaited");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("in awaited other callback");
  return gtx_await (other, error);
}

static char *
make_word (const char *word, GError **error)
{
  return g_strdup (word);
}

static gboolean
test_pointer (gpointer data, GError **error)
{
  g_autoptr (GtxTask) dropped = gtx_create_task_pointer_eager (make_word, "dropped", NULL, count_free);
  g_autoptr (GtxTask) task = gtx_create_task_pointer_eager (make_word, "result", NULL, count_free);
  g_autofree char *word = NULL;

  g_clear_object (&dropped);
  g_assert_cmpint (n_freed, ==, 1);
  word = gtx_await_pointer (task, error);
  g_assert_cmpstr (word, ==, "result");
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
test_fails_at_once (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (fail, "at once", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_future_is_done (task));
  g_assert_error (gtx_future_get_error (task), G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (gtx_await (task, &failure));
  g_assert_cmpstr (failure->message, ==, "at once");
  return TRUE;
}

static gboolean
test_error_is_not_lost (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (fail, "nobody asks", NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*nobody asks*");
  g_clear_object (&task);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_start_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (note_and_return, "once", NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_start_eager: *a task runs once");
  g_assert_true (gtx_task_start_eager (task) == task);
  g_test_assert_expected_messages ();
  assert_trace ("once");
  return TRUE;
}

/* ---- Futures ---- */

static gboolean
await_and_note (GtxFuture *future, GError **error)
{
  note ("in");
  if (!gtx_await (future, error))
    return FALSE;
  note ("got");
  return TRUE;
}

static gboolean
test_done_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = NULL;

  gtx_future_set_result (future, NULL, NULL);
  task = gtx_create_task_eager (await_and_note, future, NULL);
  g_assert_true (gtx_future_is_done (task));
  assert_trace ("in got");
  return TRUE;
}

static gboolean
test_future_that_the_creator_sets (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task_eager (await_and_note, future, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  gtx_future_set_result (future, NULL, NULL);
  g_assert_false (gtx_future_is_done (task));
  note ("main");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("in main other got");
  return gtx_await (other, error);
}

static gboolean
await_creator (GtxTask *creator, GError **error)
{
  g_autoptr (GtxFuture) shield = gtx_shield (creator);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (shield, 0.01, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  note ("timeout");
  return TRUE;
}

static gboolean
test_awaits_its_creator (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (await_creator, gtx_current_task (), NULL);

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("main timeout");
  return TRUE;
}

/* An unstarted task that the eager one awaits runs inside it. */
static gboolean
await_unstarted (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = gtx_task_new (sleep_and_note, "1:inner", NULL);

  return gtx_await (inner, error);
}

static gboolean
test_awaits_unstarted (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (await_unstarted, NULL, NULL);

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("main inner");
  return TRUE;
}

/* ---- Tasks that it creates ---- */

static gboolean
create_both (gpointer data, GError **error)
{
  g_autoptr (GtxTask) plain = NULL;
  g_autoptr (GtxTask) eager = NULL;

  note ("E1");
  plain = gtx_create_task (note_and_return, "plain", NULL);
  eager = gtx_create_task_eager (note_and_return, "eager", NULL);
  note ("E2");
  if (!gtx_sleep (0, error))
    return FALSE;
  note ("E3");
  return TRUE;
}

static gboolean
test_creates_tasks (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);
  g_autoptr (GtxTask) task = gtx_create_task_eager (create_both, NULL, NULL);

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("E1 eager E2 main other plain E3");
  return gtx_await (other, error);
}

static gboolean
nest (const char *names, GError **error)
{
  g_autoptr (GtxTask) inner = NULL;
  char in[] = { names[0], '\0' };
  char back[] = { names[0], '<', '\0' };
  char later[] = { names[0], '+', '\0' };

  gtx_task_set_name (gtx_current_task (), in);
  note (name_of_current ());
  if (names[1])
    {
      inner = gtx_create_task_eager (nest, names + 1, NULL);
      g_assert_cmpstr (name_of_current (), ==, in);
      note (back);
    }
  if (!gtx_sleep (0, error))
    return FALSE;
  note (later);
  return TRUE;
}

static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (nest, "ABC", NULL);

  note ("main");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("A B C B< A< main C+ B+ A+");
  return gtx_await (task, error);
}

/* ---- Blocks ---- */

static gboolean
time_out (double *seconds, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_with_timeout (*seconds, sleep_long, NULL, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  note ("timeout");
  return TRUE;
}

static gboolean
test_timeout (gpointer data, GError **error)
{
  double times[] = { 0.01, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_eager (time_out, &times[i], NULL);

      note ("main");
      g_assert_true (gtx_await (task, error));
      assert_trace ("main timeout");
    }
  return TRUE;
}

static gboolean
run_group (GtxCoroutine *child, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleep_and_note, "0:child", NULL, NULL);
  gtx_task_group_start (&group, gtx_task_new_named ("child", *child, (char *) "second", NULL), NULL);
  note ("body");
  return gtx_task_group_end (&group, &failure, error);
}

static gboolean
test_group (gpointer data, GError **error)
{
  GtxCoroutine succeeds = (GtxCoroutine) note_and_return;
  GtxCoroutine fails = (GtxCoroutine) fail;
  g_autoptr (GtxTask) task = gtx_create_task_eager (run_group, &succeeds, NULL);
  g_autoptr (GtxTask) failing = NULL;
  g_autoptr (GError) failure = NULL;

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("body main second child");

  failing = gtx_create_task_eager (run_group, &fails, NULL);
  note ("main");
  g_assert_false (gtx_await (failing, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_GROUP);
  assert_trace ("body main child");
  return TRUE;
}

/* ---- Task-local values ---- */

static GtxTaskLocal number = GTX_TASK_LOCAL_INIT (NULL);

static gboolean
use_number (gpointer data, GError **error)
{
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 1);
  gtx_task_local_set (&number, GINT_TO_POINTER (2));
  if (!gtx_sleep (0, error))
    return FALSE;
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 2);
  return TRUE;
}

static gboolean
test_task_local (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  gtx_task_local_set (&number, GINT_TO_POINTER (1));
  task = gtx_create_task_eager (use_number, NULL, NULL);
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 1);
  gtx_task_local_set (&number, GINT_TO_POINTER (3));
  g_assert_true (gtx_await (task, error));
  g_assert_cmpint (GPOINTER_TO_INT (gtx_task_local_get (&number)), ==, 3);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/eager/order", test_order);
  add_coroutine ("/eager/ends-at-once", test_ends_at_once);
  add_coroutine ("/eager/pointer", test_pointer);
  add_coroutine ("/eager/fails-at-once", test_fails_at_once);
  add_coroutine ("/eager/error-is-not-lost", test_error_is_not_lost);
  add_coroutine ("/eager/start-twice", test_start_twice);
  add_coroutine ("/eager/done-future", test_done_future);
  add_coroutine ("/eager/future-that-the-creator-sets", test_future_that_the_creator_sets);
  add_coroutine ("/eager/awaits-its-creator", test_awaits_its_creator);
  add_coroutine ("/eager/awaits-unstarted", test_awaits_unstarted);
  add_coroutine ("/eager/creates-tasks", test_creates_tasks);
  add_coroutine ("/eager/nested", test_nested);
  add_coroutine ("/eager/timeout", test_timeout);
  add_coroutine ("/eager/group", test_group);
  add_coroutine ("/eager/task-local", test_task_local);
  return g_test_run ();
}
