/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts the words of files with callbacks and a GMainLoop: a program that uses
 * word-count.h, and knows nothing of coroutines. */

#include "word-count.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>

typedef struct
{
  GMainLoop *loop;
  GCancellable *cancellable;
  guint n_left;
  int status;
} Program;

static void
on_counted (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Program *program = data;
  g_autoptr (GError) error = NULL;
  g_autofree WordCount *count = word_count_finish (G_FILE (source), result, &error);
  g_autofree char *name = g_filename_display_name (g_file_peek_path (G_FILE (source)));

  if (count)
    g_print ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n",
             count->n_lines, count->n_words, count->n_bytes, name);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_printerr ("count-words: %s: %s\n", name, error->message);
      program->status = 1;
    }
  if (--program->n_left == 0)
    g_main_loop_quit (program->loop);
}

static gboolean
cancel (Program *program,
        int      signum)
{
  program->status = 128 + signum;
  g_cancellable_cancel (program->cancellable);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt (gpointer data)
{
  return cancel (data, SIGINT);
}

static gboolean
on_terminate (gpointer data)
{
  return cancel (data, SIGTERM);
}

static void
count_files (Program  *program,
             char    **paths)
{
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, program);
  guint terminate = g_unix_signal_add (SIGTERM, on_terminate, program);

  for (char **path = paths; *path; path++)
    {
      g_autoptr (GFile) file = g_file_new_for_path (*path);

      program->n_left++;
      word_count_async (file, G_PRIORITY_DEFAULT, program->cancellable, on_counted, program);
    }
  g_main_loop_run (program->loop);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE…");
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Program program = { loop, cancellable, 0, 0 };
  g_autoptr (GError) error = NULL;

  setlocale (LC_CTYPE, "");
  g_option_context_set_summary (context, "Counts the lines, words and bytes of files, all at once.");
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 2)
    {
      g_printerr ("count-words: %s; try --help\n", error ? error->message : "wants FILE…");
      return 2;
    }
  count_files (&program, argv + 1);
  return program.status;
}
