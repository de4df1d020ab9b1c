/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <signal.h>
#include <stdlib.h>

/* ---- Arguments ---- */

void
program_usage_error (const char *format,
                     ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_printerr ("%s: %s; try --help\n", g_get_prgname (), message);
  exit (2);
}

char **
program_parse (const Program *program,
               int           *argc,
               char        ***argv)
{
  GOptionContext *context = g_option_context_new (program->arguments);
  g_autoptr (GError) error = NULL;
  int n_arguments;

  g_option_context_set_summary (context, program->summary);
  if (program->options)
    g_option_context_add_main_entries (context, program->options, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    program_usage_error ("%s", error->message);
  g_option_context_free (context);

  n_arguments = *argc - 1;
  if (n_arguments < program->least)
    program_usage_error ("wants %s", program->arguments);
  if (program->most >= 0 && n_arguments > program->most)
    program_usage_error ("does not know what to do with \"%s\"", (*argv)[program->most + 1]);
  return *argv + 1;
}

/* ---- Running ---- */

typedef struct
{
  GtxTask *work;
  int caught;                   /* the signal that ended it, or 0 */
} Run;

static gboolean
cancel_on (Run     *run,
           int      signum,
           GError **error)
{
  if (!gtx_await_unix_signal (signum, error))
    return FALSE;
  run->caught = signum;
  gtx_cancel (run->work);
  return TRUE;
}

static gboolean
cancel_on_interrupt (Run *run, GError **error)
{
  return cancel_on (run, SIGINT, error);
}

static gboolean
cancel_on_terminate (Run *run, GError **error)
{
  return cancel_on (run, SIGTERM, error);
}

/* The two that wait for signals are left, and cancelled when the run ends. */
static gboolean
run_until_signal (Run *run, GError **error)
{
  g_autoptr (GtxTask) interrupt = gtx_create_task (cancel_on_interrupt, run, NULL);
  g_autoptr (GtxTask) terminate = gtx_create_task (cancel_on_terminate, run, NULL);

  return gtx_await (run->work, error);
}

int
program_run (GtxTask *work)
{
  g_autoptr (GtxTask) started = gtx_task_start (work);
  g_autoptr (GError) error = NULL;
  Run run = { started, 0 };

  if (gtx_run (run_until_signal, &run, &error))
    return 0;
  if (run.caught && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return 128 + run.caught;
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return 1;
}
