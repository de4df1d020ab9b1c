/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Futures and tasks of a main context that goes away before they have ended. */

#include "fixture.h"

#include <signal.h>

static void
turn (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static gpointer
make_in (GMainContext *context, gpointer (*make) (void))
{
  gpointer made;

  g_main_context_push_thread_default (context);
  made = make ();
  g_main_context_pop_thread_default (context);
  return made;
}

static gpointer
make_future (void)
{
  return gtx_future_new ();
}

static gpointer
make_unstarted (void)
{
  return gtx_task_new (sleep_long, NULL, NULL);
}

static gpointer
make_started (void)
{
  return gtx_create_task (sleep_long, NULL, NULL);
}

static gpointer
make_nap (void)
{
  return gtx_sleep_future (1000);
}

/* Keeps references to tasks that never end, so that leak checkers find them. */
static GPtrArray *suspended_for_ever;

static GtxTask *
suspend_in (GMainContext *context, GtxCoroutine coroutine)
{
  GtxTask *task = gtx_create_task_in (context, coroutine, NULL, NULL);

  if (suspended_for_ever == NULL)
    suspended_for_ever = g_ptr_array_new ();
  g_ptr_array_add (suspended_for_ever, g_object_ref (task));
  turn (context);
  return task;
}

static void
drop_with_suspended (GMainContext *context)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A main context goes away with 1 suspended task*");
  g_main_context_unref (context);
  g_test_assert_expected_messages ();
}

/* ---- Shields ---- */

static gboolean
fails_as_gone (GtxFuture *shield)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (shield, &failure));
  return g_error_matches (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
}

static gboolean
test_shield_of_gone (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = make_in (context, make_future);
  g_autoptr (GtxFuture) shield = NULL;

  g_main_context_unref (context);
  shield = gtx_shield (inner);
  g_assert_true (fails_as_gone (shield));
  return TRUE;
}

/* @is_run: the other context runs before the shield is made, so that the shield reaches it at
 * once. */
static gboolean
shield_until_gone (gboolean is_run)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = make_in (context, make_future);
  g_autoptr (GtxFuture) shield = NULL;

  if (is_run)
    turn (context);
  shield = gtx_shield (inner);
  if (is_run)
    turn (context);
  g_main_context_unref (context);
  return fails_as_gone (shield);
}

static gboolean
test_shield_until_gone (gpointer data, GError **error)
{
  g_assert_true (shield_until_gone (FALSE));
  g_assert_true (shield_until_gone (TRUE));
  return TRUE;
}

/* The inner task is not started, and ends before the shield watches it. */
static gboolean
test_shield_of_unstarted (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = make_in (context, make_unstarted);
  g_autoptr (GtxFuture) shield = NULL;
  g_autoptr (GError) failure = NULL;

  g_main_context_unref (context);
  shield = gtx_shield (inner);
  g_assert_false (gtx_await (shield, &failure));
  g_assert_cmpstr (failure->message, ==, gtx_future_get_error (inner)->message);
  return TRUE;
}

static gboolean
test_shield_of_suspended (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) inner = suspend_in (context, sleep_long);
  g_autoptr (GtxFuture) before = gtx_shield (inner);
  g_autoptr (GtxFuture) after = NULL;

  drop_with_suspended (context);
  after = gtx_shield (inner);
  g_assert_true (fails_as_gone (before));
  g_assert_true (fails_as_gone (after));
  return TRUE;
}

static void
set_other (gpointer future, gpointer other)
{
  gtx_future_set_result (other, (gpointer) "late", NULL);
}

/* A future that ends while its main context goes away keeps that outcome. */
static gboolean
test_shield_at_the_end (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = make_in (context, make_future);
  g_autoptr (GtxFuture) shield = gtx_shield (inner);
  g_autoptr (GtxFuture) nap = NULL;

  turn (context);
  nap = make_in (context, make_nap);
  gtx_future_add_done_callback (nap, set_other, inner, NULL);
  g_main_context_unref (context);
  g_assert_cmpstr (gtx_await_peek_pointer (shield, error), ==, "late");
  return TRUE;
}

