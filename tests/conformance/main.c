/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a scenario in virtual time and prints its trace, as CPython's asyncio
 * does: scenario FILE */

#include "scenario.h"
#include "trace.h"

#include <string.h>
#include <unistd.h>

/* The process ends at once. */
static void
leave (void)
{
  _exit (0);
}

/* The trace shows a scenario's mistakes, so their messages are dropped. */
static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0 && g_str_has_prefix (fields[i].value, "Deadlock:"))
      end ("DEADLOCK");
  return level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL)
         ? G_LOG_WRITER_HANDLED : g_log_writer_default (level, fields, n, data);
}

int
main (int argc, char *argv[])
{
  g_autofree char *text = NULL;
  g_autoptr (GPtrArray) program = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 2 || !g_file_get_contents (argv[1], &text, NULL, &error))
    {
      fprintf (stderr, "usage: scenario FILE%s%s\n", error ? ": " : "", error ? error->message : "");
      return 2;
    }
  g_log_set_writer_func (write_log, NULL, NULL);
  program = parse_program (text);
  trace_to (stdout, leave);
  gtx_test_run (run_scenario, program, &error);
  g_assert_not_reached ();
}
