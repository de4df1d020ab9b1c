/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: create_subprocess_exec(), timeout(), TaskGroup; clean-up that awaits
 *
 * Runs a command for each line of its input, several at once, as xargs -P does.  A task
 * waits for each process, and ends the process if it takes too long or the program is
 * interrupted. */

#include "program.h"

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE 2.0               /* seconds between SIGTERM and SIGKILL */
#define PATIENCE 0.05           /* seconds between two checks whether all are gone */

/* The exit statuses of xargs; of several the greatest is kept. */
enum
{
  ALL_WELL = 0,
  SOME_FAILED = 123,
  SOME_FAILED_255 = 124,
  SOME_KILLED = 125,
  CANNOT_RUN = 126,
  NOT_FOUND = 127
};

typedef struct
{
  char **command;
  GtxTaskGroup *jobs;
  GtxTask *reader;              /* of the lines; cancelled when no more are wanted */
  guint n_jobs;
  guint n_failed;
  int status;
} Run;

typedef struct
{
  Run *run;
  char *argument;
} Job;

static int n_at_once;
static double seconds = GTX_FOREVER;
static gboolean keep_going;

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->argument);
  g_free (job);
}

/* ---- A command ---- */

/* {} stands for the argument; without {} the argument comes last. */
static char **
build_command (char **command, const char *argument)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean replaced = FALSE;

  for (char **word = command; *word; word++)
    {
      g_auto (GStrv) parts = g_strsplit (*word, "{}", -1);
      g_autofree char *joined = g_strjoinv (argument, parts);

      replaced |= g_strv_length (parts) > 1;
      g_strv_builder_add (builder, joined);
    }
  if (!replaced)
    g_strv_builder_add (builder, argument);
  return g_strv_builder_end (builder);
}

/* The process gets a process group of its own, so that the processes that it starts end
 * with it. */
static void
set_group (gpointer data)
{
  setpgid (0, 0);
}

static int
open_output (GError **error)
{
  g_autofree char *name = NULL;
  int fd = g_file_open_tmp (NULL, &name, error);

  if (fd >= 0)
    unlink (name);
  return fd;
}

/* The outputs go to two files, so that each is printed in one piece. */
static gboolean
start (Job *job, int outputs[2], GPid *pid, GError **error)
{
  g_auto (GStrv) command = build_command (job->run->command, job->argument);

  for (int i = 0; i < 2; i++)
    {
      outputs[i] = open_output (error);
      if (outputs[i] < 0)
        return FALSE;
    }
  return g_spawn_async_with_pipes_and_fds (NULL, (const char *const *) command, NULL,
                                           G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, set_group, NULL,
                                           -1, outputs[0], outputs[1], NULL, NULL, 0, pid, NULL, NULL, NULL, error);
}

/* Ends the process and all processes that it started.  Runs after a time-out or a
 * cancellation, and may await. */
static void
stop (GPid pid)
{
  g_auto (GtxTimeout) grace = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;
  gboolean ended;

  kill (-pid, SIGTERM);
  gtx_timeout_begin (&grace, GRACE);
  ended = gtx_await_child (pid, NULL, &failure);
  while (ended && kill (-pid, 0) == 0 && gtx_sleep (PATIENCE, &failure))
    ;
  if (gtx_timeout_end (&grace, &failure, NULL))
    return;
  kill (-pid, SIGKILL);
  if (!ended)
    gtx_await_child (pid, NULL, NULL);
}

static gboolean
wait_so_long (GPid pid, int *wait_status, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, seconds);
  gtx_await_child (pid, wait_status, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* ---- How it went ---- */

static void
show_output (int from, int to)
{
  char chunk[16384];
  gssize n;

  if (lseek (from, 0, SEEK_SET) != 0)
    return;
  while ((n = read (from, chunk, sizeof chunk)) > 0)
    for (gssize done = 0; done < n;)
      {
        gssize written = write (to, chunk + done, (gsize) (n - done));

        if (written < 0 && errno != EINTR)
          return;
        done += MAX (written, 0);
      }
}

/* Prints in one piece, so that no other output comes between. */
static void
show_outputs (const int outputs[2])
{
  show_output (outputs[0], STDOUT_FILENO);
  show_output (outputs[1], STDERR_FILENO);
}

static void
note_failure (Run *run, const char *argument, int status, const char *reason)
{
  g_autofree char *shown = g_filename_display_name (argument);

  g_printerr ("parallel: %s: %s\n", shown, reason);
  run->n_failed++;
  run->status = MAX (run->status, status);
  if (!keep_going)
    gtx_cancel (run->reader);
}

static void
judge (Job *job, int wait_status)
{
  g_autofree char *reason = NULL;
  int status = SOME_FAILED;

  if (WIFSIGNALED (wait_status))
    {
      status = SOME_KILLED;
      reason = g_strdup_printf ("killed by signal %d", WTERMSIG (wait_status));
    }
  else if (WEXITSTATUS (wait_status) != 0)
    {
      if (WEXITSTATUS (wait_status) == 255)
        status = SOME_FAILED_255;
      reason = g_strdup_printf ("ended with status %d", WEXITSTATUS (wait_status));
    }
  if (reason)
    note_failure (job->run, job->argument, status, reason);
}

/* ---- A job ---- */

/* Takes the error.  Only a cancellation goes up: another failure would end the
 * group. */
static gboolean
give_up (Job *job, int status, GError *failure, GError **error)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  note_failure (job->run, job->argument, status, failure->message);
  g_error_free (failure);
  return TRUE;
}

