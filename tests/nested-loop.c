/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that runs a main loop of its own, as a modal dialog does. */

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
  int first;                    /* the loop that is quit first */
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

/* The run of the outer loop returns only after that of the inner one. */
static void
test_two_deep (gconstpointer first)
{
  Nest nest = { { g_main_loop_new (NULL, FALSE), g_main_loop_new (NULL, FALSE) }, GPOINTER_TO_INT (first) };

  run_with (gtx_run_named, (GtxCoroutine) two_deep, &nest);
  g_main_loop_unref (nest.loops[0]);
  g_main_loop_unref (nest.loops[1]);
}

/* ---- Four deep, ended in every order ---- */

#define DEPTH 4

typedef struct
{
  GMainLoop *loops[DEPTH];
  int order[DEPTH];             /* the order in which the loops are quit */
  int n_begun;
  int n_returned;
  gboolean was_quit[DEPTH];
} Tower;

/* After its loop the task awaits, while loops below may still run. */
static gboolean
hold_storey (Tower *tower, GError **error)
{
  int storey = tower->n_begun++;

  g_main_loop_run (tower->loops[storey]);
  g_assert_cmpint (storey, ==, DEPTH - 1 - tower->n_returned);
  tower->n_returned++;
  for (int i = 0; i < 5; i++)
    if (!gtx_sleep (0.001, error))
      return FALSE;
  return TRUE;
}

/* Returns how many loops have been quit from the top down without a gap. */
static int
count_free_storeys (const Tower *tower)
{
  int n = 0;

  while (n < DEPTH && tower->was_quit[DEPTH - 1 - n])
    n++;
  return n;
}

static gboolean
take_down (Tower *tower, GError **error)
{
  for (int i = 0; i < DEPTH; i++)
    {
      int storey = tower->order[i];

      g_main_loop_quit (tower->loops[storey]);
      tower->was_quit[storey] = TRUE;
      for (int turns = 0; turns < 20 && tower->n_returned < count_free_storeys (tower); turns++)
        if (!gtx_sleep (0.001, error))
          return FALSE;
      g_assert_cmpint (tower->n_returned, ==, count_free_storeys (tower));
    }
  return TRUE;
}

static gboolean
build_and_take_down (Tower *tower, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < DEPTH; i++)
    g_ptr_array_add (tasks, gtx_create_task (hold_storey, tower, NULL));
  g_ptr_array_add (tasks, gtx_create_task (take_down, tower, NULL));
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* Tries the order with the given number. */
static gboolean
try_order (int number, GError **error)
{
  Tower tower = { 0 };
  gboolean succeeded;

  for (int i = 0; i < DEPTH; i++)
    {
      int at = number % (i + 1);

      number /= i + 1;
      memmove (&tower.order[at + 1], &tower.order[at], (gsize) (i - at) * sizeof (int));
      tower.order[at] = i;
      tower.loops[i] = g_main_loop_new (NULL, FALSE);
    }
  succeeded = build_and_take_down (&tower, error);
  g_assert_cmpint (tower.n_returned, ==, DEPTH);
  for (int i = 0; i < DEPTH; i++)
    g_main_loop_unref (tower.loops[i]);
  return succeeded;
}

static gboolean
every_order (gpointer data, GError **error)
{
  for (int number = 0; number < 24; number++)
    g_assert_true (try_order (number, error));
  return TRUE;
}

/* ---- One that a callback of another runs ---- */

static gboolean
hold_from_callback (gpointer loop)
{
  g_autoptr (GMainLoop) inner = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) ticker = gtx_create_task (tick, inner, NULL);

  g_assert_null (gtx_current_task ());
  g_main_loop_run (inner);
  g_assert_true (gtx_future_is_done (ticker));
  note ("inner-out");
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
callback_holds (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GtxTask *current = gtx_current_task ();

  g_idle_add (hold_from_callback, loop);
  g_main_loop_run (loop);
  g_assert_true (gtx_current_task () == current);
  assert_trace ("tick tick tick inner-out");
  return gtx_sleep (0, error);
}

/* ---- Operations ---- */

static gboolean
query_and_quit (GMainLoop *loop, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (GFileInfo) info = NULL;

  for (int i = 0; i < 3; i++)
    {
      g_clear_object (&info);
      g_file_query_info_async (file, "standard::type", 0, G_PRIORITY_DEFAULT, GTX_ASYNC);
      info = g_file_query_info_finish (file, gtx_await_result (), error);
      g_assert_nonnull (info);
      note ("queried");
    }
  g_main_loop_quit (loop);
  return TRUE;
}

static gboolean
others_operate (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) holder = gtx_create_task (hold_loop, loop, NULL);
  g_autoptr (GtxTask) other = gtx_create_task (query_and_quit, loop, NULL);

  g_assert_true (gtx_await (holder, error));
  assert_trace ("in queried queried queried out");
  return gtx_await (other, error);
}

