/* Results that are no pointers: the coroutine writes them into its data. */
#include "recipes.h"

typedef struct
{
  double celsius;               /* given */
  double fahrenheit;            /* the result */
} Conversion;

static gboolean
convert (Conversion *self, GError **error)
{
  if (!gtx_sleep (0.01, error))
    return FALSE;
  self->fahrenheit = self->celsius * 9 / 5 + 32;
  return TRUE;
}

/* The data is declared before the group: it outlives the tasks, whichever way the block is left. */
static gboolean
convert_both (GError **error)
{
  Conversion both[] = { { .celsius = 20 }, { .celsius = -40 } };
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; failure == NULL && i < G_N_ELEMENTS (both); i++)
    gtx_task_group_create_task (&group, convert, &both[i], NULL, &failure);
  if (!gtx_task_group_end (&group, &failure, error))
    return FALSE;
  g_print ("%g and %g\n", both[0].fahrenheit, both[1].fahrenheit);
  return TRUE;
}

gboolean
recipe_by_value (gpointer data, GError **error)
{
  return convert_both (error);
}
