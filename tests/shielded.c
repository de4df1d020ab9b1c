/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that requests do not reach.  shielded-asyncio.c compares random moments with asyncio. */

#include "fixture.h"

#include <math.h>

#define assert_timed_out(error) g_assert_error ((error), G_IO_ERROR, G_IO_ERROR_TIMED_OUT)

/* Sleeps for a second, and notes whether that was disturbed. */
static gboolean
clean_up (gpointer data, GError **error)
{
  gboolean slept = gtx_sleep (1, error);

  note (slept ? "clean" : "disturbed");
  return slept;
}

static void
assert_next_await_is_cancelled (void)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (100, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_sleep (0, NULL));
}

/* ---- The call ---- */

static gboolean
test_succeeds (gpointer data, GError **error)
{
  g_assert_true (gtx_call_shielded (5, clean_up, NULL, error));
  assert_trace ("clean");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_true (gtx_call_shielded (GTX_FOREVER, clean_up, NULL, error));
  g_assert_true (gtx_call_shielded (INFINITY, clean_up, NULL, error));
  return gtx_sleep (10, error);
}

static gboolean
test_fails (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (5, fail, "broken", &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (failure->message, ==, "broken");
  g_assert_false (gtx_call_shielded (5, fail, "broken", NULL));
  return TRUE;
}

static GtxTaskLocal local = GTX_TASK_LOCAL_INIT (NULL);

static gboolean
look_at_task (GtxTask **caller, GError **error)
{
  GtxTask *task = gtx_current_task ();

  g_assert_true (task != *caller);
  g_assert_cmpstr (gtx_task_get_function (task), ==, "look_at_task");
  g_assert_cmpstr (gtx_task_local_get (&local), ==, "inherited");
  gtx_task_local_set (&local, (gpointer) "own");
  *caller = task;
  return TRUE;
}

static gboolean
test_task (gpointer data, GError **error)
{
  GtxTask *task = gtx_current_task ();

  gtx_task_local_set (&local, (gpointer) "inherited");
  g_assert_true (gtx_call_shielded (5, look_at_task, &task, error));
  g_assert_true (task != gtx_current_task ());
  g_assert_cmpstr (gtx_task_local_get (&local), ==, "inherited");
  return TRUE;
}

static gboolean
use_much_stack (gpointer data, GError **error)
{
  volatile char room[1 << 20];

  for (gsize i = 0; i < sizeof room; i += 1024)
    room[i] = 1;
  return room[0] == 1;
}

static gboolean
call_with_much_stack (gpointer data, GError **error)
{
  return gtx_call_shielded (5, use_much_stack, NULL, error);
}

static gboolean
test_stack_size (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (call_with_much_stack, NULL, NULL);

  gtx_task_set_stack_size (task, 3 << 20);
  return gtx_await (gtx_task_start (task), error);
}

/* ---- The limit ---- */

static gboolean
clean_up_twice (gpointer data, GError **error)
{
  if (clean_up (NULL, error))
    return TRUE;
  gtx_sleep (2, NULL);
  note ("twice");
  return FALSE;
}

static gboolean
ignore_limit (gpointer data, GError **error)
{
  clean_up (NULL, NULL);
  return gtx_sleep (2, error);
}

/* The coroutine is cancelled when the time is over, and waited for. */
static gboolean
test_limit (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (0.5, clean_up_twice, NULL, &failure));
  assert_timed_out (failure);
  assert_trace ("disturbed twice");
  g_assert_cmpfloat (gtx_get_time (), ==, 2.5);
  g_assert_true (gtx_call_shielded (0.5, ignore_limit, NULL, error));
  g_assert_cmpfloat (gtx_get_time (), ==, 5);
  return gtx_sleep (10, error);
}

static gboolean
test_limit_of_zero (gpointer data, GError **error)
{
  const double none[] = { 0, -1, -INFINITY };

  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_call_shielded (none[i], clean_up, NULL, &failure));
      assert_timed_out (failure);
      assert_trace ("disturbed");
    }
  g_assert_cmpfloat (gtx_get_time (), ==, 0);
  return TRUE;
}

