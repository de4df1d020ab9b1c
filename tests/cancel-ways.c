/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a request is passed on: to the awaited future, along chains and in rings. */

#include "fixture.h"

/* ---- Long ways ---- */

static gboolean
await_next (guint *left, GError **error)
{
  guint rest = *left - 1;
  g_autoptr (GtxTask) next = NULL;

  if (*left == 0)
    return gtx_sleep (1000, error);
  next = gtx_task_new (await_next, &rest, NULL);
  gtx_task_set_stack_size (next, 64 * 1024);
  return gtx_await (gtx_task_start (next), error);
}

static gboolean
test_long_chain (gpointer data, GError **error)
{
  guint length = RUNNING_ON_VALGRIND ? 200 : 1000;
  g_autoptr (GtxTask) first = gtx_create_task (await_next, &length, NULL);
  g_autoptr (GError) failure = NULL;

  gtx_sleep (1, NULL);
  gtx_cancel (first);
  g_assert_false (gtx_await (first, &failure));
  assert_cancelled (failure);
  g_assert_cmpfloat (gtx_get_time (), ==, 1);
  return TRUE;
}

static gboolean
gather_dependency (GtxTask *dependency, GError **error)
{
  if (dependency == NULL)
    return gtx_sleep (1000, error);
  return gtx_gather_list (GTX_GATHER_NONE, error, dependency, NULL);
}

/* The tasks have small stacks, because passing a request on uses no stack. */
static gboolean
test_long_chain_of_gatherings (gpointer data, GError **error)
{
  GtxTask *target = gtx_create_task (gather_dependency, (GtxTask *) NULL, NULL);
  g_autoptr (GError) failure = NULL;

  for (guint i = 0; i < 2000; i++)
    {
      target = gtx_task_new (gather_dependency, target, g_object_unref);
      gtx_task_set_stack_size (target, 65536);
      gtx_task_start (target);
    }
  gtx_sleep (0.1, NULL);
  gtx_cancel (target);
  g_assert_false (gtx_await (target, &failure));
  assert_cancelled (failure);
  g_object_unref (target);
  return TRUE;
}

static gboolean
await_dependency (GtxTask *dependency, GError **error)
{
  return dependency ? gtx_await (dependency, error) : gtx_sleep (1000, error);
}

/* As in asyncio, each task gets the requests of all tasks above it.  The library counts only a
 * limited number of them. */
static gboolean
test_chain_asked_again (gpointer data, GError **error)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 8; i++)
    g_ptr_array_add (chain, gtx_create_task (await_dependency, i > 0 ? (GtxTask *) chain->pdata[i - 1] : NULL,
                                             NULL));
  gtx_sleep (0.1, NULL);
  for (guint i = 0; i < chain->len; i++)
    gtx_cancel (chain->pdata[i]);
  for (guint i = 0; i < chain->len; i++)
    g_assert_cmpuint (gtx_cancelling (chain->pdata[i]), ==, chain->len - i);
  for (guint i = 0; i < chain->len; i++)
    g_assert_false (gtx_await (chain->pdata[i], NULL));
  return TRUE;
}

/* ---- Rings through what runs inside, and through gatherings ---- */

static GtxTask *shared;

static gboolean
await_shared (gpointer data, GError **error)
{
  return gtx_await (shared, error);
}

static gboolean
await_one_that_awaits_shared (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (await_shared, NULL, NULL);

  return gtx_await (other, error);
}

static gboolean
run_shared_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) inside = gtx_task_new (await_one_that_awaits_shared, NULL, NULL);

  shared = inside;
  return gtx_await (inside, error);
}

static gboolean
gather_shared (gpointer others, GError **error)
{
  return others ? gtx_gather_list (GTX_GATHER_NONE, error, shared, others, NULL)
                : gtx_gather_list (GTX_GATHER_NONE, error, shared, NULL);
}

static gboolean
gather_one_that_gathers_shared (gpointer others, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (gather_shared, others, NULL);

  shared = gtx_current_task ();
  return gtx_gather_list (GTX_GATHER_NONE, error, other, NULL);
}

