/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread has begun to settle a future whose main context goes. */

#include "fixture.h"

#include "task/future-private.h"

/* No task is left that could be woken. */
static void
test_sleep (void)
{
  GMainContext *context = g_main_context_new ();
  GtxFuture *sleep;

  g_main_context_push_thread_default (context);
  sleep = gtx_sleep_future (1000);
  g_main_context_pop_thread_default (context);
  sleep->state = GTX_FUTURE_SETTLING;
  g_main_context_unref (context);
  g_assert_cmpuint (((GObject *) sleep)->ref_count, ==, 1);
  sleep->state = GTX_FUTURE_CANCELLED;
  g_object_unref (sleep);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settling/sleep", test_sleep);
  return g_test_run ();
}
