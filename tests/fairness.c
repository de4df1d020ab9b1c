/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that never stop leave turns to all other sources, and no source takes all turns from the
 * tasks.  Each test waits until the other side had its turns, however long that takes. */

#include "fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

/* GTK draws at this priority. */
#define REDRAW_PRIORITY 120

static void
work_for (gint64 microseconds)
{
  gint64 end = g_get_monotonic_time () + microseconds;

  while (g_get_monotonic_time () < end)
    ;
}

static gboolean
yield_for_ever (gpointer data, GError **error)
{
  while (gtx_sleep (0, error))
    ;
  return FALSE;
}

typedef struct
{
  GtxFuture *enough;
  guint n_turns;
} Turns;

static gboolean
take_turn (gpointer data)
{
  Turns *turns = data;

  if (++turns->n_turns == 20)
    gtx_future_set_result (turns->enough, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static gboolean
beside_tasks (guint n_tasks, gint priority, GError **error)
{
  g_autoptr (GtxFuture) enough = gtx_future_new ();
  Turns turns = { enough, 0 };
  guint source = g_idle_add_full (priority, take_turn, &turns, NULL);
  gboolean succeeded;

  /* gtx_run() cancels them. */
  for (guint i = 0; i < n_tasks; i++)
    g_object_unref (gtx_create_task (yield_for_ever, NULL, NULL));
  succeeded = gtx_await (enough, error);
  g_source_remove (source);
  return succeeded;
}

static gboolean
redraw_beside_one (gpointer data, GError **error)
{
  return beside_tasks (1, REDRAW_PRIORITY, error);
}

static gboolean
redraw_beside_many (gpointer data, GError **error)
{
  return beside_tasks (100, REDRAW_PRIORITY, error);
}

static gboolean
idle_beside_many (gpointer data, GError **error)
{
  return beside_tasks (100, G_PRIORITY_DEFAULT_IDLE, error);
}

/* An operation ends after some callbacks at default priority, like an operation of GIO that works
 * in a thread. */
static gboolean
go_on (gpointer data)
{
  GTask *task = data;
  guint *left = g_task_get_task_data (task);

  work_for (200);
  if (--*left > 0)
    return G_SOURCE_CONTINUE;
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
  return G_SOURCE_REMOVE;
}

static void
work_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, data);
  guint *left = g_new (guint, 1);

  *left = 10;
  g_task_set_task_data (task, left, g_free);
  g_idle_add_full (G_PRIORITY_DEFAULT, go_on, task, NULL);
}

static gboolean
work_for_ever (guint *n_operations, GError **error)
{
  for (;;)
    {
      work_async (GTX_ASYNC);
      if (!g_task_propagate_boolean (G_TASK (gtx_await_result ()), error))
        return FALSE;
      ++*n_operations;
    }
}

/* The task itself takes almost no time, and the operations that it starts take all. */
static gboolean
redraw_beside_stream (gpointer data, GError **error)
{
  guint n_operations = 0;
  g_autoptr (GtxTask) task = gtx_create_task (work_for_ever, &n_operations, NULL);
  gboolean succeeded = beside_tasks (0, REDRAW_PRIORITY, error);

  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_assert_cmpuint (n_operations, <, 20 * 10);
  return succeeded;
}

/* A descriptor replaces the operations, and is not ready before it is polled. */
typedef struct
{
  int ends[2];
  GtxEvent *arrived;
  guint n_operations;
} Pipe;

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  Pipe *pipe = data;
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  work_for (1000);
  gtx_event_set (pipe->arrived);
  return G_SOURCE_CONTINUE;
}

static gboolean
write_for_ever (Pipe *pipe, GError **error)
{
  for (;; pipe->n_operations++)
    {
      gtx_event_clear (pipe->arrived);
      g_assert_cmpint (write (pipe->ends[1], "x", 1), ==, 1);
      if (!gtx_event_wait (pipe->arrived, error))
        return FALSE;
    }
}

static gboolean
redraw_beside_descriptor (gpointer data, GError **error)
{
  g_autoptr (GtxEvent) arrived = gtx_event_new ();
  Pipe pipe = { .arrived = arrived };
  g_autoptr (GtxTask) task = NULL;
  gboolean succeeded;
  guint source;

  g_assert_true (g_unix_open_pipe (pipe.ends, FD_CLOEXEC, error));
  source = g_unix_fd_add (pipe.ends[0], G_IO_IN, on_readable, &pipe);
  task = gtx_create_task (write_for_ever, &pipe, NULL);
  succeeded = beside_tasks (0, REDRAW_PRIORITY, error);
  gtx_cancel (task);
  g_assert_false (gtx_await (task, NULL));
  g_source_remove (source);
  g_assert_cmpint (close (pipe.ends[0]), ==, 0);
  g_assert_cmpint (close (pipe.ends[1]), ==, 0);
  g_assert_cmpuint (pipe.n_operations, <, 20 * 20);
  return succeeded;
}

/* ---- The other way round ---- */

