/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that gdb.c inspects, with a task for each kind of wait.  The first argument names a
 * file, which gets the output of gtx_print_tasks ().  A second argument may be "unmarked" or
 * "abort". */

#include <gtask-ext.h>

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static const char *path;
static const char *mode;

/* ---- The system ---- */

/* This function hides the C library's.  If guards are marks (MADV_GUARD_INSTALL), gdb cannot read
 * all of a mapping, and older versions omit it from a core file. */
int
madvise (void *memory, size_t size, int advice)
{
  if (advice == 102 && g_strcmp0 (mode, "unmarked") == 0)
    {
      errno = EINVAL;
      return -1;
    }
  return (int) syscall (SYS_madvise, memory, size, advice);
}

static void
dump_core (void)
{
  struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

  if (getrlimit (RLIMIT_CORE, &limit) == 0)
    limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_CORE, &limit);
  abort ();
}

/* ---- Where the debugger stops ---- */

static __attribute__ ((noinline)) void
stop_in_function (void)
{
}

static inline __attribute__ ((always_inline)) void
stop_inlined (volatile int *n)
{
  (*n)++;
}

static void
write_tasks (const char *text)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

/* ---- Tasks ---- */

static gboolean
inner (int *local_of_sleeper, GError **error)
{
  gboolean slept = gtx_sleep (1000, error);

  *local_of_sleeper = 0;
  return slept;
}

static gboolean
sleeper (gpointer data, GError **error)
{
  int local_of_sleeper = 4711;
  gboolean slept = inner (&local_of_sleeper, error);

  return slept && local_of_sleeper == 0;
}

static gboolean
acquire_lock (GtxLock *lock, GError **error)
{
  return gtx_lock_acquire (lock, error);
}

static gboolean
acquire_to_write (GtxRWLock *lock, GError **error)
{
  return gtx_rw_lock_write_acquire (lock, error);
}

static gboolean
acquire_to_read (GtxRWLock *lock, GError **error)
{
  return gtx_rw_lock_read_acquire (lock, error);
}

static gboolean
wait_for_event (GtxEvent *event, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
acquire_semaphore (GtxSemaphore *semaphore, GError **error)
{
  return gtx_semaphore_acquire (semaphore, error);
}

static gboolean
wait_for_condition (GtxCondition *condition, GError **error)
{
  return gtx_lock_acquire (gtx_condition_get_lock (condition), error) &&
         gtx_condition_wait (condition, error);
}

static gboolean
get_item (GtxQueue *queue, GError **error)
{
  return gtx_queue_get (queue, error) != NULL;
}

static gboolean
put_items (GtxQueue *queue, GError **error)
{
  return gtx_queue_put (queue, queue, error) && gtx_queue_put (queue, queue, error);
}

static gboolean
receive_item (GtxChannel *channel, GError **error)
{
  return gtx_channel_receive (channel, error) != NULL;
}

static gboolean
send_items (GtxChannel *channel, GError **error)
{
  return gtx_channel_send (channel, channel, error) && gtx_channel_send (channel, channel, error);
}

static gboolean
receive_of_subscription (GtxSubscription *subscription, GError **error)
{
  return gtx_subscription_receive (subscription, NULL, error) != NULL;
}

static gboolean
await_one (gpointer future, GError **error)
{
  return gtx_await (future, error);
}

static gboolean
gather (GPtrArray *futures, GError **error)
{
  return gtx_gather (futures, GTX_GATHER_NONE, error);
}

static gboolean
wait_for_first (GPtrArray *futures, GError **error)
{
  return gtx_wait (futures, GTX_FIRST_COMPLETED, 500, error);
}

static gboolean
race (GPtrArray *futures, GError **error)
{
  return gtx_race (futures, error) != NULL;
}

static gboolean
take_as_completed (GPtrArray *futures, GError **error)
{
  g_autoptr (GtxAsCompleted) each = gtx_as_completed (futures, 600, error);

  return gtx_as_completed_next (each, error) != NULL;
}

static gboolean
head_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, sleeper, NULL, NULL, error);
  gtx_task_group_create_task (&group, sleeper, NULL, NULL, error);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
