/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

#include <fenv.h>

/* ---- Starting ---- */

static gboolean
test_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (note_and_return, "a", NULL);
  g_autoptr (GtxTask) b = gtx_task_new (note_and_return, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (note_and_return, "c", NULL);

  gtx_task_start (b);
  note ("main");
  gtx_sleep (0, NULL);
  assert_trace ("main a c b");
  g_assert_true (gtx_future_is_done (a) && gtx_future_is_done (b) && gtx_future_is_done (c));
  return TRUE;
}

/* A task may be created outside of tasks.  It runs when the thread's main loop runs. */
static void
test_made_outside (void)
{
  g_autoptr (GtxTask) task = NULL;

  trace = g_string_new (NULL);
  task = gtx_create_task (note_and_return, "ran", NULL);
  assert_trace ("");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  assert_trace ("ran");
  g_assert_true (gtx_future_is_done (task));
  g_string_free (g_steal_pointer (&trace), TRUE);
}

static gboolean
test_unreferenced (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (sleep_and_note, g_strdup ("5:slept"), count_free));
  gtx_sleep (1, NULL);
  assert_trace ("slept");
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

/* Only the library has a reference to the task, and the task can still be found. */
static gboolean
test_weak_reference (gpointer data, GError **error)
{
  GtxTask *task = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) found = NULL;
  GWeakRef reference;

  g_weak_ref_init (&reference, task);
  g_object_unref (task);
  g_assert_true (gtx_sleep (1, error));
  found = g_weak_ref_get (&reference);
  g_assert_true (found == task);
  gtx_cancel (found);
  g_assert_false (gtx_await (found, NULL));
  g_clear_object (&found);
  g_assert_true (gtx_sleep (0, error));
  g_assert_null (g_weak_ref_get (&reference));
  g_weak_ref_clear (&reference);
  return TRUE;
}

/* ---- From one that suspends or ends to one that begins ---- */

static gboolean
round_up (const char *then, GError **error)
{
  fesetround (FE_UPWARD);
  return g_str_equal (then, "end") || gtx_sleep (0, error);
}

static gboolean
note_rounding (gpointer data, GError **error)
{
  note (fegetround () == FE_TONEAREST ? "nearest" : "upward");
  return TRUE;
}

/* The rounding mode of one task does not change that of the next. */
static gboolean
test_rounding (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (round_up, "suspend", NULL));
  g_object_unref (gtx_create_task (note_rounding, NULL, NULL));
  g_object_unref (gtx_create_task (round_up, "end", NULL));
  g_object_unref (gtx_create_task (note_rounding, NULL, NULL));
  fesetround (FE_DOWNWARD);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpint (fegetround (), ==, FE_DOWNWARD);
  fesetround (FE_TONEAREST);
  assert_trace ("nearest nearest");
  return TRUE;
}

/* In a main loop that a task runs, tasks begin with the rounding mode of that task. */
static gboolean
test_rounding_nested (gpointer data, GError **error)
{
  fesetround (FE_UPWARD);
  for (int i = 0; i < 3; i++)
    g_object_unref (gtx_create_task (note_rounding, NULL, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  fesetround (FE_TONEAREST);
  assert_trace ("upward upward upward");
  return TRUE;
}

static gpointer
give_name (const char *name, GError **error)
{
  note (name);
  return (gpointer) name;
}

/* The function that frees a result may need more than the task's own stack. */
static void
need_large_stack (gpointer data)
{
  volatile char large[48 * 1024];

  memset ((char *) large, 1, sizeof large);
  note ("freed");
}

static gboolean
test_end_on_large_stack (gpointer data, GError **error)
{
  GtxTask *task = gtx_task_new_pointer (give_name, "gave", NULL, need_large_stack);

  gtx_task_set_stack_size (task, 32 * 1024);
  g_object_unref (gtx_task_start (task));
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("gave freed");
  return TRUE;
}

static void
cancel_outside (gpointer task)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_current_task ());
  g_assert_false (gtx_sleep (0, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  note (gtx_cancel (task) ? "cancelled" : "done");
}

static gpointer
give_back (GtxTask **task, GError **error)
{
  note ("gave");
  return *task;
}

/* The end of a task is outside of all tasks, and comes before the beginning of the next one. */
static gboolean
test_end_cancels_next (gpointer data, GError **error)
{
  GtxTask *next = NULL;

  g_object_unref (gtx_create_task_pointer (give_back, &next, NULL, cancel_outside));
  next = gtx_create_task (note_and_return, "next", NULL);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_future_is_cancelled (next));
  assert_trace ("gave cancelled");
  g_object_unref (next);
  return TRUE;
}

static gboolean
test_never_awaited (gpointer data, GError **error)
{
  GtxTask *task = gtx_task_new (note_and_return, g_strdup ("x"), count_free);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "coroutine 'note_and_return' was never awaited");
  g_object_unref (task);
  g_test_assert_expected_messages ();
  g_assert_cmpint (n_freed, ==, 1);
  assert_trace ("");
  return TRUE;
}

