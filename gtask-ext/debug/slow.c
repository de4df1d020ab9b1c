/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that keep the main loop: what asyncio's debug mode warns of. */

#include "debug/debug.h"

static gint64 slow_limit = 100000;

/* When the task that runs was entered, or a main loop that it runs last had a turn. */
static __thread gint64 kept_since;

void
gtx_slow_set_limit (gint64 limit)
{
  slow_limit = limit;
}

void
gtx_slow_enter (void)
{
  kept_since = g_get_monotonic_time ();
}

void
gtx_slow_leave (gpointer             data,
                const GtxDebugNames *names)
{
  gint64 now = g_get_monotonic_time ();
  gint64 kept = now - kept_since;

  if (kept >= slow_limit)
    g_warning ("task '%s' (coroutine %s) kept the main loop for %.3f s: let it run in between with "
               "gtx_sleep (0), or give the work to a thread with gtx_to_thread ()",
               names->get_name (data), names->get_coroutine (data), kept / 1e6);
  kept_since = now;
}

/* ---- Turns of the main loop, for a task that runs one itself ---- */

/* GLib calls this when the main loop has polled. */
static gboolean
turn_check (GSource *source)
{
  gtx_slow_enter ();
  return FALSE;
}

static GSourceFuncs turn_funcs = { NULL, turn_check, NULL, NULL, NULL, NULL };

void
gtx_slow_watch_turns (GMainContext *context)
{
  GSource *source = g_source_new (&turn_funcs, sizeof (GSource));

  /* GLib calls check() of no source with a lower priority than one that is ready. */
  g_source_set_priority (source, G_MININT);
  g_source_set_name (source, "gtask-ext (turns)");
  g_source_attach (source, context);
  g_source_unref (source);
}
