/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures of a main context that no thread runs any more, or that none has run yet.  Tasks of another main
 * context await them, and other threads set them.  One thread turns the contexts, so that each step comes at
 * the chosen moment. */

#include "fixture.h"

static GMainContext *unattended;

static void
turn (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static GtxFuture *
make_unattended (GtxFuture *(*make) (void))
{
  GtxFuture *future;

  g_main_context_push_thread_default (unattended);
  future = make ();
  g_main_context_pop_thread_default (unattended);
  return future;
}

static gpointer
set (gpointer future)
{
  g_assert_true (gtx_future_set_result (future, g_strdup ("result"), g_free));
  return NULL;
}

static void
set_in_thread (GtxFuture *future)
{
  g_thread_join (g_thread_new ("sets", set, future));
}

static gboolean
await_result (GtxFuture *future, GError **error)
{
  return gtx_await_peek_pointer (future, error) != NULL;
}

static GtxTask *
begin_to_await (GtxFuture *future)
{
  GtxTask *task = gtx_create_task (await_result, future, NULL);

  turn (NULL);
  g_assert_false (gtx_future_is_done (task));
  return task;
}

static void
assert_succeeded (GtxTask *task)
{
  turn (NULL);
  g_assert_true (gtx_future_is_done (task));
  g_assert_no_error (gtx_future_get_error (task));
}

static void
assert_cancelled_alone (GtxTask *task, GtxFuture *future)
{
  turn (NULL);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_false (gtx_future_is_cancelled (future));
}

/* ---- Awaiting ---- */

static void
test_future (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxTask) task = begin_to_await (future);

  set_in_thread (future);
  assert_succeeded (task);
}

typedef struct
{
  GtxFuture *future;
  char name;
} Waiting;

static gboolean
await_and_note (Waiting *waiting, GError **error)
{
  if (!gtx_await (waiting->future, error))
    return FALSE;
  g_string_append_c (trace, waiting->name);
  return TRUE;
}

/* The tasks go on in the order in which they came. */
static void
test_order (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  Waiting waiting[] = { { future, 'a' }, { future, 'b' }, { future, 'c' } };

  trace = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (waiting); i++)
    g_object_unref (gtx_create_task (await_and_note, &waiting[i], NULL));
  turn (NULL);
  set_in_thread (future);
  turn (NULL);
  g_assert_cmpstr (trace->str, ==, "abc");
  g_string_free (g_steal_pointer (&trace), TRUE);
}

/* ---- An operation ends in the last turn ---- */

static void
begin_async (GTask **task, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  *task = g_task_new (NULL, NULL, callback, data);
  g_task_set_priority (*task, G_PRIORITY_HIGH);
  g_task_return_pointer (*task, g_strdup ("result"), g_free);
}

static GTask *begun;

static GtxFuture *
make_operation (void)
{
  GtxFuture *future = gtx_operation_future_new ();

  begin_async (&begun, GTX_ASYNC_FUTURE (future));
  return future;
}

static void
test_operation (void)
{
  g_autoptr (GtxFuture) future = make_unattended (make_operation);
  g_autoptr (GtxTask) task = begin_to_await (future);

  /* This turn has only the operation's callback, which is more urgent than messages. */
  g_assert_true (g_main_context_iteration (unattended, FALSE));
  g_assert_true (gtx_future_is_done (future));
  assert_succeeded (task);
  g_object_unref (begun);
}

/* ---- Requests ---- */

/* The request is on its way when the future is done, and stands: its task has not been told of it. */
static void
test_request (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxTask) task = begin_to_await (future);

  gtx_cancel (task);
  gtx_cancel (task);
  turn (NULL);
  g_assert_false (gtx_future_is_done (task));
  set_in_thread (future);
  assert_cancelled_alone (task, future);
  turn (unattended);
}

static void
test_request_withdrawn (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxTask) task = begin_to_await (future);

  gtx_cancel (task);
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  set_in_thread (future);
  assert_succeeded (task);
}