static gboolean
test_refused (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (NAN, clean_up, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  assert_trace ("");
  return TRUE;
}

static void
test_outside (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_call_shielded (1, clean_up, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
}

/* ---- Requests ---- */

static gboolean
test_requested_before (gpointer data, GError **error)
{
  GtxTask *self = gtx_current_task ();

  gtx_cancel (self);
  g_assert_true (gtx_call_shielded (5, clean_up, NULL, error));
  assert_trace ("clean");
  g_assert_cmpuint (gtx_cancelling (self), ==, 1);
  assert_next_await_is_cancelled ();
  gtx_uncancel (self);
  return gtx_sleep (10, error);
}

static gboolean
clean_up_and_go_on (gpointer data, GError **error)
{
  g_assert_true (gtx_call_shielded (5, clean_up, NULL, error));
  note (gtx_cancelling (gtx_current_task ()) > 0 ? "asked" : "unasked");
  return gtx_sleep (100, error);
}

static gboolean
just_clean_up (gpointer data, GError **error)
{
  return gtx_call_shielded (5, clean_up, NULL, error);
}

static gpointer
cancel_in_thread (gpointer task)
{
  gtx_cancel (task);
  return NULL;
}

static gpointer
cancel_cancellable_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* Makes a request in one way of several. */
static void
request (guint way, GtxTask *task)
{
  switch (way)
    {
    case 0:
      gtx_cancel (task);
      break;
    case 1:
      gtx_cancel (task);
      gtx_cancel (task);
      break;
    case 2:
      g_cancellable_cancel (gtx_task_get_cancellable (task));
      break;
    case 3:
      g_thread_join (g_thread_new (NULL, cancel_in_thread, task));
      break;
    case 4:
      g_thread_join (g_thread_new (NULL, cancel_cancellable_in_thread, gtx_task_get_cancellable (task)));
      break;
    }
}

static gboolean
test_requested_meanwhile (gpointer data, GError **error)
{
  for (guint way = 0; way < 5; way++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (clean_up_and_go_on, NULL, NULL);
      double begin = gtx_get_time ();

      g_assert_true (gtx_sleep (0.5, error));
      request (way, task);
      g_assert_false (gtx_await (task, NULL));
      g_assert_true (gtx_future_is_cancelled (task));
      assert_trace ("clean asked");
      g_assert_cmpfloat (gtx_get_time (), ==, begin + 1);
    }
  return TRUE;
}

/* A task that awaits nothing any more ends as cancelled, as after any other await. */
static gboolean
test_requested_and_ended (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (just_clean_up, NULL, NULL);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  assert_trace ("clean");
  return TRUE;
}

/* The requests come at the moment at which the coroutine ends, before the caller goes on. */
static gboolean
test_requested_at_end (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (clean_up_and_go_on, NULL, NULL);

  g_assert_true (gtx_sleep (1, error));
  for (int round = 0; round < 4; round++)
    {
      if (gtx_future_is_done (task))
        break;
      gtx_cancel (task);
      g_assert_true (gtx_sleep (0, error));
    }
  gtx_await (task, NULL);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_nonnull (strstr (trace->str, "clean asked"));
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return TRUE;
}

/* A request that is withdrawn before the end is gone. */
static gboolean
test_withdrawn (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (just_clean_up, NULL, NULL);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (task);
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  return gtx_await (task, error);
}

static GtxTask *runner;

static gboolean
clean_up_as_known_task (gpointer data, GError **error)
{
  runner = gtx_current_task ();
  return clean_up (NULL, error);
}

static gboolean
call_as_known_task (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (5, clean_up_as_known_task, NULL, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (1, error);
}

/* A request to the coroutine's own task reaches it, and nobody else. */
static gboolean
test_requested_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (call_as_known_task, NULL, NULL);

  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (runner);
  return gtx_await (task, error);
}

static gboolean
work (gpointer data, GError **error)
{
  if (gtx_sleep (100, error))
    return TRUE;
  return gtx_call_shielded (5, clean_up, NULL, NULL) && FALSE;
}

/* The clean-up of a task that was cancelled is not disturbed by a second request. */
static gboolean
test_in_clean_up (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (work, NULL, NULL);

  g_assert_true (gtx_sleep (1, error));
  gtx_cancel (task);
  g_assert_true (gtx_sleep (0.5, error));
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gtx_future_is_cancelled (task));
  assert_trace ("clean");
  return TRUE;
}

/* ---- Blocks around the call ---- */

static gboolean
fail_soon (gpointer data, GError **error)
{
  return gtx_sleep (0.5, error) && fail ("sibling", error);
}

static gboolean
test_in_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) errors = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, clean_up_and_go_on, NULL, NULL, error);
  gtx_task_group_create_task (&group, fail_soon, NULL, NULL, error);
  g_assert_true (gtx_call_shielded (5, clean_up, NULL, error));
  g_assert_false (gtx_sleep (100, &failure));
  g_assert_false (gtx_task_group_end (&group, &failure, &errors));
  g_assert_error (errors, GTX_ERROR, GTX_ERROR_GROUP);
  g_assert_cmpuint (gtx_error_get_n_errors (errors), ==, 1);
  assert_trace ("clean clean asked");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
  return gtx_sleep (10, error);
}

