/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Barriers that are reset or aborted while some tasks have left them, some are about to leave, and
 * some wait for the next time. */

#include "fixture.h"

enum { N_PARTIES = 5 };

static GtxBarrier *barrier;     /* a new one for each test */

/* How many tasks had each outcome. */
static struct
{
  guint n_left;                 /* tasks that left the barrier the first time */
  guint n_broken;
  guint n_broken_later;         /* tasks for which the barrier broke while they waited for the next time */
  guint n_through;
} met;

/* Returns whether the task passed.  Otherwise the barrier was broken. */
static gboolean
pass (GtxBarrier *which)
{
  g_autoptr (GError) failure = NULL;

  if (gtx_barrier_wait (which, NULL, &failure))
    return TRUE;
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_BROKEN_BARRIER);
  return FALSE;
}

static GPtrArray *
create (guint n, GtxCoroutine coroutine)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (tasks, gtx_create_task (coroutine, NULL, NULL));
  return tasks;
}

/* Runs all tasks that meet at the barrier, which is empty afterwards. */
static void
meet (GtxCoroutine coroutine)
{
  g_autoptr (GPtrArray) tasks = create (N_PARTIES, coroutine);
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, &error));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
}

/* ---- Nothing is broken ---- */

static GtxBarrier *rest;        /* for all tasks but two */

static gboolean
two_come_again_at_once (gpointer data, GError **error)
{
  g_assert_true (pass (barrier));
  if (++met.n_left > 2)
    g_assert_true (pass (rest));
  return pass (barrier);
}

/* A task that comes again while others leave waits for all of them. */
static gboolean
test_comes_again (gpointer data, GError **error)
{
  rest = gtx_barrier_new (N_PARTIES - 2);
  meet (two_come_again_at_once);
  g_clear_object (&rest);
  return TRUE;
}

/* ---- Reset ---- */

static gboolean
third_resets (gpointer data, GError **error)
{
  if (!pass (barrier))
    met.n_broken++;
  else if (++met.n_left == 3)
    return gtx_barrier_reset (barrier, error);
  return TRUE;
}

