/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same with GLib and GIO alone: callbacks. */

#include "measure.h"
#include "next-turn.h"

static GMainLoop *loop;
static GCancellable *cancellable;
static guint64 n_left;

static void
one_is_done (void)
{
  if (--n_left == 0)
    g_main_loop_quit (loop);
}

static void
run_until_done (guint64 n)
{
  n_left = n;
  g_main_loop_run (loop);
}

static void
finish (GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;

  check (next_turn_finish (result, &error), error);
}

/* ---- Operations ---- */

static void
on_one_of_many (GObject *source, GAsyncResult *result, gpointer data)
{
  finish (result);
  one_is_done ();
}

static void
spawn (void)
{
  for (guint64 i = 0; i < n_times; i += SPAWNED_AT_ONCE)
    {
      for (guint j = 0; j < SPAWNED_AT_ONCE; j++)
        next_turn_async (NULL, on_one_of_many, NULL);
      run_until_done (SPAWNED_AT_ONCE);
    }
}

static void
on_next_turn (GObject *source, GAsyncResult *result, gpointer data)
{
  finish (result);
  one_is_done ();
  if (n_left > 0)
    next_turn_async (cancellable, on_next_turn, NULL);
}

static void
gtask (void)
{
  next_turn_async (cancellable, on_next_turn, NULL);
  run_until_done (n_times);
}

/* ---- Sources ---- */

static gboolean
on_yield (gpointer data)
{
  if (n_left > 0)
    one_is_done ();
  return G_SOURCE_CONTINUE;
}

static void
yield (void)
{
  for (guint i = 0; i < n_tasks; i++)
    g_idle_add_full (G_PRIORITY_DEFAULT, on_yield, NULL, NULL);
  run_until_done (n_times);
}

static gboolean
on_time (gpointer data)
{
  one_is_done ();
  return G_SOURCE_REMOVE;
}

static void
prepare_crowd (void)
{
  for (guint i = 0; i < n_tasks; i++)
    g_timeout_add (HOUR * 1000, on_time, NULL);
}

static void
sleepers (void)
{
  for (guint i = 0; i < n_times; i++)
    g_timeout_add ((guint) (random_sleep (i) * 1000), on_time, NULL);
  run_until_done (n_times);
}

/* An operation that is cancelled if it takes too long. */
static guint timeout_id;

static gboolean
on_too_late (gpointer data)
{
  timeout_id = 0;
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void on_in_time (GObject *source, GAsyncResult *result, gpointer data);

static void
start_in_time (void)
{
  timeout_id = g_timeout_add_seconds (10, on_too_late, NULL);
  next_turn_async (cancellable, on_in_time, NULL);
}

static void
on_in_time (GObject *source, GAsyncResult *result, gpointer data)
{
  g_clear_handle_id (&timeout_id, g_source_remove);
  finish (result);
  one_is_done ();
  if (n_left > 0)
    start_in_time ();
}

static void
timeout (void)
{
  start_in_time ();
  run_until_done (n_times);
}

/* ---- Threads ---- */

static void
return_at_once (GTask *task, gpointer source, gpointer data, GCancellable *task_cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void on_thread_done (GObject *source, GAsyncResult *result, gpointer data);

static void
start_thread (void)
{
  GTask *task = g_task_new (NULL, cancellable, on_thread_done, NULL);

  g_task_run_in_thread (task, return_at_once);
  g_object_unref (task);
}

static void
on_thread_done (GObject *source, GAsyncResult *result, gpointer data)
{
  finish (result);
  one_is_done ();
  if (n_left > 0)
    start_thread ();
}

static void
to_thread (void)
{
  start_thread ();
  run_until_done (n_times);
}

static const Bench benches[] = {
  { "spawn", NULL, spawn },
  { "yield", NULL, yield },
  { "gtask", NULL, gtask },
  { "crowd", prepare_crowd, gtask },
  { "sleepers", NULL, sleepers },
  { "timeout", NULL, timeout },
  { "to-thread", NULL, to_thread },
  { NULL, NULL, NULL }
};

int
main (int argc, char *argv[])
{
  const Bench *bench = parse_arguments (argc, argv, benches);

  loop = g_main_loop_new (NULL, FALSE);
  cancellable = g_cancellable_new ();
  run_bench (bench);
  g_object_unref (cancellable);
  g_main_loop_unref (loop);
  return 0;
}
