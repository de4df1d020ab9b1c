/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where eager tasks may start: in callbacks, before main loops run, below main loops, and deep inside one
 * another. */

#include "eager.h"

#include <errno.h>
#include <fenv.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Outside of all tasks ---- */

/* This test is the first one: no main loop has run yet. */
static void
test_before_the_loop (void)
{
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) quick = gtx_create_task_eager (note_and_return, "quick", NULL);

  g_assert_true (gtx_future_is_done (quick));
  task = start_and_note ();
  assert_trace ("quick in back");
  iterate_until_done (NULL, task);
  assert_trace ("later");
}

static gboolean
start_in_callback (gpointer task)
{
  *(GtxTask **) task = start_and_note ();
  return G_SOURCE_REMOVE;
}

/* With other tasks that are ready, and with none that has ever suspended. */
static void
test_callback (void)
{
  for (int has_other = FALSE; has_other <= TRUE; has_other++)
    {
      g_autoptr (GtxTask) other = has_other ? gtx_create_task (note_and_return, "other", NULL) : NULL;
      GtxTask *task = NULL;

      g_timeout_add_full (G_PRIORITY_HIGH, 0, start_in_callback, &task, NULL);
      while (task == NULL)
        g_main_context_iteration (NULL, TRUE);
      iterate_until_done (NULL, task);
      g_assert_true (other == NULL || gtx_future_is_done (other));
      assert_trace (has_other ? "in back other later" : "in back later");
      g_object_unref (task);
    }
}

/* An operation that the eager part completes. */
static GAsyncReadyCallback callback_of_operation;
static gpointer data_of_operation;

static void
begin_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  callback_of_operation = callback;
  data_of_operation = data;
}

static gboolean
await_operation (gpointer data, GError **error)
{
  begin_async (GTX_ASYNC);
  g_assert_nonnull (gtx_await_result ());
  note ("woken");
  return TRUE;
}

static gboolean
complete (gpointer data, GError **error)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_boolean (result, TRUE);
  callback_of_operation (NULL, G_ASYNC_RESULT (result), data_of_operation);
  note ("completed");
  return TRUE;
}

static gboolean
complete_in_callback (gpointer data)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (complete, NULL, NULL);

  g_assert_true (gtx_future_is_done (task));
  note ("back");
  return G_SOURCE_REMOVE;
}

/* A task that is woken there goes on later, as when a task wakes it. */
static void
test_wakes_in_callback (void)
{
  g_autoptr (GtxTask) waiting = gtx_create_task_eager (await_operation, NULL, NULL);

  g_timeout_add_full (G_PRIORITY_HIGH, 0, complete_in_callback, NULL, NULL);
  iterate_until_done (NULL, waiting);
  assert_trace ("completed back woken");
}

static void
start_when_done (gpointer future, gpointer task)
{
  start_in_callback (task);
}

static gboolean
test_done_callback (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = NULL;

  gtx_future_add_done_callback (future, start_when_done, &task, NULL);
  gtx_future_set_result (future, NULL, NULL);
  g_assert_true (gtx_sleep (0, error));
  assert_trace ("in back");
  g_assert_true (gtx_await (task, error));
  assert_trace ("later");
  return TRUE;
}

static void
start_when_freed (gpointer task)
{
  start_in_callback (task);
}

static gboolean
take_task (GtxTask **task, GError **error)
{
  return gtx_sleep (0, error);
}

/* In the function that frees a task's data, and in the one that frees the result with the last reference. */
static gboolean
test_freeing (gpointer data, GError **error)
{
  GtxTask *started = NULL;
  g_autoptr (GtxTask) task = gtx_create_task (take_task, &started, start_when_freed);
  GtxFuture *future = gtx_future_new ();

  g_assert_true (gtx_await (task, error));
  assert_trace ("in back later");
  g_assert_true (gtx_await (started, error));
  g_clear_object (&started);

  gtx_future_set_result (future, &started, start_when_freed);
  g_object_unref (future);
  assert_trace ("in back");
  g_assert_true (gtx_await (started, error));
  g_object_unref (started);
  return TRUE;
}

/* ---- Below a main loop that a task runs ---- */

static gboolean
test_below_loop (gpointer data, GError **error)
{
  GtxTask *task = NULL;

  g_timeout_add_full (G_PRIORITY_HIGH, 0, start_in_callback, &task, NULL);
  while (task == NULL)
    g_main_context_iteration (NULL, TRUE);
  iterate_until_done (NULL, task);
  assert_trace ("in back later");
  g_object_unref (task);
  return TRUE;
}

