/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All the loads beside each other, some of their work cancelled or cut short
 * at any moment. */

#include "load.h"

typedef struct
{
  const char *name;
  GtxCoroutine work;
  guint n_at_once;
  double pause;                 /* most seconds between one and the next */
  gboolean is_for_short_loops;
  guint64 n_done;
  guint64 n_cancelled;
  guint64 n_timed_out;
} Load;

/* The pauses keep each kind to its share, and the whole within bounds.  Not for short
 * loops are loads that run other loads, and GSubprocess: a communication that is
 * cancelled calls back before all that it started has ended, and a main context that is
 * dropped meanwhile is never freed, with or without tasks. */
static Load loads[] = {
  { "crowd", load_crowd, 2, 0.03, TRUE, 0, 0, 0 },
  { "timers", load_timers, 8, 0.005, TRUE, 0, 0, 0 },
  { "groups", load_group, 4, 0.01, TRUE, 0, 0, 0 },
  { "queues", load_queue, 4, 0.01, TRUE, 0, 0, 0 },
  { "locks", load_locks, 4, 0.01, TRUE, 0, 0, 0 },
  { "signals", load_signals, 2, 0.01, TRUE, 0, 0, 0 },
  { "files", load_files, 4, 0.02, TRUE, 0, 0, 0 },
  { "sockets", load_sockets, 4, 0.02, TRUE, 0, 0, 0 },
  { "descriptors", load_descriptors, 2, 0.01, TRUE, 0, 0, 0 },
  { "to_thread", load_to_thread, 2, 0.01, TRUE, 0, 0, 0 },
  { "futures", load_futures, 1, 0.02, TRUE, 0, 0, 0 },
  { "children", load_children, 1, 0.2, TRUE, 0, 0, 0 },
  { "processes", load_processes, 1, 0.2, FALSE, 0, 0, 0 },
  { "contexts", load_contexts, 1, 0.05, FALSE, 0, 0, 0 },
  { "loops", load_loops, 2, 0.05, FALSE, 0, 0, 0 },
};

#define LONGEST_RUN 0.01        /* seconds, of what is interrupted */

static guint64
get (guint64 *counter)
{
  return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

static void
count (guint64 *counter)
{
  __atomic_fetch_add (counter, 1, __ATOMIC_RELAXED);
}

/* ---- One piece of work ---- */

static void
judge (Load *load, gboolean succeeded, const GError *error, gboolean was_cancelled, gboolean was_limited)
{
  if (succeeded == (error != NULL))
    complain ("%s: it returned %d, with %s error", load->name, succeeded, error ? "an" : "no");
  if (error == NULL)
    count (&load->n_done);
  else if (was_cancelled && is_cancellation (error))
    count (&load->n_cancelled);
  else if (was_limited && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    count (&load->n_timed_out);
  else
    complain ("%s: %s", load->name, error->message);
}

static void
run_one (Load *load)
{
  g_autoptr (GtxTask) task = gtx_create_task (load->work, NULL, NULL);
  g_autoptr (GError) error = NULL;
  guint fate = random_below (8);
  gboolean succeeded;

  if (fate == 0)
    {
      if (random_below (8) > 0)
        gtx_sleep (random_seconds (LONGEST_RUN), NULL);
      gtx_cancel (task);
    }
  succeeded = fate == 1 ? gtx_wait_for (task, random_seconds (LONGEST_RUN), &error) : gtx_await (task, &error);
  /* The awaiting task may have been cancelled instead. */
  judge (load, succeeded, error, fate == 0 || gtx_cancelling (gtx_current_task ()) > 0, fate == 1);
}

static Load *
choose_load (void)
{
  Load *load;

  do
    load = &loads[random_below (G_N_ELEMENTS (loads))];
  while (!load->is_for_short_loops);
  return load;
}

void
loads_run_any (void)
{
  run_one (choose_load ());
}

void
loads_leave_any (void)
{
  g_autoptr (GtxTask) task = gtx_create_task (choose_load ()->work, NULL, NULL);
}

/* ---- Again and again ---- */

static gint64 deadline;
static guint64 most;

static gboolean
repeat (Load *load, GError **error)
{
  while (g_get_monotonic_time () < deadline && loads_total () < most)
    {
      run_one (load);
      if (!gtx_sleep (random_seconds (load->pause), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
count_tasks (guint *n, GError **error)
{
  g_autoptr (GPtrArray) tasks = NULL;

  if (!gtx_sleep ((double) (deadline - g_get_monotonic_time ()) / G_USEC_PER_SEC / 2, error))
    return FALSE;
  tasks = gtx_all_tasks ();
  *n = tasks->len;
  return TRUE;
}

static gboolean
repeat_all (guint *n_tasks, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, count_tasks, n_tasks, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (loads); i++)
    for (guint n = 0; n < loads[i].n_at_once; n++)
      gtx_task_group_create_task (&group, repeat, &loads[i], NULL, NULL);
  return gtx_task_group_end (&group, NULL, error);
}

static gboolean
run_round (guint *n_tasks, GError **error)
{
  g_autoptr (GPtrArray) left = NULL;
  gboolean succeeded = repeat_all (n_tasks, error);

  let_others_run ();
  left = gtx_all_tasks ();
  if (left->len > 1)
    complain ("%u tasks are left that no load has ended", left->len - 1);
  return succeeded;
}

void
loads_run (double seconds, guint64 operations, guint *n_tasks)
{
  g_autoptr (GError) error = NULL;

  deadline = g_get_monotonic_time () + (gint64) (seconds * G_USEC_PER_SEC);
  most = operations;
  if (!gtx_run (run_round, n_tasks, &error))
    complain ("the round failed: %s", error->message);
}

/* ---- What was done ---- */

guint64
loads_total (void)
{
  guint64 total = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (loads); i++)
    total += get (&loads[i].n_done) + get (&loads[i].n_cancelled) + get (&loads[i].n_timed_out);
  return total;
}

void
loads_print (gboolean as_json)
{
  if (!as_json)
    g_print ("%-12s %10s %10s %10s\n", "load", "done", "cancelled", "timed out");
  for (gsize i = 0; i < G_N_ELEMENTS (loads); i++)
    g_print (as_json ? "{\"load\": \"%s\", \"done\": %" G_GUINT64_FORMAT ", \"cancelled\": %" G_GUINT64_FORMAT
                       ", \"timed out\": %" G_GUINT64_FORMAT "}\n"
                     : "%-12s %10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT " %10" G_GUINT64_FORMAT "\n",
             loads[i].name, get (&loads[i].n_done), get (&loads[i].n_cancelled), get (&loads[i].n_timed_out));
}
