/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which functions another thread may call on objects that tasks use, and which it may not.  A
 * forbidden call is reported, and changes nothing. */

#include "fixture.h"

/* ---- Outside of the thread ---- */

typedef struct
{
  GtxEvent *event;
  GtxSemaphore *semaphore;
  GtxQueue *queue;
  GtxLock *lock;
} Shared;

static void
expect_elsewhere (const char *function)
{
  g_autofree char *message = g_strdup_printf ("%s() was called in a thread that does not run the main context*", function);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, message);
}

static gboolean
wake_from_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  Shared *shared = data;

  expect_elsewhere ("gtx_event_set");
  gtx_event_set (shared->event);
  expect_elsewhere ("gtx_semaphore_release");
  g_assert_false (gtx_semaphore_release (shared->semaphore));
  expect_elsewhere ("gtx_lock_release");
  g_assert_false (gtx_lock_release (shared->lock));
  expect_elsewhere ("gtx_queue_shutdown");
  gtx_queue_shutdown (shared->queue, GTX_SHUTDOWN_IMMEDIATE);
  expect_elsewhere ("gtx_queue_put_nowait");
  g_assert_false (gtx_queue_put_nowait (shared->queue, g_strdup ("item"), error));
  g_test_assert_expected_messages ();
  return FALSE;
}

