/* Limits how many tasks do something at once. */
#include "recipes.h"

typedef struct
{
  GtxSemaphore *server;         /* takes three calls at once */
  guint n_now, n_most, n_done;
} Crowd;

static gboolean
call_server (Crowd *self, GError **error)
{
  gboolean slept;

  self->n_now++;
  self->n_most = MAX (self->n_most, self->n_now);
  slept = gtx_sleep (0.02, error);
  self->n_now--;
  self->n_done += slept;
  return slept;
}

/* The tasks of one group: while three run, creating the next one waits. */
static gboolean
call_from_group (Crowd *self, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, 3);
  for (guint i = 0; failure == NULL && i < 10; i++)
    gtx_task_group_create_task (&group, call_server, self, NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* Tasks of any kind that share a thing: they wait only where they use it. */
static gboolean
call_in_turn (Crowd *self, GError **error)
{
  g_autoptr (GtxSemaphoreHolder) turn = gtx_semaphore_hold (self->server, error);

  return turn != NULL && call_server (self, error);
}

gboolean
recipe_crowd (gpointer data, GError **error)
{
  g_autoptr (GtxSemaphore) server = gtx_semaphore_new (3);
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);
  Crowd self = { .server = server };

  if (!call_from_group (&self, error))
    return FALSE;
  g_print ("%u calls, at most %u at once\n", self.n_done, self.n_most);

  self = (Crowd) { .server = server };
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (tasks, gtx_create_task (call_in_turn, &self, NULL));
  if (!gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error))
    return FALSE;
  g_print ("%u calls, at most %u at once\n", self.n_done, self.n_most);
  return TRUE;
}
