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

/* Outside of tasks too; it runs when the thread's main loop does. */
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

/* Nobody but the library keeps it, and it can be found again. */
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

/* What a task does to its rounding is not the next one's. */
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

/* But in a main loop that a task runs they begin with that one's. */
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

/* What frees a result may need more than the task's own stack has. */
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

/* The last of a task is outside of all, and before the next one begins. */
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

/* It knows its name although it was named after it was made; it begins later. */
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

/* ---- Results ---- */

static GtxTask *shared_task;

static char *
make_string (const char *text, GError **error)
{
  return text ? g_strdup (text) : NULL;
}

static gboolean
test_result (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  char *lent = gtx_await_peek_pointer (task, error);

  g_assert_cmpstr (lent, ==, "hello");
  g_assert_true (lent == gtx_await_peek_pointer (task, error));
  g_assert_true (lent == gtx_future_get_result (task));
  g_assert_null (gtx_future_get_error (task));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static gboolean
test_result_stolen (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  g_autofree char *stolen = NULL;

  g_assert_true (gtx_await (task, error));
  stolen = gtx_task_steal_pointer (task);
  g_assert_cmpstr (stolen, ==, "hello");
  g_assert_null (gtx_task_steal_pointer (task));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* A gathering and others that wait leave it there for one. */
static gboolean
test_result_taken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  g_autofree char *taken = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, task, NULL));
  g_assert_true (gtx_wait_for (task, 1, error));
  taken = gtx_await_pointer (task, error);
  g_assert_cmpstr (taken, ==, "hello");

  g_assert_null (gtx_task_steal_pointer (task));
  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, task, NULL));
  g_clear_object (&task);
  g_assert_cmpint (n_freed, ==, 0);
  return TRUE;
}

/* Two wait for it, and one of them gets it. */
static gboolean
take_for (int *n_taken, GError **error)
{
  g_autofree char *taken = gtx_await_pointer (shared_task, error);

  *n_taken += taken != NULL;
  return taken != NULL;
}

static gboolean
test_result_taken_by_one (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = NULL;
  g_autoptr (GtxTask) second = NULL;
  int n_taken = 0;

  shared_task = gtx_create_task_pointer (make_string, "hello", NULL, count_free);
  first = gtx_create_task (take_for, &n_taken, NULL);
  second = gtx_create_task (take_for, &n_taken, NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, first, second, NULL));
  g_assert_cmpint (n_taken, ==, 1);
  g_assert_null (gtx_future_get_error (first));
  g_assert_error (gtx_future_get_error (second), GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_clear_object (&shared_task);
  return TRUE;
}

/* Nobody but its group has it, which drops it when it is done. */
static gboolean
test_result_of_child (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autofree char *taken = NULL;
  GtxTask *child;

  gtx_task_group_begin (&group);
  child = gtx_task_group_create_task_pointer (&group, make_string, "hello", NULL, g_free, error);
  taken = gtx_await_pointer (child, error);
  g_assert_cmpstr (taken, ==, "hello");
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
test_result_not_taken (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task_pointer (make_string, "hello", NULL, count_free));
  gtx_sleep (0, NULL);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static GtxFuture *
give_future (GtxFuture *future, GError **error)
{
  return g_object_ref (future);
}

/* A result that is a future is a result like any other, and not awaited. */
static gboolean
test_result_future (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task_pointer (give_future, future, NULL, g_object_unref);
  g_autoptr (GtxFuture) got = gtx_await_pointer (task, error);

  g_assert_true (got == future);
  g_assert_false (gtx_future_is_done (future));
  return TRUE;
}

static void
note_word (gpointer future, gpointer word)
{
  note (word);
}

/* Freeing a result makes futures and tasks, and ends some. */
static void
free_busily (gpointer result)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "never", NULL);

  gtx_future_add_done_callback (future, note_word, ".", NULL);
  gtx_future_set_result (future, NULL, NULL);
  gtx_cancel (task);
  count_free (result);
}

