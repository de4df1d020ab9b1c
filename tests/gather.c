/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* ---- Results ---- */

static char *
shout (char *word, GError **error)
{
  return gtx_sleep (strlen (word), error) ? g_ascii_strup (word, -1) : NULL;
}

static gboolean
test_results (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  char words[][8] = { "three", "a", "to" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (tasks, gtx_create_task_pointer (shout, words[i], NULL, g_free));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 5);
  g_assert_cmpstr (gtx_future_get_result (tasks->pdata[0]), ==, "THREE");
  g_assert_cmpstr (gtx_future_get_result (tasks->pdata[1]), ==, "A");
  g_assert_cmpstr (gtx_future_get_result (tasks->pdata[2]), ==, "TO");
  return TRUE;
}

static gboolean
test_nothing (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_true (gtx_gather (none, GTX_GATHER_NONE, error));
  assert_trace ("");
  return gtx_await (other, error);
}

static gboolean
test_all_done (gpointer data, GError **error)
{
  g_autoptr (GtxTask) done = gtx_create_task (note_and_return, "done", NULL);
  g_autoptr (GtxTask) other = NULL;

  g_assert_true (gtx_await (done, error));
  other = gtx_create_task (note_and_return, "other", NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, done, done, NULL));
  assert_trace ("done");
  return gtx_await (other, error);
}

static gboolean
test_starts (gpointer data, GError **error)
{
  g_autoptr (GtxTask) unstarted = gtx_task_new (sleep_and_note, "5:ran", NULL);
  g_autoptr (GtxFuture) future = gtx_future_new ();

  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, unstarted, future, NULL));
  assert_trace ("ran");
  g_assert_true (g_str_has_prefix (gtx_task_get_name (unstarted), "Task-"));
  return TRUE;
}

static gboolean
test_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = sleeper ("5:once");

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, task, task, NULL));
  assert_trace ("once");
  return TRUE;
}

/* ---- Errors ---- */

static gboolean
fail_later (const char *what, GError **error)
{
  return sleep_and_note (what, error) && fail (what, error);
}

static gboolean
test_first_error (gpointer data, GError **error)
{
  g_autoptr (GtxTask) slow = gtx_create_task (fail_later, "20:slow", NULL);
  g_autoptr (GtxTask) fast = gtx_create_task (fail_later, "10:fast", NULL);
  g_autoptr (GtxTask) good = sleeper ("30:good");
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, slow, fast, good, NULL));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (failure->message, ==, "10:fast");
  assert_trace ("fast");
  g_assert_false (gtx_future_is_done (slow) || gtx_future_is_done (good));

  /* The other futures go on, and the library does not warn of the second error. */
  gtx_sleep (1, NULL);
  assert_trace ("slow good");
  return TRUE;
}

static gboolean
test_error_of_the_first_named (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (fail, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (fail, "b", NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, b, a, NULL));
  g_assert_cmpstr (failure->message, ==, "b");
  return TRUE;
}

static gboolean
test_return_errors (gpointer data, GError **error)
{
  g_autoptr (GtxTask) slow = gtx_create_task (fail_later, "20:slow", NULL);
  g_autoptr (GtxTask) fast = gtx_create_task (fail_later, "10:fast", NULL);
  g_autoptr (GtxTask) good = sleeper ("30:good");

  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, slow, fast, good, NULL));
  assert_trace ("fast slow good");
  g_assert_cmpstr (gtx_future_get_error (slow)->message, ==, "20:slow");
  g_assert_cmpstr (gtx_future_get_error (fast)->message, ==, "10:fast");
  g_assert_null (gtx_future_get_error (good));
  return TRUE;
}

static GtxFuture *
failed_future (void)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_error (future, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "failed"));
  return future;
}

static GtxFuture *
cancelled_future (void)
{
  GtxFuture *future = gtx_future_new ();

  gtx_cancel (future);
  return future;
}

static GtxFuture *
set_future (const char *result)
{
  GtxFuture *future = gtx_future_new ();

  gtx_future_set_result (future, (gpointer) result, NULL);
  return future;
}

/* If a gathering ended by an error or a cancellation, it no longer watches the other
 * futures, whatever their outcome. */
