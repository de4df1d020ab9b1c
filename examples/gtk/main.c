/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checksums: SHA-256 of every file below a folder, in a window. */

#include "checksum-application.h"

int
main (int argc, char *argv[])
{
  g_autoptr (ChecksumApplication) application = checksum_application_new ();

  g_set_application_name ("Checksums");
  return g_application_run (G_APPLICATION (application), argc, argv);
}