/* The tasks that have not left yet fail. */
static gboolean
test_reset_half_left (gpointer data, GError **error)
{
  meet (third_resets);
  g_assert_cmpuint (met.n_broken, ==, 2);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
third_resets_and_all_come_again (gpointer data, GError **error)
{
  if (!pass (barrier))
    met.n_broken++;
  else if (++met.n_left > 2 && !gtx_barrier_reset (barrier, error))
    return FALSE;
  if (!pass (barrier))
    met.n_broken_later++;
  return TRUE;
}

/* The tasks that wait for the next time stay, and meet all the others. */
static gboolean
test_reset_half_come_again (gpointer data, GError **error)
{
  meet (third_resets_and_all_come_again);
  g_assert_cmpuint (met.n_broken, ==, 2);
  g_assert_cmpuint (met.n_broken_later, ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static gboolean
come_again_in_spite (gpointer data, GError **error)
{
  if (!pass (barrier))
    met.n_broken++;
  g_assert_true (pass (barrier));
  met.n_through++;
  return TRUE;
}

static gboolean
come_once (gpointer data, GError **error)
{
  g_assert_true (pass (barrier));
  met.n_through++;
  return TRUE;
}

/* The tasks fail, come again at once, and one more task makes the number complete. */
static gboolean
test_reset_all_come_again (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = create (N_PARTIES - 1, come_again_in_spite);
  g_autoptr (GtxTask) resetter = gtx_create_task (gtx_barrier_reset, barrier, NULL);

  g_assert_true (gtx_sleep (0, error));
  g_ptr_array_add (tasks, gtx_create_task (come_once, NULL, NULL));
  g_assert_true (gtx_gather (tasks, GTX_GATHER_NONE, error));
  g_assert_cmpuint (met.n_broken, ==, N_PARTIES - 1);
  g_assert_cmpuint (met.n_through, ==, N_PARTIES);
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return gtx_await (resetter, error);
}

static gboolean
last_resets (gpointer data, GError **error)
{
  g_assert_true (pass (barrier));
  if (++met.n_left == N_PARTIES && !gtx_barrier_reset (barrier, error))
    return FALSE;
  if (!pass (barrier))
    met.n_broken_later++;
  g_assert_true (pass (barrier));
  met.n_through++;
  return TRUE;
}

/* All tasks have left.  A reset does not break the barrier for tasks that wait again. */
static gboolean
test_reset_by_the_last (gpointer data, GError **error)
{
  meet (last_resets);
  g_assert_cmpuint (met.n_broken_later, ==, 0);
  g_assert_cmpuint (met.n_through, ==, N_PARTIES);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

/* ---- Abort ---- */

static gboolean
third_aborts (gpointer data, GError **error)
{
  if (!pass (barrier))
    met.n_broken++;
  else if (++met.n_left > 2)
    return gtx_barrier_abort (barrier, error);
  else if (!pass (barrier))
    met.n_broken_later++;
  return TRUE;
}

/* The tasks that have not left yet fail, and so do those that wait for the next time. */
static gboolean
test_abort_half_left (gpointer data, GError **error)
{
  meet (third_aborts);
  g_assert_cmpuint (met.n_broken, ==, 2);
  g_assert_cmpuint (met.n_broken_later, ==, 2);
  g_assert_true (gtx_barrier_is_broken (barrier));
  return TRUE;
}

/* A task aborts the barrier instead of coming again: no task gets through twice. */
static gboolean
middle_aborts (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  guint index;

  if (!gtx_barrier_wait (barrier, &index, &failure))
    g_assert_error (failure, GTX_ERROR, GTX_ERROR_BROKEN_BARRIER);
  else if (index == N_PARTIES / 2)
    return gtx_barrier_abort (barrier, error);
  else if (pass (barrier))
    g_assert_not_reached ();
  met.n_broken++;
  return TRUE;
}

static gboolean
test_abort_next_time (gpointer data, GError **error)
{
  meet (middle_aborts);
  g_assert_cmpuint (met.n_broken, ==, N_PARTIES - 1);
  g_assert_true (gtx_barrier_is_broken (barrier));
  return TRUE;
}

/* The tasks meet elsewhere before and after one of them resets the broken barrier. */
static gboolean
mend (gpointer data, GError **error)
{
  guint index;

  if (!middle_aborts (NULL, error) || !gtx_barrier_wait (rest, &index, error))
    return FALSE;
  if (index == N_PARTIES / 2 && !gtx_barrier_reset (barrier, error))
    return FALSE;
  g_assert_true (pass (rest));
  g_assert_true (pass (barrier));
  met.n_through++;
  return TRUE;
}

static gboolean
test_abort_then_reset (gpointer data, GError **error)
{
  rest = gtx_barrier_new (N_PARTIES);
  meet (mend);
  g_clear_object (&rest);
  g_assert_cmpuint (met.n_broken, ==, N_PARTIES - 1);
  g_assert_cmpuint (met.n_through, ==, N_PARTIES);
  g_assert_false (gtx_barrier_is_broken (barrier));
  return TRUE;
}

static void
run_with_barrier (gconstpointer data)
{
  barrier = gtx_barrier_new (N_PARTIES);
  memset (&met, 0, sizeof met);
  run_coroutine (data);
  g_clear_object (&barrier);
}

#define add(path, coroutine) add_run_ ((path), (coroutine), run_with_barrier)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add ("/barrier-broken/not", test_comes_again);
  add ("/barrier-broken/reset/half-left", test_reset_half_left);
  add ("/barrier-broken/reset/half-come-again", test_reset_half_come_again);
  add ("/barrier-broken/reset/all-come-again", test_reset_all_come_again);
  add ("/barrier-broken/reset/by-the-last", test_reset_by_the_last);
  add ("/barrier-broken/abort/half-left", test_abort_half_left);
  add ("/barrier-broken/abort/next-time", test_abort_next_time);
  add ("/barrier-broken/abort/then-reset", test_abort_then_reset);
  return g_test_run ();
}
