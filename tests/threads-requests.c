/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to tasks that await futures of other main contexts.  One thread turns all the contexts,
 * so that each step comes at the chosen moment.  Other threads only make requests. */

#include "fixture.h"

static void
turn (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static gpointer
cancel (gpointer task)
{
  g_assert_true (gtx_cancel (task));
  return NULL;
}

/* The request is a message, which is handled after the earlier messages. */
static void
cancel_in_thread (GtxTask *task)
{
  g_thread_join (g_thread_new ("cancel", cancel, task));
}

static gboolean
await_pointed_to (gpointer *future, GError **error)
{
  return gtx_await (*future, error);
}

static GtxTask *
new_task_of (GMainContext *context, gpointer *awaited)
{
  GtxTask *task;

  g_main_context_push_thread_default (context);
  task = gtx_task_new (await_pointed_to, awaited, NULL);
  g_main_context_pop_thread_default (context);
  return task;
}

/* ---- The wait has ended, and the task has not gone on ---- */

static gboolean
fill_stack (gpointer data, GError **error)
{
  volatile char filled[16384];

  for (gsize i = 0; i < sizeof filled; i++)
    filled[i] = 0x55;
  return TRUE;
}

/* A message that has already arrived here ends the wait of @task.  The request comes after it. */
static void
cancel_at_end_of_wait (GtxTask *task)
{
  g_autoptr (GtxTask) next = NULL;

  cancel_in_thread (task);
  turn (NULL);
  g_assert_true (gtx_future_is_cancelled (task));
  /* The waiter was on the stack of the task, so nothing may be written there any more. */
  next = gtx_create_task (fill_stack, NULL, NULL);
  turn (NULL);
  g_assert_true (gtx_future_is_done (next));
}

static void
test_left_ring (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gpointer tasks[2];

  tasks[0] = new_task_of (NULL, &tasks[1]);
  tasks[1] = new_task_of (context, &tasks[0]);
  gtx_task_start (tasks[0]);
  turn (NULL);
  turn (context);
  turn (NULL);
  gtx_cancel (tasks[0]);
  turn (context);               /* passes the request on, which comes back */
  cancel_at_end_of_wait (tasks[0]);
  turn (context);
  g_assert_true (gtx_future_is_cancelled (tasks[1]));
  g_object_unref (tasks[0]);
  g_object_unref (tasks[1]);
}

static GtxTask *
await_in (GMainContext *context, gpointer *awaited)
{
  GtxTask *task;

  g_main_context_push_thread_default (context);
  *awaited = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  task = gtx_create_task (await_pointed_to, awaited, NULL);
  turn (NULL);
  return task;
}

static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  gpointer awaited;
  g_autoptr (GtxTask) task = await_in (context, &awaited);

  g_main_context_unref (context);
  cancel_at_end_of_wait (task);
  g_object_unref (awaited);
}

/* The request comes back from a main context that is going, and the wait ends after that. */
static void
on_context_goes (gpointer future, gpointer task)
{
  cancel_in_thread (task);
  turn (NULL);
  g_assert_false (gtx_future_is_done (task));
}

static void
test_context_goes (void)
{
  GMainContext *context = g_main_context_new ();
  gpointer awaited;
  g_autoptr (GtxTask) task = await_in (context, &awaited);
  g_autoptr (GtxFuture) set = NULL;

  g_main_context_push_thread_default (context);
  set = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  gtx_future_add_done_callback (set, on_context_goes, task, NULL);
  gtx_future_set_result (set, NULL, NULL);
  g_main_context_unref (context);
  turn (NULL);
  g_assert_true (gtx_future_is_cancelled (task));
  g_object_unref (awaited);
}

/* ---- Requests that a handler makes ---- */

/* Tasks of this main context and of another one, which are no ring. */
typedef struct
{
  gpointer here;                /* awaits there */
  gpointer there;
  gpointer other_there;         /* awaits behind */
  gpointer behind;              /* awaits here */
  GtxEvent *cleaned;            /* an event of the other context; when it is set, there may end */
} Asked;

static gboolean
clean_up (Asked *asked, GError **error)
{
  g_autoptr (GtxFuture) never = gtx_future_new ();
  g_autoptr (GtxEvent) cleaned = asked->cleaned = gtx_event_new ();

  g_signal_connect_swapped (gtx_task_get_cancellable (gtx_current_task ()), "cancelled",
                            G_CALLBACK (gtx_cancel), asked->other_there);
  g_assert_false (gtx_await (never, NULL));
  while (!gtx_event_is_set (cleaned))
    gtx_event_wait (cleaned, NULL);
  return TRUE;
}

static void
start_awaiting (Asked *asked, GMainContext *context)
{
  asked->here = new_task_of (NULL, &asked->there);
  asked->behind = new_task_of (NULL, &asked->here);
  asked->other_there = new_task_of (context, &asked->behind);
  gtx_task_start (asked->here);
  gtx_task_start (asked->other_there);
}

static void
turn_both (GMainContext *context)
{
  for (int i = 0; i < 5; i++)
    {
      turn (NULL);
      turn (context);
    }
}

static void
cancel_here (Asked *asked, GMainContext *context)
{
  turn_both (context);
  gtx_cancel (asked->here);
  turn_both (context);
  g_assert_false (gtx_future_is_done (asked->here));
  g_assert_false (gtx_future_is_done (asked->other_there));
}

static void
assert_end (Asked *asked, GMainContext *context)
{
  turn_both (context);
  g_assert_true (gtx_future_is_done (asked->there));
  g_assert_true (gtx_future_is_done (asked->here));
  g_assert_true (gtx_future_is_done (asked->other_there));
  g_object_unref (asked->here);
  g_object_unref (asked->there);
  g_object_unref (asked->other_there);
  g_object_unref (asked->behind);
}

/* A request that a handler makes begins at that handler.  It has not come the way of the request
 * that called the handler, so it is no request that has gone round. */
static void
test_handler (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Asked asked;

  asked.there = gtx_create_task_in (context, clean_up, &asked, NULL);
  start_awaiting (&asked, context);
  cancel_here (&asked, context);
  gtx_event_set (asked.cleaned);
  assert_end (&asked, context);
}

static void
on_cancelled (GCancellable *cancellable, Asked *asked)
{
  gtx_cancel (asked->other_there);
}

static GTask *
begin_async (Asked *asked, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), asked, NULL);
  return g_task_new (NULL, cancellable, callback, data);
}

static void
test_handler_of_operation (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GTask) operation = NULL;
  Asked asked;

  g_main_context_push_thread_default (context);
  asked.there = gtx_operation_future_new ();
  operation = begin_async (&asked, GTX_ASYNC_FUTURE (asked.there));
  g_main_context_pop_thread_default (context);
  start_awaiting (&asked, context);
  cancel_here (&asked, context);
  g_task_return_boolean (operation, TRUE);
  assert_end (&asked, context);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads-requests/wait-ended/left-ring", test_left_ring);
  g_test_add_func ("/threads-requests/wait-ended/context-gone", test_context_gone);
  g_test_add_func ("/threads-requests/context-goes", test_context_goes);
  g_test_add_func ("/threads-requests/handler", test_handler);
  g_test_add_func ("/threads-requests/handler/operation", test_handler_of_operation);
  return g_test_run ();
}
