/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs files of bytes, or standard input, as programs: fuzz-program [OPTION...] [FILE...]
 *   --seconds N --current FILE
 *             runs changed copies of the files for so long, and puts each into FILE first
 *   --border  as programs of border/FORMAT.md, not as scenarios
 *   --text    the files have programs of border/FORMAT.md as text
 *   --trace   shows each of their statements when it is run
 *   --print   only shows them, scenarios for conformance/check.py */

#include "border/run-border.h"
#include "decode.h"
#include "execute.h"
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean is_border, is_text, only_print;
static int seconds;
static char *current;

static void
run_text (const char *text, guint microseconds)
{
  if (only_print)
    fputs (text, stdout);
  else
    run_border (text, microseconds);
}

static void
run_bytes (const guint8 *data, gsize size)
{
  if (is_border || only_print)
    {
      g_autofree char *text = decode (is_border ? &border_language : &scenario_language, data, size);

      run_text (text, SHORT_MOMENT);
    }
  else
    free (execute_scenario (data, size));
}

static gboolean
run_file (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    {
      fprintf (stderr, "fuzz-program: %s\n", error->message);
      return FALSE;
    }
  if (is_text)
    run_text (data, LONG_MOMENT);
  else
    run_bytes ((const guint8 *) data, size);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  GOptionEntry entries[] = {
    { "border", 0, 0, G_OPTION_ARG_NONE, &is_border, "Not as scenarios", NULL },
    { "text", 0, 0, G_OPTION_ARG_NONE, &is_text, "The files are text", NULL },
    { "trace", 0, 0, G_OPTION_ARG_NONE, &border_is_traced, "Show each statement", NULL },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Change the files for so long", "N" },
    { "current", 0, 0, G_OPTION_ARG_FILENAME, &current, "Where the changed one is", "FILE" },
    { "print", 0, 0, G_OPTION_ARG_NONE, &only_print, "Only show them", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) options = g_option_context_new ("[FILE...]");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error) ||
      (current && argc > 1 && !mutate_files (argv + 1, (guint) seconds, current, run_bytes, &error)))
    {
      fprintf (stderr, "fuzz-program: %s\n", error->message);
      return 2;
    }
  if (current)
    return 0;
  if (argc == 1)
    return run_file ("/dev/stdin") ? 0 : 2;
  for (int i = 1; i < argc; i++)
    if (!run_file (argv[i]))
      return 2;
  return 0;
}
