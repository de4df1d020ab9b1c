/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks on a pool of threads: how they begin, end and are cancelled. */

#include "gate.h"
#include "pool-new.h"

/* ---- What a coroutine has and gives ---- */

static GThread *home;
static gint n_freed_at_home;

static void
free_at_home (gpointer data)
{
  g_assert_true (g_thread_self () == home);
  n_freed_at_home++;
  g_free (data);
}

static GtxTaskLocal local = GTX_TASK_LOCAL_INIT (NULL);

static char *
describe_me (const char *what, GError **error)
{
  g_assert_true (g_thread_self () != home);
  if (!gtx_sleep (0.001, error))
    return NULL;
  return g_strdup_printf ("%s %s %s", gtx_task_get_name (gtx_current_task ()), what,
                          (const char *) gtx_task_local_get (&local));
}

static gboolean
result (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GtxTask) task = NULL;
  g_autofree char *text = NULL;

  home = g_thread_self ();
  n_freed_at_home = 0;
  gtx_task_local_set (&local, (gpointer) "value");
  task = gtx_task_new_pointer (describe_me, g_strdup ("data"), free_at_home, free_at_home);
  gtx_task_set_name (task, "name");
  gtx_task_start_on (task, pool);
  gtx_task_local_set (&local, NULL);
  g_assert_false (gtx_future_is_done (task));
  text = gtx_await_pointer (task, error);
  g_assert_cmpstr (text, ==, "name data value");
  g_assert_cmpint (n_freed_at_home, ==, 1);
  close_and_unref (pool);
  return TRUE;
}

/* A result that nobody takes, and a task that nobody holds. */
static gboolean
dropped (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);

  home = g_thread_self ();
  n_freed_at_home = 0;
  g_object_unref (gtx_create_task_pointer_on (pool, describe_me, g_strdup ("data"), free_at_home, free_at_home));
  while (g_atomic_int_get (&n_freed_at_home) < 2)
    if (!gtx_sleep (0.001, error))
      return FALSE;
  close_and_unref (pool);
  return TRUE;
}

static gboolean
default_pool (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task_on (NULL, fail, "an error", NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_cmpuint (gtx_pool_get_n_threads (gtx_pool_get_default ()), >=, 1);
  g_assert_true (gtx_pool_get_default () == gtx_pool_get_default ());
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (failure->message, ==, "an error");
  g_clear_error (&failure);
  g_assert_false (gtx_pool_close (gtx_pool_get_default (), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
  return TRUE;
}

static gboolean
stay (gpointer data, GError **error)
{
  GThread *self = g_thread_self ();
  GMainContext *context = g_main_context_get_thread_default ();

  for (int i = 0; i < 20; i++)
    {
      if (!gtx_sleep (0.0005, error))
        return FALSE;
      g_assert_true (g_thread_self () == self);
      g_assert_true (g_main_context_get_thread_default () == context);
    }
  return TRUE;
}

static gboolean
same_thread (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (3);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 50; i++)
    g_ptr_array_add (tasks, gtx_create_task_on (pool, stay, NULL, NULL));
  if (!gtx_gather (tasks, 0, error))
    return FALSE;
  close_and_unref (pool);
  return TRUE;
}

/* ---- Free threads ---- */

/* Each waits in its thread until all of them run, so that each has a thread of its own. */
static gboolean
all_threads (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (4);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  Gate gate;

  gate_init (&gate);
  for (int i = 0; i < 4; i++)
    g_ptr_array_add (tasks, gtx_create_task_on (pool, pass_gate, &gate, NULL));
  gate_await_begun (&gate, 4);
  gate_open (&gate);
  if (!gtx_gather (tasks, 0, error))
    return FALSE;
  close_and_unref (pool);
  gate_clear (&gate);
  return TRUE;
}

typedef struct
{
  GtxPool *pool;
  Gate gate;
} Stealing;

/* Blocks its thread, in whose line the task is that opens the gate. */
static gboolean
create_and_block (Stealing *stealing, GError **error)
{
  g_autoptr (GtxTask) opener = gtx_create_task_on (stealing->pool, open_gate, &stealing->gate, NULL);

  return pass_gate (&stealing->gate, error) && gtx_await (opener, error);
}

static gboolean
stolen (gpointer data, GError **error)
{
  Stealing stealing = { .pool = pool_new (2) };

  for (int i = 0; i < 100; i++)
    {
      g_autoptr (GtxTask) task = NULL;

      gate_init (&stealing.gate);
      task = gtx_create_task_on (stealing.pool, create_and_block, &stealing, NULL);
      if (!gtx_await (task, error))
        return FALSE;
      gate_clear (&stealing.gate);
    }
  close_and_unref (stealing.pool);
  return TRUE;
}

static gboolean
block_when_cancelled (Gate *gate, GError **error)
{
  gtx_sleep (1000, NULL);
  return pass_gate (gate, error);
}

/* A thread is woken for what it has begun, and for a job at the same time.  It goes on with the former, which
 * waits for the job: another thread begins that. */
static gboolean
woken_for_both (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);

  for (int i = 0; i < 50; i++)
    {
      g_autoptr (GtxTask) blocks = NULL;
      g_autoptr (GtxTask) sleeps = NULL;
      g_autoptr (GtxTask) opens = NULL;
      Gate gate;

      gate_init (&gate);
      blocks = gtx_create_task_on (pool, block_when_cancelled, &gate, NULL);
      await_running (blocks);
      sleeps = gtx_create_task_on (pool, sleep_long, NULL, NULL);
      await_running (sleeps);
      gtx_cancel (blocks);
      opens = gtx_create_task_on (pool, open_gate, &gate, NULL);
      if (!gtx_gather_list (0, error, blocks, opens, NULL))
        return FALSE;
      gtx_cancel (sleeps);
      assert_ends_cancelled (sleeps);
      gate_clear (&gate);
    }
  close_and_unref (pool);
  return TRUE;
}

/* ---- Requests ---- */

static gboolean
never (gboolean *has_run, GError **error)
{
  *has_run = TRUE;
  return TRUE;
}

/* The only thread is busy. */
static gboolean
cancelled_before (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) busy = NULL;
  g_autoptr (GtxTask) task = NULL;
  g_autofree char *state = NULL;
  gboolean has_run = FALSE;
  Gate gate;

  gate_init (&gate);
  busy = gtx_create_task_on (pool, pass_gate, &gate, NULL);
  gate_await_begun (&gate, 1);
  task = gtx_create_task_on (pool, never, &has_run, NULL);
  state = gtx_task_describe_state (task);
  g_assert_cmpstr (state, ==, "waits for a thread of a pool");
  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_future_is_done (task));
  assert_ends_cancelled (task);
  gate_open (&gate);
  g_assert_true (gtx_await (busy, error));
  close_and_unref (pool);
  g_assert_false (has_run);
  gate_clear (&gate);
  return TRUE;
}