static void
return_true (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void
operate_async (GMainLoop *loop, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_signal_connect_swapped (task, "notify::completed", G_CALLBACK (g_main_loop_quit), loop);
  g_task_run_in_thread (task, return_true);
}

/* The task's operation calls back while the task runs the loop.  Awaiting the operation returns the
 * result. */
static gboolean
own_operation (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GAsyncResult *result;

  operate_async (loop, GTX_ASYNC);
  g_main_loop_run (loop);
  result = gtx_await_result ();
  g_assert_true (g_task_get_completed (G_TASK (result)));
  g_assert_true (g_task_propagate_boolean (G_TASK (result), error));
  return gtx_sleep (0, error);
}

/* ---- gtx_run () below a task ---- */

static gboolean
run_on_own_context (gpointer loop)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxCoroutine coroutine = (GtxCoroutine) sleep_and_note;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_run_named ("own", coroutine, (gpointer) "1:ran", &error));
  g_main_context_pop_thread_default (context);
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* In the task itself gtx_run () is refused with any context.  In a callback it works on another
 * context, and the task waits for it. */
static gboolean
run_below (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_run (sleep_long, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);
  g_clear_error (&failure);
  g_main_context_push_thread_default (context);
  g_assert_false (gtx_run (sleep_long, NULL, &failure));
  g_main_context_pop_thread_default (context);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_ALREADY_RUNNING);

  g_idle_add (run_on_own_context, loop);
  g_main_loop_run (loop);
  assert_trace ("ran");
  return gtx_sleep (0, error);
}

/* ---- A timeout that is over meanwhile ---- */

static gboolean
timed_out_while_holding (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) body = NULL;
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;

  gtx_timeout_begin (&timeout, 0.001);
  g_timeout_add (10, quit_loop, loop);
  g_main_loop_run (loop);
  g_assert_false (gtx_sleep (0, &body));
  g_assert_false (gtx_timeout_end (&timeout, &body, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
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
  /* The inner loop is not an await: the task's next await delivers the request. */
  gtx_cancel (holder);
  g_timeout_add (1, quit_loop, loop);
  g_assert_false (gtx_await (holder, &failure));
  assert_cancelled (failure);
  assert_trace ("out");
  return TRUE;
}

/* A dialog that ends with its task needs this function. */
static gboolean
hold_until_cancelled (GMainLoop *loop, GError **error)
{
  GCancellable *cancellable = gtx_task_get_cancellable (gtx_current_task ());
  gulong handler = g_signal_connect_swapped (cancellable, "cancelled", G_CALLBACK (g_main_loop_quit), loop);

  g_main_loop_run (loop);
  g_signal_handler_disconnect (cancellable, handler);
  note ("out");
  return gtx_sleep (0, error);
}

static gboolean
ended_by_cancelling (gpointer data, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GtxTask) holder = gtx_create_task (hold_until_cancelled, loop, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0.001, error));
  gtx_cancel (holder);
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

/* ---- A handler that runs while its task suspends ---- */

static void
iterate (GCancellable *cancellable, gpointer data)
{
  for (int i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
}

/* The awaited task ends, and wakes a task that is about to suspend. */
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

/* As in asyncio, the task is cancelled after the round in which the main task ends. */
static void
test_rounds_end (void)
{
  guint n = 0;

  g_assert_true (gtx_run (leave_one_behind, &n, NULL));
  g_assert_cmpuint (n, ==, 1);
}

/* ---- Messages from other threads ---- */

static GtxFuture *behind;

/* Waits for messages that were sent after the one that led to this call. */
static void
iterate_and_free (gpointer data)
{
  for (int i = 0; i < 100 && n_freed == 0; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (n_freed, ==, 1);
  g_free (data);
  n_freed++;
}

static void
count_call (gpointer future, gpointer data)
{
  n_freed++;
}

static gpointer
drop_and_settle (gpointer future)
{
  g_object_unref (future);
  gtx_future_set_result (behind, NULL, NULL);
  return NULL;
}

static gboolean
test_messages (gpointer data, GError **error)
{
  GtxFuture *first = gtx_future_new ();

  behind = gtx_future_new ();
  gtx_future_set_result (first, g_strdup ("result"), iterate_and_free);
  gtx_future_add_done_callback (behind, count_call, NULL, NULL);
  g_thread_join (g_thread_new ("sends", drop_and_settle, first));
  while (n_freed < 2)
    g_assert_true (gtx_sleep (0, error));
  g_clear_object (&behind);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/nested-loop/others-go-on", others_go_on);
  add_real_coroutine ("/nested-loop/callback-is-outside", outside_in_callback);
  add_real_coroutine ("/nested-loop/cancelled", cancelled_while_holding);
  add_real_coroutine ("/nested-loop/ended-by-cancelling", ended_by_cancelling);
  add_real_coroutine ("/nested-loop/iteration", single_iterations);
  g_test_add_data_func ("/nested-loop/two-deep/outer-first", GINT_TO_POINTER (0), test_two_deep);
  g_test_add_data_func ("/nested-loop/two-deep/inner-first", GINT_TO_POINTER (1), test_two_deep);
  add_real_coroutine ("/nested-loop/every-order", every_order);
  add_real_coroutine ("/nested-loop/from-callback", callback_holds);
  add_real_coroutine ("/nested-loop/operations/others", others_operate);
  add_real_coroutine ("/nested-loop/operations/own", own_operation);
  add_real_coroutine ("/nested-loop/run", run_below);
  add_real_coroutine ("/nested-loop/timed-out", timed_out_while_holding);
  add_real_coroutine ("/nested-loop/woken-while-suspending", woken_while_suspending);
  g_test_add_func ("/nested-loop/rounds-end", test_rounds_end);
  add_real_coroutine ("/nested-loop/messages", test_messages);
  return g_test_run ();
}
