/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

/* A condition and its lock for each test. */
static GtxCondition *condition;
static GtxLock *lock;

static gboolean
wait_and_note (const char *word, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);
  g_autofree char *cancelled = g_strconcat (word, "!", NULL);

  if (holder == NULL)
    return FALSE;
  if (gtx_condition_wait (condition, error))
    {
      note (word);
      return TRUE;
    }
  g_assert_true (gtx_lock_locked (lock));
  note (cancelled);
  return FALSE;
}

static GtxTask *
waiter (const char *word)
{
  return gtx_create_task (wait_and_note, word, NULL);
}

static void
notify (guint n)
{
  g_assert_true (gtx_lock_acquire (lock, NULL));
  g_assert_true (gtx_condition_notify (condition, n));
  gtx_lock_release (lock);
}

static gboolean
wait_and_keep (const char *word, GError **error)
{
  if (!gtx_lock_acquire (lock, error) || !gtx_condition_wait (condition, error))
    return FALSE;
  note (word);
  return TRUE;
}

/* Each task keeps the lock that it got back, and another task releases it. */
static gboolean
test_lock_kept (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (wait_and_keep, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (wait_and_keep, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (wait_and_keep, "c", NULL);

  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_lock_locked (lock));
  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_condition_notify (condition, 1));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a");
  g_assert_true (gtx_condition_notify (condition, 2));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("b");
  gtx_lock_release (lock);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("c");
  g_assert_true (gtx_lock_locked (lock));
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL);
}

static gboolean
test_notify (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");
  g_autoptr (GtxTask) b = waiter ("b");
  g_autoptr (GtxTask) c = waiter ("c");

  g_assert_true (gtx_sleep (1, error));
  g_assert_false (gtx_lock_locked (lock));
  notify (1);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("a");
  /* A larger number than that of the waiting tasks wakes them all. */
  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_condition_notify (condition, 1));
  g_assert_true (gtx_condition_notify (condition, 2048));
  gtx_lock_release (lock);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("b c");
  g_assert_false (gtx_lock_locked (lock));
  return TRUE;
}

static gboolean
test_notify_all (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");
  g_autoptr (GtxTask) b = waiter ("b");

  g_assert_true (gtx_sleep (1, error));
  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_condition_notify_all (condition));
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("a b");
  return TRUE;
}

static gboolean
wait_until_three (int *n, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  if (holder == NULL)
    return FALSE;
  while (*n < 3)
    if (!gtx_condition_wait (condition, error))
      return FALSE;
  note ("three");
  return TRUE;
}

static gboolean
test_predicate (gpointer data, GError **error)
{
  int n = 0;
  g_autoptr (GtxTask) task = gtx_create_task (wait_until_three, &n, NULL);

  for (; n < 3; n++)
    {
      g_assert_true (gtx_sleep (1, error));
      assert_trace ("");
      notify (1);
    }
  notify (1);
  return gtx_await (task, error);
}

/* ---- Cancelling ---- */

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  g_assert_false (gtx_await (a, &failure));
  assert_cancelled (failure);
  assert_trace ("a!");
  g_assert_false (gtx_lock_locked (lock));
  return TRUE;
}

/* The task must have the lock again before its wait can fail as cancelled. */
static gboolean
test_cancelled_while_locked (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_lock_acquire (lock, error));
  gtx_cancel (a);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  gtx_cancel (a);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_false (gtx_await (a, NULL));
  assert_trace ("a!");
  return TRUE;
}

/* b gets the notification that a had got. */
static gboolean
test_notified_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");
  g_autoptr (GtxTask) b = waiter ("b");

  g_assert_true (gtx_sleep (0, error));
  notify (1);
  gtx_cancel (a);
  g_assert_true (gtx_await (b, error));
  assert_trace ("a! b");
  g_assert_true (gtx_future_is_cancelled (a));
  return TRUE;
}

/* The task is cancelled while it waits for the lock. */
static gboolean
test_cancelled_relocking (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = waiter ("a");
  g_autoptr (GtxTask) b = waiter ("b");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_condition_notify (condition, 1));
  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (a);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  gtx_lock_release (lock);
  g_assert_true (gtx_await (b, error));
  assert_trace ("a! b");
  g_assert_true (gtx_future_is_cancelled (a));
  assert_cancelled (gtx_future_get_error (a));
  return TRUE;
}

static gboolean
consume (int *stock, GError **error)
{
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

  while (holder)
    {
      while (*stock == 0)
        if (!gtx_condition_wait (condition, error))
          return FALSE;
      if (*stock < 0)
        return TRUE;
      --*stock;
    }
  return FALSE;
}

