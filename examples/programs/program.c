/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

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

void
program_want_between (const char *what,
                      int         value,
                      int         least,
                      int         most)
{
  if (value < least || value > most)
    program_usage_error ("%s is %d, and has to be from %d to %d", what, value, least, most);
}

void
program_want_seconds (const char *what,
                      double      seconds)
{
  if (!isfinite (seconds) || seconds <= 0)
    program_usage_error ("%s is %g, and has to be a number of seconds above 0", what, seconds);
}

/* GOption leaves a "--" that protects arguments with a dash among them. */
static void
drop_separator (int   *argc,
                char **argv)
{
  if (*argc < 2 || !g_str_equal (argv[1], "--"))
    return;
  for (int i = 1; i < *argc; i++)
    argv[i] = argv[i + 1];
  (*argc)--;
}

char **
program_parse (const Program *program,
               int           *argc,
               char        ***argv)
{
  GOptionContext *context = g_option_context_new (program->arguments);
  g_autoptr (GError) error = NULL;
  int n_arguments;

  /* For names of files; numbers keep their point. */
  setlocale (LC_CTYPE, "");
  g_option_context_set_summary (context, program->summary);
  g_option_context_set_strict_posix (context, program->runs_command);
  if (program->options)
    g_option_context_add_main_entries (context, program->options, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    program_usage_error ("%s", error->message);
  g_option_context_free (context);
  drop_separator (argc, *argv);

  n_arguments = *argc - 1;
  if (n_arguments < program->least)
    program_usage_error ("wants %s", program->arguments);
  if (program->most >= 0 && n_arguments > program->most)
    program_usage_error ("does not know what to do with \"%s\"", (*argv)[program->most + 1]);
  return *argv + 1;
}

/* ---- Descriptors ---- */

#define OWN_FILES 64            /* the main loop, standard output, D-Bus... */

gboolean
program_allow_open_files (guint    n,
                          GError **error)
{
  struct rlimit limit;
  rlim_t wanted = (rlim_t) n + OWN_FILES;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
    return TRUE;
  if (limit.rlim_max >= wanted)
    {
      limit.rlim_cur = wanted;
      if (setrlimit (RLIMIT_NOFILE, &limit) == 0)
        return TRUE;
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
               "This takes %lu open files, and %lu are allowed: raise the hard limit (ulimit -Hn), or ask for less",
               (unsigned long) wanted, (unsigned long) limit.rlim_max);
  return FALSE;
}

/* Clients that come at once wait in the backlog until they are accepted: GIO's default backlog
 * has room for 10, and a client beyond it tries again after a second, and then after longer
 * times. */
gboolean
program_listen (GSocketListener *listener,
                int              port,
                int              max_clients,
                GError         **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, (guint16) port);
  g_autoptr (GSocketAddress) bound = NULL;

  g_socket_listener_set_backlog (listener, max_clients);
  if (!g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                      NULL, &bound, error))
    return FALSE;
  g_print ("listening on 127.0.0.1:%u\n", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  return TRUE;
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

/* Prints each error that a group holds. */
static void
print_error (const GError *error)
{
  guint n_errors = gtx_error_get_n_errors (error);

  for (guint i = 0; i < n_errors; i++)
    print_error (gtx_error_get_error (error, i));
  if (n_errors == 0)
    g_printerr ("%s: %s\n", g_get_prgname (), error->message);
}

static gboolean
await_work (GtxTask *work, GError **error)
{
  return gtx_await (work, error);
}

/* Signals are waited for before the work begins, so the program may be interrupted from
 * its first output on.  The two tasks are left running, and are cancelled when the run
 * ends. */
int
program_run (GtxTask *work)
{
  Run run = { work, 0 };
  g_autoptr (GtxTask) started = NULL;
  g_autoptr (GError) error = NULL;

  g_object_unref (gtx_create_task (cancel_on_interrupt, &run, NULL));
  g_object_unref (gtx_create_task (cancel_on_terminate, &run, NULL));
  started = gtx_task_start (work);
  if (gtx_run (await_work, started, &error))
    return 0;
  if (run.caught && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return 128 + run.caught;
  print_error (error);
  return 1;
}
