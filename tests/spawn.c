/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

struct _Running
{
  GSubprocess *process;
  GDataInputStream *lines;
};

/* ---- Running ---- */

char *
find_program (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, "..", "examples", name, NULL);

  if (g_str_has_prefix (name, "programs/") || g_str_has_prefix (name, "library/"))
    return g_canonicalize_filename (path, NULL);
  return g_strdup (name);
}

static char **
collect (const char *name, va_list arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *program = find_program (name);
  const char *argument;

  g_strv_builder_add (builder, program);
  while ((argument = va_arg (arguments, const char *)))
    g_strv_builder_add (builder, argument);
  return g_strv_builder_end (builder);
}

static int
get_status (GSubprocess *process)
{
  return g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                              : 128 + g_subprocess_get_term_sig (process);
}

static char *
to_text (GBytes *bytes)
{
  return g_bytes_get_size (bytes) > 0 ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))
                                      : g_strdup ("");
}

Outcome *
run_program_in (const char *folder, const char *input, const char *const *command)
{
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                               G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GBytes) given = g_bytes_new (input ? input : "", input ? strlen (input) : 0);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GBytes) output = NULL;
  g_autoptr (GBytes) errors = NULL;
  g_autoptr (GError) error = NULL;
  Outcome *self = g_new0 (Outcome, 1);

  g_subprocess_launcher_set_cwd (launcher, folder);
  process = g_subprocess_launcher_spawnv (launcher, command, &error);
  g_assert_no_error (error);
  g_subprocess_communicate (process, given, NULL, &output, &errors, &error);
  g_assert_no_error (error);
  self->status = get_status (process);
  self->output = to_text (output);
  self->errors = to_text (errors);
  return self;
}

Outcome *
run_program (const char *input, const char *name, ...)
{
  g_auto (GStrv) command = NULL;
  va_list arguments;

  va_start (arguments, name);
  command = collect (name, arguments);
  va_end (arguments);
  return run_program_in (".", input, (const char *const *) command);
}

void
outcome_free (Outcome *self)
{
  g_free (self->output);
  g_free (self->errors);
  g_free (self);
}

/* ---- Interrupting ---- */

Running *
start_program (const char *name, ...)
{
  Running *self = g_new0 (Running, 1);
  g_auto (GStrv) command = NULL;
  g_autoptr (GError) error = NULL;
  va_list arguments;

  va_start (arguments, name);
  command = collect (name, arguments);
  va_end (arguments);
  self->process = g_subprocess_newv ((const char *const *) command,
                                     G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                     G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  g_assert_no_error (error);
  self->lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  return self;
}

GSubprocess *
running_get_process (Running *self)
{
  return self->process;
}

static char *
read_rest (GInputStream *input)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  g_output_stream_splice (memory, input, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  bytes = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
  return to_text (bytes);
}

/* Returns the first line that matches, and drops the lines before it. */
char *
get_line (Running *self, const char *pattern)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *line = g_data_input_stream_read_line (self->lines, NULL, NULL, &error);

      g_assert_no_error (error);
      if (line == NULL)
        g_error ("It ended without a line like \"%s\": %s", pattern,
                 read_rest (g_subprocess_get_stderr_pipe (self->process)));
      if (g_pattern_match_simple (pattern, line))
        return g_steal_pointer (&line);
    }
}

void
await_line (Running *self, const char *pattern)
{
  g_free (get_line (self, pattern));
}

/* Sends a signal, unless @signum is 0, and waits for the end; takes @self. */
Outcome *
end_program (Running *self, int signum)
{
  Outcome *outcome = g_new0 (Outcome, 1);
  g_autoptr (GError) error = NULL;

  if (signum > 0)
    g_subprocess_send_signal (self->process, signum);
  outcome->output = read_rest (G_INPUT_STREAM (self->lines));
  outcome->errors = read_rest (g_subprocess_get_stderr_pipe (self->process));
  g_subprocess_wait (self->process, NULL, &error);
  g_assert_no_error (error);
  outcome->status = get_status (self->process);
  g_object_unref (self->lines);
  g_object_unref (self->process);
  g_free (self);
  return outcome;
}

/* ---- Expected results ---- */

void
assert_outcome (Outcome *outcome, int status, const char *errors, const char *output)
{
  if (outcome->status != status || !g_pattern_match_simple (errors, outcome->errors) ||
      !g_pattern_match_simple (output, outcome->output))
    g_error ("Ended with %d, not %d; its errors, not \"%s\":\n%s\nIts output, not \"%s\":\n%s",
             outcome->status, status, errors, outcome->errors, output, outcome->output);
}

void
assert_helps (const char *name)
{
  g_autoptr (Outcome) outcome = run_program (NULL, name, "--help", NULL);
  g_autofree char *base = g_path_get_basename (name);
  g_autofree char *usage = g_strdup_printf ("Usage:\n  %s *\n\n*.\n\n*--help*", base);

  assert_outcome (outcome, 0, "", usage);
}

void
assert_refuses (const char *name, const char *arguments, const char *message)
{
  g_auto (GStrv) words = g_strsplit (arguments, " ", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *program = find_program (name);
  g_autofree char *base = g_path_get_basename (name);
  g_autofree char *errors = g_strdup_printf ("%s: %s; try --help\n", base, message);
  g_auto (GStrv) command = NULL;
  g_autoptr (Outcome) outcome = NULL;

  g_strv_builder_add (builder, program);
  if (*arguments)
    g_strv_builder_addv (builder, (const char **) words);
  command = g_strv_builder_end (builder);
  outcome = run_program_in (".", NULL, (const char *const *) command);
  assert_outcome (outcome, 2, errors, "");
}

/* ---- Folders and processes ---- */

char *
make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("gtask-ext-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

void
remove_folder (char *path)
{
  /* Only root may remove files from a folder that is read-only. */
  g_autoptr (Outcome) outcome = run_program (NULL, "sh", "-c", "chmod -R u+rwx \"$1\"; rm -rf \"$1\"", "sh", path, NULL);

  assert_outcome (outcome, 0, "", "");
  g_free (path);
}

gboolean
is_gone (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;

  if (kill (pid, 0) != 0 && errno == ESRCH)
    return TRUE;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  return strstr (text, ") Z ") != NULL;
}