/* ---- Names ---- */

static guint
number_of (GtxTask *task)
{
  const char *name = gtx_task_get_name (task);

  g_assert_true (g_str_has_prefix (name, "Task-"));
  return (guint) g_ascii_strtoull (name + 5, NULL, 10);
}

static gboolean
test_names (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) named = gtx_task_new (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) last = NULL;

  gtx_task_set_name (named, "named");
  gtx_task_start (named);
  last = gtx_create_task (sleep_long, NULL, NULL);

  g_assert_cmpuint (number_of (first), ==, number_of (gtx_current_task ()) + 1);
  g_assert_cmpstr (gtx_task_get_name (named), ==, "named");
  g_assert_cmpuint (number_of (last), ==, number_of (first) + 1);
  g_assert_cmpstr (gtx_task_get_function (last), ==, "sleep_long");
  gtx_task_set_name (last, "renamed");
  g_assert_cmpstr (gtx_task_get_name (last), ==, "renamed");
  return TRUE;
}

/* ---- Which runs, and which are there ---- */

static gboolean
tell_current (GtxTask **current, GError **error)
{
  *current = gtx_current_task ();
  return gtx_sleep (0, error) && *current == gtx_current_task ();
}

static gboolean
test_current (gpointer data, GError **error)
{
  GtxTask *main_task = gtx_current_task ();
  GtxTask *seen = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (tell_current, &seen, NULL);

  g_assert_true (GTX_IS_FUTURE (task) && g_type_is_a (GTX_TYPE_TASK, GTX_TYPE_FUTURE));
  g_assert_true (gtx_await (task, error));
  g_assert_true (seen == task);
  g_assert_true (gtx_current_task () == main_task);
  return TRUE;
}

static gboolean
note_own_name (gpointer data, GError **error)
{
  note (gtx_task_get_name (gtx_current_task ()));
  return TRUE;
}

/* The task begins after it was named, so it knows its name. */
static gboolean
test_name_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_own_name, NULL, NULL);

  gtx_task_set_name (task, "example");
  g_assert_false (gtx_future_is_done (task));
  assert_trace ("");
  g_assert_true (gtx_await (task, error));
  assert_trace ("example");
  return TRUE;
}

typedef struct
{
  GtxFuture *awaited;
  GtxFuture *set;
  gboolean sets_first;
} Turn;

static gboolean
take_turns (Turn *turn, GError **error)
{
  GtxTask *self = gtx_current_task ();

  if (turn->sets_first)
    gtx_future_set_result (turn->set, NULL, NULL);
  if (!gtx_await (turn->awaited, error))
    return FALSE;
  g_assert_true (gtx_current_task () == self);
  if (!turn->sets_first)
    gtx_future_set_result (turn->set, NULL, NULL);
  note (gtx_task_get_name (self));
  return TRUE;
}

