/* A supervisor: workers fail alone, are restarted with pauses that grow, and are given up at last. */
#include "recipes.h"

typedef struct
{
  const char *name;
  guint n_failures;             /* before it runs well */
  guint n_starts;
} Worker;

static gboolean
work (Worker *self, GError **error)
{
  if (self->n_starts++ >= self->n_failures)
    return gtx_sleep (0.2, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "start %u failed", self->n_starts);
  return FALSE;
}

static gboolean
keep_working (Worker *self, GError **error)
{
  static const GtxRetryPolicy policy = { .attempts = 3, .first_delay = 0.01 };

  return gtx_call_with_retries (&policy, work, self, error);
}

static void
report (GtxTask *task, const GError *error, gpointer data)
{
  g_print ("%s is given up: %s\n", gtx_task_get_name (task), error->message);
}

/* Ends when all workers have ended, and succeeds unless it is cancelled. */
static gboolean
supervise (Worker *workers, guint n, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_error_func (&group, report, NULL);
  for (guint i = 0; failure == NULL && i < n; i++)
    {
      GtxTask *task = gtx_task_group_create_task (&group, keep_working, &workers[i], NULL, &failure);

      if (task)
        gtx_task_set_name (task, workers[i].name);
    }
  return gtx_task_group_end (&group, &failure, error);
}

gboolean
recipe_restart (gpointer data, GError **error)
{
  Worker workers[] = { { "steady", 0, 0 }, { "shaky", 2, 0 }, { "broken", 9, 0 } };

  if (!supervise (workers, G_N_ELEMENTS (workers), error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++)
    g_print ("%s: %u starts\n", workers[i].name, workers[i].n_starts);
  return TRUE;
}
