/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random work of several main contexts on pools that come and go: each task ends once. */

#include "pool-new.h"
#include "thread-run.h"

#define N_HOMES 3
#define N_ROUNDS (UNDER_TSAN || UNDER_EMULATOR || RUNNING_ON_VALGRIND ? 5 : 40)
#define N_TASKS 60

typedef struct
{
  GtxPool *shared;
  guint32 seed;
  gint n_created;               /* atomic, like the next */
  gint n_begun;
  gint n_ended;
  gint n_freed;
} Home;

typedef struct
{
  Home *home;
  GtxPool *pool;                /* a reference */
  guint32 seed;
  guint depth;
} Job;

static guint32
next (guint32 *seed)
{
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 16;
}

static void
job_free (gpointer data)
{
  Job *job = data;

  g_atomic_int_inc (&job->home->n_freed);
  g_object_unref (job->pool);
  g_free (job);
}

static Job *
job_new (Home *home, GtxPool *pool, guint32 seed, guint depth)
{
  Job *job = g_new (Job, 1);

  g_atomic_int_inc (&home->n_created);
  *job = (Job) { home, g_object_ref (pool), seed, depth };
  return job;
}

static char *do_something (Job *job, GError **error);

static GtxTask *
create (Home *home, GtxPool *pool, guint32 seed, guint depth)
{
  return gtx_create_task_pointer_on (pool, do_something, job_new (home, pool, seed, depth), job_free, g_free);
}

static gboolean
await_child (Job *job, guint32 *seed, GError **error)
{
  g_autoptr (GtxTask) child = create (job->home, job->pool, next (seed), job->depth + 1);
  g_autofree char *text = NULL;
  g_autoptr (GError) failure = NULL;

  if (next (seed) % 4 == 0)
    gtx_cancel (child);
  text = gtx_await_pointer (child, &failure);
  if (failure && gtx_cancelling (gtx_current_task ()) > 0)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

static gboolean
use_group (Job *job, guint32 *seed, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_pool (&group, job->pool);
  for (guint i = 0; i < 3; i++)
    gtx_task_group_create_task_pointer (&group, do_something,
                                        job_new (job->home, job->pool, next (seed), job->depth + 1), job_free, g_free,
                                        NULL);
  if (next (seed) % 3 == 0)
    gtx_task_group_cancel (&group);
  gtx_task_group_end (&group, &failure, NULL);
  return gtx_cancelling (gtx_current_task ()) == 0 || gtx_sleep (0, error);
}

static gboolean
take_step (Job *job, guint32 *seed, GError **error)
{
  switch (next (seed) % 6)
    {
    case 0:
      return gtx_sleep (0, error);
    case 1:
      return gtx_sleep (next (seed) % 3 / 1000.0, error);
    case 2:
      return job->depth > 2 || await_child (job, seed, error);
    case 3:
      return job->depth > 1 || use_group (job, seed, error);
    case 4:
      return next (seed) % 5 > 0 || fail ("by chance", error);
    default:
      return TRUE;
    }
}

static char *
do_something (Job *job, GError **error)
{
  guint32 seed = job->seed;
  gboolean goes_on = TRUE;

  g_atomic_int_inc (&job->home->n_begun);
  for (guint i = 0; goes_on && i < 5; i++)
    goes_on = take_step (job, &seed, error);
  g_atomic_int_inc (&job->home->n_ended);
  return goes_on ? g_strdup ("result") : NULL;
}

/* Has a pool of its own in some rounds, which it closes, or drops, while tasks run. */
static gboolean
run_round (Home *home, GError **error)
{
  gboolean has_own = next (&home->seed) % 3 == 0;
  GtxPool *pool = has_own ? pool_new (1 + next (&home->seed) % 3) : g_object_ref (home->shared);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < N_TASKS; i++)
    {
      g_ptr_array_add (tasks, create (home, pool, next (&home->seed), 0));
      if (next (&home->seed) % 4 == 0)
        gtx_cancel (tasks->pdata[next (&home->seed) % tasks->len]);
      if (next (&home->seed) % 8 == 0 && !gtx_sleep (0, error))
        return FALSE;
    }
  if (has_own && next (&home->seed) % 2 == 0)
    g_assert_true (gtx_pool_close (pool, error));
  g_object_unref (pool);
  return gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error);
}

static gboolean
run_rounds (Home *home, GError **error)
{
  for (guint i = 0; i < N_ROUNDS; i++)
    if (!run_round (home, error))
      return FALSE;
  return TRUE;
}

static void
test_random (void)
{
  GtxPool *shared = pool_new (3);
  Home homes[N_HOMES];
  Run runs[N_HOMES];
  GThread *threads[N_HOMES];

  for (guint i = 0; i < N_HOMES; i++)
    {
      homes[i] = (Home) { .shared = shared, .seed = (guint32) g_test_rand_int () };
      runs[i] = (Run) { .coroutine = (GtxCoroutine) run_rounds, .data = &homes[i] };
      threads[i] = g_thread_new ("home", run_in_thread, &runs[i]);
    }
  for (guint i = 0; i < N_HOMES; i++)
    g_thread_join (threads[i]);
  close_and_unref (shared);
  for (guint i = 0; i < N_HOMES; i++)
    {
      g_assert_no_error (runs[i].error);
      g_assert_cmpint (homes[i].n_begun, >, 0);
      g_assert_cmpint (homes[i].n_begun, ==, homes[i].n_ended);
      g_assert_cmpint (homes[i].n_freed, ==, homes[i].n_created);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pool-stress/random", test_random);
  return g_test_run ();
}