/* The first consumer is cancelled before, or after, it has been woken: the second takes
 * the item. */
static void
consume_in_spite (gboolean woken)
{
  int stock = 0;
  g_autoptr (GtxTask) first = gtx_create_task (consume, &stock, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (consume, &stock, NULL);
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0, NULL);
  gtx_lock_acquire (lock, NULL);
  stock = 1;
  g_assert_true (gtx_condition_notify (condition, 1));
  if (woken)
    gtx_sleep (0, NULL);
  gtx_cancel (first);
  gtx_timeout_begin (&timeout, 0.01);
  while (stock != 0 && gtx_condition_wait (condition, &failure))
    ;
  gtx_timeout_end (&timeout, &failure, NULL);
  g_assert_cmpint (stock, ==, 0);
  stock = -1;
  g_assert_true (gtx_condition_notify_all (condition));
  gtx_lock_release (lock);
  g_assert_true (gtx_await (second, NULL));
  g_assert_true (gtx_future_is_cancelled (first));
}

static gboolean
test_wakeup_not_lost (gpointer data, GError **error)
{
  consume_in_spite (FALSE);
  consume_in_spite (TRUE);
  return TRUE;
}

static gboolean
test_timeout_inside (gpointer data, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);
  g_autoptr (GError) result = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_nonnull (holder);
  gtx_timeout_begin (&timeout, 1);
  g_assert_false (gtx_condition_wait (condition, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (gtx_lock_locked (lock));
  return TRUE;
}

/* ---- Mistakes ---- */

static gboolean
test_not_locked (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_condition_wait (condition, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_condition_notify: *is not locked*");
  g_assert_false (gtx_condition_notify (condition, 1));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_condition_notify: *is not locked*");
  g_assert_false (gtx_condition_notify_all (condition));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_lock_given (gpointer data, GError **error)
{
  g_autoptr (GtxLock) own = gtx_lock_new ();
  g_autoptr (GtxCondition) first = gtx_condition_new (own);
  g_autoptr (GtxCondition) second = gtx_condition_new (own);

  g_assert_true (gtx_condition_get_lock (first) == own && gtx_condition_get_lock (second) == own);
  g_assert_true (GTX_IS_LOCK (lock) && lock != own);
  g_assert_false (gtx_lock_locked (own));
  g_assert_true (gtx_lock_acquire (own, error));
  g_assert_true (gtx_condition_notify (second, 1));
  gtx_lock_release (own);
  return TRUE;
}

/* Returns with the lock locked. */
static gboolean
wait_a_moment (GtxCondition *own, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) result = NULL;

  g_assert_true (gtx_lock_acquire (gtx_condition_get_lock (own), error));
  gtx_timeout_begin (&timeout, 0.001);
  g_assert_false (gtx_condition_wait (own, &failure));
  g_assert_false (gtx_timeout_end (&timeout, &failure, &result));
  g_assert_error (result, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
}

static gboolean
wait_elsewhere (GtxCondition *other, GError **error)
{
  return gtx_condition_wait (other, error);
}

/* A condition belongs to the main context in which a task waited for it first. */
static void
test_two_contexts (void)
{
  g_autoptr (GtxCondition) other = gtx_condition_new (NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_run (wait_a_moment, other, &error));
  g_assert_no_error (error);
  g_main_context_push_thread_default (context);
  g_assert_false (gtx_run (wait_elsewhere, other, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_main_context_pop_thread_default (context);
  g_assert_true (gtx_lock_locked (gtx_condition_get_lock (other)));
}

static void
run_with_condition (gconstpointer data)
{
  condition = gtx_condition_new (NULL);
  lock = gtx_condition_get_lock (condition);
  run_coroutine (data);
  g_clear_object (&condition);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_condition)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("/condition/lock-kept", test_lock_kept);
  add ("/condition/notify", test_notify);
  add ("/condition/notify-all", test_notify_all);
  add ("/condition/predicate", test_predicate);
  add ("/condition/cancelled", test_cancelled);
  add ("/condition/cancelled-while-locked", test_cancelled_while_locked);
  add ("/condition/notified-then-cancelled", test_notified_then_cancelled);
  add ("/condition/cancelled-relocking", test_cancelled_relocking);
  add ("/condition/wakeup-not-lost", test_wakeup_not_lost);
  add ("/condition/timeout-inside", test_timeout_inside);
  add ("/condition/not-locked", test_not_locked);
  add ("/condition/lock-given", test_lock_given);
  g_test_add_func ("/condition/two-contexts", test_two_contexts);
  return g_test_run ();
}