/* The request has been made, and its answer is on its way. */
static void
test_request_made (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxTask) task = begin_to_await (future);

  gtx_cancel (task);
  turn (unattended);
  g_assert_true (gtx_future_is_cancelled (future));
  turn (NULL);
  g_assert_true (gtx_future_is_cancelled (task));
  g_assert_cmpuint (gtx_cancelling (task), ==, 1);
}

static void
test_request_refused (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxTask) task = begin_to_await (future);

  gtx_cancel (task);
  set_in_thread (future);
  turn (unattended);
  assert_cancelled_alone (task, future);
}

/* ---- Shields ---- */

static void
test_shield (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  g_autoptr (GtxFuture) shield = gtx_shield (future);
  g_autoptr (GtxTask) task = begin_to_await (shield);

  set_in_thread (future);
  g_assert_true (gtx_future_is_done (shield));
  assert_succeeded (task);
}

static gpointer
shield_in_thread (gpointer future)
{
  return gtx_shield (future);
}

/* A thread that does not run the future's context makes a shield in that context. */
static void
test_shield_there (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GtxFuture) shield = NULL;

  /* From now on this thread is known to run the default context. */
  turn (NULL);
  shield = g_thread_join (g_thread_new ("shields", shield_in_thread, future));
  set_in_thread (future);
  g_assert_true (gtx_future_is_done (shield));
  turn (NULL);
}

static void
test_shield_cancelled (void)
{
  g_autoptr (GtxFuture) future = make_unattended (gtx_future_new);
  GtxFuture *shield = gtx_shield (future);

  gtx_cancel (shield);
  turn (NULL);
  g_assert_finalize_object (shield);
  set_in_thread (future);
}

/* The shielded future is dropped, and nobody else can set it. */
static void
test_shield_of_dropped (void)
{
  GtxFuture *future = make_unattended (gtx_future_new);
  GtxFuture *shield = gtx_shield (future);

  turn (NULL);
  turn (unattended);
  g_assert_finalize_object (future);
  g_assert_false (gtx_future_is_done (shield));
  gtx_cancel (shield);
  turn (NULL);
  g_assert_finalize_object (shield);
}

/* Each shield has the other context than the one before, and none ends inside another: a long chain needs no
 * deep stack. */
static void
test_shield_chain (void)
{
  guint n = RUNNING_ON_VALGRIND || UNDER_TSAN ? 2000 : 50000;
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GMainContext) other = g_main_context_new ();

  g_ptr_array_add (chain, make_unattended (gtx_future_new));
  for (guint i = 0; i < n; i++)
    {
      g_main_context_push_thread_default (i % 2 ? unattended : other);
      g_ptr_array_add (chain, gtx_shield (chain->pdata[i]));
      g_main_context_pop_thread_default (i % 2 ? unattended : other);
    }
  set_in_thread (chain->pdata[0]);
  g_assert_cmpstr (gtx_future_get_result (chain->pdata[n]), ==, "result");
  turn (other);
}

static void
run_test (gconstpointer func)
{
  unattended = g_main_context_new ();
  (*(void (*const *) (void)) func) ();
  g_main_context_unref (unattended);
}

#define add_test(path, func)                                                   \
  G_STMT_START {                                                               \
    static void (*const kept) (void) = (func);                                 \
                                                                               \
    g_test_add_data_func ((path), &kept, run_test);                            \
  } G_STMT_END

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_test ("/threads-unattended/future", test_future);
  add_test ("/threads-unattended/order", test_order);
  add_test ("/threads-unattended/operation", test_operation);
  add_test ("/threads-unattended/request", test_request);
  add_test ("/threads-unattended/request/withdrawn", test_request_withdrawn);
  add_test ("/threads-unattended/request/made", test_request_made);
  add_test ("/threads-unattended/request/refused", test_request_refused);
  add_test ("/threads-unattended/shield", test_shield);
  add_test ("/threads-unattended/shield/there", test_shield_there);
  add_test ("/threads-unattended/shield/cancelled", test_shield_cancelled);
  add_test ("/threads-unattended/shield/dropped", test_shield_of_dropped);
  add_test ("/threads-unattended/shield/chain", test_shield_chain);
  return g_test_run ();
}
