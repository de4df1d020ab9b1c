/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs files of bytes, or standard input, as scenarios: fuzz-scenario [FILE...]
 * With --print only shows the scenario, for conformance/check.py. */

#include "decode.h"
#include "execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean only_print;

static void
run_bytes (const char *data, gsize size)
{
  if (only_print)
    {
      g_autofree char *text = decode_scenario ((const guint8 *) data, size);

      fputs (text, stdout);
    }
  else
    free (execute_scenario ((const guint8 *) data, size));
}

static gboolean
run_file (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    {
      fprintf (stderr, "fuzz-scenario: %s\n", error->message);
      return FALSE;
    }
  run_bytes (data, size);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  int first = 1;

  if (argc > 1 && strcmp (argv[1], "--print") == 0)
    only_print = first++;
  if (first == argc)
    return run_file ("/dev/stdin") ? 0 : 2;
  for (int i = first; i < argc; i++)
    if (!run_file (argv[i]))
      return 2;
  return 0;
}