static gboolean
end_by (GtxFuture *last, GError **error)
{
  g_autoptr (GtxFuture) set = set_future ("1");
  GtxFuture *later[3] = { gtx_future_new (), gtx_future_new (), gtx_future_new () };

  if (gtx_gather_list (GTX_GATHER_NONE, error, set, last, later[0], later[1], later[2], NULL))
    g_assert_not_reached ();
  for (guint i = 0; i < G_N_ELEMENTS (later); i++)
    g_assert_false (gtx_future_is_done (later[i]));
  gtx_future_set_result (later[0], NULL, NULL);
  gtx_cancel (later[1]);
  gtx_future_set_error (later[2], g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "late"));
  g_assert_nonnull (gtx_future_get_error (later[2]));
  gtx_sleep (0, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (later); i++)
    g_assert_finalize_object (later[i]);
  return FALSE;
}

static gboolean
test_afterwards (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) failed = failed_future ();
  g_autoptr (GtxFuture) cancelled = cancelled_future ();
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) cancellation = NULL;

  g_assert_false (end_by (failed, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_false (end_by (cancelled, &cancellation));
  assert_cancelled (cancellation);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (0, error);
}

/* The gathering keeps no reference to a future that goes on. */
static gboolean
test_lets_go (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) failed = failed_future ();
  g_autoptr (GtxFuture) cancelled = cancelled_future ();
  gpointer ended[] = { failed, cancelled };

  for (guint i = 0; i < G_N_ELEMENTS (ended); i++)
    {
      GtxFuture *survivor = gtx_future_new ();

      g_assert_false (gtx_gather_list (GTX_GATHER_NONE, NULL, survivor, ended[i], NULL));
      g_assert_false (gtx_future_is_done (survivor));
      g_assert_finalize_object (survivor);
    }
  return TRUE;
}

/* ---- Cancelling ---- */

static gboolean
test_member_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("10:a");
  g_autoptr (GtxTask) b = sleeper ("20:b");
  g_autoptr (GError) failure = NULL;

  gtx_cancel (a);
  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, a, b, NULL));
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  g_assert_false (gtx_future_is_done (b));
  return gtx_await (b, error);
}

static gboolean
test_member_cancelled_returned (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("10:a");
  g_autoptr (GtxTask) b = sleeper ("20:b");

  gtx_cancel (a);
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, a, b, NULL));
  assert_trace ("b");
  assert_cancelled (gtx_future_get_error (a));
  g_assert_true (gtx_future_is_cancelled (a));
  return TRUE;
}

/* The gathering waits for all futures, and each keeps its result, error or cancellation. */
static gboolean
test_all_kinds_returned (gpointer data, GError **error)
{
  g_autoptr (GtxTask) slow = sleeper ("10:slow");
  g_autoptr (GtxFuture) one = set_future ("1");
  g_autoptr (GtxFuture) failed = failed_future ();
  g_autoptr (GtxFuture) cancelled = cancelled_future ();
  g_autoptr (GtxTask) late = gtx_create_task (fail_later, "20:late", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, one, failed, cancelled, slow, cancelled,
                                  late, NULL));
  g_assert_cmpfloat (gtx_get_time (), ==, 0.02);
  g_assert_cmpstr (gtx_future_get_result (one), ==, "1");
  g_assert_error (gtx_future_get_error (failed), G_IO_ERROR, G_IO_ERROR_EXISTS);
  assert_cancelled (gtx_future_get_error (cancelled));
  g_assert_null (gtx_future_get_error (slow));
  g_assert_error (gtx_future_get_error (late), G_IO_ERROR, G_IO_ERROR_FAILED);
  return TRUE;
}

typedef struct
{
  GtxTask *a;
  GtxTask *b;
  GtxGatherFlags flags;
} Pair;

static gboolean
gather_pair (Pair *pair, GError **error)
{
  gboolean succeeded = gtx_gather_list (pair->flags, error, pair->a, pair->b, NULL);

  note (succeeded ? "gathered" : "not-gathered");
  return succeeded;
}