static gboolean
test_current_interleaved (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) one = gtx_future_new ();
  g_autoptr (GtxFuture) two = gtx_future_new ();
  g_autoptr (GtxTask) a = gtx_create_task (take_turns, &((Turn) { one, two, FALSE }), NULL);
  g_autoptr (GtxTask) b = gtx_create_task (take_turns, &((Turn) { two, one, TRUE }), NULL);
  GtxTask *self = gtx_current_task ();

  gtx_task_set_name (a, "a");
  gtx_task_set_name (b, "b");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("a b");
  g_assert_true (gtx_current_task () == self);
  return TRUE;
}

static gboolean
test_all (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (note_and_return, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GPtrArray) before = gtx_all_tasks ();
  g_autoptr (GPtrArray) after = NULL;

  g_assert_cmpuint (before->len, ==, 4);
  g_assert_true (before->pdata[0] == gtx_current_task ());
  g_assert_true (before->pdata[1] == a && before->pdata[2] == b && before->pdata[3] == c);

  gtx_sleep (0, NULL);
  after = gtx_all_tasks ();
  g_assert_cmpuint (after->len, ==, 3);
  g_assert_true (after->pdata[1] == a && after->pdata[2] == c);
  return TRUE;
}

static void
test_outside (void)
{
  g_assert_null (gtx_current_task ());
}

/* ---- Stacks ---- */

static gboolean
use_stack (gsize *bytes, GError **error)
{
  volatile char *room = g_alloca (*bytes);

  for (gsize i = 0; i < *bytes; i += 1024)
    room[i] = 1;
  return gtx_sleep (0, error) && room[0] == 1;
}

static gboolean
test_stack_size (gpointer data, GError **error)
{
  gsize small = 32 * 1024;
  gsize large = 3 * 1024 * 1024;
  g_autoptr (GtxTask) modest = gtx_task_new (use_stack, &small, NULL);
  g_autoptr (GtxTask) greedy = gtx_task_new (use_stack, &large, NULL);

  gtx_task_set_stack_size (modest, 64 * 1024);
  gtx_task_set_stack_size (greedy, 4 * 1024 * 1024);
  gtx_task_start (modest);
  gtx_task_start (greedy);
  return gtx_gather_list (GTX_GATHER_NONE, error, modest, greedy, NULL);
}

static gboolean
note_number (const int *number, GError **error)
{
  g_string_append_printf (trace, "%d ", *number);
  return TRUE;
}

/* The literal lives as long as the block of the call. */
static gboolean
test_compound_literals (gpointer data, GError **error)
{
  g_autoptr (GtxTask) one = gtx_create_task (note_number, &(int) { 1 }, NULL);
  g_autoptr (GtxTask) two = gtx_create_task (note_number, &(int) { 2 }, NULL);

  if (!gtx_gather_list (GTX_GATHER_NONE, error, one, two, NULL))
    return FALSE;
  assert_trace ("1 2 ");
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/task/order", test_order);
  g_test_add_func ("/task/made-outside", test_made_outside);
  add_coroutine ("/task/unreferenced", test_unreferenced);
  add_coroutine ("/task/weak-reference", test_weak_reference);
  add_coroutine ("/task/rounding/own", test_rounding);
  add_coroutine ("/task/rounding/nested", test_rounding_nested);
  add_coroutine ("/task/end-cancels-next", test_end_cancels_next);
  add_coroutine ("/task/end-on-large-stack", test_end_on_large_stack);
  add_coroutine ("/task/never-awaited", test_never_awaited);
  add_coroutine ("/task/names", test_names);
  add_coroutine ("/task/names/inside", test_name_inside);
  add_coroutine ("/task/current", test_current);
  add_coroutine ("/task/current/interleaved", test_current_interleaved);
  add_coroutine ("/task/all", test_all);
  g_test_add_func ("/task/outside", test_outside);
  add_coroutine ("/task/stack-size", test_stack_size);
  add_coroutine ("/task/compound-literals", test_compound_literals);
  return g_test_run ();
}
