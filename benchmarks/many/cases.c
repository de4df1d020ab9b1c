/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cases.h"

#include <string.h>
#include <time.h>

static const Case *const tables[] = { future_cases, lock_cases, outside_cases, single_cases };

const char *
way_name (Way way)
{
  static const char *const names[] = { "woken", "in-order", "reversed", "at-random" };

  return names[way];
}

GPtrArray *
list_cases (void)
{
  GPtrArray *cases = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Case *each = tables[i]; each->name; each++)
      g_ptr_array_add (cases, (gpointer) each);
  return cases;
}

const Case *
find_case (const char *name)
{
  g_autoptr (GPtrArray) cases = list_cases ();

  for (guint i = 0; i < cases->len; i++)
    if (strcmp (((const Case *) cases->pdata[i])->name, name) == 0)
      return cases->pdata[i];
  return NULL;
}

/* ---- Time ---- */

/* More than a cache has. */
#define CHILLING (64 * 1024 * 1024)

static gint64 taken;
static gint64 chilling;
static gboolean chills;

static gint64
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

gint64
take_time (void)
{
  gint64 now = processor_time ();
  gint64 time = now - taken - chilling;

  taken = now;
  chilling = 0;
  chills = TRUE;
  return time;
}

void
chill (void)
{
  static volatile guint8 *memory;
  gint64 start;

  if (!chills)
    return;
  start = processor_time ();
  if (memory == NULL)
    memory = g_malloc (CHILLING);
  for (gsize i = 0; i < CHILLING; i += 64)
    memory[i]++;
  chilling += processor_time () - start;
}

/* ---- Help ---- */

GPtrArray *
array_of_objects (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

gboolean
wait_long (gpointer data, GError **error)
{
  return gtx_sleep (1e6, error);
}

void
let_others_run (void)
{
  for (guint i = 0; i < 5; i++)
    gtx_sleep (0, NULL);
}

void
gather_all (GPtrArray *tasks, gboolean succeeds)
{
  g_autoptr (GError) error = NULL;

  gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < tasks->len; i++)
    {
      g_assert_true (gtx_future_is_done (tasks->pdata[i]));
      if (succeeds)
        g_assert_no_error (gtx_future_get_error (tasks->pdata[i]));
    }
}

/* ---- Running ---- */

typedef struct
{
  const Case *that;
  Job job;
} Run;

static void
run_crowd (const Crowd *crowd, const Job *job)
{
  g_autoptr (GPtrArray) tasks = array_of_objects ();
  g_autofree Member *members = g_new (Member, job->n);
  gpointer thing = crowd->make (job->n);

  chill ();
  for (guint i = 0; i < job->n; i++)
    {
      members[i] = (Member) { thing, tasks, i, job->n };
      g_ptr_array_add (tasks, gtx_create_task (crowd->wait, &members[i], NULL));
    }
  chill ();
  let_others_run ();
  chill ();
  if (job->way != WOKEN)
    for (guint i = 0; i < job->n; i++)
      gtx_cancel (tasks->pdata[job->order[i]]);
  else if (crowd->wake)
    crowd->wake (thing, job->n);
  chill ();
  gather_all (tasks, job->way == WOKEN && !crowd->fails);
  chill ();
  g_ptr_array_set_size (tasks, 0);
  if (crowd->free)
    crowd->free (thing);
}

static gboolean
run (Run *self, GError **error)
{
  if (self->that->run)
    return self->that->run (&self->job, error);
  run_crowd (self->that->crowd, &self->job);
  return TRUE;
}

static guint *
make_order (Way way, guint n)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint *order = g_new (guint, n);

  for (guint i = 0; i < n; i++)
    order[i] = way == REVERSED ? n - 1 - i : i;
  for (guint i = n; way == AT_RANDOM && i > 1; i--)
    {
      guint other = (guint) g_rand_int_range (random, 0, (gint32) i);
      guint last = order[i - 1];

      order[i - 1] = order[other];
      order[other] = last;
    }
  return order;
}

void
run_case (const Case *self, Way way, guint n, gboolean is_test)
{
  g_autofree guint *order = make_order (way, n);
  Run that = { self, { n, way, order } };
  g_autoptr (GError) error = NULL;

  if (is_test)
    gtx_test_run (run, &that, &error);
  else
    gtx_run (run, &that, &error);
  g_assert_no_error (error);
}
