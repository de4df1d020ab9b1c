/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Printed tasks: the tree of tasks, a deadlock, and the messages of a task. */

#include "fixture.h"

#include <stdio.h>

static GString *printed;

static void
keep (const char *text)
{
  g_string_append (printed, text);
}

static GString *
print_tasks (void)
{
  GPrintFunc old = g_set_printerr_handler (keep);

  printed = g_string_new (NULL);
  gtx_print_tasks ();
  g_set_printerr_handler (old);
  return printed;
}

static void
set_names (GtxTask *task, const char *name)
{
  gtx_task_set_name (task, name);
}

/* ---- The tree ---- */

static gboolean
await_both (GPtrArray *tasks, GError **error)
{
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

static gboolean
await_one (GtxTask *task, GError **error)
{
  return gtx_await (task, error);
}

static gboolean
let_others_run (gpointer data, GError **error)
{
  return gtx_sleep (0, error);
}

static void
print_at_once (gpointer future, gpointer text)
{
  *(GString **) text = print_tasks ();
}

/* The awaited future is done, and the awaiting task has not gone on yet. */
static gboolean
test_about_to_go_on (gpointer data, GError **error)
{
  g_autoptr (GtxTask) child = gtx_create_task (let_others_run, NULL, NULL);
  g_autoptr (GString) text = NULL;

  set_names (gtx_current_task (), "main");
  gtx_future_add_done_callback (child, print_at_once, &text, NULL);
  g_assert_true (gtx_await (child, error));
  g_assert_cmpstr (text->str, ==, "main (test): is ready\n");
  return TRUE;
}

static gboolean
test_tree (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (await_one, sleeper, NULL);
  g_autoptr (GPtrArray) both = g_ptr_array_new ();
  g_autoptr (GtxTask) gatherer = NULL;
  g_autoptr (GtxTask) late = NULL;
  g_autoptr (GString) text = NULL;

  g_ptr_array_add (both, other);
  g_ptr_array_add (both, sleeper);
  gatherer = gtx_create_task (await_both, both, NULL);
  set_names (gtx_current_task (), "main");
  set_names (sleeper, "sleeper");
  set_names (other, "other");
  set_names (gatherer, "gatherer");
  g_assert_true (gtx_sleep (0.25, error));
  late = gtx_create_task (sleep_long, NULL, NULL);
  set_names (late, "sleep_long");

  text = print_tasks ();
  g_assert_cmpstr (text->str, ==,
                   "main (test): runs\n"
                   "gatherer (await_both): waits for a gathering of 2\n"
                   "├─ other (await_one): waits for task sleeper\n"
                   "│  └─ sleeper (sleep_long): waits for a sleep, 999.750 s left\n"
                   "└─ sleeper (see above)\n"
                   "sleep_long: has not begun\n");
  return TRUE;
}

static gboolean
wait_for_things (gpointer thing, GError **error)
{
  g_autofree char *item = NULL;

  if (GTX_IS_LOCK (thing))
    return gtx_lock_acquire (thing, error);
  if (GTX_IS_EVENT (thing))
    return gtx_event_wait (thing, error);
  if (GTX_IS_SEMAPHORE (thing))
    return gtx_semaphore_acquire (thing, error);
  if (GTX_IS_FUTURE (thing))
    return gtx_await (thing, error);
  item = gtx_queue_get (thing, error);
  return item != NULL;
}

static gboolean
test_things (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) things = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GString) text = NULL;
  const char *const names[] = { "lock %p", "event %p", "semaphore %p", "future %p", "an item of queue %p" };

  g_ptr_array_add (things, gtx_lock_new ());
  g_ptr_array_add (things, gtx_event_new ());
  g_ptr_array_add (things, gtx_semaphore_new (0));
  g_ptr_array_add (things, gtx_future_new ());
  g_ptr_array_add (things, gtx_queue_new (0, g_free));
  g_assert_true (gtx_lock_acquire (things->pdata[0], error));
  for (guint i = 0; i < things->len; i++)
    g_object_unref (gtx_create_task (wait_for_things, things->pdata[i], NULL));
  g_assert_true (gtx_sleep (0, error));

  text = print_tasks ();
  for (guint i = 0; i < things->len; i++)
    {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      g_autofree char *wanted = g_strdup_printf (names[i], things->pdata[i]);
#pragma GCC diagnostic pop

      g_assert_nonnull (strstr (text->str, wanted));
    }
  return TRUE;
}