/* Sleeps for ever, and then does what @how says: goes on, or fails, or ends as cancelled. */
static gboolean
await_request (const char *how, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_sleep (1000, &failure));
  assert_cancelled (failure);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  if (!gtx_sleep (0.001, error))
    return FALSE;
  if (g_str_equal (how, "goes on"))
    return TRUE;
  if (g_str_equal (how, "fails"))
    return fail ("has failed", error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
cancelled_while (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) goes_on = gtx_create_task_on (pool, await_request, "goes on", NULL);
  g_autoptr (GtxTask) fails = gtx_create_task_on (pool, await_request, "fails", NULL);
  g_autoptr (GtxTask) ends = gtx_create_task_on (pool, await_request, "ends", NULL);
  g_autoptr (GError) failure = NULL;

  await_running (ends);
  gtx_cancel (goes_on);
  gtx_cancel (fails);
  gtx_cancel (ends);
  g_assert_true (gtx_await (goes_on, error));
  g_assert_false (gtx_await (fails, &failure));
  g_assert_cmpstr (failure->message, ==, "has failed");
  assert_ends_cancelled (ends);
  close_and_unref (pool);
  return TRUE;
}

static char *
give_copy (const char *text, GError **error)
{
  return g_strdup (text);
}

/* The request comes when the coroutine has returned, and its home does not know yet. */
static gboolean
cancelled_after (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) next = NULL;
  Gate gate;

  gate_init (&gate);
  n_freed = 0;
  task = gtx_create_task_pointer_on (pool, give_copy, "text", NULL, count_free);
  /* The only thread comes to this one when it has ended that one. */
  next = gtx_create_task_on (pool, pass_gate, &gate, NULL);
  gate_await_begun (&gate, 1);
  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_future_is_done (task));
  gate_open (&gate);
  assert_ends_cancelled (task);
  g_assert_cmpint (n_freed, ==, 1);
  g_assert_true (gtx_await (next, error));
  close_and_unref (pool);
  gate_clear (&gate);
  return TRUE;
}

/* The first one opens the gate. */
static gboolean
await_both_requests (Gate *gate, GError **error)
{
  g_assert_false (gtx_sleep (1000, NULL));
  gate_open (gate);
  g_assert_false (gtx_sleep (1000, NULL));
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 2);
  return TRUE;
}

static gboolean
cancelled_twice (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  g_autoptr (GtxTask) task = NULL;
  Gate gate;

  gate_init (&gate);
  task = gtx_create_task_on (pool, await_both_requests, &gate, NULL);
  await_running (task);
  gtx_cancel (task);
  pass_gate (&gate, NULL);
  gtx_cancel (task);
  g_assert_cmpuint (gtx_cancelling (task), ==, 2);
  g_assert_true (gtx_await (task, error));
  close_and_unref (pool);
  gate_clear (&gate);
  return TRUE;
}