await_descriptor (gpointer data, GError **error)
{
  int fds[2];

  return g_unix_open_pipe (fds, FD_CLOEXEC, error) && gtx_await_fd (fds[0], G_IO_IN, error) != 0;
}

static void
start_operation (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_task_new (NULL, NULL, callback, data);
}

static gboolean
await_operation (gpointer data, GError **error)
{
  start_operation (GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gint n_blocking;

static gboolean
block (gpointer data, GCancellable *cancellable, GError **error)
{
  g_atomic_int_inc (&n_blocking);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
  return TRUE;
}

static gboolean
await_thread (gpointer data, GError **error)
{
  return gtx_to_thread (block, data, error);
}

/* The library's own functions wait in this way. */
static gboolean
await_thread_of_function (gpointer data, GError **error)
{
  return gtx_to_thread_at ("a_function", 0, block, data, error);
}

static gboolean
await_operation_of_function (gpointer data, GError **error)
{
  start_operation (GTX_CANCELLABLE, gtx_operation_ready, gtx_operation_begin ("a_function", 0));
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

static gboolean
await_gtask (GTask *task, GError **error)
{
  return gtx_await_gtask (task, error);
}

static gboolean
await_cancelled (GCancellable *cancellable, GError **error)
{
  return gtx_await_signal (cancellable, "cancelled", error);
}

static gboolean
call_shielded (gpointer data, GError **error)
{
  return gtx_call_shielded (2000, sleeper, NULL, error);
}

/* Tasks that await one another in a ring. */
static GtxTask *ring[2];

static gboolean
await_other (gpointer index, GError **error)
{
  return gtx_await (ring[1 - GPOINTER_TO_INT (index)], error);
}

static gboolean
head_limited_group (gpointer data, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 1);
  gtx_task_group_create_task (&group, sleeper, NULL, NULL, error);
  gtx_task_group_create_task (&group, sleeper, NULL, NULL, error);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
await_deep (gpointer depth, GError **error)
{
  g_autoptr (GtxTask) next = NULL;

  if (GPOINTER_TO_INT (depth) == 0)
    return gtx_sleep (1000, error);
  next = gtx_create_task (await_deep, GINT_TO_POINTER (GPOINTER_TO_INT (depth) - 1), NULL);
  return gtx_await (next, error);
}

/* ---- All of them ---- */

static GtxTask *
named (const char *name, GtxTask *task)
{
  gtx_task_set_name (task, name);
  return task;
}

static gboolean
join_scope (GtxScope *scope, GError **error)
{
  return gtx_scope_join (scope, error);
}

static void
create_waiting_for_scope (void)
{
  GtxScope *scope = gtx_object_get_scope (g_object_new (G_TYPE_OBJECT, NULL));

  gtx_scope_create_task (scope, wait_for_event, gtx_event_new (), NULL);
  g_object_unref (gtx_create_task (join_scope, scope, NULL));
}

static void
create_waiting_in_line (void)
{
  GtxSubscription *subscription = gtx_broadcast_subscribe (gtx_broadcast_new (1, NULL, NULL));
  GtxQueue *empty = gtx_queue_new (0, NULL);
  GtxQueue *small = gtx_queue_new (1, NULL);
  GtxRWLock *rw_lock = gtx_rw_lock_new ();
  GtxLock *lock = gtx_lock_new ();

  g_object_unref (gtx_create_task (acquire_lock, lock, NULL));
  g_object_unref (gtx_create_task (acquire_lock, lock, NULL));
  g_object_unref (gtx_create_task (acquire_to_write, rw_lock, NULL));
  g_object_unref (gtx_create_task (acquire_to_write, rw_lock, NULL));
  g_object_unref (gtx_create_task (acquire_to_read, rw_lock, NULL));
  g_object_unref (gtx_create_task (wait_for_event, gtx_event_new (), NULL));
  g_object_unref (gtx_create_task (acquire_semaphore, gtx_semaphore_new (0), NULL));
  g_object_unref (gtx_create_task (wait_for_condition, gtx_condition_new (NULL), NULL));
  g_object_unref (gtx_create_task (get_item, empty, NULL));
  g_object_unref (gtx_create_task (put_items, small, NULL));
  g_object_unref (gtx_create_task (receive_item, gtx_channel_new (0, NULL), NULL));
  g_object_unref (gtx_create_task (send_items, gtx_channel_new (1, NULL), NULL));
  g_object_unref (gtx_create_task (receive_of_subscription, subscription, NULL));
}

static void
create_waiting_for_futures (void)
{
  GPtrArray *futures = g_ptr_array_new ();

  g_ptr_array_add (futures, named ("long sleeper", gtx_create_task (sleeper, NULL, NULL)));
  g_ptr_array_add (futures, gtx_create_task (await_one, futures->pdata[0], NULL));
  g_ptr_array_add (futures, gtx_future_new ());
  g_object_unref (gtx_create_task (gather, futures, NULL));
  g_object_unref (gtx_create_task (wait_for_first, futures, NULL));
  g_object_unref (gtx_create_task (race, futures, NULL));
  g_object_unref (gtx_create_task (take_as_completed, futures, NULL));
  g_object_unref (gtx_create_task (await_one, futures->pdata[2], NULL));
  g_object_unref (gtx_create_task (head_group, NULL, NULL));
  g_object_unref (gtx_create_task (head_limited_group, NULL, NULL));
  g_object_unref (gtx_create_task (await_deep, GINT_TO_POINTER (60), NULL));
  g_object_unref (gtx_create_task (call_shielded, NULL, NULL));
  for (int i = 0; i < 2; i++)
    ring[i] = gtx_create_task (await_other, GINT_TO_POINTER (i), NULL);
}

/* Virtual time stands still while these tasks wait. */
static void
create_waiting_for_others (GtxFuture *distant)
{
  g_object_unref (gtx_create_task (await_one, (gpointer) distant, NULL));
  g_object_unref (gtx_create_task (await_descriptor, NULL, NULL));
  g_object_unref (gtx_create_task (await_operation, NULL, NULL));
  g_object_unref (gtx_create_task (await_gtask, g_task_new (NULL, NULL, NULL, NULL), NULL));
  g_object_unref (gtx_create_task (await_cancelled, g_cancellable_new (), NULL));
  g_object_unref (gtx_create_task (await_thread, NULL, NULL));
  g_object_unref (gtx_create_task (await_thread_of_function, NULL, NULL));
  g_object_unref (gtx_create_task (await_operation_of_function, NULL, NULL));
}

static gboolean
main_coroutine (GtxFuture *distant, GError **error)
{
  g_autoptr (GtxEvent) event = gtx_event_new ();
  volatile int n = 0;

  named ("runner", gtx_current_task ());
  create_waiting_in_line ();
  create_waiting_for_scope ();
  create_waiting_for_futures ();
  named ("twin", gtx_create_task (sleeper, NULL, NULL));
  named ("twin", gtx_create_task (sleeper, NULL, NULL));
  named ("ready", gtx_create_task (wait_for_event, event, NULL));
  gtx_sleep (0.25, error);
  create_waiting_for_others (distant);
  while (g_atomic_int_get (&n_blocking) < 2)
    gtx_sleep (0, error);
  gtx_event_set (event);
  gtx_cancel_with_reason (named ("unbegun", gtx_create_task (sleeper, NULL, NULL)), "not wanted");

  g_set_printerr_handler (write_tasks);
  gtx_print_tasks ();
  if (g_strcmp0 (mode, "abort") == 0)
    dump_core ();
  stop_in_function ();
  stop_inlined (&n);
  _exit (0);
}

/* A main context beside the default one, with a task. */
static GtxFuture *
create_elsewhere (void)
{
  GMainContext *context = g_main_context_new ();
  GtxFuture *future;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  named ("elsewhere", gtx_create_task (sleeper, NULL, NULL));
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  return future;
}

/* The context is gone when the debugger inspects the program. */
static void
create_and_end_context (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (GtxFuture) future = NULL;

  g_main_context_push_thread_default (context);
  future = gtx_future_new ();
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
}

int
main (int argc, char **argv)
{
  GtxFuture *distant;

  path = argv[1];
  mode = argv[2];
  gtx_set_default_stack_size (64 * 1024);
  create_and_end_context ();
  distant = create_elsewhere ();
  stop_in_function ();
  return gtx_test_run (main_coroutine, distant, NULL) ? 0 : 1;
}