static gboolean
two_children (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  set_names (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, error), "a");
  set_names (gtx_task_group_create_task (&group, sleep_long, NULL, NULL, error), "b");
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_group (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (two_children, NULL, NULL);
  g_autoptr (GString) text = NULL;

  set_names (gtx_current_task (), "test");
  set_names (task, "parent");
  g_assert_true (gtx_sleep (0.5, error));
  text = print_tasks ();
  g_assert_cmpstr (text->str, ==,
                   "test: runs\n"
                   "parent (two_children): waits for a task group\n"
                   "├─ a (sleep_long): waits for a sleep, 999.500 s left\n"
                   "└─ b (sleep_long): waits for a sleep, 999.500 s left\n");
  return TRUE;
}

static gboolean
print_plainly (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (two_children, NULL, NULL);
  g_autoptr (GString) text = NULL;

  set_names (task, "parent");
  g_assert_true (gtx_sleep (0.5, error));
  text = print_tasks ();
  g_assert_nonnull (strstr (text->str, "\n|- a (sleep_long): waits for a sleep, 999.500 s left\n"
                                       "`- b (sleep_long): waits for a sleep, 999.500 s left\n"));
  return TRUE;
}

/* The locale has no characters for lines. */
static void
test_plain (void)
{
  if (g_test_subprocess ())
    {
      g_assert_true (gtx_test_run (print_plainly, NULL, NULL));
      return;
    }
  g_setenv ("CHARSET", "US-ASCII", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_setenv ("CHARSET", "UTF-8", TRUE);
}

static gboolean ignores_cancellable;

static void
start_operation (GTask **operation, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  *operation = g_task_new (NULL, ignores_cancellable ? NULL : cancellable, callback, data);
}

static int line_of_operation;

static gboolean
await_operation (GTask **operation, GError **error)
{
  line_of_operation = __LINE__ + 1;
  start_operation (operation, GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

/* An operation that has not taken the GCancellable may have refused its arguments. */
static gboolean
test_operation (gpointer data, GError **error)
{
  for (ignores_cancellable = FALSE; ignores_cancellable <= TRUE; ignores_cancellable++)
    {
      g_autoptr (GTask) operation = NULL;
      g_autoptr (GtxTask) task = gtx_create_task (await_operation, &operation, NULL);
      g_autoptr (GString) text = NULL;
      g_autofree char *wanted = NULL;

      g_assert_true (gtx_sleep (0, error));
      text = print_tasks ();
      wanted = g_strdup_printf ("waits for the operation started at %s:%d%s\n", __FILE__, line_of_operation,
                                ignores_cancellable ? ", which has taken no GCancellable" : "");
      g_assert_nonnull (strstr (text->str, wanted));
      g_task_return_boolean (operation, TRUE);
      g_assert_true (gtx_await (task, error));
    }
  return TRUE;
}

/* The library's own functions begin their operations in this way. */
static gboolean
await_operation_of_function (GTask **operation, GError **error)
{
  start_operation (operation, GTX_CANCELLABLE, gtx_operation_ready, gtx_operation_begin ("a_function", 0));
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
test_operation_of_function (gpointer data, GError **error)
{
  g_autoptr (GTask) operation = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (await_operation_of_function, &operation, NULL);
  g_autoptr (GString) text = NULL;

  ignores_cancellable = FALSE;
  g_assert_true (gtx_sleep (0, error));
  text = print_tasks ();
  g_assert_nonnull (strstr (text->str, "waits for the operation of a_function()\n"));
  g_task_return_boolean (operation, TRUE);
  return gtx_await (task, error);
}

/* A task that was not started runs inside the one that awaits it. */
static GtxTask *inside;

static gboolean
await_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_long, NULL, NULL);

  gtx_task_set_name (task, "inside");
  inside = task;
  return gtx_await (task, error);
}

static gboolean
await_it_too (gpointer data, GError **error)
{
  return gtx_await (inside, error);
}

static gboolean
test_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) outer = gtx_create_task (await_inside, NULL, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (await_it_too, NULL, NULL);
  g_autoptr (GString) text = NULL;

  gtx_task_set_name (outer, "outer");
  g_assert_true (gtx_sleep (0, error));
  text = print_tasks ();
  g_assert_nonnull (strstr (text->str, "inside (sleep_long): runs inside outer\n"));
  gtx_cancel (outer);
  g_assert_false (gtx_await (outer, NULL));
  return !gtx_await (other, NULL);
}

/* The tasks await one another in a ring, and each is printed once. */
static GtxTask *ring[2];

static gboolean
await_other (gpointer index, GError **error)
{
  return gtx_sleep (0, error) && gtx_await (ring[1 - GPOINTER_TO_INT (index)], error);
}

static gboolean
test_ring (gpointer data, GError **error)
{
  g_autoptr (GString) text = NULL;

  for (int i = 0; i < 2; i++)
    {
      ring[i] = gtx_create_task (await_other, GINT_TO_POINTER (i), NULL);
      set_names (ring[i], i == 0 ? "a" : "b");
    }
  set_names (gtx_current_task (), "test");
  g_assert_true (gtx_sleep (1, error));
  text = print_tasks ();
  g_assert_cmpstr (text->str, ==,
                   "test: runs\n"
                   "a (await_other): waits for task b\n"
                   "└─ b (await_other): waits for task a\n"
                   "   └─ a (see above)\n");
  gtx_cancel (ring[0]);
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, ring[0], ring[1], NULL));
  g_clear_object (&ring[0]);
  g_clear_object (&ring[1]);
  return TRUE;
}

