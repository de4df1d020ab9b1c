/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals of objects: their arguments, all emissions in turn, and emissions as futures. */

#include "object-job.h"

static void
finish (Job *job, int number)
{
  g_signal_emit (job, finished, 0, number);
}

/* ---- Arguments ---- */

static gboolean
test_locations (gpointer data, GError **error)
{
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GVariant) parameter = NULL;
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (action, "activate", error);
  g_autoptr (GError) failure = NULL;

  for (int i = 0; i < 3; i++)
    g_action_activate (G_ACTION (action), g_variant_new_int32 (i));
  g_assert_true (gtx_emissions_next (emissions, error));
  g_assert_true (gtx_emissions_next (emissions, error, NULL));
  g_assert_true (gtx_emissions_next (emissions, error, &parameter));
  g_assert_cmpint (g_variant_get_int32 (parameter), ==, 2);
  g_assert_false (gtx_emissions_next (emissions, &failure, NULL, NULL));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_false (gtx_await_signal (action, "activate", &failure, NULL, &parameter));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

/* ---- All emissions ---- */

static gboolean
note_all (Job *job, GError **error)
{
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (job, "finished", error);
  int number;

  while (gtx_emissions_next (emissions, error, &number))
    {
      g_autofree char *text = g_strdup_printf ("%d", number);

      note (text);
      /* Other emissions come during this sleep. */
      gtx_sleep (1, NULL);
    }
  return FALSE;
}

static gboolean
test_all (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_all, job, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0.5, error));
  for (int i = 1; i <= 3; i++)
    finish (job, i);
  g_assert_true (gtx_sleep (0, error));
  for (int i = 4; i <= 5; i++)
    finish (job, i);
  g_assert_true (gtx_sleep (10, error));
  assert_trace ("1 2 3 4 5");
  finish (job, 6);
  g_object_unref (job);
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  assert_trace ("6");
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxTask) task = gtx_create_task (note_all, job, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
  return TRUE;
}

/* An emission that came together with the request is returned by the next call. */
static gboolean
test_cancelled_with_emission (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (job, "finished", error);
  int number = 0;

  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_emissions_next (emissions, NULL, &number));
  finish (job, 7);
  g_assert_true (gtx_emissions_next (emissions, error, &number));
  g_assert_cmpint (number, ==, 7);
  return TRUE;
}

static gboolean
take_one (GtxEmissions *emissions, GError **error)
{
  return gtx_emissions_next (emissions, error);
}

static gboolean
test_two_tasks (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (job, "finished", error);
  g_autoptr (GtxTask) first = gtx_create_task (take_one, emissions, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (take_one, emissions, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (second, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  finish (job, 1);
  return gtx_await (first, error);
}

static gboolean
test_mistakes (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxEmissions) none = NULL;
  g_autoptr (GtxFuture) future = gtx_signal_future (job, "nothing");
  g_autoptr (GError) failure = NULL;

  none = gtx_emissions_new (job, "nothing", &failure);
  g_assert_null (none);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_false (gtx_await (future, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GError) failure = NULL;
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (job, "finished", &failure);

  g_assert_no_error (failure);
  g_assert_false (gtx_emissions_next (emissions, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- Another thread ---- */

#define N_EMISSIONS 1000

static gpointer
finish_often (gpointer job)
{
  for (int i = 0; i < N_EMISSIONS; i++)
    finish (job, i);
  return NULL;
}

static gboolean
test_thread (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxEmissions) emissions = gtx_emissions_new (job, "finished", error);
  GThread *thread = g_thread_new ("emitter", finish_often, job);
  int number;

  for (int i = 0; i < N_EMISSIONS; i++)
    {
      g_assert_true (gtx_emissions_next (emissions, error, &number));
      g_assert_cmpint (number, ==, i);
    }
  g_thread_join (thread);
  return TRUE;
}

/* ---- Futures ---- */

static gboolean
test_futures (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GSimpleAction) action = action_new ();
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  GArray *arguments;

  g_ptr_array_add (futures, gtx_signal_future (job, "finished"));
  g_ptr_array_add (futures, gtx_signal_future (action, "activate"));
  finish (job, 5);
  finish (job, 6);
  g_assert_true (gtx_wait (futures, GTX_FIRST_COMPLETED, 10, error));
  g_assert_true (gtx_future_is_done (futures->pdata[0]));
  g_assert_false (gtx_future_is_done (futures->pdata[1]));
  arguments = gtx_future_get_result (futures->pdata[0]);
  g_assert_cmpuint (arguments->len, ==, 1);
  g_assert_cmpint (g_value_get_int (&g_array_index (arguments, GValue, 0)), ==, 5);
  return TRUE;
}

static gboolean
test_future_in_time (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();
  g_autoptr (GtxFuture) future = gtx_signal_future (job, "finished");
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_wait_for (future, 1, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
  return TRUE;
}

static gboolean
test_future_gone (gpointer data, GError **error)
{
  Job *job = job_new ();
  g_autoptr (GtxFuture) future = gtx_signal_future (job, "finished");
  g_autoptr (GError) failure = NULL;

  g_object_unref (job);
  g_assert_false (gtx_await (future, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_OBJECT_GONE);
  return TRUE;
}

static gpointer
drop (gpointer future)
{
  g_object_unref (future);
  return NULL;
}

/* The future is dropped in this thread, pending or done, or in another thread. */
static gboolean
test_future_dropped (gpointer data, GError **error)
{
  g_autoptr (Job) job = job_new ();

  for (int i = 0; i < 3; i++)
    {
      GtxFuture *future = gtx_signal_future (job, "finished");

      if (i == 0)
        finish (job, 1);
      g_assert_cmpint (g_signal_has_handler_pending (job, finished, 0, FALSE), ==, i > 0);
      if (i < 2)
        g_object_unref (future);
      else
        g_thread_join (g_thread_new ("drop", drop, future));
      g_assert_true (gtx_sleep (0, error));
      g_assert_false (g_signal_has_handler_pending (job, finished, 0, FALSE));
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/emissions/locations", test_locations);
  add_coroutine ("/emissions/all", test_all);
  add_coroutine ("/emissions/cancelled", test_cancelled);
  add_coroutine ("/emissions/cancelled-with-emission", test_cancelled_with_emission);
  add_coroutine ("/emissions/two-tasks", test_two_tasks);
  add_coroutine ("/emissions/mistakes", test_mistakes);
  g_test_add_func ("/emissions/outside", test_outside);
  add_real_coroutine ("/emissions/thread", test_thread);
  add_coroutine ("/emissions/futures", test_futures);
  add_coroutine ("/emissions/future-in-time", test_future_in_time);
  add_coroutine ("/emissions/future-gone", test_future_gone);
  add_coroutine ("/emissions/future-dropped", test_future_dropped);
  return g_test_run ();
}
