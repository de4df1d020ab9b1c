/* Shows how far a thread has come. */
#include "recipes.h"

typedef struct
{
  int percent;                  /* the thread writes it, and the main loop's thread reads it */
} Job;

/* Runs in a thread, and reports as often as it likes. */
static gboolean
convert (Job *self, GCancellable *cancellable, GError **error)
{
  for (int i = 1; i <= 100; i++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      g_atomic_int_set (&self->percent, i);
    }
  return TRUE;
}

static void
show (Job *self)
{
  g_print ("%d %%\n", g_atomic_int_get (&self->percent));
}

static gboolean
keep_showing (Job *self, GError **error)
{
  do
    show (self);
  while (gtx_sleep (0.05, error));
  return FALSE;
}

static gboolean
convert_and_show (Job *self, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, keep_showing, self, NULL, &failure);
  if (failure == NULL)
    gtx_to_thread (convert, self, &failure);
  gtx_task_group_cancel (&group);
  return gtx_task_group_end (&group, &failure, error);
}

gboolean
recipe_progress (gpointer data, GError **error)
{
  Job job = { 0 };

  if (!convert_and_show (&job, error))
    return FALSE;
  show (&job);
  return TRUE;
}
