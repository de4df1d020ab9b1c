/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a pool ends, and what becomes of its tasks then. */

#include "gate.h"
#include "pool-new.h"
#include "thread-run.h"

static gboolean
sleep_a_moment (gpointer data, GError **error)
{
  return gtx_sleep (0.001, error);
}

#define assert_refused(task)                                                   \
  G_STMT_START {                                                               \
    g_autoptr (GError) refusal = NULL;                                         \
                                                                               \
    g_assert_false (gtx_await ((task), &refusal));                             \
    g_assert_error (refusal, GTX_ERROR, GTX_ERROR_INVALID_STATE);              \
  } G_STMT_END

/* ---- Closing ---- */

static gboolean
clean_up (gint *n_cleaned, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
  g_assert_true (gtx_sleep (0.002, error));
  g_atomic_int_inc (n_cleaned);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* A task that the coroutine leaves in its thread. */
static gboolean
leave_child (gint *n_cleaned, GError **error)
{
  g_object_unref (gtx_create_task (clean_up, n_cleaned, NULL));
  return TRUE;
}

static gboolean
running (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  gint n_cleaned = 0;

  for (int i = 0; i < 10; i++)
    g_ptr_array_add (tasks, gtx_create_task_on (pool, clean_up, &n_cleaned, NULL));
  for (int i = 0; i < 10; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_on (pool, leave_child, &n_cleaned, NULL);

      g_assert_true (gtx_await (task, error));
    }
  for (guint i = 0; i < tasks->len; i++)
    await_running (tasks->pdata[i]);
  g_assert_true (gtx_pool_close (pool, error));
  g_assert_cmpint (n_cleaned, ==, 20);
  for (guint i = 0; i < tasks->len; i++)
    assert_ends_cancelled (tasks->pdata[i]);
  g_assert_true (gtx_pool_close (pool, error));
  g_object_unref (pool);
  return TRUE;
}

static gboolean
never (gpointer data, GError **error)
{
  g_assert_not_reached ();
}

static gboolean
in_line (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) busy = NULL;
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) late = NULL;
  g_autoptr (GtxTask) closer = NULL;
  Gate gate;

  gate_init (&gate);
  n_freed = 0;
  busy = gtx_create_task_on (pool, pass_gate, &gate, NULL);
  gate_await_begun (&gate, 1);
  task = gtx_create_task_on (pool, never, g_malloc (1), count_free);
  closer = gtx_create_task (gtx_pool_close, pool, NULL);
  assert_ends_cancelled (task);
  late = gtx_create_task_on (pool, never, g_malloc (1), count_free);
  assert_refused (late);
  g_assert_cmpint (n_freed, ==, 2);
  g_assert_false (gtx_future_is_done (closer));
  gate_open (&gate);
  /* It ends before it has learned of the request. */
  g_assert_true (gtx_await (busy, error));
  g_assert_true (gtx_await (closer, error));
  g_object_unref (pool);
  gate_clear (&gate);
  return TRUE;
}

/* The task that closes the pool gives up, and the pool ends all the same. */
static gboolean
closer_cancelled (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) busy = NULL;
  g_autoptr (GtxTask) closer = NULL;
  Gate gate;

  gate_init (&gate);
  busy = gtx_create_task_on (pool, pass_gate, &gate, NULL);
  gate_await_begun (&gate, 1);
  closer = gtx_create_task (gtx_pool_close, pool, NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (closer);
  assert_ends_cancelled (closer);
  gate_open (&gate);
  close_and_unref (pool);
  g_assert_true (gtx_await (busy, error));
  gate_clear (&gate);
  return TRUE;
}

static gboolean
close_own (GtxPool *pool, GError **error)
{
  return gtx_pool_close (pool, error);
}

static gboolean
own_thread (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, close_own, pool, NULL);

  assert_refused (task);
  close_and_unref (pool);
  return TRUE;
}

static void
note_done (gpointer future, gpointer data)
{
  *(gboolean *) data = TRUE;
}

/* There is no task, and the main loop runs meanwhile. */
static void
outside (void)
{
  GtxPool *pool = pool_new (2);
  gint n_cleaned = 0;
  gboolean is_done = FALSE;
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, clean_up, &n_cleaned, NULL);

  gtx_future_add_done_callback (task, note_done, &is_done, NULL);
  for (;;)
    {
      g_autofree char *state = gtx_task_describe_state (task);

      if (strstr (state, "runs it"))
        break;
      g_thread_yield ();
    }
  close_and_unref (pool);
  g_assert_cmpint (n_cleaned, ==, 1);
  while (!is_done)
    g_main_context_iteration (NULL, TRUE);
}