/* The eager part runs the main loop. */
static gboolean
run_loop (GtxTask *other, GError **error)
{
  iterate_until_done (NULL, other);
  note ("out");
  if (!gtx_sleep (0, error))
    return FALSE;
  note ("later");
  return TRUE;
}

static gboolean
test_runs_a_loop (gpointer data, GError **error)
{
  g_autoptr (GtxTask) first = sleeper ("1:first");
  g_autoptr (GtxTask) second = sleeper ("2:second");
  g_autoptr (GtxTask) task = gtx_create_task_eager (run_loop, second, NULL);

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("first second out main later");
  return gtx_await (first, error);
}

/* ---- What belongs to the thread ---- */

static gboolean
look_at_default (GMainContext *expected, GError **error)
{
  g_autoptr (GMainContext) own = g_main_context_new ();

  g_assert_true (g_main_context_get_thread_default () == expected);
  g_main_context_push_thread_default (own);
  if (!gtx_sleep (0, error))
    return FALSE;
  g_assert_true (g_main_context_get_thread_default () == own);
  g_main_context_pop_thread_default (own);
  return TRUE;
}

/* A task that was made before has the creator's home, and one that is made then that of the context. */
static gboolean
test_thread_default (gpointer data, GError **error)
{
  g_autoptr (GMainContext) pushed = g_main_context_new ();
  g_autoptr (GtxTask) before = gtx_task_new (look_at_default, (GMainContext *) NULL, NULL);
  g_autoptr (GtxTask) inside = NULL;

  g_main_context_push_thread_default (pushed);
  gtx_task_start_eager (before);
  g_assert_true (g_main_context_get_thread_default () == pushed);
  inside = gtx_create_task_eager (look_at_default, pushed, NULL);
  g_assert_true (g_main_context_get_thread_default () == pushed);
  iterate_until_done (pushed, inside);
  g_main_context_pop_thread_default (pushed);
  g_assert_true (gtx_await (before, error));
  return TRUE;
}

static gboolean
change_environment (gpointer data, GError **error)
{
  g_assert_cmpint (fegetround (), ==, FE_UPWARD);
  fesetround (FE_DOWNWARD);
  errno = ERANGE;
  if (!gtx_sleep (0, error))
    return FALSE;
  g_assert_cmpint (errno, ==, ERANGE);
  g_assert_cmpint (fegetround (), ==, FE_DOWNWARD);
  return TRUE;
}

static gboolean
test_environment (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = NULL;

  fesetround (FE_UPWARD);
  errno = EDOM;
  task = gtx_create_task_eager (change_environment, NULL, NULL);
  g_assert_cmpint (errno, ==, EDOM);
  g_assert_cmpint (fegetround (), ==, FE_UPWARD);
  fesetround (FE_TONEAREST);
  return gtx_await (task, error);
}

static gboolean
start_on_main_stack (GtxTask **task, GError **error)
{
  g_assert_null (gtx_current_task ());
  *task = start_and_note ();
  return TRUE;
}

static gboolean
call_on_main_stack (GtxTask **task, GError **error)
{
  GtxTask *current = gtx_current_task ();

  g_assert_true (gtx_call_on_main_stack (start_on_main_stack, task, error));
  g_assert_true (gtx_current_task () == current);
  return gtx_await (*task, error);
}

/* From an eager part to the thread's stack, and from there into an eager part. */
static gboolean
test_main_stack (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inner = NULL;
  g_autoptr (GtxTask) task = gtx_create_task_eager (call_on_main_stack, &inner, NULL);

  note ("main");
  g_assert_true (gtx_await (task, error));
  assert_trace ("in back main later");
  return TRUE;
}

/* ---- References ---- */

static gboolean
drop_itself (GtxTask **task, GError **error)
{
  g_clear_object (task);
  return TRUE;
}

static gboolean
test_drops_itself (gpointer data, GError **error)
{
  GtxTask *task = NULL;

  task = gtx_task_new (drop_itself, &task, NULL);
  g_object_add_weak_pointer (G_OBJECT (task), (gpointer *) &task);
  gtx_task_start_eager (task);
  g_assert_null (task);
  return TRUE;
}

/* ---- Deep inside one another ---- */

