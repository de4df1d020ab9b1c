/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mistakes that belong to no other test.  Each is reported, and nothing hangs. */

#include "fixture.h"

/* ---- Outside of tasks ---- */

static void
test_await_outside (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_await (future, &error));
  g_assert_error (error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_assert_nonnull (strstr (error->message, "gtx_await() was called outside a task"));
}

static void
await_in_callback (gpointer future, gpointer error)
{
  g_assert_false (gtx_await (future, error));
}

static gboolean
test_await_in_done_callback (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GError) failure = NULL;

  gtx_future_add_done_callback (future, await_in_callback, &failure, NULL);
  gtx_future_set_result (future, NULL, NULL);
  gtx_sleep (0, NULL);
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  return TRUE;
}

/* ---- What cannot be awaited ---- */

static gboolean
test_await_itself (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_assert_false (gtx_await (gtx_current_task (), &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_AWAITS_ITSELF);
  g_assert_nonnull (strstr (failure->message, gtx_task_get_name (gtx_current_task ())));
  return TRUE;
}

static gboolean
test_await_nothing (gpointer data, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_await: takes a GtxFuture or GtxTask*NULL");
  g_assert_false (gtx_await (NULL, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

/* Locks, semaphores and conditions are acquired, and a barrier is waited at; none of them is
 * awaited. */
static gboolean
test_await_no_future (gpointer data, GError **error)
{
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  g_autoptr (GtxCondition) condition = gtx_condition_new (NULL);
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (1);
  g_autoptr (GtxSemaphore) bounded = gtx_semaphore_new_bounded (1);
  g_autoptr (GtxBarrier) barrier = gtx_barrier_new (2);
  gpointer none[] = { lock, condition, semaphore, bounded, barrier };

  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_await: takes a GtxFuture or GtxTask*");
      g_assert_false (gtx_await (none[i], &failure));
      g_test_assert_expected_messages ();
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
    }
  g_assert_false (gtx_lock_locked (lock) || gtx_lock_locked (gtx_condition_get_lock (condition)));
  g_assert_false (gtx_semaphore_locked (semaphore) || gtx_semaphore_locked (bounded));
  g_assert_cmpuint (gtx_barrier_get_n_waiting (barrier), ==, 0);
  return TRUE;
}

/* Two tasks that await each other wait until one is cancelled. */
static gboolean
await_what (GtxTask **what, GError **error)
{
  return gtx_await (*what, error);
}

static gboolean
test_await_each_other (gpointer data, GError **error)
{
  GtxTask *first = NULL;
  GtxTask *second = NULL;
  g_autoptr (GtxTask) a = gtx_create_task (await_what, &second, NULL);
  g_autoptr (GtxTask) b = gtx_create_task (await_what, &first, NULL);

  first = a;
  second = b;
  gtx_sleep (1, NULL);
  g_assert_true (gtx_cancel (a));
  gtx_sleep (1, NULL);
  g_assert_true (gtx_future_is_cancelled (a) && gtx_future_is_cancelled (b));
  return TRUE;
}

/* ---- Objects that g_object_new() made ---- */

static gboolean
test_object_new_task (gpointer data, GError **error)
{
  g_autoptr (GtxTask) started = gtx_task_start (g_object_new (GTX_TYPE_TASK, NULL));
  g_autoptr (GtxTask) awaited = g_object_new (GTX_TYPE_TASK, NULL);
  GtxTask *tasks[] = { started, awaited };

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_await (tasks[i], &failure));
      g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_STATE);
      g_assert_nonnull (strstr (failure->message, "gtx_task_new()"));
    }
  return TRUE;
}

static gboolean
pass_barrier (GtxBarrier *barrier, GError **error)
{
  return gtx_barrier_wait (barrier, NULL, error);
}

/* g_object_new () makes the same objects as the functions that take no arguments. */
static gboolean
test_object_new (gpointer data, GError **error)
{
  g_autoptr (GtxFuture) future = g_object_new (GTX_TYPE_FUTURE, NULL);
  g_autoptr (GtxCondition) condition = g_object_new (GTX_TYPE_CONDITION, NULL);
  g_autoptr (GtxBarrier) barrier = g_object_new (GTX_TYPE_BARRIER, NULL);
  g_autoptr (GtxSemaphore) semaphore = g_object_new (GTX_TYPE_SEMAPHORE, NULL);
  g_autoptr (GtxLock) lock = g_object_new (GTX_TYPE_LOCK, NULL);
  g_autoptr (GtxEvent) event = g_object_new (GTX_TYPE_EVENT, NULL);
  g_autoptr (GtxQueue) queue = g_object_new (GTX_TYPE_QUEUE, NULL);

  g_assert_true (gtx_future_set_result (future, NULL, NULL) && gtx_await (future, error));
  g_assert_true (gtx_lock_acquire (gtx_condition_get_lock (condition), error));
  g_assert_true (gtx_condition_notify_all (condition));
  g_assert_true (gtx_lock_release (gtx_condition_get_lock (condition)));
  g_assert_cmpuint (gtx_barrier_get_parties (barrier), ==, 1);
  g_assert_true (pass_barrier (barrier, error));
  g_assert_true (gtx_semaphore_acquire (semaphore, error) && gtx_semaphore_locked (semaphore));
  g_assert_true (gtx_semaphore_release (semaphore));
  g_assert_true (gtx_lock_acquire (lock, error) && gtx_lock_release (lock));
  gtx_event_set (event);
  g_assert_true (gtx_event_wait (event, error));
  g_assert_true (gtx_queue_put (queue, queue, error));
  g_assert_true (gtx_queue_get (queue, error) == queue);
  return gtx_queue_task_done (queue) && gtx_queue_join (queue, error);
}