/* There is no warning about the end of a future that no task waits for. */
static gboolean
test_shield_let_go_of (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) inner = make_in (context, make_future);
  GtxFuture *shield = gtx_shield (inner);
  GtxFuture *cancelled = gtx_shield (inner);

  g_object_add_weak_pointer (G_OBJECT (shield), (gpointer *) &shield);
  g_object_unref (shield);
  gtx_cancel (cancelled);
  g_object_unref (cancelled);
  turn (context);
  g_main_context_unref (context);
  if (!gtx_sleep (0, error))
    return FALSE;
  g_clear_object (&inner);
  g_assert_null (shield);
  return TRUE;
}

/* The shields' own main context goes.  The inner futures end the shields all the same, in several
 * threads, which begin together and take long enough to meet. */
#define N_SHIELDS 4000

static gint n_ready;

typedef struct
{
  GMainContext *context;
  GtxFuture *inner;
  GtxFuture *shields[N_SHIELDS];
} Shielded;

static void
shielded_begin (Shielded *self, GMainContext *context)
{
  self->context = g_main_context_new ();
  self->inner = make_in (self->context, make_future);
  g_main_context_push_thread_default (context);
  for (int i = 0; i < N_SHIELDS; i++)
    self->shields[i] = gtx_shield (self->inner);
  g_main_context_pop_thread_default (context);
}

static gpointer
shielded_set (gpointer data)
{
  Shielded *self = data;

  gtx_future_set_result (self->inner, NULL, NULL);
  g_atomic_int_inc (&n_ready);
  while (g_atomic_int_get (&n_ready) < 2)
    g_thread_yield ();
  turn (self->context);
  return NULL;
}

static void
shielded_end (Shielded *self)
{
  for (int i = 0; i < N_SHIELDS; i++)
    {
      g_assert_true (gtx_future_is_done (self->shields[i]));
      g_assert_cmpint (G_OBJECT (self->shields[i])->ref_count, ==, 1);
      g_object_unref (self->shields[i]);
    }
  g_object_unref (self->inner);
  g_main_context_unref (self->context);
}

static void
test_shields_in_gone (void)
{
  GMainContext *context = g_main_context_new ();
  Shielded shielded[2];
  GThread *threads[2];

  for (int i = 0; i < 2; i++)
    shielded_begin (&shielded[i], context);
  g_main_context_unref (context);
  for (int i = 0; i < 2; i++)
    threads[i] = g_thread_new ("set", shielded_set, &shielded[i]);
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  for (int i = 0; i < 2; i++)
    shielded_end (&shielded[i]);
}

/* ---- Requests that were passed on there ---- */

static gboolean
await_then_sleep (GtxTask *task, GError **error)
{
  gboolean succeeded = gtx_await (task, error);

  /* The request was delivered to the task. */
  g_assert_true (gtx_sleep (1, NULL));
  return succeeded;
}

/* Returns the error of a task that awaits @inner, gets @n_asked requests, one of which is
 * withdrawn, and then loses @context. */
static GError *
ask_until_gone (GMainContext *context, GtxTask *inner, guint n_asked, gboolean is_suspended)
{
  g_autoptr (GtxTask) outer = gtx_create_task (await_then_sleep, inner, NULL);
  GError *failure = NULL;

  g_assert_true (gtx_sleep (0, NULL));
  for (guint i = 0; i < n_asked; i++)
    gtx_cancel (outer);
  gtx_uncancel (outer);
  if (is_suspended)
    drop_with_suspended (context);
  else
    g_main_context_unref (context);
  g_assert_false (gtx_await (outer, &failure));
  return failure;
}