#define DEPTH 1000

typedef struct
{
  guint depth;
  const guint8 *above;          /* on the stack of the creator */
  GPtrArray *tasks;
} Level;

/* Its stack is none of its creator's. */
static gboolean
go_deeper (Level *level, GError **error)
{
  const guint8 *here = __builtin_frame_address (0);
  Level next = { level->depth + 1, here, level->tasks };

  g_assert_cmpuint ((gsize) ABS (here - level->above), >, 100000);
  if (next.depth < DEPTH)
    g_ptr_array_add (next.tasks, gtx_create_task_eager (go_deeper, &next, NULL));
  return gtx_sleep (0.001 * (next.depth % 7), error);
}

static gboolean
test_deep (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  Level first = { 0, __builtin_frame_address (0), tasks };

  g_ptr_array_add (tasks, gtx_create_task_eager (go_deeper, &first, NULL));
  g_assert_cmpuint (tasks->len, ==, DEPTH);
  return gtx_gather (tasks, GTX_GATHER_NONE, error);
}

/* ---- Looking at tasks ---- */

static gboolean
describe (GtxTask *creator, GError **error)
{
  g_autofree char *its_state = gtx_task_describe_state (creator);
  g_autofree char *own_state = gtx_task_describe_state (gtx_current_task ());

  g_assert_cmpstr (its_state, ==, "runs");
  g_assert_cmpstr (own_state, ==, "runs");
  g_assert_cmpfloat (gtx_task_get_processor_time (gtx_current_task ()), >=, 0);
  return gtx_sleep (0, error);
}

static gboolean
test_described (gpointer data, GError **error)
{
  GtxTask *current = gtx_current_task ();
  g_autoptr (GtxTask) task = NULL;
  g_autofree char *state = NULL;

  gtx_measure_tasks (TRUE);
  g_assert_true (gtx_sleep (0, error));
  task = gtx_create_task_eager (describe, current, NULL);
  state = gtx_task_describe_state (task);
  g_assert_cmpstr (state, ==, "is ready");
  g_assert_cmpfloat (gtx_task_get_waiting_time (current), ==, 0);
  g_assert_true (gtx_await (task, error));
  gtx_measure_tasks (FALSE);
  return TRUE;
}

/* ---- Processes ---- */

static gboolean
fork_in_part (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      gboolean refused = gtx_current_task () == NULL && !gtx_sleep (0, &failure) &&
                         g_error_matches (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);

      if (RUNNING_ON_VALGRIND)
        execlp ("sh", "sh", "-c", refused ? "exit 7" : "exit 1", NULL);
      _exit (refused ? 7 : 1);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (WEXITSTATUS (status), ==, 7);
  return gtx_sleep (0, error);
}

static gboolean
test_fork (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_eager (fork_in_part, NULL, NULL);

  return gtx_await (task, error);
}

static gboolean
note_default (gpointer data, GError **error)
{
  note (g_main_context_get_thread_default () ? "another" : "own");
  return TRUE;
}

/* The starter has pushed a main context which is not the task's. */
static void
test_foreign_default (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = gtx_task_new (note_default, NULL, NULL);

  g_main_context_push_thread_default (context);
  gtx_task_start_eager (task);
  g_main_context_pop_thread_default (context);
  iterate_until_done (NULL, task);
  assert_trace ("own");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_outside ("/eager-places/before-the-loop", test_before_the_loop);
  add_outside ("/eager-places/callback", test_callback);
  add_outside ("/eager-places/wakes-in-callback", test_wakes_in_callback);
  add_coroutine ("/eager-places/done-callback", test_done_callback);
  add_coroutine ("/eager-places/freeing", test_freeing);
  add_real_coroutine ("/eager-places/below-loop", test_below_loop);
  add_real_coroutine ("/eager-places/runs-a-loop", test_runs_a_loop);
  add_coroutine ("/eager-places/thread-default", test_thread_default);
  add_outside ("/eager-places/foreign-default", test_foreign_default);
  add_coroutine ("/eager-places/environment", test_environment);
  add_coroutine ("/eager-places/main-stack", test_main_stack);
  add_coroutine ("/eager-places/drops-itself", test_drops_itself);
  add_coroutine ("/eager-places/deep", test_deep);
  add_coroutine ("/eager-places/described", test_described);
  add_coroutine ("/eager-places/fork", test_fork);
  return g_test_run ();
}
