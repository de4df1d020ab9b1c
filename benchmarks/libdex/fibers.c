/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same with libdex's fibers. */

#include <libdex.h>

#include "measure.h"
#include "next-turn.h"

#define SMALL_STACK (64 * 1024)

static DexFuture **waiting;
static DexPromise *event;

static void
await (DexFuture *future)
{
  g_autoptr (GError) error = NULL;

  check (dex_await (future, &error), error);
}

/* ---- What fibers do ---- */

static DexFuture *
nothing (gpointer data)
{
  return dex_future_new_true ();
}

static DexFuture *
let_others_run (gpointer data)
{
  g_autoptr (GError) error = NULL;

  check (dex_fiber_yield (&error), error);
  return dex_future_new_true ();
}

static DexFuture *
let_others_run_again_and_again (gpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i += n_tasks)
    check (dex_fiber_yield (&error), error);
  return dex_future_new_true ();
}

/* A timeout rejects its future when the time is over. */
static void
sleep_for (double seconds)
{
  dex_await (dex_timeout_new_usec ((gint64) (seconds * G_USEC_PER_SEC)), NULL);
}

static DexFuture *
sleep_for_long (gpointer data)
{
  sleep_for (HOUR);
  return dex_future_new_true ();
}

static DexFuture *
sleep_a_little (gpointer number)
{
  sleep_for (random_sleep (GPOINTER_TO_UINT (number)));
  return dex_future_new_true ();
}

static DexFuture *
wait_for_event (gpointer data)
{
  await (dex_ref (DEX_FUTURE (event)));
  return dex_future_new_true ();
}

/* ---- Many at once ---- */

static DexFuture **
spawn_fibers (guint n, gsize stack_size, DexFiberFunc func)
{
  DexFuture **fibers = g_new (DexFuture *, n);

  for (guint i = 0; i < n; i++)
    fibers[i] = dex_scheduler_spawn (NULL, stack_size, func, GUINT_TO_POINTER (i), NULL);
  return fibers;
}

static void
gather (DexFuture **fibers, guint n)
{
  await (dex_future_allv (fibers, n));
  for (guint i = 0; i < n; i++)
    dex_unref (fibers[i]);
  g_free (fibers);
}

static void
gather_many (guint at_once, DexFiberFunc func)
{
  for (guint64 i = 0; i < n_times; i += at_once)
    gather (spawn_fibers (at_once, 0, func), at_once);
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
    await (dex_scheduler_spawn (NULL, 0, nothing, NULL, NULL));
}

static void
yield (void)
{
  gather (spawn_fibers (n_tasks, 0, let_others_run_again_and_again), n_tasks);
}

/* A function that a fiber calls, and that may await: it returns TRUE on success, and is
 * called through a pointer that the compiler does not see through. */
static gboolean
succeed (gpointer data, GError **error)
{
  return TRUE;
}

static gboolean (*volatile callee) (gpointer data, GError **error) = succeed;

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
      g_autoptr (DexTaskGroup) tasks = dex_task_group_new (DEX_TASK_GROUP_FLAGS_CANCEL_ON_ERROR);

      for (guint j = 0; j < GATHERED_AT_ONCE; j++)
        dex_task_group_add (tasks, dex_scheduler_spawn (NULL, 0, let_others_run, NULL, NULL));
      await (dex_task_group_close (tasks));
    }
}

/* ---- Channels, limiters, timeouts, threads ---- */

typedef struct
{
  DexChannel *in;
  DexChannel *out;
} Player;

static DexFuture *
play (gpointer data)
{
  Player *player = data;

  for (guint64 i = 0; i < n_times; i++)
    {
      await (dex_channel_receive (player->in));
      await (dex_channel_send (player->out, dex_future_new_for_int (1)));
    }
  return dex_future_new_true ();
}

static void
queue (void)
{
  g_autoptr (DexChannel) there = dex_channel_new (1);
  g_autoptr (DexChannel) back = dex_channel_new (1);
  Player first = { there, back };
  Player second = { back, there };
  DexFuture *fiber = dex_scheduler_spawn (NULL, 0, play, &first, NULL);

  await (dex_channel_send (there, dex_future_new_for_int (1)));
  dex_unref (play (&second));
  await (fiber);
}