/* The request goes to the first task of the ring, or to the second. */
static gboolean
check_ring (GtxCoroutine coroutine, gpointer data, guint which)
{
  g_autoptr (GtxTask) task = gtx_create_task_named ("ring", coroutine, data, NULL);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GError) failure = NULL;

  gtx_sleep (0.1, NULL);
  all = gtx_all_tasks ();
  g_assert_cmpuint (all->len, >, which);
  gtx_cancel (all->pdata[all->len - 1 - which]);
  g_assert_false (gtx_await (task, &failure));
  assert_cancelled (failure);
  return TRUE;
}

static gboolean
test_ring_inside (gpointer data, GError **error)
{
  return check_ring (run_shared_inside, NULL, 0) && check_ring (run_shared_inside, NULL, 1);
}

static gboolean
test_ring_of_gatherings (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) other = gtx_future_new ();
  g_autoptr (GtxFuture) another = gtx_future_new ();

  return check_ring (gather_one_that_gathers_shared, NULL, 0) &&
         check_ring (gather_one_that_gathers_shared, NULL, 1) &&
         check_ring (gather_one_that_gathers_shared, other, 0) &&
         check_ring (gather_one_that_gathers_shared, another, 1);
}

/* The task at the bottom of a long chain has got a request, and cleans up.  The next request
 * reaches the task, too. */
static gboolean
clean_up_at_bottom (GtxTask *dependency, GError **error)
{
  if (dependency)
    return gtx_await (dependency, error);
  g_assert_false (gtx_sleep (1000, NULL));
  note (gtx_sleep (1000, NULL) ? "cleaned-up" : "told-again");
  return gtx_sleep (0, error);
}

static gboolean
gather_above_bottom (GtxTask *dependency, GError **error)
{
  if (dependency)
    return gtx_gather_list (GTX_GATHER_NONE, error, dependency, NULL);
  return clean_up_at_bottom (NULL, error);
}

static gboolean
check_second_request (GtxCoroutine coroutine)
{
  GtxTask *top = gtx_create_task_named ("bottom", coroutine, NULL, NULL);

  for (guint i = 0; i < 100; i++)
    top = gtx_create_task_named ("link", coroutine, top, g_object_unref);
  for (guint i = 0; i < 2; i++)
    {
      gtx_sleep (1, NULL);
      gtx_cancel (top);
      /* A third request changes nothing. */
      gtx_cancel (top);
    }
  gtx_await (top, NULL);
  g_object_unref (top);
  assert_trace ("told-again");
  return TRUE;
}

static gboolean
test_second_request (gpointer data, GError **error)
{
  return check_second_request ((GtxCoroutine) (void (*) (void)) clean_up_at_bottom) &&
         check_second_request ((GtxCoroutine) (void (*) (void)) gather_above_bottom);
}

/* A handler that only queries the request does not lose it. */
static void
look_at_count (GCancellable *cancellable, gpointer task)
{
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
}

static gpointer
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gboolean
test_looked_at (gpointer data, GError **error)
{
  for (int in_thread = FALSE; in_thread <= TRUE; in_thread++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (sleep_long, NULL, NULL);
      g_autoptr (GCancellable) cancellable = NULL;
      g_autoptr (GError) failure = NULL;

      gtx_sleep (0, NULL);
      cancellable = g_object_ref (gtx_task_get_cancellable (task));
      if (in_thread)
        {
          g_thread_join (g_thread_new ("cancels", cancel_cancellable, cancellable));
          look_at_count (cancellable, task);
        }
      else
        {
          g_signal_connect (cancellable, "cancelled", G_CALLBACK (look_at_count), task);
          g_cancellable_cancel (cancellable);
        }
      g_assert_false (gtx_wait_for (task, 10, &failure));
      assert_cancelled (failure);
      g_assert_cmpuint (gtx_cancelling (task), ==, 1);
    }
  return TRUE;
}

/* A task that runs inside another task has its own requests, and its own count of them. */
static GtxTask *runs_inside;

static gboolean
run_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_task_new (sleep_long, NULL, NULL);

  runs_inside = task;
  g_assert_false (gtx_await (task, NULL));
  return TRUE;
}

