/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <gtask-ext.h>

#include "measure.h"
#include "next-turn.h"

#define SMALL_STACK (64 * 1024)

static GPtrArray *waiting;
static GtxEvent *event;

/* ---- What tasks do ---- */

static gboolean
nothing (gpointer data, GError **error)
{
  return TRUE;
}

static gboolean
let_others_run (gpointer data, GError **error)
{
  return gtx_sleep (0, error);
}

static gboolean
let_others_run_again_and_again (gpointer data, GError **error)
{
  for (guint64 i = 0; i < n_times; i += n_tasks)
    if (!gtx_sleep (0, error))
      return FALSE;
  return TRUE;
}

static gboolean
sleep_for_long (gpointer data, GError **error)
{
  return gtx_sleep (HOUR, error);
}

static gboolean
sleep_a_little (gpointer number, GError **error)
{
  return gtx_sleep (random_sleep (GPOINTER_TO_UINT (number)), error);
}

static gboolean
wait_for_event (gpointer data, GError **error)
{
  return gtx_event_wait (event, error);
}

static gboolean
await_next_turn (GError **error)
{
  next_turn_async (GTX_ASYNC);
  return next_turn_finish (gtx_await_result (), error);
}

/* ---- Tasks ---- */

static GPtrArray *
create_tasks (guint n, GtxCoroutine coroutine)
{
  GPtrArray *tasks = g_ptr_array_new_full (n, g_object_unref);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (tasks, gtx_create_task (coroutine, GUINT_TO_POINTER (i), NULL));
  return tasks;
}

static void
gather (GPtrArray *tasks)
{
  g_autoptr (GError) error = NULL;

  check (gtx_gather (tasks, GTX_GATHER_NONE, &error), error);
}

static void
gather_many (guint at_once, GtxCoroutine coroutine)
{
  for (guint64 i = 0; i < n_times; i += at_once)
    {
      g_autoptr (GPtrArray) tasks = create_tasks (at_once, coroutine);

      gather (tasks);
    }
}

static void
spawn (void)
{
  gather_many (SPAWNED_AT_ONCE, nothing);
}

static void
gather_few (void)
{
  gather_many (GATHERED_AT_ONCE, let_others_run);
}

static void
spawn_await (void)
{
  for (guint64 i = 0; i < n_times; i++)
    {
      g_autoptr (GtxTask) task = gtx_create_task (nothing, NULL, NULL);
      g_autoptr (GError) error = NULL;

      check (gtx_await (task, &error), error);
    }
}

static void
yield (void)
{
  g_autoptr (GPtrArray) tasks = create_tasks (n_tasks, let_others_run_again_and_again);

  gather (tasks);
}

/* Through a pointer that the compiler does not see through: not inlined. */
static GtxCoroutine volatile callee = nothing;

static void
call (void)
{
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i++)
    check (callee (NULL, &error), error);
}

static void
group (void)
{
  for (guint64 i = 0; i < n_times; i += GATHERED_AT_ONCE)
    {
      g_auto (GtxTaskGroup) tasks = GTX_TASK_GROUP_INIT;
      g_autoptr (GError) error = NULL;

      gtx_task_group_begin (&tasks);
      for (guint j = 0; j < GATHERED_AT_ONCE; j++)
        gtx_task_group_create_task (&tasks, let_others_run, NULL, NULL, NULL);
      check (gtx_task_group_end (&tasks, NULL, &error), error);
    }
}

/* ---- Queues, locks, timeouts, threads ---- */

typedef struct
{
  GtxQueue *in;
  GtxQueue *out;
} Player;

static gboolean
play (Player *player, GError **error)
{
  for (guint64 i = 0; i < n_times; i++)
    if (!gtx_queue_get (player->in, error) || !gtx_queue_put (player->out, player, error))
      return FALSE;
  return TRUE;
}