static gboolean
wait_for_event (gpointer event, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
take_item (gpointer queue, GError **error)
{
  g_autofree char *item = gtx_queue_get (queue, error);

  return item != NULL;
}

static gboolean
wait_for_semaphore (gpointer semaphore, GError **error)
{
  return gtx_semaphore_acquire (semaphore, error);
}

static gboolean
wait_for_lock (gpointer lock, GError **error)
{
  return gtx_lock_acquire (lock, error);
}

/* The calls are reported and change nothing.  The waiting tasks are woken by their own thread. */
static gboolean
test_wake_in_thread (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (0);
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  Shared shared = { event, semaphore, queue, lock };
  g_autoptr (GtxTask) waits_for_event = gtx_create_task (wait_for_event, event, NULL);
  g_autoptr (GtxTask) waits_for_semaphore = gtx_create_task (wait_for_semaphore, semaphore, NULL);
  g_autoptr (GtxTask) waits_for_item = gtx_create_task (take_item, queue, NULL);
  g_autoptr (GtxTask) waits_for_lock = gtx_create_task (wait_for_lock, lock, NULL);
  g_autoptr (GError) failure = NULL;

  g_assert_true (gtx_lock_acquire (lock, error));
  g_assert_true (gtx_sleep (0, error));
  g_assert_false (gtx_to_thread (wake_from_thread, &shared, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_false (gtx_event_is_set (event));
  gtx_event_set (event);
  g_assert_true (gtx_semaphore_release (semaphore));
  g_assert_true (gtx_lock_release (lock));
  g_assert_true (gtx_queue_put_nowait (queue, g_strdup ("item"), error));
  return gtx_gather_list (GTX_GATHER_NONE, error, waits_for_event, waits_for_semaphore, waits_for_item,
                          waits_for_lock, NULL);
}

/* No task waits, but tasks have used the objects. */
static gboolean
use_all (Shared *shared, GError **error)
{
  char *item;

  gtx_event_set (shared->event);
  if (!gtx_event_wait (shared->event, error) || !gtx_semaphore_acquire (shared->semaphore, error) ||
      !gtx_lock_acquire (shared->lock, error) || !gtx_queue_put (shared->queue, g_strdup ("item"), error))
    return FALSE;
  item = gtx_queue_get (shared->queue, error);
  g_free (item);
  return item && gtx_queue_put (shared->queue, g_strdup ("item"), error);
}

static gboolean
use_from_thread (gpointer data, GCancellable *cancellable, GError **error)
{
  Shared *shared = data;

  expect_elsewhere ("gtx_event_clear");
  gtx_event_clear (shared->event);
  expect_elsewhere ("gtx_semaphore_release");
  g_assert_false (gtx_semaphore_release (shared->semaphore));
  expect_elsewhere ("gtx_lock_release");
  g_assert_false (gtx_lock_release (shared->lock));
  expect_elsewhere ("gtx_queue_task_done");
  g_assert_false (gtx_queue_task_done (shared->queue));
  expect_elsewhere ("gtx_queue_get_nowait");
  g_assert_null (gtx_queue_get_nowait (shared->queue, NULL));
  expect_elsewhere ("gtx_queue_shutdown");
  gtx_queue_shutdown (shared->queue, GTX_SHUTDOWN_IMMEDIATE);
  expect_elsewhere ("gtx_queue_put_nowait");
  g_assert_false (gtx_queue_put_nowait (shared->queue, g_strdup ("item"), error));
  g_test_assert_expected_messages ();
  return FALSE;
}

static gboolean
test_use_in_thread (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (1);
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  Shared shared = { event, semaphore, queue, lock };
  g_autoptr (GError) failure = NULL;

  if (!use_all (&shared, error))
    return FALSE;
  g_assert_false (gtx_to_thread (use_from_thread, &shared, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_assert_true (gtx_event_is_set (event) && gtx_lock_locked (lock) && gtx_semaphore_locked (semaphore));
  g_assert_cmpuint (gtx_queue_get_size (queue), ==, 1);
  return TRUE;
}

/* An event for which no task waits any more is not set by another thread. */
static gboolean
set_from_thread (gpointer event, GCancellable *cancellable, GError **error)
{
  expect_elsewhere ("gtx_event_set");
  gtx_event_set (event);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_set_in_thread (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();

  gtx_event_set (event);
  if (!gtx_event_wait (event, error))
    return FALSE;
  gtx_event_clear (event);
  if (!gtx_to_thread (set_from_thread, event, error))
    return FALSE;
  g_assert_false (gtx_event_is_set (event));
  return TRUE;
}

/* Any thread may use the objects before tasks do, between the runs of the thread that runs the
 * tasks, while no thread has their main context, and after the context is gone. */
static void
use_freely (Shared *shared)
{
  g_autofree char *item = NULL;

  gtx_event_set (shared->event);
  gtx_event_clear (shared->event);
  g_assert_true (gtx_semaphore_release (shared->semaphore));
  g_assert_true (gtx_queue_put_nowait (shared->queue, g_strdup ("item"), NULL));
  item = gtx_queue_get_nowait (shared->queue, NULL);
  g_assert_nonnull (item);
  g_assert_true (gtx_queue_task_done (shared->queue));
}

static gpointer
use_in_runs (gpointer data)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  Shared *shared = data;

  use_freely (shared);
  g_main_context_push_thread_default (context);
  gtx_run (use_all, shared, &error);
  g_assert_no_error (error);
  g_assert_true (gtx_lock_release (shared->lock));
  use_freely (shared);
  g_main_context_pop_thread_default (context);
  use_freely (shared);
  return context;
}

static void
test_use_freely (void)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxSemaphore) semaphore = gtx_semaphore_new (1);
  g_autoptr (GtxQueue) queue = gtx_queue_new (0, g_free);
  g_autoptr (GtxLock) lock = gtx_lock_new ();
  Shared shared = { event, semaphore, queue, lock };
  GMainContext *context;

  use_freely (&shared);
  context = g_thread_join (g_thread_new ("other", use_in_runs, &shared));
  use_freely (&shared);
  g_main_context_unref (context);
  use_freely (&shared);
}

/* ---- Threads ---- */

static gpointer
dispatch (gpointer context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
  return NULL;
}

static gboolean
note_freely (gboolean *ran, GError **error)
{
  *ran = TRUE;
  return gtx_sleep (0, error);
}

/* A context that has suspended tasks stays with the thread that runs them. */
static void
test_another_thread (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GtxTask) task = NULL;
  gboolean ran = FALSE;

  g_main_context_push_thread_default (context);
  task = gtx_create_task (sleep_long, NULL, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*belong to another thread*");
  gtx_cancel (task);
  g_thread_join (g_thread_new ("other", dispatch, context));
  g_test_assert_expected_messages ();
  g_assert_false (gtx_future_is_done (task));

  g_main_context_push_thread_default (context);
  g_object_unref (gtx_create_task (note_freely, &ran, NULL));
  while (!gtx_future_is_done (task) || !ran)
    g_main_context_iteration (context, FALSE);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  g_assert_true (gtx_future_is_cancelled (task));
}

/* ---- Objects whose last reference goes while tasks wait ---- */

static gboolean
get (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error) != NULL;
}

static gpointer
drop (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

static void
note_gone (gpointer gone, GObject *object)
{
  *(gboolean *) gone = TRUE;
}

static GtxTask *
wait_for_item (GtxQueue *queue, gboolean *gone)
{
  GtxTask *task = gtx_create_task (get, queue, NULL);

  g_object_weak_ref (G_OBJECT (queue), note_gone, gone);
  gtx_sleep (0, NULL);
  return task;
}

static gboolean
test_dropped_at_home (gpointer data, GError **error)
{
  gboolean gone = FALSE;
  GtxQueue *queue = gtx_queue_new (0, NULL);
  g_autoptr (GtxTask) task = wait_for_item (queue, &gone);

  g_object_unref (queue);
  g_assert_false (gone);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_true (gone);
  return TRUE;
}

static gboolean
test_dropped_elsewhere (gpointer data, GError **error)
{
  gboolean gone = FALSE;
  GtxQueue *queue = gtx_queue_new (0, NULL);
  g_autoptr (GtxTask) task = wait_for_item (queue, &gone);

  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_CRITICAL, "*last reference of a GtxQueue*kept for ever*");
  g_thread_join (g_thread_new ("other", drop, queue));
  g_test_assert_expected_messages ();
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_false (gone);
  g_object_unref (queue);
  g_assert_true (gone);
  return TRUE;
}

/* ---- Blocks of a task ---- */

typedef struct
{
  GtxTaskGroup *group;
  GtxTimeout *timeout;
} Blocks;

static gboolean
end_blocks_in_thread (Blocks *blocks, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;

  expect_elsewhere ("gtx_task_group_cancel");
  gtx_task_group_cancel (blocks->group);
  expect_elsewhere ("gtx_task_group_create_task");
  g_assert_null (gtx_task_group_create_task (blocks->group, sleep_long, NULL, NULL, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  expect_elsewhere ("gtx_timeout_reschedule");
  g_assert_false (gtx_timeout_reschedule (blocks->timeout, 1, &failure));
  g_assert_error (failure, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
test_blocks (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  Blocks blocks = { &group, &timeout };
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 1000);
  gtx_task_group_begin (&group);
  gtx_to_thread (end_blocks_in_thread, &blocks, &failure);
  return gtx_task_group_end (&group, &failure, error) && gtx_timeout_end (&timeout, &failure, error);
}

/* ---- Requests ---- */

static gboolean
withdraw_in_thread (gpointer task, GCancellable *cancellable, GError **error)
{
  expect_elsewhere ("gtx_uncancel");
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  g_test_assert_expected_messages ();
  return TRUE;
}

static gboolean
withdraw_silently (gpointer task, GCancellable *cancellable, GError **error)
{
  g_assert_cmpuint (gtx_uncancel (task), ==, 0);
  return TRUE;
}

static gboolean
outlast_request (GtxEvent *event, GError **error)
{
  while (!gtx_event_is_set (event))
    gtx_event_wait (event, NULL);
  g_assert_cmpuint (gtx_cancelling (gtx_current_task ()), ==, 1);
  return TRUE;
}

/* The request stays.  A task that has not begun, or has ended, belongs to no thread. */
static gboolean
test_uncancel (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  g_autoptr (GtxTask) task = gtx_create_task (outlast_request, event, NULL);
  g_autoptr (GtxTask) unstarted = gtx_task_new (sleep_long, NULL, NULL);

  gtx_sleep (0, NULL);
  gtx_cancel (task);
  if (!gtx_to_thread (withdraw_in_thread, task, error))
    return FALSE;
  gtx_event_set (event);
  if (!gtx_await (task, error))
    return FALSE;
  gtx_cancel (unstarted);
  return gtx_to_thread (withdraw_silently, task, error) && gtx_to_thread (withdraw_silently, unstarted, error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/misuse-threads/wake", test_wake_in_thread);
  add_coroutine ("/misuse-threads/use", test_use_in_thread);
  add_coroutine ("/misuse-threads/set", test_set_in_thread);
  g_test_add_func ("/misuse-threads/use-freely", test_use_freely);
  g_test_add_func ("/misuse-threads/run", test_another_thread);
  add_coroutine ("/misuse-threads/dropped/at-home", test_dropped_at_home);
  add_coroutine ("/misuse-threads/dropped/elsewhere", test_dropped_elsewhere);
  add_coroutine ("/misuse-threads/blocks", test_blocks);
  add_coroutine ("/misuse-threads/uncancel", test_uncancel);
  return g_test_run ();
}
