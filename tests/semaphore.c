/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxSemaphore *semaphore; /* a new one for each test, with room for two */

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
  g_assert_cmpfloat (gtx_get_time (), ==, 3);
  g_assert_false (gtx_semaphore_locked (semaphore));
  return TRUE;
}

static gboolean
test_free (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (note_and_return, "other", NULL);

  g_assert_true (take_both (error));
  assert_trace ("");
  g_assert_true (gtx_semaphore_locked (semaphore));
  g_assert_true (gtx_semaphore_release (semaphore));
  g_assert_false (gtx_semaphore_locked (semaphore));
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

/* Two places become free while two tasks wait and a third has not begun to wait.  The two get the
 * places, although no task has run yet. */
static gboolean
test_places_given (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = acquirer ("a");
  g_autoptr (GtxTask) b = acquirer ("b");
  g_autoptr (GtxTask) c = acquirer ("c");
  g_autoptr (GtxTask) d = NULL;

  g_assert_true (gtx_semaphore_acquire (semaphore, error));
  g_assert_false (gtx_semaphore_locked (semaphore));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a");
  g_assert_true (gtx_semaphore_locked (semaphore));
  d = acquirer ("d");
  gtx_semaphore_release (semaphore);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_semaphore_locked (semaphore));
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("b c");
  g_assert_true (gtx_semaphore_locked (semaphore));
  g_assert_false (gtx_future_is_done (d));
  gtx_semaphore_release (semaphore);
  return gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, d, NULL);
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
  g_assert_true (gtx_semaphore_locked (semaphore));
  return TRUE;
}

/* Only this task waits, so no other task is ahead of it. */
static gboolean
test_cancelled_alone (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  g_assert_false (gtx_await (a, &failure));
  assert_cancelled (failure);
  gtx_semaphore_release (semaphore);
  g_assert_false (gtx_semaphore_locked (semaphore));
  return gtx_semaphore_acquire (semaphore, error);
}

/* The first two tasks are cancelled before the place is free, so the third gets it. */
static gboolean
test_cancelled_before_release (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;
  g_autoptr (GtxTask) d = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  b = acquirer ("b");
  c = acquirer ("c");
  d = acquirer ("d");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  gtx_cancel (b);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_sleep (0, error) && gtx_sleep (0, error));
  assert_trace ("c");
  g_assert_true (gtx_future_is_done (c));
  g_assert_false (gtx_future_is_done (d));
  gtx_cancel (d);
  return gtx_sleep (0, error);
}

/* The place was given to a, which is cancelled, so b gets it. */
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

/* All waiting tasks are cancelled after a release.  The place is free for others. */
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

/* A task that comes while another waits gets in line behind it, though a place is
 * free. */
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

/* ---- In order, with one place ---- */

static void
note_round (const char *name, int round)
{
  g_autofree char *what = g_strdup_printf ("%s%d", name, round);

  note (what);
}

static gboolean
enter_twice (const char *name, GError **error)
{
  for (int round = 1; round <= 2; round++)
    {
      g_autoptr (GtxSemaphoreHolder) holder = gtx_semaphore_hold (semaphore, error);

      if (holder == NULL)
        return FALSE;
      note_round (name, round);
      if (!gtx_sleep (0.01, error))
        return FALSE;
    }
  return TRUE;
}

/* A task that comes again gets in line behind all that wait. */
static gboolean
test_second_round (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (enter_twice, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (enter_twice, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (enter_twice, "c", NULL);

  g_assert_true (gtx_semaphore_acquire (semaphore, error));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("a1 b1 c1 a2 b2 c2");
  return TRUE;
}

static gboolean
leave_and_come_again (const char *word, GError **error)
{
  if (!acquire_and_note (word, error))
    return FALSE;
  gtx_semaphore_release (semaphore);
  return acquire_and_note ("again", error);
}

/* The task leaves and comes again before the next woken task has run. */
static gboolean
test_again_at_once (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (gtx_semaphore_acquire (semaphore, error));
  a = acquirer ("a");
  b = gtx_create_task (leave_and_come_again, "b", NULL);
  c = acquirer ("c");
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("a");
  gtx_semaphore_release (semaphore);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("b c again");
  return TRUE;
}

/* The first task has left the line when two places become free. */
static gboolean
test_first_gone (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (take_both (error));
  a = acquirer ("a");
  b = acquirer ("b");
  c = acquirer ("c");
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (a);
  g_assert_true (gtx_sleep (0, error));
  gtx_semaphore_release (semaphore);
  gtx_semaphore_release (semaphore);
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, a, b, c, NULL));
  assert_trace ("b c");
  return TRUE;
}

static GtxTask *made_inside;

static gboolean
acquire_and_create (const char *word, GError **error)
{
  if (!gtx_semaphore_acquire (semaphore, error))
    return FALSE;
  made_inside = gtx_create_task (note_and_return, "made inside", NULL);
  note (word);
  return TRUE;
}

static gboolean
release_thrice_and_acquire (const char *word, GError **error)
{
  for (int i = 0; i < 3; i++)
    gtx_semaphore_release (semaphore);
  g_assert_true (gtx_semaphore_locked (semaphore));
  return acquire_and_note (word, error);
}

/* Each task gets a place from one of the three releases.  The first task that runs wakes all the
 * others, and a task that it creates runs after them. */
static gboolean
test_all_woken (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = NULL;
  g_autoptr (GtxTask) b = NULL;
  g_autoptr (GtxTask) c = NULL;

  g_assert_true (take_both (error));
  a = gtx_create_task (acquire_and_create, "a", NULL);
  b = gtx_create_task (release_thrice_and_acquire, "b", NULL);
  c = acquirer ("c");
  g_assert_true (gtx_sleep (0, error) && gtx_sleep (0, error));
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, made_inside, NULL));
  assert_trace ("a b c made inside");
  g_clear_object (&made_inside);
  return TRUE;
}

/* ---- Bounds ---- */

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
  g_assert_false (gtx_semaphore_locked (bounded));
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
  add ("/semaphore/places-given", test_places_given);
  add ("/semaphore/cancelled", test_cancelled);
  add ("/semaphore/cancelled/alone", test_cancelled_alone);
  add ("/semaphore/cancelled/before-release", test_cancelled_before_release);
  add ("/semaphore/woken-then-cancelled", test_woken_then_cancelled);
  add ("/semaphore/all-cancelled", test_all_cancelled);
  add ("/semaphore/in-order", test_in_order);
  add ("/semaphore/in-order/second-round", test_second_round);
  add ("/semaphore/in-order/again-at-once", test_again_at_once);
  add ("/semaphore/in-order/first-gone", test_first_gone);
  add ("/semaphore/in-order/all-woken", test_all_woken);
  add ("/semaphore/unbounded", test_unbounded);
  add ("/semaphore/bounded", test_bounded);
  g_test_add_func ("/semaphore/outside", test_outside);
  return g_test_run ();
}
