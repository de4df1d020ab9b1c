/* A semaphore for several threads: at most two tasks of a pool at a time are inside. */
#include "recipes.h"

#define N_PLACES 2
#define N_TASKS 8

typedef struct
{
  GtxChannel *places;           /* has an item for each task that is inside */
  gint n_inside;
  gint too_many;
} Gate;

/* A channel with a bound lets as many in as it has room for, in the order in which they came. */
static gboolean
go_inside (Gate *gate, GError **error)
{
  gboolean done;

  if (!gtx_channel_send (gate->places, gate, error))
    return FALSE;
  if (g_atomic_int_add (&gate->n_inside, 1) >= N_PLACES)
    g_atomic_int_set (&gate->too_many, TRUE);
  done = gtx_sleep (0.002, error);
  g_atomic_int_add (&gate->n_inside, -1);
  gtx_channel_try_receive (gate->places, NULL);
  return done;
}

gboolean
recipe_places (gpointer data, GError **error)
{
  g_autoptr (GtxChannel) places = gtx_channel_new (N_PLACES, NULL);
  Gate gate = { .places = places };
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&group);
  gtx_task_group_set_pool (&group, NULL);
  for (int i = 0; i < N_TASKS; i++)
    gtx_task_group_create_task (&group, go_inside, &gate, NULL, NULL);
  if (!gtx_task_group_end (&group, NULL, error))
    return FALSE;
  g_print ("%d tasks, %s two at once\n", N_TASKS, gate.too_many ? "more than" : "at most");
  return TRUE;
}
