/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "clicks.h"

#include <gio/gio.h>

#include <X11/extensions/XTest.h>

static Display *display;
static GThread *thread;
static gint is_over;            /* atomic */
static gint64 sent;             /* atomic; 0: none is under way */
static gint64 longest;

/* Not in step with the frames. */
static gpointer
click (gpointer data)
{
  (void) data;
  for (guint i = 0; !g_atomic_int_get (&is_over); i++)
    {
      g_usleep (50000 + i * 7919 % 20000);
      if (__atomic_load_n (&sent, __ATOMIC_ACQUIRE) != 0)
        continue;
      __atomic_store_n (&sent, g_get_monotonic_time (), __ATOMIC_RELEASE);
      XTestFakeMotionEvent (display, -1, 100 + (int) (i % 10), 100, CurrentTime);
      XTestFakeButtonEvent (display, 1, True, CurrentTime);
      XTestFakeButtonEvent (display, 1, False, CurrentTime);
      XFlush (display);
    }
  return NULL;
}

gboolean
clicks_connect (GError **error)
{
  int event, failure, major, minor;

  display = XOpenDisplay (NULL);
  if (display && XTestQueryExtension (display, &event, &failure, &major, &minor))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "The display is none of X11 with the extension XTEST; run it under xvfb-run");
  return FALSE;
}

void
clicks_begin (void)
{
  longest = 0;
  __atomic_store_n (&sent, 0, __ATOMIC_RELEASE);
  g_atomic_int_set (&is_over, FALSE);
  thread = g_thread_new ("clicks", click, NULL);
}

void
clicks_arrived (void)
{
  gint64 began = __atomic_exchange_n (&sent, 0, __ATOMIC_ACQ_REL);

  if (began != 0)
    longest = MAX (longest, g_get_monotonic_time () - began);
}

gint64
clicks_end (void)
{
  gint64 began;

  g_atomic_int_set (&is_over, TRUE);
  g_thread_join (thread);
  /* A click that has not arrived counts for as long as it has waited. */
  began = __atomic_load_n (&sent, __ATOMIC_ACQUIRE);
  return began != 0 ? MAX (longest, g_get_monotonic_time () - began) : longest;
}
