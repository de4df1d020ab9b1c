/* Takes the values of several sources as they come: each source has a task, and all tasks put into one queue. */
#include "recipes.h"

/* The last source that ends ends the queue.  It has a bound, so that the sources wait for who takes. */
static gboolean
forward (Source *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  char *value;

  while ((value = self->next (self->source, &failure)) && gtx_queue_put (self->merge->values, value, &failure))
    ;
  if (failure == NULL && --self->merge->n_open == 0)
    gtx_queue_shutdown (self->merge->values, GTX_SHUTDOWN_DRAIN);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The values are taken inside the group: if a source fails, so does gtx_queue_get (), and when the function
 * returns, nothing is left running. */
gboolean
take_from_all (Merge *self, Source *sources, guint n, UseFunc use, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  char *value;

  gtx_task_group_begin (&group);
  for (self->n_open = 0; failure == NULL && self->n_open < n; self->n_open++)
    gtx_task_group_create_task (&group, forward, &sources[self->n_open], NULL, &failure);
  while (failure == NULL && (value = gtx_queue_get (self->values, &failure)))
    {
      use (value, &failure);
      g_free (value);
    }
  if (g_error_matches (failure, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    g_clear_error (&failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* A source: some ticks. */
typedef struct
{
  const char *name;
  double seconds;
  guint n_left;
} Clock;

static char *
clock_next (gpointer data, GError **error)
{
  Clock *self = data;

  if (self->n_left == 0 || !gtx_sleep (self->seconds, error))
    return NULL;
  self->n_left--;
  return g_strdup (self->name);
}

static gboolean
print (const char *value, GError **error)
{
  g_print ("%s\n", value);
  return gtx_sleep (0.01, error);
}

gboolean
recipe_merge (gpointer data, GError **error)
{
  g_autoptr (GtxQueue) values = gtx_queue_new (1, g_free);
  Merge merge = { .values = values };
  Clock clocks[] = { { "slow", 0.25, 1 }, { "quick", 0.1, 3 } };
  Source sources[] = { { &merge, clock_next, &clocks[0] }, { &merge, clock_next, &clocks[1] } };

  return take_from_all (&merge, sources, G_N_ELEMENTS (sources), print, error);
}
