/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the tests of windows, or skips them all where there are none. */

#ifdef HAVE_GTK
#include "gtk4-driver.h"
#else
#include <glib.h>
#endif

static void
skip (void)
{
  g_test_skip ("GTK 4 is not there, or no display");
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  /* GTK warns of what a bare machine does not have. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#ifdef HAVE_GTK
  if (gtk_init_check ())
    {
      add_tests ();
      return g_test_run ();
    }
#endif
  g_test_add_func (SKIPPED_PATH, skip);
  return g_test_run ();
}