/* ---- References ---- */

static gboolean
note_after_sleep (gpointer data, GError **error)
{
  gboolean succeeded = gtx_sleep (1, error);

  note ("done");
  return succeeded;
}

/* The task is about to begin, waits, or runs. */
static void
unref_once_too_often (GtxTask *task)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL,
                         "*of note_after_sleep lost its last reference*once too often*");
  g_object_unref (task);
  g_test_assert_expected_messages ();
}

static gboolean
test_unref_task (gpointer data, GError **error)
{
  GtxTask *waits = gtx_create_task (note_after_sleep, NULL, NULL);
  GtxTask *begins;

  g_assert_true (gtx_sleep (0, error));
  begins = gtx_create_task (note_after_sleep, NULL, NULL);
  g_object_unref (waits);
  unref_once_too_often (waits);
  unref_once_too_often (waits);
  g_object_unref (begins);
  unref_once_too_often (begins);
  g_assert_true (gtx_sleep (2, error));
  assert_trace ("done done");
  return TRUE;
}

static gboolean
unref_itself (gpointer data, GError **error)
{
  g_object_unref (gtx_current_task ());
  return TRUE;
}

static gboolean
test_unref_running (gpointer data, GError **error)
{
  g_object_unref (gtx_create_task (unref_itself, NULL, NULL));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*of unref_itself lost its last reference*");
  g_assert_true (gtx_sleep (0, error));
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
unref_future (GtxFuture *future, GError **error)
{
  g_object_unref (future);
  g_object_unref (future);
  return gtx_future_set_result (future, NULL, NULL);
}

static gboolean
test_unref_awaited (gpointer data, GError **error)
{
  GtxFuture *future = gtx_future_new ();

  g_object_unref (gtx_create_task (unref_future, future, NULL));
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "A GtxFuture lost its last reference*");
  g_assert_true (gtx_await (future, error));
  g_test_assert_expected_messages ();
  return TRUE;
}

/* ---- Futures of another main context ---- */

static GtxFuture *
future_of (GMainContext *context)
{
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  return future;
}

static void
assert_another_context (GError **failure, const char *function)
{
  g_autofree char *message = g_strconcat ("that ", function, "() was given belongs to another main context", NULL);

  g_assert_error (*failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr ((*failure)->message, message));
  g_clear_error (failure);
}

/* The future is refused alone and among others, and no future changes. */
static gboolean
refuse_futures_of (GMainContext *context, GError **error)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_add (futures, future_of (context));
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GError) failure = NULL;

      g_assert_false (gtx_wait (futures, GTX_ALL_COMPLETED, 1, &failure));
      assert_another_context (&failure, "gtx_wait");
      g_assert_false (gtx_gather (futures, GTX_GATHER_NONE, &failure));
      assert_another_context (&failure, "gtx_gather");
      g_assert_null (gtx_as_completed (futures, 1, &failure));
      assert_another_context (&failure, "gtx_as_completed");
      g_ptr_array_insert (futures, 0, gtx_future_new ());
    }
  for (guint i = 0; i < futures->len; i++)
    g_assert_false (gtx_future_is_done (futures->pdata[i]));
  return TRUE;
}

static void
test_another_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (gtx_test_run (refuse_futures_of, context, &error));
  g_assert_no_error (error);
}

/* ---- Coroutines ---- */

static gboolean
fail_without_reason (gpointer data, GError **error)
{
  return FALSE;
}

static gboolean
test_no_reason (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (fail_without_reason, NULL, NULL);
  g_autoptr (GError) failure = NULL;

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*fail_without_reason*");
  g_assert_false (gtx_await (task, &failure));
  g_test_assert_expected_messages ();
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_NO_REASON);
  return TRUE;
}

static gboolean
test_started_twice (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "once", NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_start: *note_and_return*a task runs once");
  g_assert_true (gtx_task_start (task) == task);
  g_test_assert_expected_messages ();
  g_assert_true (gtx_await (task, error));
  assert_trace ("once");
  return TRUE;
}

static gboolean
test_steal_too_early (gpointer data, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (note_and_return, "done", NULL);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_steal_pointer: *is not done; await it first");
  g_assert_null (gtx_task_steal_pointer (task));
  g_test_assert_expected_messages ();
  return gtx_await (task, error);
}

static gboolean
test_stack_size_too_late (gpointer data, GError **error)
{
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "gtx_task_set_stack_size: *has run already*");
  gtx_task_set_stack_size (gtx_current_task (), 64 * 1024);
  g_test_assert_expected_messages ();
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/misuse/object-new", test_object_new);
  add_coroutine ("/misuse/object-new/task", test_object_new_task);
  add_coroutine ("/misuse/unref/task", test_unref_task);
  add_coroutine ("/misuse/unref/running", test_unref_running);
  add_coroutine ("/misuse/unref/awaited-future", test_unref_awaited);
  g_test_add_func ("/misuse/await/outside", test_await_outside);
  add_coroutine ("/misuse/await/in-done-callback", test_await_in_done_callback);
  add_coroutine ("/misuse/await/itself", test_await_itself);
  add_coroutine ("/misuse/await/nothing", test_await_nothing);
  add_coroutine ("/misuse/await/no-future", test_await_no_future);
  add_coroutine ("/misuse/await/each-other", test_await_each_other);
  g_test_add_func ("/misuse/another-context", test_another_context);
  add_coroutine ("/misuse/coroutine/no-reason", test_no_reason);
  add_coroutine ("/misuse/coroutine/started-twice", test_started_twice);
  add_coroutine ("/misuse/coroutine/steal-too-early", test_steal_too_early);
  add_coroutine ("/misuse/coroutine/stack-size-too-late", test_stack_size_too_late);
  return g_test_run ();
}