/* The request belongs to the outer task alone, and is not lost. */
static gboolean
test_request_to_suspended (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) inner = suspend_in (context, sleep_long);
  g_autoptr (GError) failure = ask_until_gone (context, inner, 2, TRUE);

  assert_cancelled (failure);
  return TRUE;
}

static gboolean
test_request_taken_back (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) inner = suspend_in (context, sleep_long);
  g_autoptr (GError) failure = ask_until_gone (context, inner, 1, TRUE);

  g_assert_error (failure, GTX_ERROR, GTX_ERROR_CONTEXT_GONE);
  return TRUE;
}

/* A task that will never begin ends as if it had begun. */
static gboolean
test_request_to_first_step (gpointer data, GError **error)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) inner = make_in (context, make_started);
  g_autoptr (GError) failure = ask_until_gone (context, inner, 2, FALSE);

  assert_cancelled (failure);
  g_assert_true (gtx_future_is_cancelled (inner));
  return TRUE;
}

/* ---- Requests that come after the context is gone ---- */

static gpointer
make_operation (void)
{
  return gtx_operation_future_new ();
}

static void
cancel_when_gone (gpointer (*make) (void))
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) future = make_in (context, make);

  g_main_context_unref (context);
  g_assert_true (gtx_cancel (future));
  g_assert_true (gtx_future_is_cancelled (future));
  g_assert_false (gtx_cancel (future));
}

/* A suspended task will never get the request. */
static void
test_cancel (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) suspended = suspend_in (context, sleep_long);

  cancel_when_gone (make_future);
  cancel_when_gone (make_operation);
  cancel_when_gone (make_unstarted);
  drop_with_suspended (context);
  g_assert_false (gtx_cancel (suspended));
  g_assert_false (gtx_future_is_done (suspended));
}

/* The future is done, as it would be in an existing main context. */
static void
test_cancel_and_start (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) task = make_in (context, make_unstarted);

  g_main_context_unref (context);
  gtx_cancel (task);
  gtx_task_start (task);
  g_assert_true (gtx_future_is_cancelled (task));
}

/* ---- Operations ---- */

typedef struct
{
  GAsyncReadyCallback callback;
  gpointer data;
} Operation;

static void
begin_async (Operation *operation, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  operation->callback = callback;
  operation->data = data;
}

static void
call_back (Operation *operation)
{
  g_autoptr (GTask) result = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_boolean (result, TRUE);
  operation->callback (NULL, G_ASYNC_RESULT (result), operation->data);
}

static GtxFuture *
begin_in (GMainContext *context, Operation *operation)
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_operation_future_new ();
  begin_async (operation, GTX_ASYNC_FUTURE (future));
  g_main_context_pop_thread_default (context);
  return future;
}

static void
test_operation_cancelled (void)
{
  GMainContext *context = g_main_context_new ();
  Operation operation;
  g_autoptr (GtxFuture) future = begin_in (context, &operation);

  g_main_context_push_thread_default (context);
  g_assert_true (gtx_cancel (future));
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (gtx_future_is_cancelled (future));
  call_back (&operation);
}

/* There is no warning about an error that no code could retrieve. */
static void
test_operation_let_go_of (void)
{
  GMainContext *context = g_main_context_new ();
  Operation operation;

  g_object_unref (begin_in (context, &operation));
  g_main_context_unref (context);
  call_back (&operation);
}

/* ---- Leftovers ---- */

static void
never_called (gpointer future, gpointer data)
{
  g_assert_not_reached ();
}

/* The data of callbacks of a task that never ends is freed. */
static void
test_callback (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxTask) task = suspend_in (context, sleep_long);

  n_freed = 0;
  gtx_future_add_done_callback (task, never_called, g_strdup ("before"), count_free);
  turn (context);
  drop_with_suspended (context);
  g_assert_cmpint (n_freed, ==, 1);
  gtx_future_add_done_callback (task, never_called, g_strdup ("after"), count_free);
  g_assert_cmpint (n_freed, ==, 2);
}

