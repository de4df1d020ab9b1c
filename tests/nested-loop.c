/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that holds a main loop of its own, as a modal dialog does. */

#include "fixture.h"

static gboolean
quit_loop (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
hold_loop (GMainLoop *loop, GError **error)
{
  note ("in");
  g_main_loop_run (loop);
  note ("out");
  return gtx_sleep (0, error);
}

static gboolean
tick (GMainLoop *loop, GError **error)
{
  for (int i = 0; i < 3; i++)
    {
      note ("tick");
      if (!gtx_sleep (0.001, error))
        return FALSE;
    }
  g_main_loop_quit (loop);
  return TRUE;
}

/* ---- Others go on ---- */

static gboolean
others_go_on (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) holder = gtx_create_task (hold_loop, loop, NULL);
  g_autoptr (GtxTask) ticker = gtx_create_task (tick, loop, NULL);

  g_assert_true (gtx_await (holder, error));
  assert_trace ("in tick tick tick out");
  return gtx_await (ticker, error);
}

/* ---- A callback of the inner loop is outside of all tasks ---- */

static gboolean
look_around (gpointer loop)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gtx_current_task ());
  g_assert_false (gtx_sleep (0, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (&error);
  g_assert_false (gtx_run (sleep_long, NULL, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
outside_in_callback (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GtxTask *current = gtx_current_task ();

  g_idle_add (look_around, loop);
  g_main_loop_run (loop);
  g_assert_true (gtx_current_task () == current);
  return TRUE;
}

/* ---- Two deep ---- */

typedef struct
{
  GMainLoop *loops[2];
  int first;                    /* which is quit first */
} Nest;

static gboolean
quit_both (Nest *nest, GError **error)
{
  g_main_loop_quit (nest->loops[nest->first]);
  note (nest->first == 0 ? "outer-quit" : "inner-quit");
  if (!gtx_sleep (0.005, error))
    return FALSE;
  g_main_loop_quit (nest->loops[1 - nest->first]);
  return TRUE;
}

static gboolean
hold_inner (Nest *nest, GError **error)
{
  note ("inner");
  g_main_loop_run (nest->loops[1]);
  note ("inner-out");
  return TRUE;
}

static gboolean
hold_outer (Nest *nest, GError **error)
{
  note ("outer");
  g_main_loop_run (nest->loops[0]);
  note ("outer-out");
  return TRUE;
}

static gboolean
two_deep (Nest *nest, GError **error)
{
  g_autoptr (GtxTask) outer = gtx_create_task (hold_outer, nest, NULL);
  g_autoptr (GtxTask) inner = gtx_create_task (hold_inner, nest, NULL);
  g_autoptr (GtxTask) quitter = gtx_create_task (quit_both, nest, NULL);

  if (!gtx_await (outer, error) || !gtx_await (inner, error) || !gtx_await (quitter, error))
    return FALSE;
  assert_trace (nest->first == 0 ? "outer inner outer-quit inner-out outer-out"
                                 : "outer inner inner-quit inner-out outer-out");
  return TRUE;
}

/* The outer loop's run returns only once the inner one has. */
static void
test_two_deep (gconstpointer first)
{
  Nest nest = { { g_main_loop_new (NULL, FALSE), g_main_loop_new (NULL, FALSE) }, GPOINTER_TO_INT (first) };

  run_with (gtx_run_named, (GtxCoroutine) two_deep, &nest);
  g_main_loop_unref (nest.loops[0]);
  g_main_loop_unref (nest.loops[1]);
}

/* ---- Cancelled while holding ---- */

static gboolean
cancelled_while_holding (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) holder = gtx_create_task (hold_loop, loop, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.001, NULL);
  assert_trace ("in");
  /* The loop is the task's own business: it is told at its next await. */
  gtx_cancel (holder);
  g_timeout_add (1, quit_loop, loop);
  g_assert_false (gtx_await (holder, &failure));
  assert_cancelled (failure);
  assert_trace ("out");
  return TRUE;
}

/* ---- Single iterations ---- */

static gboolean
iterate_until (GtxTask *until, GError **error)
{
  while (!gtx_future_is_done (until))
    g_main_context_iteration (NULL, TRUE);
  return TRUE;
}

static gboolean
single_iterations (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (sleep_and_note, "5:slept", NULL);

  iterate_until (task, error);
  assert_trace ("slept");
  return gtx_await (task, error);
}

/* ---- What a handler does that runs while its task suspends ---- */

static void
iterate (GCancellable *cancellable, gpointer data)
{
  for (int i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
}

/* The awaited task ends, and wakes the one that is about to suspend. */
static gboolean
woken_while_suspending (gpointer data, GError **error)
{
  g_autoptr (GtxTask) sleeper = gtx_create_task (sleep_long, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_signal_connect (gtx_task_get_cancellable (sleeper), "cancelled", G_CALLBACK (iterate), NULL);
  gtx_cancel (gtx_current_task ());
  g_assert_false (gtx_await (sleeper, &failure));
  assert_cancelled (failure);
  return gtx_sleep (0, error);
}

/* ---- Rounds ---- */

static gboolean
count_rounds (guint *n, GError **error)
{
  do
    ++*n;
  while (gtx_sleep (0, error));
  return FALSE;
}

static gboolean
leave_one_behind (guint *n, GError **error)
{
  g_assert_true (gtx_sleep (0, error));
  g_main_context_iteration (NULL, FALSE);
  g_object_unref (gtx_create_task (count_rounds, n, NULL));
  return TRUE;
}

/* As in asyncio: it is cancelled after the round in which the main task ends. */
static void
test_rounds_end (void)
{
  guint n = 0;

  g_assert_true (gtx_run (leave_one_behind, &n, NULL));
  g_assert_cmpuint (n, ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/nested-loop/others-go-on", others_go_on);
  add_real_coroutine ("/nested-loop/callback-is-outside", outside_in_callback);
  add_real_coroutine ("/nested-loop/cancelled", cancelled_while_holding);
  add_real_coroutine ("/nested-loop/iteration", single_iterations);
  g_test_add_data_func ("/nested-loop/two-deep/outer-first", GINT_TO_POINTER (0), test_two_deep);
  g_test_add_data_func ("/nested-loop/two-deep/inner-first", GINT_TO_POINTER (1), test_two_deep);
  add_real_coroutine ("/nested-loop/woken-while-suspending", woken_while_suspending);
  g_test_add_func ("/nested-loop/rounds-end", test_rounds_end);
  return g_test_run ();
}