static void
cancel_from_outside (GtxGatherFlags flags)
{
  g_autoptr (GtxTask) a = sleeper ("10:a");
  g_autoptr (GtxTask) b = sleeper ("20:b");
  Pair pair = { a, b, flags };
  g_autoptr (GtxTask) gatherer = gtx_create_task (gather_pair, &pair, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.015, NULL);
  g_assert_true (gtx_cancel (gatherer));
  g_assert_false (gtx_await (gatherer, &failure));
  assert_cancelled (failure);
  assert_trace ("a b! not-gathered");
  g_assert_true (gtx_future_is_cancelled (gatherer));
  g_assert_false (gtx_future_is_cancelled (a));
  g_assert_true (gtx_future_is_cancelled (b));
  g_assert_false (gtx_cancel (gatherer));
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  cancel_from_outside (GTX_GATHER_NONE);
  return TRUE;
}

static gboolean
test_cancelled_returned (gpointer data, GError **error)
{
  cancel_from_outside (GTX_GATHER_RETURN_ERRORS);
  return TRUE;
}

static gboolean
swallow (gpointer data, GError **error)
{
  gtx_sleep (1000, NULL);
  note ("swallowed");
  return TRUE;
}

/* A task that was named twice gets the request twice. */
static gboolean
test_cancelled_swallowed (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (swallow, NULL, NULL);
  Pair pair = { a, a, GTX_GATHER_RETURN_ERRORS };
  g_autoptr (GtxTask) gatherer = gtx_create_task (gather_pair, &pair, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (1, NULL);
  gtx_cancel (gatherer);
  g_assert_false (gtx_await (gatherer, &failure));
  assert_cancelled (failure);
  assert_trace ("swallowed not-gathered");
  g_assert_cmpuint (gtx_cancelling (a), ==, 2);
  return TRUE;
}

static gboolean
swallow_and_fail (gpointer data, GError **error)
{
  g_assert_false (sleep_long (NULL, NULL));
  return fail ("late", error);
}

static gboolean
gather_one (GtxTask *task, GError **error)
{
  return gtx_gather_list (GTX_GATHER_NONE, error, task, NULL);
}

static void
cancel_other (gpointer future, gpointer other)
{
  gtx_cancel (other);
}

/* The first request was passed on and swallowed.  The second cannot be passed on, because all
 * futures are done. */
static gboolean
test_cancelled_when_all_done (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (swallow_and_fail, NULL, NULL);
  g_autoptr (GtxTask) gatherer = gtx_task_new (gather_one, task, NULL);

  gtx_future_add_done_callback (task, cancel_other, gatherer, NULL);
  gtx_task_start (gatherer);
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (gatherer);
  g_assert_false (gtx_await (gatherer, NULL));
  g_assert_true (gtx_future_is_cancelled (gatherer));
  return TRUE;
}

static gboolean
test_cancelled_before (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = sleeper ("10:a");
  g_autoptr (GtxTask) b = sleeper ("20:b");
  g_autoptr (GError) failure = NULL;

  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, a, b, NULL));
  assert_cancelled (failure);
  gtx_sleep (1, NULL);
  g_assert_true (gtx_future_is_cancelled (a) && gtx_future_is_cancelled (b));
  assert_trace ("");
  return TRUE;
}

/* ---- Futures that a thread sets meanwhile ---- */

#define N_SET_MEANWHILE 1000

static gint may_set;

static gpointer
set_all (gpointer futures)
{
  GPtrArray *these = futures;

  while (!g_atomic_int_get (&may_set))
    g_thread_yield ();
  for (guint i = 1; i < N_SET_MEANWHILE; i++)
    gtx_future_set_result (g_ptr_array_index (these, i), NULL, NULL);
  return NULL;
}

static gboolean
take_a_little_time (gpointer data, GError **error)
{
  return gtx_sleep (0.005, error);
}

/* Each future counts once, so that the gathering does not end too early. */
static gboolean
test_set_meanwhile (gpointer data, GError **error)
{
  for (guint round = 0; round < 100; round++)
    {
      g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
      GThread *thread;

      for (guint i = 0; i < N_SET_MEANWHILE; i++)
        g_ptr_array_add (futures, gtx_future_new ());
      gtx_future_set_result (g_ptr_array_index (futures, 0), NULL, NULL);
      g_ptr_array_add (futures, gtx_create_task (take_a_little_time, NULL, NULL));
      g_atomic_int_set (&may_set, FALSE);
      thread = g_thread_new ("sets", set_all, futures);
      g_usleep (100);           /* so that the thread likely waits; the test succeeds in any case */
      g_atomic_int_set (&may_set, TRUE);
      g_assert_true (gtx_gather (futures, GTX_GATHER_NONE, error));
      for (guint i = 0; i < futures->len; i++)
        g_assert_true (gtx_future_is_done (g_ptr_array_index (futures, i)));
      g_thread_join (thread);
    }
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_itself (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, gtx_current_task (), NULL));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  return TRUE;
}

