/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the programs share: arguments, descriptors, errors and Ctrl-C. */

#pragma once

#include <gtask-ext.h>

typedef struct
{
  const char *arguments;        /* for --help, as in "SOURCE TARGET" */
  const char *summary;
  const GOptionEntry *options;  /* or NULL */
  int least;                    /* how many arguments are required */
  int most;                     /* -1: any number */
  gboolean runs_command;        /* words after the first argument are not options of this program */
} Program;

/* Ends the program with status 2 and a message if the arguments are wrong.  Returns the
 * arguments that are left, without the program's name. */
char   **program_parse            (const Program  *program,
                                   int            *argc,
                                   char         ***argv);

/* The same, for checks that GOption cannot do. */
void     program_usage_error      (const char     *format,
                                   ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
void     program_want_between     (const char     *what,
                                   int             value,
                                   int             least,
                                   int             most);
void     program_want_seconds     (const char     *what,
                                   double          seconds);

/* Makes room for @n file descriptors beside the program's own few. */
gboolean program_allow_open_files (guint           n,
                                   GError        **error);

/* Opens a port of the loopback interface with this backlog, and prints its number; 0 is any free
 * port. */
gboolean program_listen           (GSocketListener *listener,
                                   int              port,
                                   int              max_clients,
                                   GError         **error);

/* Starts @work (taken), which SIGINT and SIGTERM cancel, and waits for its end.
 * Returns the program's status: 0, 1 after an error, which it prints, or 128
 * and the signal's number. */
int      program_run              (GtxTask        *work);