static void
queue (void)
{
  g_autoptr (GtxQueue) there = gtx_queue_new (1, NULL);
  g_autoptr (GtxQueue) back = gtx_queue_new (1, NULL);
  g_autoptr (GError) error = NULL;
  Player first = { there, back };
  Player second = { back, there };
  g_autoptr (GtxTask) task = gtx_create_task (play, &first, NULL);

  check (gtx_queue_put (there, &second, &error), error);
  check (play (&second, &error), error);
  check (gtx_await (task, &error), error);
}

static gboolean
contend (GtxLock *lock, GError **error)
{
  for (guint64 i = 0; i < n_times; i += CONTENDERS)
    {
      g_autoptr (GtxLockHolder) holder = gtx_lock_hold (lock, error);

      if (holder == NULL || !gtx_sleep (0, error))
        return FALSE;
    }
  return TRUE;
}

static void
lock (void)
{
  g_autoptr (GtxLock) shared = gtx_lock_new ();
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < CONTENDERS; i++)
    g_ptr_array_add (tasks, gtx_create_task (contend, shared, NULL));
  gather (tasks);
}

static void
timeout (void)
{
  for (guint64 i = 0; i < n_times; i++)
    {
      g_auto (GtxTimeout) in_time = GTX_TIMEOUT_INIT;
      g_autoptr (GError) failure = NULL;
      g_autoptr (GError) error = NULL;

      gtx_timeout_begin (&in_time, 10);
      gtx_sleep (0, &failure);
      check (gtx_timeout_end (&in_time, &failure, &error), error);
    }
}

static gboolean
return_at_once (gpointer data, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
to_thread (void)
{
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i++)
    check (gtx_to_thread (return_at_once, NULL, &error), error);
}

/* ---- The border with GIO, and crowds ---- */

static void
gtask (void)
{
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i++)
    check (await_next_turn (&error), error);
}

static void
create_waiting (guint n, GtxCoroutine coroutine)
{
  g_autoptr (GError) error = NULL;

  waiting = create_tasks (n, coroutine);
  check (gtx_sleep (0, &error), error);
}

static void
prepare_crowd (void)
{
  gtx_set_default_stack_size (SMALL_STACK);
  create_waiting (n_tasks, sleep_for_long);
}

static void
sleepers (void)
{
  g_autoptr (GPtrArray) tasks = NULL;

  gtx_set_default_stack_size (SMALL_STACK);
  tasks = create_tasks ((guint) n_times, sleep_a_little);
  gather (tasks);
}

static void
prepare_cancel (void)
{
  gtx_set_default_stack_size (SMALL_STACK);
  create_waiting ((guint) n_times, sleep_for_long);
}

static void
cancel (void)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < waiting->len; i++)
    gtx_cancel (g_ptr_array_index (waiting, i));
  check (gtx_gather (waiting, GTX_GATHER_RETURN_ERRORS, &error), error);
  g_ptr_array_unref (waiting);
}

/* The stacks are of n_tasks KiB. */
static void
prepare_park (void)
{
  gtx_set_default_stack_size (n_tasks * 1024);
  event = gtx_event_new ();
  create_waiting ((guint) n_times, wait_for_event);
}

static const Bench benches[] = {
  { "spawn", NULL, spawn },
  { "spawn-await", NULL, spawn_await },
  { "yield", NULL, yield },
  { "call", NULL, call },
  { "queue", NULL, queue },
  { "gtask", NULL, gtask },
  { "crowd", prepare_crowd, gtask },
  { "sleepers", NULL, sleepers },
  { "park", prepare_park, wait_for_end_of_input },
  { "cancel", prepare_cancel, cancel },
  { "gather", NULL, gather_few },
  { "group", NULL, group },
  { "timeout", NULL, timeout },
  { "lock", NULL, lock },
  { "to-thread", NULL, to_thread },
  { NULL, NULL, NULL }
};

static gboolean
main_coroutine (const Bench *bench, GError **error)
{
  run_bench (bench);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  return gtx_run (main_coroutine, parse_arguments (argc, argv, benches), NULL) ? 0 : 1;
}