static gboolean
run_process (Job *job, int outputs[2], GError **error)
{
  GError *failure = NULL;
  int wait_status;
  GPid pid;

  if (!start (job, outputs, &pid, &failure))
    return give_up (job, g_error_matches (failure, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT) ? NOT_FOUND : CANNOT_RUN,
                    failure, error);

  if (!wait_so_long (pid, &wait_status, &failure))
    stop (pid);
  show_outputs (outputs);
  if (failure)
    return give_up (job, SOME_KILLED, failure, error);
  judge (job, wait_status);
  return TRUE;
}

static gboolean
run_job (Job *job, GError **error)
{
  int outputs[] = { -1, -1 };
  gboolean done = run_process (job, outputs, error);

  for (int i = 0; i < 2; i++)
    if (outputs[i] >= 0)
      close (outputs[i]);
  return done;
}

/* ---- All of them ---- */

/* A child of the group too, so that it can be cancelled alone.  Waits while the allowed
 * number of jobs runs: no line is read before it is needed. */
static gboolean
read_arguments (Run *run, GError **error)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (input);

  for (;;)
    {
      GError *failure = NULL;
      char *line = gtx_data_input_stream_read_line (lines, NULL, &failure);
      Job *job;

      if (failure)
        g_propagate_error (error, failure);
      if (line == NULL)
        return failure == NULL;
      job = g_new (Job, 1);
      *job = (Job) { run, line };
      if (!gtx_task_group_create_task (run->jobs, run_job, job, job_free, error))
        return FALSE;
      run->n_jobs++;
    }
}

static gboolean
run_all (Run *run, GError **error)
{
  g_auto (GtxTaskGroup) jobs = GTX_TASK_GROUP_INIT;
  g_autoptr (GtxTask) reader = NULL;
  g_autoptr (GError) failure = NULL;
  gboolean ended_well;

  if (!program_allow_open_files (8 * (guint) n_at_once, error))
    return FALSE;
  run->jobs = &jobs;
  gtx_task_group_begin (&jobs);
  gtx_task_group_set_limit (&jobs, (guint) n_at_once);
  g_set_object (&reader, gtx_task_group_create_task (&jobs, read_arguments, run, NULL, &failure));
  run->reader = reader;
  ended_well = gtx_task_group_end (&jobs, &failure, error);
  if (run->n_failed > 0)
    g_printerr ("parallel: %u of %u failed\n", run->n_failed, run->n_jobs);
  return ended_well;
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &n_at_once, "Run N at once; by default as many as there are processors", "N" },
    { "timeout", 't', 0, G_OPTION_ARG_DOUBLE, &seconds, "End a command that takes longer", "SECONDS" },
    { "keep-going", 'k', 0, G_OPTION_ARG_NONE, &keep_going, "Start more after one has failed", NULL },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "COMMAND [ARGUMENT…]",
    .summary = "Runs a command for each line of its input, several at once, as xargs -P does.",
    .options = options,
    .least = 1,
    .most = -1,
    .runs_command = TRUE,
  };
  Run run = { .status = ALL_WELL };
  int status;

  n_at_once = (int) g_get_num_processors ();
  run.command = program_parse (&program, &argc, &argv);
  program_want_between ("--jobs", n_at_once, 1, 1000);
  if (seconds != GTX_FOREVER)
    program_want_seconds ("--timeout", seconds);
  status = program_run (gtx_task_new (run_all, &run, NULL));
  return status ? status : run.status;
}