/* A request through the GCancellable, from a thread. */
static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gboolean
cancelled_by_thread (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (2);
  g_autoptr (GtxTask) task = gtx_create_task_on (pool, sleep_long, NULL, NULL);
  g_autoptr (GCancellable) cancellable = g_object_ref (gtx_task_get_cancellable (task));

  g_thread_join (g_thread_new ("cancels", cancel_in_thread, cancellable));
  assert_ends_cancelled (task);
  close_and_unref (pool);
  return TRUE;
}

/* ---- Rings ---- */

typedef struct
{
  GtxTask *on_pool;
  GtxTask *here;
  Gate gate;                    /* opened when both are there */
} Ring;

static gboolean
await_here (Ring *ring, GError **error)
{
  return pass_gate (&ring->gate, error) && gtx_await (ring->here, error);
}

static gboolean
await_on_pool (Ring *ring, GError **error)
{
  return gtx_await (ring->on_pool, error);
}

/* Two tasks that await each other, one of them on the pool, end when one of them is cancelled. */
static gboolean
cancel_ring (gboolean from_home, GError **error)
{
  GtxPool *pool = pool_new (1);
  Ring ring;

  gate_init (&ring.gate);
  ring.on_pool = gtx_create_task_on (pool, await_here, &ring, NULL);
  ring.here = gtx_create_task (await_on_pool, &ring, NULL);
  gate_open (&ring.gate);
  await_running (ring.on_pool);
  gtx_cancel (from_home ? ring.here : ring.on_pool);
  assert_ends_cancelled (ring.here);
  assert_ends_cancelled (ring.on_pool);
  close_and_unref (pool);
  g_object_unref (ring.here);
  g_object_unref (ring.on_pool);
  gate_clear (&ring.gate);
  return TRUE;
}

/* Begins the ring when everybody is there, and does not wait for its part in it. */
static gboolean
leave_ring (Ring *ring, GError **error)
{
  g_autoptr (GtxTask) in_ring = NULL;
  g_autoptr (GtxTask) sleeper = NULL;

  pass_gate (&ring->gate, NULL);
  in_ring = gtx_create_task (await_future, (GtxFuture *) ring->here, NULL);
  sleeper = gtx_create_task (sleep_long, NULL, NULL);
  return gtx_gather_list (0, error, in_ring, sleeper, NULL);
}

/* The home is busy until the answers to the request are there: they come with the request, which has gone
 * round. */
static gboolean
ring_left (gpointer data, GError **error)
{
  GtxPool *pool = pool_new (1);
  Ring ring;
  Gate after;

  gate_init (&ring.gate);
  gate_init (&after);
  ring.on_pool = gtx_create_task_on (pool, leave_ring, &ring, NULL);
  ring.here = gtx_create_task (await_on_pool, &ring, NULL);
  gate_open (&ring.gate);
  await_running (ring.on_pool);
  g_assert_true (gtx_sleep (0.01, error));
  gtx_cancel (ring.here);
  /* The only thread comes to this one after it has passed the request on, and ended that task. */
  for (int i = 0; i < 5; i++)
    g_object_unref (gtx_create_task_on (pool, open_gate, &after, NULL));
  pass_gate (&after, NULL);
  g_usleep (5000);
  assert_ends_cancelled (ring.here);
  assert_ends_cancelled (ring.on_pool);
  close_and_unref (pool);
  g_object_unref (ring.here);
  g_object_unref (ring.on_pool);
  gate_clear (&ring.gate);
  gate_clear (&after);
  return TRUE;
}

static gboolean
ring_from_home (gpointer data, GError **error)
{
  return cancel_ring (TRUE, error);
}

static gboolean
ring_from_pool (gpointer data, GError **error)
{
  return cancel_ring (FALSE, error);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/pool/result", result);
  add_real_coroutine ("/pool/dropped", dropped);
  add_real_coroutine ("/pool/default", default_pool);
  add_real_coroutine ("/pool/same-thread", same_thread);
  add_real_coroutine ("/pool/all-threads", all_threads);
  add_real_coroutine ("/pool/stolen", stolen);
  add_real_coroutine ("/pool/woken-for-both", woken_for_both);
  add_real_coroutine ("/pool/cancelled/before", cancelled_before);
  add_real_coroutine ("/pool/cancelled/while", cancelled_while);
  add_real_coroutine ("/pool/cancelled/after", cancelled_after);
  add_real_coroutine ("/pool/cancelled/twice", cancelled_twice);
  add_real_coroutine ("/pool/cancelled/by-thread", cancelled_by_thread);
  add_real_coroutine ("/pool/ring/from-home", ring_from_home);
  add_real_coroutine ("/pool/ring/from-pool", ring_from_pool);
  add_real_coroutine ("/pool/ring/left", ring_left);
  return g_test_run ();
}
