/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same with libdex's stackless coroutines, where they apply. */

#include <libdex.h>

#include "measure.h"
#include "next-turn.h"

static DexFuture **waiting;
static DexPromise *event;

/* The state of a coroutine while it is suspended.  A suspension is more than one
 * statement: loops need their braces. */
typedef struct
{
  guint64 i;
  DexChannel *in;
  DexChannel *out;
} State;

static DexFuture *
nothing (DexCoroutineContext *context, gpointer data)
{
  DEX_COROUTINE_BEGIN (context);
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

/* A timeout rejects its future when the time is over. */
static DexFuture *
sleep_for_long (DexCoroutineContext *context, gpointer data)
{
  DEX_COROUTINE_BEGIN (context);
  DEX_COROUTINE_SUSPEND (dex_timeout_new_seconds (HOUR), NULL);
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static DexFuture *
sleep_a_little (DexCoroutineContext *context, gpointer number)
{
  DEX_COROUTINE_BEGIN (context);
  DEX_COROUTINE_SUSPEND (dex_timeout_new_usec ((gint64) (random_sleep (GPOINTER_TO_UINT (number)) *
                                                         G_USEC_PER_SEC)), NULL);
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static DexFuture *
wait_for_event (DexCoroutineContext *context, gpointer data)
{
  DEX_COROUTINE_BEGIN (context);
  DEX_COROUTINE_SUSPEND (dex_ref (DEX_FUTURE (event)), NULL);
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

/* ---- Many at once ---- */

static void
iterate_until_done (DexFuture *future)
{
  g_autoptr (GError) error = NULL;

  while (dex_future_is_pending (future))
    g_main_context_iteration (NULL, TRUE);
  check (dex_future_get_value (future, &error) != NULL, error);
  dex_unref (future);
}

static void
iterate_once (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static DexFuture **
spawn_coroutines (guint n, DexCoroutineFunc func)
{
  DexFuture **coroutines = g_new (DexFuture *, n);

  for (guint i = 0; i < n; i++)
    coroutines[i] = dex_scheduler_spawn_coroutine (NULL, func, GUINT_TO_POINTER (i), NULL);
  return coroutines;
}

static DexFuture *
gathering (DexFuture **coroutines, guint n)
{
  DexFuture *all = dex_future_allv (coroutines, n);

  for (guint i = 0; i < n; i++)
    dex_unref (coroutines[i]);
  g_free (coroutines);
  return all;
}

static DexFuture *
spawn_again_and_again (DexCoroutineContext *context, gpointer data)
{
  State *state = data;

  DEX_COROUTINE_BEGIN (context);
  for (state->i = 0; state->i < n_times; state->i += SPAWNED_AT_ONCE)
    {
      DEX_COROUTINE_SUSPEND (gathering (spawn_coroutines (SPAWNED_AT_ONCE, nothing), SPAWNED_AT_ONCE), NULL);
    }
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static DexFuture *
spawn_and_await (DexCoroutineContext *context, gpointer data)
{
  State *state = data;

  DEX_COROUTINE_BEGIN (context);
  for (state->i = 0; state->i < n_times; state->i++)
    {
      DEX_COROUTINE_SUSPEND (dex_scheduler_spawn_coroutine (NULL, nothing, NULL, NULL), NULL);
    }
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static void
run (DexCoroutineFunc func)
{
  State state = { 0 };

  iterate_until_done (dex_scheduler_spawn_coroutine (NULL, func, &state, NULL));
}

static void
spawn (void)
{
  run (spawn_again_and_again);
}

static void
spawn_await (void)
{
  run (spawn_and_await);
}

/* ---- Channels ---- */

static DexFuture *
play (DexCoroutineContext *context, gpointer data)
{
  State *state = data;

  DEX_COROUTINE_BEGIN (context);
  for (state->i = 0; state->i < n_times; state->i++)
    {
      DEX_COROUTINE_SUSPEND (dex_channel_receive (state->in), NULL);
      DEX_COROUTINE_SUSPEND (dex_channel_send (state->out, dex_future_new_for_int (1)), NULL);
    }
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static void
queue (void)
{
  g_autoptr (DexChannel) there = dex_channel_new (1);
  g_autoptr (DexChannel) back = dex_channel_new (1);
  State first = { .in = there, .out = back };
  State second = { .in = back, .out = there };
  DexFuture *players[] = {
    dex_scheduler_spawn_coroutine (NULL, play, &first, NULL),
    dex_scheduler_spawn_coroutine (NULL, play, &second, NULL),
  };

  dex_future_disown (dex_channel_send (there, dex_future_new_for_int (1)));
  iterate_until_done (dex_future_allv (players, G_N_ELEMENTS (players)));
  dex_unref (players[0]);
  dex_unref (players[1]);
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

static DexFuture *
await_next_turns (DexCoroutineContext *context, gpointer data)
{
  State *state = data;

  DEX_COROUTINE_BEGIN (context);
  for (state->i = 0; state->i < n_times; state->i++)
    {
      DEX_COROUTINE_SUSPEND (next_turn (), NULL);
    }
  return dex_future_new_true ();
  DEX_COROUTINE_END;
}

static void
gtask (void)
{
  run (await_next_turns);
}

static void
prepare_crowd (void)
{
  waiting = spawn_coroutines (n_tasks, sleep_for_long);
  iterate_once ();
}

static void
sleepers (void)
{
  guint n = (guint) n_times;

  iterate_until_done (gathering (spawn_coroutines (n, sleep_a_little), n));
}

static void
prepare_cancel (void)
{
  waiting = spawn_coroutines ((guint) n_times, sleep_for_long);
  iterate_once ();
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
  while (dex_future_is_pending (all))
    g_main_context_iteration (NULL, TRUE);
  dex_unref (all);
}

static void
prepare_park (void)
{
  event = dex_promise_new ();
  waiting = spawn_coroutines ((guint) n_times, wait_for_event);
  iterate_once ();
}

static const Bench benches[] = {
  { "spawn", NULL, spawn },
  { "spawn-await", NULL, spawn_await },
  { "queue", NULL, queue },
  { "gtask", NULL, gtask },
  { "crowd", prepare_crowd, gtask },
  { "sleepers", NULL, sleepers },
  { "park", prepare_park, wait_for_end_of_input },
  { "cancel", prepare_cancel, cancel },
  { NULL, NULL, NULL }
};

int
main (int argc, char *argv[])
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  dex_init ();
  run_bench (bench);
  return 0;
}
