/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxLock *lock;

static gboolean
acquire_and_note (const char *word, GError **error)
{
  if (!gtx_lock_acquire (lock, error))
    return FALSE;
  note (word);
  return TRUE;
}

/* Holds the lock for a second. */
static gboolean
hold (const char *word, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  if (holder == NULL)
    return FALSE;
  note (word);
  return gtx_sleep (1, error);
}

static gboolean
test_free (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_false (gtx_lock_locked (lock));
  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_lock_locked (lock));
  assert_trace ("");
  g_assert_true (gtx_lock_release (lock));
  g_assert_false (gtx_lock_locked (lock));
  return gtx_await (other, error);
}

static gboolean
test_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (hold, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (hold, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (hold, "c", NULL);

  g_assert_true (gtx_sleep (0.5, error));
  assert_trace ("a");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("b c");
  g_assert_cmpfloat (gtx_get_time (), ==, 3);
  g_assert_false (gtx_lock_locked (lock));
  return TRUE;
}

/* The tasks that get the lock do not release it; a task that comes while the lock is
 * handed on is last. */
static gboolean
test_handed_on (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (acquire_and_note, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (acquire_and_note, "b", NULL);
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  c = gtx_create_task (acquire_and_note, "c", NULL);
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("b");
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("c");
  g_assert_true (gtx_future_is_done (a) && gtx_future_is_done (b) && gtx_future_is_done (c));
  gtx_lock_release (lock);
  return TRUE;
}

static gboolean
test_released_by_another (gpointer data, GError **error)
{
  g_autoptr (GtxTask) waiter = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  waiter = gtx_create_task (acquire_and_note, "in", NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_lock_release (lock);
  g_assert_true (gtx_await (waiter, error));
  g_assert_true (gtx_lock_release (lock));
  return TRUE;
}

/* The lock is free, but the first task gets it. */
static gboolean
test_no_overtaking (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  first = gtx_create_task (hold, "first", NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_lock_release (lock);
  g_assert_false (gtx_lock_locked (lock));
  g_assert_true (gtx_lock_acquire (lock, error));
  assert_trace ("first");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  gtx_lock_release (lock);
  return gtx_await (first, error);
}

static gboolean
test_waiter_cancelled (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxTask) waiter = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  waiter = gtx_create_task (acquire_and_note, "in", NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (waiter);
  g_assert_false (gtx_await (waiter, &failure));
  assert_cancelled (failure);
  assert_trace ("");
  g_assert_true (gtx_lock_locked (lock));
  g_assert_true (gtx_lock_release (lock));
  return TRUE;
}

/* The lock was given to a, which is cancelled in the same round, so b gets it. */
static gboolean
test_woken_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  a = gtx_create_task (hold, "a", NULL);
  b = gtx_create_task (hold, "b", NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_lock_release (lock);
  gtx_cancel (a);
  g_assert_true (gtx_await (b, error));
  assert_trace ("b");
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_false (gtx_lock_locked (lock));
  return TRUE;
}

/* The first task in line was cancelled and has not run yet.  Only the next task gets the lock. */
static gboolean
test_cancelled_then_released (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  a = gtx_create_task (acquire_and_note, "a", NULL);
  b = gtx_create_task (acquire_and_note, "b", NULL);
  c = gtx_create_task (acquire_and_note, "c", NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  gtx_lock_release (lock);
  g_assert_false (gtx_await (a, NULL));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("b");
  g_assert_true (gtx_future_is_cancelled (a) && gtx_future_is_done (b));
  gtx_lock_release (lock);
  g_assert_true (gtx_await (c, error));
  return gtx_lock_release (lock);
}

static gboolean
hold_until (GtxFuture *future, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  return holder && (future == NULL || gtx_await (future, error));
}

/* In one round the holder is woken and the first task in line is cancelled. */
static gboolean
test_cancelled_while_released (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) enough = gtx_future_new ();
  g_autoptr (GtxTask) a = gtx_create_task (hold_until, enough, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (hold_until, (GtxFuture *) NULL, NULL);
  g_autoptr (GtxTask) c = gtx_create_task (hold_until, (GtxFuture *) NULL, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_lock_locked (lock));
  gtx_future_set_result (enough, NULL, NULL);
  gtx_cancel (b);
  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_lock_locked (lock));
  g_assert_true (gtx_future_is_done (a) && gtx_future_is_cancelled (b));
  return gtx_await (c, error);
}

/* All waiting tasks were cancelled.  A new task does not wait for them. */
static gboolean
test_past_the_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  a = gtx_create_task (acquire_and_note, "a", NULL);
  g_assert_true (gtx_sleep (0, error));
  b = gtx_create_task (acquire_and_note, "b", NULL);
  gtx_cancel (a);
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_lock_locked (lock));
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_true (gtx_await (b, error));
  assert_trace ("b");
  return gtx_lock_release (lock);
}

static gboolean
hold_and_fail (gpointer data, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  g_assert_true (gtx_lock_locked (lock));
  return holder && fail ("inside", error);
}

static gboolean
test_holder_releases (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (hold_and_fail (NULL, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (gtx_lock_locked (lock));
  return TRUE;
}

static gboolean
test_released_twice (gpointer data, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_lock_release: the lock is not locked*");
  g_assert_false (gtx_lock_release (lock));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
free_while_waiting (gpointer data, GError **error)
{
  g_autoptr (GtxLock) own = gtx_lock_new ();
  g_autoptr (GtxTask) waiter = NULL;

  g_assert_true (gtx_lock_acquire (own, error));
  waiter = gtx_create_task (gtx_lock_acquire, own, NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_lock_release (own);
  g_clear_object (&own);
  return gtx_await (waiter, error);
}

static void
test_outside (void)
{
  g_autoptr (GtxLock) own = gtx_lock_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_lock_acquire (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_false (gtx_lock_locked (own));
}

static gboolean
use_lock (GtxLock *own, GError **error)
{
  return gtx_lock_acquire (own, error) && gtx_lock_release (own);
}

static void
test_two_contexts (void)
{
  g_autoptr (GtxLock) own = gtx_lock_new ();
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run (use_lock, own, &error));
  g_assert_no_error (error);
  g_main_context_push_thread_default (context);
  g_assert_false (gtx_run (use_lock, own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_main_context_pop_thread_default (context);
}

int
main (int argc, char *argv[])
{
  int status;

  g_test_init (&argc, &argv, NULL);
  lock = gtx_lock_new ();
  add_coroutine ("/lock/free", test_free);
  add_coroutine ("/lock/in-order", test_in_order);
  add_coroutine ("/lock/handed-on", test_handed_on);
  add_coroutine ("/lock/released-by-another", test_released_by_another);
  add_coroutine ("/lock/no-overtaking", test_no_overtaking);
  add_coroutine ("/lock/waiter-cancelled", test_waiter_cancelled);
  add_coroutine ("/lock/woken-then-cancelled", test_woken_then_cancelled);
  add_coroutine ("/lock/cancelled-then-released", test_cancelled_then_released);
  add_coroutine ("/lock/cancelled-while-released", test_cancelled_while_released);
  add_coroutine ("/lock/past-the-cancelled", test_past_the_cancelled);
  add_coroutine ("/lock/holder-releases", test_holder_releases);
  add_coroutine ("/lock/released-twice", test_released_twice);
  add_coroutine ("/lock/freed-while-waited-for", free_while_waiting);
  g_test_add_func ("/lock/outside", test_outside);
  g_test_add_func ("/lock/two-contexts", test_two_contexts);
  status = g_test_run ();
  g_object_unref (lock);
  return status;
}