static gpointer
close_in_thread (gpointer pool)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_pool_close (pool, &error));
  g_assert_no_error (error);
  return pool;
}

/* A thread without a main context closes the pool while this one runs the default context. */
static gboolean
by_thread (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  gint n_cleaned = 0;
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, clean_up, &n_cleaned, NULL);
  GThread *thread;

  await_running (task);
  thread = g_thread_new ("closes", close_in_thread, pool);
  assert_ends_cancelled (task);
  g_assert_true (g_thread_join (thread) == pool);
  g_object_unref (pool);
  return TRUE;
}

static gboolean
cancel_everybody (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) tasks = gtx_all_tasks ();

  for (guint i = 0; i < tasks->len; i++)
    if (tasks->pdata[i] != gtx_current_task ())
      gtx_cancel (tasks->pdata[i]);
  return TRUE;
}

static gboolean
do_nothing (gpointer data, GError **error)
{
  return TRUE;
}

/* Code on the pool cancels all tasks of its thread, and the thread goes on. */
static gboolean
all_cancelled (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task_on (pool, i % 2 ? do_nothing : cancel_everybody, NULL, NULL);

      g_assert_true (gtx_await (task, error));
    }
  close_and_unref (pool);
  return TRUE;
}

/* ---- Without closing ---- */

static void
set_gone (gpointer data, GObject *where_the_object_was)
{
  g_atomic_int_set ((gint *) data, TRUE);
}

/* Code keeps the main context of a thread, to which requests are made. */
static GMainContext *
keep_context (gpointer data, GError **error)
{
  return g_main_context_ref_thread_default ();
}

static GtxFuture *
give_future (gpointer data, GError **error)
{
  return gtx_future_new ();
}

