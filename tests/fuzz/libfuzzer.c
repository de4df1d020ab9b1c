/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that libFuzzer calls from its main(). */

#include "execute.h"

#include <stdlib.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* The leak detector finds leaked slices of GLib only if malloc () allocates them. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  if (glib_check_version (2, 76, 0) && g_strcmp0 (g_getenv ("G_SLICE"), "always-malloc") != 0)
    g_error ("GLib's slices would hide leaks: set G_SLICE=always-malloc in the environment");
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  free (execute_scenario (data, size));
  return 0;
}