static gboolean
test_result_freed_busily (gpointer data, GError **error)
{
  enum { N = 100 };
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < N; i++)
    g_ptr_array_add (tasks, gtx_create_task_pointer (make_string, "hello", NULL, free_busily));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_ptr_array_set_size (tasks, 0);
  g_assert_cmpint (n_freed, ==, N);
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpuint (trace->len, ==, 2 * N - 1);
  return TRUE;
}

static gboolean
test_result_null (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string, (const char *) NULL, NULL, count_free);
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_no_error (failure);
  g_assert_true (gtx_await (task, &failure));
  return TRUE;
}

static char *
make_string_and_fail (gpointer data, GError **error)
{
  fail ("failed all the same", error);
  return g_strdup ("lost");
}

static gboolean
test_result_and_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_pointer (make_string_and_fail, NULL, NULL, count_free);
  g_autoptr (GError) failure = NULL;

  g_assert_null (gtx_await_pointer (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpint (n_freed, ==, 1);
  return TRUE;
}

static void
note_freed (gpointer data)
{
  g_free (data);
  note ("freed");
}

static void
note_done (gpointer future, gpointer data)
{
  note (data);
}

static gboolean
test_data_freed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, g_strdup ("ran"), note_freed);

  gtx_future_add_done_callback (task, note_done, "done", NULL);
  g_assert_true (gtx_await (task, error));
  assert_trace ("ran freed done");
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
test_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail, "no luck", NULL);
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  g_assert_false (gtx_await (task, &first));
  g_assert_false (gtx_await (task, &second));
  g_assert_error (first, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (second->message, ==, "no luck");
  g_assert_true (first != second);
  g_assert_false (gtx_future_is_cancelled (task));
  g_assert_cmpstr (gtx_future_get_error (task)->message, ==, "no luck");
  return TRUE;
}

static gboolean
test_error_never_retrieved (gpointer data, GError **error)
{
  GtxTask *task = gtx_create_task (fail, "no luck", NULL);

  gtx_sleep (0, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "fail: its error was never retrieved: no luck");
  g_object_unref (task);
  g_test_assert_expected_messages ();
  return TRUE;
}

/* Each of these counts as having asked for the error: none warns. */
static gboolean
test_error_retrieved (gpointer data, GError **error)
{
  g_autoptr (GtxTask) awaited = gtx_create_task (fail, "awaited", NULL);
  g_autoptr (GtxTask) asked = gtx_create_task (fail, "asked", NULL);
  g_autoptr (GtxTask) cancelled = gtx_create_task (fail, "cancelled", NULL);

  g_assert_false (gtx_await (awaited, NULL));
  g_assert_nonnull (gtx_future_get_error (asked));
  g_assert_false (gtx_cancel (cancelled));
  return TRUE;
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

/* It lives as long as the block of the call. */
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
  add_coroutine ("/task/result/lent", test_result);
  add_coroutine ("/task/result/stolen", test_result_stolen);
  add_coroutine ("/task/result/taken", test_result_taken);
  add_coroutine ("/task/result/taken-by-one", test_result_taken_by_one);
  add_coroutine ("/task/result/of-child", test_result_of_child);
  add_coroutine ("/task/result/not-taken", test_result_not_taken);
  add_coroutine ("/task/result/future", test_result_future);
  add_coroutine ("/task/result/freed-busily", test_result_freed_busily);
  add_coroutine ("/task/result/null", test_result_null);
  add_coroutine ("/task/result/with-an-error", test_result_and_error);
  add_coroutine ("/task/data-freed", test_data_freed);
  add_coroutine ("/task/error/each-gets-a-copy", test_error);
  add_coroutine ("/task/error/never-retrieved", test_error_never_retrieved);
  add_coroutine ("/task/error/retrieved", test_error_retrieved);
  add_coroutine ("/task/stack-size", test_stack_size);
  add_coroutine ("/task/compound-literals", test_compound_literals);
  return g_test_run ();
}