static DexFuture *
contend (gpointer limiter)
{
  g_autoptr (GError) error = NULL;

  for (guint64 i = 0; i < n_times; i += CONTENDERS)
    {
      await (dex_limiter_acquire (limiter));
      check (dex_fiber_yield (&error), error);
      dex_limiter_release (limiter);
    }
  return dex_future_new_true ();
}

static void
lock (void)
{
  g_autoptr (DexLimiter) limiter = dex_limiter_new (1);
  DexFuture **fibers = g_new (DexFuture *, CONTENDERS);

  for (guint i = 0; i < CONTENDERS; i++)
    fibers[i] = dex_scheduler_spawn (NULL, 0, contend, limiter, NULL);
  gather (fibers, CONTENDERS);
}

static void
timeout (void)
{
  for (guint64 i = 0; i < n_times; i++)
    await (dex_future_with_timeout_seconds (dex_scheduler_spawn (NULL, 0, let_others_run, NULL, NULL), 10));
}

static void
to_thread (void)
{
  g_autoptr (DexThreadPool) pool = dex_thread_pool_new (2);

  for (guint64 i = 0; i < n_times; i++)
    await (dex_thread_pool_submit (pool, "work", nothing, NULL, NULL));
  await (dex_thread_pool_close (pool, DEX_THREAD_POOL_SHUTDOWN_DRAIN));
}

/* ---- The border with GIO, and crowds ---- */

static void
on_next_turn (GObject *source, GAsyncResult *result, gpointer data)
{
  DexPromise *promise = data;
  GError *error = NULL;

  if (next_turn_finish (result, &error))
    dex_promise_resolve_boolean (promise, TRUE);
  else
    dex_promise_reject (promise, error);
  dex_unref (promise);
}

static DexFuture *
next_turn (void)
{
  DexPromise *promise = dex_promise_new_cancellable ();

  next_turn_async (dex_promise_get_cancellable (promise), on_next_turn, dex_ref (promise));
  return DEX_FUTURE (promise);
}

static void
gtask (void)
{
  for (guint64 i = 0; i < n_times; i++)
    await (next_turn ());
}

static void
create_waiting (guint n, gsize stack_size, DexFiberFunc func)
{
  g_autoptr (GError) error = NULL;

  waiting = spawn_fibers (n, stack_size, func);
  check (dex_fiber_yield (&error), error);
}

static void
prepare_crowd (void)
{
  create_waiting (n_tasks, SMALL_STACK, sleep_for_long);
}

static void
sleepers (void)
{
  gather (spawn_fibers ((guint) n_times, SMALL_STACK, sleep_a_little), (guint) n_times);
}

static void
prepare_cancel (void)
{
  create_waiting ((guint) n_times, SMALL_STACK, sleep_for_long);
}

static void
cancel (void)
{
  g_autoptr (DexTaskGroup) group = dex_task_group_new (DEX_TASK_GROUP_FLAGS_NONE);
  DexFuture *all;

  for (guint i = 0; i < n_times; i++)
    dex_task_group_add (group, waiting[i]);
  all = dex_task_group_close (group);
  dex_task_group_cancel (group);
  dex_await (all, NULL);
}

/* The stacks are of n_tasks KiB. */
static void
prepare_park (void)
{
  event = dex_promise_new ();
  create_waiting ((guint) n_times, n_tasks * 1024, wait_for_event);
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

static GMainLoop *loop;

static DexFuture *
main_fiber (gpointer data)
{
  run_bench (data);
  g_main_loop_quit (loop);
  return dex_future_new_true ();
}

int
main (int argc, char *argv[])
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  dex_init ();
  loop = g_main_loop_new (NULL, FALSE);
  dex_future_disown (dex_scheduler_spawn (NULL, 0, main_fiber, (gpointer) bench, NULL));
  g_main_loop_run (loop);
  return 0;
}