static gboolean
context_kept (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) task = gtx_create_task_pointer_on (pool, keep_context, NULL, NULL,
                                                         (GDestroyNotify) g_main_context_unref);
  g_autoptr (GMainContext) context = gtx_await_pointer (task, error);
  g_autoptr (GtxTask) giver = gtx_create_task_pointer_on (pool, give_future, NULL, NULL, g_object_unref);
  g_autoptr (GtxFuture) future = gtx_await_pointer (giver, error);
  g_autoptr (GtxTask) waiting = gtx_create_task (await_future, future, NULL);
  g_autoptr (GtxTask) late = NULL;
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  close_and_unref (pool);
  g_assert_false (gtx_await (waiting, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_clear_error (&failure);
  late = gtx_create_task_in (context, never, NULL, NULL);
  /* Another thread may run the context now. */
  g_main_context_wakeup (context);
  g_main_context_iteration (context, TRUE);
  g_assert_false (gtx_await (late, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  return TRUE;
}

/* A task keeps its pool; the last one lets it end. */
static gboolean
dropped (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  gint is_gone = FALSE;
  g_autoptr (GtxTask) task = NULL;
  Gate gate;

  gate_init (&gate);
  g_object_weak_ref (G_OBJECT (pool), set_gone, &is_gone);
  task = gtx_create_task_on (pool, pass_gate, &gate, NULL);
  g_object_unref (pool);
  gate_await_begun (&gate, 1);
  g_assert_false (g_atomic_int_get (&is_gone));
  gate_open (&gate);
  g_assert_true (gtx_await (task, error));
  g_assert_true (g_atomic_int_get (&is_gone));
  gate_clear (&gate);
  return TRUE;
}

static gboolean
use_once (gpointer data, GError **error)
{
  g_autoptr (GtxPool) pool = pool_new (2);
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, sleep_a_moment, NULL, NULL);

  return gtx_await (task, error);
}

/* Pools come and go, some without being closed. */
static gboolean
many (gpointer data, GError **error)
{
  for (int i = 0; i < 50; i++)
    if (!use_once (NULL, error))
      return FALSE;
  return TRUE;
}

/* ---- The home ---- */

typedef struct
{
  GtxPool *pool;
  Gate gate;
  gint n_freed;
} Homeless;

static char *
give_nothing (gpointer data, GError **error)
{
  return NULL;
}

static void
free_homeless (gpointer data)
{
  g_atomic_int_inc (&((Homeless *) data)->n_freed);
}

/* A thread without a loop, in which one task is begun, and the others wait behind it. */
static gpointer
leave_home (gpointer data)
{
  Homeless *homeless = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  GtxTask *tasks[3];

  g_main_context_push_thread_default (context);
  tasks[0] = gtx_create_task_on (homeless->pool, pass_gate, &homeless->gate, NULL);
  tasks[1] = gtx_create_task_on (homeless->pool, sleep_a_moment, homeless, free_homeless);
  tasks[2] = gtx_create_task_pointer_on (homeless->pool, give_nothing, homeless, free_homeless, g_free);
  gate_await_begun (&homeless->gate, 1);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (g_steal_pointer (&context));
  for (int i = 0; i < 3; i++)
    {
      g_assert_error (gtx_future_get_error (tasks[i]), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
      g_object_unref (tasks[i]);
    }
  return NULL;
}

static void
home_gone (void)
{
  Homeless homeless = { .pool = pool_new (1) };

  gate_init (&homeless.gate);
  g_thread_join (g_thread_new ("home", leave_home, &homeless));
  gate_open (&homeless.gate);
  close_and_unref (homeless.pool);
  g_assert_cmpint (homeless.n_freed, ==, 2);
  gate_clear (&homeless.gate);
}

static gpointer
create_from_thread (gpointer pool)
{
  return gtx_create_task_on (pool, sleep_a_moment, NULL, NULL);
}

/* A request is on its way to a coroutine that has returned, when the home goes. */
static gpointer
leave_asked (gpointer data)
{
  Homeless *homeless = data;
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) next = NULL;

  g_main_context_push_thread_default (context);
  task = gtx_create_task_pointer_on (homeless->pool, give_nothing, homeless, free_homeless, g_free);
  next = gtx_create_task_on (homeless->pool, pass_gate, &homeless->gate, NULL);
  gate_await_begun (&homeless->gate, 1);
  gtx_cancel (task);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_error (gtx_future_get_error (task), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  g_assert_error (gtx_future_get_error (next), GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  return NULL;
}

static void
home_gone_asked (void)
{
  Homeless homeless = { .pool = pool_new (1) };
  gint is_gone = FALSE;

  gate_init (&homeless.gate);
  g_object_weak_ref (G_OBJECT (homeless.pool), set_gone, &is_gone);
  g_thread_join (g_thread_new ("home", leave_asked, &homeless));
  gate_open (&homeless.gate);
  close_and_unref (homeless.pool);
  g_assert_cmpint (homeless.n_freed, ==, 1);
  g_assert_true (is_gone);
  gate_clear (&homeless.gate);
}

/* A thread without a main context starts tasks of the default one. */
static gboolean
from_thread (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);

  for (int i = 0; i < 20; i++)
    {
      g_autoptr (GtxTask) task = g_thread_join (g_thread_new ("creates", create_from_thread, pool));

      g_assert_true (gtx_await (task, error));
    }
  close_and_unref (pool);
  return TRUE;
}

/* A run ends while tasks are on the pool, and waits for them. */
static gboolean
leave_on_pool (GtxPool *pool, GError **error)
{
  for (int i = 0; i < 10; i++)
    g_object_unref (gtx_create_task_on (pool, sleep_long, g_malloc (1), count_free));
  return TRUE;
}

static void
left (void)
{
  GtxPool *pool = pool_new (2);

  n_freed = 0;
  run_here ((GtxCoroutine) leave_on_pool, pool);
  g_assert_cmpint (n_freed, ==, 10);
  close_and_unref (pool);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/pool-end/closed/running", running);
  add_real_coroutine ("/pool-end/closed/in-line", in_line);
  add_real_coroutine ("/pool-end/closed/closer-cancelled", closer_cancelled);
  add_real_coroutine ("/pool-end/closed/own-thread", own_thread);
  g_test_add_func ("/pool-end/closed/outside", outside);
  add_real_coroutine ("/pool-end/closed/by-thread", by_thread);
  add_real_coroutine ("/pool-end/all-cancelled", all_cancelled);
  add_real_coroutine ("/pool-end/context-kept", context_kept);
  add_real_coroutine ("/pool-end/dropped", dropped);
  add_real_coroutine ("/pool-end/many", many);
  g_test_add_func ("/pool-end/home-gone", home_gone);
  g_test_add_func ("/pool-end/home-gone/asked", home_gone_asked);
  add_real_coroutine ("/pool-end/from-thread", from_thread);
  g_test_add_func ("/pool-end/left", left);
  return g_test_run ();
}
