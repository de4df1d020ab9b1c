/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fixture.h"

static GtxBarrier *barrier;     /* a new one for each test, for three tasks */

static gboolean
come (const char *word, GError **error)
{
  guint index;
  g_autofree char *what = NULL;
  g_autoptr (GError) failure = NULL;

  if (gtx_barrier_wait (barrier, &index, &failure))
    what = g_strdup_printf ("%s%u", word, index);
  else if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_BROKEN_BARRIER))
    what = g_strconcat (word, "-broken", NULL);
  else
    what = g_strconcat (word, "!", NULL);
  note (what);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static GtxTask *
comer (const char *word)
{
  return gtx_create_task (come, word, NULL);
}

static gboolean
test_meet (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = comer ("a");
  g_autoptr (GtxTask) b = comer ("b");
  g_autoptr (GtxTask) c = NULL;

  g_assert_cmpuint (gtx_barrier_get_parties (barrier), ==, 3);
  g_assert_true (gtx_sleep (1, error));
  assert_trace ("");
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 2);
  c = comer ("c");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("c2 a0 b1");
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
test_one_by_one (gpointer data, GError **error)
{
  GtxTask *tasks[3];

  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, i);
      tasks[i] = comer ("x");
      g_assert_true (gtx_sleep (0, error));
    }
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, tasks[0], tasks[1], tasks[2], NULL));
  for (guint i = 0; i < 3; i++)
    g_object_unref (tasks[i]);
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
come_twice (const char *word, GError **error)
{
  return come (word, error) && come (word, error);
}

static gboolean
test_again (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = gtx_create_task (come_twice, "a", NULL);
  g_autoptr (GtxTask) b = gtx_create_task (come_twice, "b", NULL);
  g_autoptr (GtxTask) c = gtx_create_task (come_twice, "c", NULL);

  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, a, b, c, NULL));
  assert_trace ("c2 a0 b1 a2 b0 c1");
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
test_alone (gpointer data, GError **error)
{
  g_autoptr (GtxBarrier) for_one = gtx_barrier_new (1);
  guint index = 9;

  g_assert_true (gtx_barrier_wait (for_one, &index, error));
  g_assert_cmpuint (index, ==, 0);
  g_assert_cmpuint (gtx_barrier_get_n_waiting (for_one), ==, 0);
  g_assert_true (gtx_barrier_wait (for_one, NULL, error));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (for_one), ==, 0);
  g_assert_false (gtx_barrier_is_broken (for_one));
  return TRUE;
}

/* A cancelled task counts as a task that never came. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = comer ("a");
  g_autoptr (GtxTask) b = comer ("b");
  g_autoptr (GtxTask) c = NULL;
  g_autoptr (GtxTask) d = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 2);
  gtx_cancel (a);
  g_assert_false (gtx_await (a, NULL));
  g_assert_true (gtx_future_is_cancelled (a));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 1);
  c = comer ("c");
  g_assert_true (gtx_sleep (1, error));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 2);
  assert_trace ("a!");
  d = comer ("d");
  g_assert_true (gtx_gather_list (GTX_GATHER_NONE, error, b, c, d, NULL));
  /* As in asyncio, a later task does not get the index of a cancelled one. */
  assert_trace ("d2 b1 c1");
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
test_abort (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = comer ("a");
  g_autoptr (GtxTask) b = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_barrier_abort (barrier, error));
  g_assert_true (gtx_barrier_is_broken (barrier));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  b = comer ("b");
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, a, b, NULL));
  assert_trace ("a-broken b-broken");
  g_assert_true (gtx_barrier_reset (barrier, error));
  g_assert_false (gtx_barrier_is_broken (barrier));
  return test_meet (NULL, error);
}

static gboolean
test_reset (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = comer ("a");
  g_autoptr (GtxTask) b = comer ("b");

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_barrier_reset (barrier, error));
  g_assert_false (gtx_barrier_is_broken (barrier));
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, a, b, NULL));
  assert_trace ("a-broken b-broken");
  return test_meet (NULL, error);
}

static gboolean
test_reset_empty (gpointer data, GError **error)
{
  g_assert_true (gtx_barrier_reset (barrier, error));
  g_assert_false (gtx_barrier_is_broken (barrier));
  return test_meet (NULL, error);
}

static gboolean
test_abort_empty (gpointer data, GError **error)
{
  g_assert_true (gtx_barrier_abort (barrier, error));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_true (gtx_barrier_is_broken (barrier));
  return TRUE;
}

/* A task that comes while the others leave waits for the next time. */
static gboolean
test_comes_while_others_leave (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  const char *const words[] = { "a", "b", "c", "d", "e", "f" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (tasks, comer (words[i]));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  assert_trace ("c2 a0 b1 f2 d0 e1");
  return TRUE;
}

static gboolean
test_reset_while_others_leave (gpointer data, GError **error)
{
  g_autoptr (GtxTask) a = comer ("a");
  g_autoptr (GtxTask) b = comer ("b");
  guint index;

  g_assert_true (gtx_sleep (0, error));
  g_assert_true (gtx_barrier_wait (barrier, &index, error));
  g_assert_true (gtx_barrier_reset (barrier, error));
  g_assert_true (gtx_gather_list (GTX_GATHER_RETURN_ERRORS, error, a, b, NULL));
  assert_trace ("a-broken b-broken");
  return TRUE;
}

static void
test_no_parties (void)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_barrier_new: assertion 'parties*");
  g_assert_null (gtx_barrier_new (0));
  g_test_assert_expected_messages ();
}

static void
test_outside (void)
{
  g_autoptr (GtxBarrier) own = gtx_barrier_new (1);
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_barrier_wait (own, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

static void
run_with_barrier (gconstpointer data)
{
  barrier = gtx_barrier_new (3);
  run_coroutine (data);
  g_clear_object (&barrier);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_barrier)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("/barrier/meet", test_meet);
  add ("/barrier/one-by-one", test_one_by_one);
  add ("/barrier/again", test_again);
  add ("/barrier/alone", test_alone);
  add ("/barrier/cancelled", test_cancelled);
  add ("/barrier/abort", test_abort);
  add ("/barrier/abort-empty", test_abort_empty);
  add ("/barrier/reset", test_reset);
  add ("/barrier/reset-empty", test_reset_empty);
  add ("/barrier/comes-while-others-leave", test_comes_while_others_leave);
  add ("/barrier/reset-while-others-leave", test_reset_while_others_leave);
  g_test_add_func ("/barrier/no-parties", test_no_parties);
  g_test_add_func ("/barrier/outside", test_outside);
  return g_test_run ();
}