static gboolean
await_deep (gpointer depth, GError **error)
{
  g_autoptr (GtxTask) next = NULL;

  if (GPOINTER_TO_INT (depth) == 0)
    return gtx_sleep (1000, error);
  next = gtx_create_task (await_deep, GINT_TO_POINTER (GPOINTER_TO_INT (depth) - 1), NULL);
  return gtx_await (next, error);
}

static gboolean
test_deep (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (await_deep, GINT_TO_POINTER (300), NULL);
  g_autoptr (GString) text = NULL;

  g_assert_false (gtx_future_is_done (first));
  g_assert_true (gtx_sleep (1, error));
  text = print_tasks ();
  g_assert_nonnull (strstr (text->str, "└─ …\n"));
  g_assert_nonnull (strstr (text->str, "a sleep"));
  return TRUE;
}

static void
test_no_tasks (void)
{
  g_autoptr (GString) text = print_tasks ();

  g_assert_cmpstr (text->str, ==, "There are no tasks.\n");
}

/* ---- Messages ---- */

static gboolean
say (gpointer data, GError **error)
{
  gtx_task_set_name (gtx_current_task (), "speaker");
  g_message ("hello");
  return TRUE;
}

static void
test_log (void)
{
  if (g_test_subprocess ())
    {
      g_log_set_writer_func (gtx_log_writer_default, NULL, NULL);
      g_message ("outside");
      gtx_run (say, NULL, NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*: outside\n*: [speaker] hello\n*");
}

/* ---- Tests of users ---- */

static gboolean
sleep_a_week (gpointer data, GError **error)
{
  g_assert_true (gtx_sleep (7 * 24 * 3600, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 7 * 24 * 3600);
  return TRUE;
}

static gboolean
fail_plainly (gpointer data, GError **error)
{
  return fail ("no reason", error);
}

static void
test_failing (void)
{
  g_test_trap_subprocess ("/print/user-test/subprocess", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_subprocess ("/print/user-test-fails/subprocess", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static gboolean
lock_twice (GtxLock *lock, GError **error)
{
  return gtx_lock_acquire (lock, error) && gtx_lock_acquire (lock, error);
}

static void
test_deadlock (void)
{
  if (g_test_subprocess ())
    {
      gtx_test_run (lock_twice, gtx_lock_new (), NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*these tasks wait for ever:\nTask-1 (lock_twice): waits for lock 0x*");
}

int
main (int argc, char *argv[])
{
  /* GLib uses this instead of the locale's character set. */
  g_setenv ("CHARSET", "UTF-8", FALSE);
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/print/tree", test_tree);
  add_coroutine ("/print/about-to-go-on", test_about_to_go_on);
  add_coroutine ("/print/things", test_things);
  add_coroutine ("/print/group", test_group);
  g_test_add_func ("/print/plain", test_plain);
  add_coroutine ("/print/operation", test_operation);
  add_coroutine ("/print/operation/of-function", test_operation_of_function);
  add_coroutine ("/print/ring", test_ring);
  add_coroutine ("/print/deep", test_deep);
  g_test_add_func ("/print/no-tasks", test_no_tasks);
  g_test_add_func ("/print/log", test_log);
  gtx_test_add_func ("/print/user-test", sleep_a_week);
  g_test_add_func ("/print/user-test-fails", test_failing);
  gtx_test_add_func ("/print/user-test/subprocess", sleep_a_week);
  gtx_test_add_func ("/print/user-test-fails/subprocess", fail_plainly);
  g_test_add_func ("/print/deadlock", test_deadlock);
  add_coroutine ("/print/inside", test_inside);
  return g_test_run ();
}