/* A timeout whose time is over meanwhile says so if the block is to be ended after the call. */
static gboolean
test_in_timeout (gpointer data, GError **error)
{
  for (int goes_on = 0; goes_on < 2; goes_on++)
    {
      g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
      g_autoptr (GError) failure = NULL;
      g_autoptr (GError) timed_out = NULL;

      gtx_timeout_begin (&timeout, 0.5);
      g_assert_true (gtx_call_shielded (5, clean_up, NULL, error));
      g_assert_true (gtx_timeout_expired (&timeout));
      if (goes_on)
        g_assert_false (gtx_sleep (100, &failure));
      g_assert_true (gtx_timeout_end (&timeout, &failure, &timed_out) == !goes_on);
      if (goes_on)
        assert_timed_out (timed_out);
      g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 0);
      g_assert_true (gtx_sleep (0, error));
    }
  assert_trace ("clean clean");
  return TRUE;
}

static gboolean
call_nested (gpointer data, GError **error)
{
  gboolean cleaned = gtx_call_shielded (5, clean_up, NULL, NULL);

  return gtx_sleep (100, error) && cleaned;
}

/* The limit of the outer call does not reach the inner one, and ends the outer one after it. */
static gboolean
test_nested (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_call_shielded (0.5, call_nested, NULL, &failure));
  assert_timed_out (failure);
  assert_trace ("clean");
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/shielded/succeeds", test_succeeds);
  add_coroutine ("/shielded/fails", test_fails);
  add_coroutine ("/shielded/task", test_task);
  add_coroutine ("/shielded/stack-size", test_stack_size);
  add_coroutine ("/shielded/limit", test_limit);
  add_coroutine ("/shielded/limit/zero", test_limit_of_zero);
  add_coroutine ("/shielded/refused", test_refused);
  g_test_add_func ("/shielded/outside", test_outside);
  add_coroutine ("/shielded/requested/before", test_requested_before);
  add_coroutine ("/shielded/requested/meanwhile", test_requested_meanwhile);
  add_coroutine ("/shielded/requested/at-end", test_requested_at_end);
  add_coroutine ("/shielded/requested/and-ended", test_requested_and_ended);
  add_coroutine ("/shielded/requested/inside", test_requested_inside);
  add_coroutine ("/shielded/withdrawn", test_withdrawn);
  add_coroutine ("/shielded/in-clean-up", test_in_clean_up);
  add_coroutine ("/shielded/in-group", test_in_group);
  add_coroutine ("/shielded/in-timeout", test_in_timeout);
  add_coroutine ("/shielded/nested", test_nested);
  return g_test_run ();
}
