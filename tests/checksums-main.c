/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the tests of a program that has windows, or skips them all if there is no display. */

#ifdef HAVE_CHECKSUMS
#include "checksums-driver.h"
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
  /* GTK warns if services are missing, as on a bare machine. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
#ifdef HAVE_CHECKSUMS
  if (gtk_init_check ())
    {
      application = GTK_APPLICATION (checksum_application_new ());
      g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
      add_tests ();
      return g_test_run ();
    }
#endif
  g_test_add_func (SKIPPED_PATH, skip);
  return g_test_run ();
}
