/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxSemaphore *semaphore; /* of each test: lets two in */

static gboolean
hold (const char *word, GError **error)
{
  g_autoptr (GtxSemaphoreHolder) holder = gtx_semaphore_hold (semaphore, error);

  if (holder == NULL)
    return FALSE;
  note (word);
  return gtx_sleep (1, error);
}

static gboolean
acquire_and_note (const char *word, GError **error)
{
  if (!gtx_semaphore_acquire (semaphore, error))
    return FALSE;
  note (word);
  return TRUE;
}

static GtxTask *
acquirer (const char *word)
{
  return gtx_create_task (acquire_and_note, word, NULL);
}

static gboolean
take_both (GError **error)
{
  return gtx_semaphore_acquire (semaphore, error) && gtx_semaphore_acquire (semaphore, error);
}

static gboolean
test_two_at_a_time (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  const char *const words[] = { "a", "b", "c", "d", "e" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (tasks, gtx_create_task (hold, words[i], NULL));
  g_assert_true (gtx_sleep (0.5, error));
  assert_trace ("a b");
  g_assert_true (gtx_semaphore_locked (semaphore));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  assert_trace ("c d e");
  g_assert_cmpfloat (gtx_test_get_time (), ==, 3);
  g_assert_false (gtx_semaphore_locked (semaphore));
  return TRUE;
}

static gboolean
test_free (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_true (take_both (error));
  assert_trace ("");
  g_assert_true (gtx_semaphore_release (semaphore));
  g_assert_true (gtx_semaphore_release (semaphore));
  return gtx_await (other, error);
}

static gboolean
test_zero (gpointer data, GError **error)
{
  g_autoptr (GtxSemaphore) none = gtx_semaphore_new (0);
  g_autoptr (GtxTask) waiter = gtx_create_task (gtx_semaphore_acquire, none, NULL);

  g_assert_true (gtx_semaphore_locked (none));
  g_assert_true (gtx_sleep (1, error));
  g_assert_false (gtx_future_is_done (waiter));
  g_assert_true (gtx_semaphore_release (none));
  return gtx_await (waiter, error);
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  b = acquirer ("b");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_await (b, error));
  assert_trace ("b");
  g_assert_true (gtx_future_is_cancelled (a));
  return TRUE;
}

/* The place was to be a's; b gets it. */
static gboolean
test_woken_then_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  b = acquirer ("b");
  g_assert_true (gtx_sleep (0, error));
  gtx_semaphore_release (semaphore);
  gtx_cancel (a);
  g_assert_true (gtx_await (b, error));
  assert_trace ("b");
  gtx_semaphore_release (semaphore);
  gtx_semaphore_release (semaphore);
  g_assert_true (take_both (error));
  g_assert_true (gtx_semaphore_locked (semaphore));
  return TRUE;
}

/* All that wait are cancelled after a release: the place is free for others. */
static gboolean
test_all_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  b = acquirer ("b");
  g_assert_true (gtx_sleep (0, error));
  gtx_semaphore_release (semaphore);
  gtx_cancel (a);
  gtx_cancel (b);
  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_semaphore_locked (semaphore));
  return gtx_semaphore_acquire (semaphore, error);
}

/* Who comes while somebody waits stands behind it, though a place is free. */
static gboolean
test_in_order (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  g_assert_true (gtx_sleep (0, error));
  gtx_semaphore_release (semaphore);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_semaphore_locked (semaphore));
  b = acquirer ("b");
  note ("both released");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, NULL));
  assert_trace ("both released a b");
  return TRUE;
}

static gboolean
test_unbounded (gpointer data, GError **error)
{
  g_assert_true (gtx_semaphore_release (semaphore));
  g_assert_true (take_both (error));
  g_assert_false (gtx_semaphore_locked (semaphore));
  return TRUE;
}

static gboolean
test_bounded (gpointer data, GError **error)
{
  g_autoptr (GtxSemaphore) bounded = gtx_semaphore_new_bounded (1);

  g_assert_true (gtx_semaphore_acquire (bounded, error));
  g_assert_true (gtx_semaphore_release (bounded));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_semaphore_release: *more often*");
  g_assert_false (gtx_semaphore_release (bounded));
  g_test_assert_expected_messages ();
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GtxSemaphore) own = gtx_semaphore_new (1);
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_semaphore_hold (own, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static void
run_with_semaphore (gconstpointer data)
{
  semaphore = gtx_semaphore_new (2);
  run_coroutine (data);
  g_clear_object (&semaphore);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_semaphore)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("/semaphore/two-at-a-time", test_two_at_a_time);
  add ("/semaphore/free", test_free);
  add ("/semaphore/zero", test_zero);
  add ("/semaphore/cancelled", test_cancelled);
  add ("/semaphore/woken-then-cancelled", test_woken_then_cancelled);
  add ("/semaphore/all-cancelled", test_all_cancelled);
  add ("/semaphore/in-order", test_in_order);
  add ("/semaphore/unbounded", test_unbounded);
  add ("/semaphore/bounded", test_bounded);
  g_test_add_func ("/semaphore/outside", test_outside);
  return g_test_run ();
}