/* No thread can remove the callback any more. */
static void
test_remove_callback (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) future = make_in (context, make_future);

  g_main_context_unref (context);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "gtx_future_remove_done_callback() was called * a main context that is gone*");
  g_assert_cmpuint (gtx_future_remove_done_callback (future, never_called, NULL), ==, 0);
  g_test_assert_expected_messages ();
}

static gboolean
await_usr2 (gpointer data, GError **error)
{
  return gtx_await_unix_signal (SIGUSR2, error);
}

/* The signal's previous action applies again. */
static void
test_signal (void)
{
  GMainContext *context = g_main_context_new ();
  struct sigaction action;

  g_object_unref (suspend_in (context, await_usr2));
  sigaction (SIGUSR2, NULL, &action);
  g_assert_true (action.sa_handler != SIG_DFL);
  drop_with_suspended (context);
  sigaction (SIGUSR2, NULL, &action);
  g_assert_true (action.sa_handler == SIG_DFL);
}

/* No reference is left, so there is no warning about its end. */
static void
test_shield_given_up (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  {
    g_autoptr (GtxFuture) nap = gtx_sleep_future (1000);

    g_object_unref (gtx_shield (nap));
  }
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

/* ---- Objects that tasks of a context have used before it went ---- */

typedef struct
{
  GtxLock *lock;
  GtxQueue *queue;
  GtxEvent *event;
  GtxSemaphore *semaphore;
} Shared;

static gboolean
use_all (Shared *self, GError **error)
{
  if (!gtx_lock_acquire (self->lock, error))
    return FALSE;
  gtx_lock_release (self->lock);
  gtx_event_set (self->event);
  if (!gtx_event_wait (self->event, error) || !gtx_semaphore_acquire (self->semaphore, error))
    return FALSE;
  gtx_semaphore_release (self->semaphore);
  return gtx_queue_put (self->queue, "x", error) && gtx_queue_get (self->queue, error) != NULL;
}

/* The objects serve the next context, as asyncio's objects serve the next loop. */
static void
test_used_again (void)
{
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, NULL);
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (1);
  Shared shared = { lock, queue, event, semaphore };

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();
      g_autoptr (GError) error = NULL;

      g_main_context_push_thread_default (context);
      gtx_run (use_all, &shared, &error);
      g_main_context_pop_thread_default (context);
      g_assert_no_error (error);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/context-gone/shield/before", test_shield_of_gone);
  add_coroutine ("/context-gone/shield/after", test_shield_until_gone);
  add_coroutine ("/context-gone/shield/unstarted", test_shield_of_unstarted);
  add_coroutine ("/context-gone/shield/suspended", test_shield_of_suspended);
  add_coroutine ("/context-gone/shield/at-the-end", test_shield_at_the_end);
  add_coroutine ("/context-gone/shield/let-go-of", test_shield_let_go_of);
  g_test_add_func ("/context-gone/shield/its-own", test_shields_in_gone);
  g_test_add_func ("/context-gone/shield/given-up", test_shield_given_up);
  add_coroutine ("/context-gone/request/suspended", test_request_to_suspended);
  add_coroutine ("/context-gone/request/taken-back", test_request_taken_back);
  add_coroutine ("/context-gone/request/first-step", test_request_to_first_step);
  g_test_add_func ("/context-gone/cancel", test_cancel);
  g_test_add_func ("/context-gone/cancel/and-start", test_cancel_and_start);
  g_test_add_func ("/context-gone/operation/cancelled", test_operation_cancelled);
  g_test_add_func ("/context-gone/operation/let-go-of", test_operation_let_go_of);
  g_test_add_func ("/context-gone/callback", test_callback);
  g_test_add_func ("/context-gone/callback/remove", test_remove_callback);
  g_test_add_func ("/context-gone/signal", test_signal);
  g_test_add_func ("/context-gone/used-again", test_used_again);
  return g_test_run ();
}
