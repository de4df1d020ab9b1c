/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that are withdrawn. */

#include "fixture.h"

static gboolean
test_own (gpointer data, GError **error)
{
  GtxTask *self = gtx_current_task ();
  g_autoptr (GError) failure = NULL;

  g_assert_cmpuint (gtx_uncancel (self), ==, 0);
  gtx_cancel (self);
  gtx_cancel (self);
  g_assert_cmpuint (gtx_uncancel (self), ==, 1);
  g_assert_cmpuint (gtx_uncancel (self), ==, 0);
  g_assert_true (gtx_sleep (0, error));

  gtx_cancel (self);
  gtx_cancel (self);
  g_assert_cmpuint (gtx_uncancel (self), ==, 1);
  g_assert_false (gtx_sleep (0, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_uncancel (self), ==, 0);
  return TRUE;
}

/* The request is withdrawn before the woken task sees it. */
static gboolean
test_woken (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task (await_future, future, NULL);

  g_assert_true (gtx_sleep (0, error));
  gtx_future_set_result (future, NULL, NULL);
  gtx_cancel (task);
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  g_assert_cmpuint (gtx_cancelling (task), ==, 0);
  g_assert_true (gtx_await (task, error));
  return TRUE;
}

static gboolean
uncancel_and_sleep_on (gpointer data, GError **error)
{
  g_assert_false (gtx_sleep (10, NULL));
  gtx_uncancel (gtx_current_task ());
  return gtx_sleep (10, error);
}

/* A withdrawn request is forgotten, and the next one counts; after the end there is
 * nothing to withdraw. */
static gboolean
test_in_handler (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (uncancel_and_sleep_on, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  for (int i = 0; i < 2; i++)
    {
      g_assert_true (gtx_sleep (0.01, error));
      g_assert_cmpuint (gtx_cancelling (task), ==, 0);
      g_assert_true (gtx_cancel (task));
      g_assert_cmpuint (gtx_cancelling (task), ==, 1);
      g_assert_false (gtx_future_is_done (task));
    }
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (task));
  gtx_uncancel (task);
  g_assert_true (gtx_future_is_cancelled (task));
  return TRUE;
}

typedef struct
{
  double limit;
  double duration;
  gboolean timed_out;
  gboolean finished;
} Request;

static void
on_limit (gpointer future, gpointer task)
{
  if (!gtx_future_is_cancelled (future))
    gtx_cancel (task);
}

/* A time limit without a GtxTimeout: the request of the block's timer is withdrawn. */
static gboolean
request_with_limit (Request *self, GError **error)
{
  g_autoptr (GtxFuture) timer = gtx_sleep_future (self->limit);
  g_autoptr (GError) failure = NULL;

  gtx_future_add_done_callback (timer, on_limit, gtx_current_task (), NULL);
  self->finished = gtx_sleep (self->duration, &failure);
  self->timed_out = !gtx_cancel (timer) && gtx_uncancel (gtx_current_task ()) == 0 &&
                    g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return gtx_sleep (0, error);
}

static gboolean
test_structured (gpointer data, GError **error)
{
  Request late = { .limit = 0.1, .duration = 10 };
  Request in_time = { .limit = 10 };
  g_autoptr (GtxTask) first = gtx_create_task (request_with_limit, &late, NULL);
  g_autoptr (GtxTask) second = gtx_create_task (request_with_limit, &in_time, NULL);

  g_assert_true (gtx_await (first, error));
  g_assert_true (late.timed_out && !late.finished);
  g_assert_cmpuint (gtx_cancelling (first), ==, 0);
  g_assert_true (gtx_await (second, error));
  g_assert_true (!in_time.timed_out && in_time.finished);
  g_assert_cmpuint (gtx_cancelling (second), ==, 0);
  g_assert_cmpfloat (gtx_get_time (), ==, 0.1);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/uncancel/own", test_own);
  add_coroutine ("/uncancel/woken", test_woken);
  add_coroutine ("/uncancel/in-handler", test_in_handler);
  add_coroutine ("/uncancel/structured", test_structured);
  return g_test_run ();
}
