/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ending.h"

#include "trace.h"

/* gtx_run() cancels the tasks that main leaves, and waits for them.  Then it cancels tasks that
 * were made in the meantime, which asyncio drops.  A task of the test's own notices both: its
 * GCancellable is cancelled at that moment, before anything else runs. */

static GtxTask *guard;
static char *ending;

static gboolean
wait_for_ever (gpointer data, GError **error)
{
  return gtx_sleep (GTX_FOREVER, error);
}

static void
start_guard (void (*on_cancelled) (void))
{
  guard = gtx_create_task (wait_for_ever, NULL, NULL);
  g_cancellable_connect (gtx_task_get_cancellable (guard), G_CALLBACK (on_cancelled), NULL, NULL);
}

static void
on_leftovers_done (void)
{
  end (ending);
  g_clear_object (&guard);
  g_clear_pointer (&ending, g_free);
}

/* Main has left nothing if only the test's own tasks exist. */
static void
on_leftovers_cancelled (void)
{
  g_autoptr (GPtrArray) all = gtx_all_tasks ();

  if (all->len == n_own_tasks ())
    end (ending);
  g_object_unref (guard);
  start_guard (on_leftovers_done);
}

void
begin_to_end (char *how)
{
  ending = how;
  start_guard (on_leftovers_cancelled);
}

guint
n_own_tasks (void)
{
  g_autoptr (GPtrArray) all = gtx_all_tasks ();
  guint n = 0;

  for (guint i = 0; i < all->len; i++)
    if (gtx_task_get_function (all->pdata[i]) == g_intern_static_string ("wait_for_ever"))
      n++;
  return n;
}