static gboolean
test_counted_inside (gpointer data, GError **error)
{
  g_autoptr (GtxTask) outer = gtx_create_task (run_inside, NULL, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (runs_inside);
  g_assert_cmpuint (gtx_cancelling (runs_inside), ==, 1);
  g_assert_cmpuint (gtx_uncancel (runs_inside), ==, 0);
  g_assert_cmpuint (gtx_cancelling (outer), ==, 0);
  return gtx_await (outer, error);
}

/* ---- What another thread has set ---- */

static gpointer
set_in_thread (gpointer future)
{
  g_assert_true (gtx_future_set_result (future, NULL, NULL));
  return NULL;
}

static gboolean
wait_for_it (gpointer future, GError **error)
{
  return gtx_await (future, error);
}

static gboolean
gather_it (gpointer future, GError **error)
{
  return gtx_gather_list (GTX_GATHER_NONE, error, future, NULL);
}

/* The future refuses the request, although its home does not know yet that the future is done. */
static gboolean
cancel_when_set_elsewhere (GtxCoroutine coroutine, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxTask) task = gtx_create_task_named ("waits", coroutine, future, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_sleep (0, error));
  g_thread_join (g_thread_new ("sets", set_in_thread, future));
  g_assert_true (gtx_cancel (task));
  g_assert_false (gtx_await (task, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (gtx_future_is_cancelled (future));
  return TRUE;
}

static gboolean
test_set_elsewhere (gpointer data, GError **error)
{
  return cancel_when_set_elsewhere (wait_for_it, error);
}

static gboolean
test_gathered_elsewhere (gpointer data, GError **error)
{
  return cancel_when_set_elsewhere (gather_it, error);
}

/* ---- A graph ---- */

#define N_LAYERS 12
#define N_TARGETS 20

static GtxTask *targets[N_LAYERS][N_TARGETS];

/* Like a build: each target of a layer waits for all of the layer below. */
static gboolean
build_target (gpointer layer, GError **error)
{
  guint below = GPOINTER_TO_UINT (layer) + 1;
  g_autoptr (GPtrArray) needed = g_ptr_array_new ();

  if (below == N_LAYERS)
    return gtx_sleep (1000, error);
  for (guint i = 0; i < N_TARGETS; i++)
    g_ptr_array_add (needed, targets[below][i]);
  return gtx_gather (needed, GTX_GATHER_NONE, error);
}

/* One request does not take each of the 20 to the power of 12 ways through the graph. */
static gboolean
test_graph (gpointer data, GError **error)
{
  for (guint layer = N_LAYERS; layer-- > 0;)
    for (guint i = 0; i < N_TARGETS; i++)
      targets[layer][i] = gtx_create_task (build_target, GUINT_TO_POINTER (layer), NULL);
  gtx_sleep (1, NULL);
  gtx_cancel (targets[0][0]);
  for (guint layer = N_LAYERS; layer-- > 0;)
    for (guint i = 0; i < N_TARGETS; i++)
      {
        g_autoptr (GtxTask) target = targets[layer][i];

        g_assert_false (gtx_await (target, NULL));
        g_assert_true (gtx_future_is_cancelled (target));
      }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/cancel-ways/long-chain", test_long_chain);
  add_coroutine ("/cancel-ways/long-chain/gatherings", test_long_chain_of_gatherings);
  add_coroutine ("/cancel-ways/chain-asked-again", test_chain_asked_again);
  add_coroutine ("/cancel-ways/ring/inside", test_ring_inside);
  add_coroutine ("/cancel-ways/ring/gatherings", test_ring_of_gatherings);
  add_coroutine ("/cancel-ways/long-chain/second-request", test_second_request);
  add_coroutine ("/cancel-ways/looked-at", test_looked_at);
  add_coroutine ("/cancel-ways/counted-inside", test_counted_inside);
  add_coroutine ("/cancel-ways/set-elsewhere", test_set_elsewhere);
  add_coroutine ("/cancel-ways/set-elsewhere/gathered", test_gathered_elsewhere);
  add_coroutine ("/cancel-ways/graph", test_graph);
  return g_test_run ();
}