static gboolean
always_ready (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static gboolean
busy_source (gint priority, double seconds, GError **error)
{
  guint source = g_idle_add_full (priority, always_ready, NULL, NULL);
  gboolean succeeded = TRUE;

  for (guint i = 0; succeeded && i < 20; i++)
    succeeded = gtx_sleep (seconds, error);
  g_source_remove (source);
  return succeeded;
}

static gboolean
tasks_beside_busy_source (gpointer data, GError **error)
{
  return busy_source (G_PRIORITY_DEFAULT, 0, error);
}

static gboolean
timers_beside_busy_source (gpointer data, GError **error)
{
  return busy_source (G_PRIORITY_DEFAULT, 0.0001, error);
}

/* Counts the turns of the main loop that come long after a timer was due. */
typedef struct
{
  gint64 due;
  guint n_late;
} Lateness;

static gboolean
count_if_late (gpointer data)
{
  Lateness *lateness = data;

  if (g_get_monotonic_time () > lateness->due + 300)
    lateness->n_late++;
  return G_SOURCE_CONTINUE;
}

/* On a busy machine the tasks lose time, and so give way.  One of these attempts must succeed. */
#define ATTEMPTS 10

static gboolean
one_of_many (gboolean (*attempt) (GError **error), GError **error)
{
  for (guint i = 0; i < ATTEMPTS; i++)
    {
      if (attempt (error))
        return TRUE;
      g_assert_no_error (*error);
      /* The tasks are idle after this wait, and begin with a new budget. */
      g_assert_true (gtx_sleep (0.05, error));
    }
  g_assert_not_reached ();
}

/* No poll, and so no look at the clock, lies between two turns here.  The work is too short for the
 * tasks to give way. */
static gboolean
notice_timers (GError **error)
{
  Lateness lateness = { G_MAXINT64 / 2, 0 };
  guint source = g_idle_add_full (G_PRIORITY_DEFAULT, count_if_late, &lateness, NULL);
  gboolean succeeded = TRUE;

  for (guint i = 0; succeeded && i < 2; i++)
    {
      lateness.due = g_get_monotonic_time () + 500;
      succeeded = gtx_sleep (0.0005, error);
      lateness.due = G_MAXINT64 / 2;
    }
  g_source_remove (source);
  return succeeded && lateness.n_late <= 4;
}

static gboolean
timers_are_noticed_at_once (gpointer data, GError **error)
{
  return one_of_many (notice_timers, error);
}

static gboolean
draw_slowly (gpointer data)
{
  g_usleep (5000);
  return G_SOURCE_CONTINUE;
}

/* A window needs all the time, and the tasks have used up their budget. */
static gboolean
demoted_beside_redraw (gpointer data, GError **error)
{
  guint source = g_idle_add_full (REDRAW_PRIORITY, draw_slowly, NULL, NULL);
  gboolean succeeded = TRUE;

  work_for (6000);
  for (guint i = 0; succeeded && i < 5; i++)
    succeeded = gtx_sleep (0, error);
  g_source_remove (source);
  return succeeded;
}

/* ---- Waiting is no work ---- */

static void
take_long (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_usleep (30000);
  g_task_return_boolean (task, TRUE);
}

static void
take_long_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_task_set_priority (task, G_PRIORITY_HIGH);
  g_task_run_in_thread (task, take_long);
}

static void
next_turn_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);

  g_task_return_boolean (task, TRUE);
}

static gboolean
count_turn (gpointer n_turns)
{
  ++*(guint *) n_turns;
  return G_SOURCE_CONTINUE;
}

static gboolean
await_one (void (*start) (GCancellable *, GAsyncReadyCallback, gpointer), GError **error)
{
  start (GTX_ASYNC);
  return g_task_propagate_boolean (G_TASK (gtx_await_result ()), error);
}

/* An event with a higher priority ends the poll before the sources of default priority are checked.
 * Tasks that have only waited do not wait for a busy source then. */
static gboolean
wait_long (GError **error)
{
  gboolean succeeded = TRUE;
  guint n_turns = 0;
  guint source;

  /* There are several waits, because the first poll of a main context ends at once. */
  for (guint i = 0; succeeded && i < 3; i++)
    succeeded = await_one (take_long_async, error);
  source = g_idle_add_full (G_PRIORITY_DEFAULT, count_turn, &n_turns, NULL);
  for (guint i = 0; succeeded && i < 3; i++)
    succeeded = await_one (next_turn_async, error);
  g_source_remove (source);
  return succeeded && n_turns < 20;
}

static gboolean
waiting_is_no_work (gpointer data, GError **error)
{
  return one_of_many (wait_long, error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/fairness/redraw-beside-one", redraw_beside_one);
  add_real_coroutine ("/fairness/redraw-beside-many", redraw_beside_many);
  add_real_coroutine ("/fairness/idle-beside-many", idle_beside_many);
  add_real_coroutine ("/fairness/redraw-beside-stream", redraw_beside_stream);
  add_real_coroutine ("/fairness/redraw-beside-descriptor", redraw_beside_descriptor);
  add_real_coroutine ("/fairness/tasks-beside-busy-source", tasks_beside_busy_source);
  add_real_coroutine ("/fairness/timers-beside-busy-source", timers_beside_busy_source);
  add_real_coroutine ("/fairness/timers-are-noticed-at-once", timers_are_noticed_at_once);
  add_real_coroutine ("/fairness/demoted-beside-redraw", demoted_beside_redraw);
  add_real_coroutine ("/fairness/waiting-is-no-work", waiting_is_no_work);
  return g_test_run ();
}
