/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/told.h"

#include <gio/gio.h>

/* The dispatch in this thread in which a GCancellable was cancelled last.  The source is only
 * compared, never used: it may be gone. */
static __thread struct
{
  GSource *source;
  gint64 time;
  gint depth;
} last_told;

static gboolean
on_cancelled (GSignalInvocationHint *hint,
              guint                  n_parameters,
              const GValue          *parameters,
              gpointer               data)
{
  GSource *source = g_main_current_source ();

  last_told.source = source;
  last_told.time = source ? g_source_get_time (source) : 0;
  last_told.depth = g_main_depth ();
  return TRUE;
}

/* An emission hook is called before all handlers, and for every GCancellable. */
void
gtx_told_watch (void)
{
  static gsize is_watched;

  if (!g_once_init_enter (&is_watched))
    return;
  g_type_class_ref (G_TYPE_CANCELLABLE);
  g_signal_add_emission_hook (g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, on_cancelled, NULL, NULL);
  g_once_init_leave (&is_watched, TRUE);
}

gboolean
gtx_told_in_this_turn (void)
{
  GSource *source;

  if (g_main_depth () == 0)
    return TRUE;
  if (G_LIKELY (last_told.source == NULL))
    return FALSE;
  source = g_main_current_source ();
  if (source == last_told.source && last_told.depth == g_main_depth () && g_source_get_time (source) == last_told.time)
    return TRUE;
  last_told.source = NULL;
  return FALSE;
}