static gboolean
test_no_future (gpointer data, GError **error)
{
  g_autoptr (GCancellable) none = g_cancellable_new ();
  g_autoptr (GtxTask) task = sleeper ("10:slept");
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_gather: takes a GtxFuture or GtxTask*GCancellable");
  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, task, none, NULL));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return gtx_await (task, error);
}

static void
test_outside (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_gather_list (GTX_GATHER_NONE, &failure, future, NULL));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&failure);
  g_assert_false (gtx_gather (none, GTX_GATHER_NONE, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static gboolean
gather_array (GPtrArray *tasks, GError **error)
{
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Changes that the caller makes to its array meanwhile have no effect. */
static gboolean
test_array_changes (gpointer data, GError **error)
{
  for (int repeats = FALSE; repeats <= TRUE; repeats++)
    {
      g_autoptr (GPtrArray) tasks = g_ptr_array_new ();
      g_autoptr (GtxTask) first = gtx_create_task (sleep_long, NULL, NULL);
      g_autoptr (GtxTask) second = gtx_create_task (sleep_long, NULL, NULL);
      g_autoptr (GtxTask) next = gtx_create_task (sleep_long, NULL, NULL);
      g_autoptr (GtxTask) gathering = NULL;

      g_ptr_array_add (tasks, first);
      g_ptr_array_add (tasks, second);
      if (repeats)
        g_ptr_array_add (tasks, first);
      gathering = gtx_create_task (gather_array, tasks, NULL);
      gtx_sleep (0, NULL);
      g_ptr_array_set_size (tasks, 0);
      g_ptr_array_add (tasks, next);
      gtx_cancel (gathering);
      g_assert_cmpuint (gtx_cancelling (first), ==, repeats ? 2 : 1);
      g_assert_cmpuint (gtx_cancelling (second), ==, 1);
      g_assert_cmpuint (gtx_cancelling (next), ==, 0);
      g_assert_false (gtx_await (gathering, NULL));
      gtx_cancel (next);
      g_assert_false (gtx_await (next, NULL));
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/gather/results", test_results);
  add_coroutine ("/gather/nothing", test_nothing);
  add_coroutine ("/gather/all-done", test_all_done);
  add_coroutine ("/gather/starts", test_starts);
  add_coroutine ("/gather/twice", test_twice);
  add_coroutine ("/gather/error/first-to-fail", test_first_error);
  add_coroutine ("/gather/error/first-named", test_error_of_the_first_named);
  add_coroutine ("/gather/error/returned", test_return_errors);
  add_coroutine ("/gather/error/afterwards", test_afterwards);
  add_coroutine ("/gather/lets-go", test_lets_go);
  add_coroutine ("/gather/cancel/member", test_member_cancelled);
  add_coroutine ("/gather/cancel/member-returned", test_member_cancelled_returned);
  add_coroutine ("/gather/all-kinds-returned", test_all_kinds_returned);
  add_coroutine ("/gather/cancel/from-outside", test_cancelled);
  add_coroutine ("/gather/cancel/from-outside-returned", test_cancelled_returned);
  add_coroutine ("/gather/cancel/swallowed", test_cancelled_swallowed);
  add_coroutine ("/gather/cancel/when-all-done", test_cancelled_when_all_done);
  add_coroutine ("/gather/cancel/before", test_cancelled_before);
  add_real_coroutine ("/gather/set-meanwhile", test_set_meanwhile);
  add_coroutine ("/gather/misuse/itself", test_itself);
  add_coroutine ("/gather/misuse/no-future", test_no_future);
  g_test_add_func ("/gather/misuse/outside", test_outside);
  add_coroutine ("/gather/array-changes", test_array_changes);
  return g_test_run ();
}
