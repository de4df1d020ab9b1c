/* A thread and tasks, with a channel between them
 *
 * Measures the lines of a file: a thread reads them with functions that block, and tasks of the main
 * context measure.  The channel keeps the thread from running far ahead: pipeline [FILE] */
#include <gtask-ext.h>

#include <stdio.h>
#include <string.h>

static GtxChannel *lines;
static guint n_lines, longest;

/* The only task of the thread, so that it may block. */
static gboolean
read_lines (FILE *file, GError **error)
{
  char line[1000];

  while (fgets (line, sizeof line, file))
    if (!gtx_channel_send (lines, g_strdup (line), error))
      return FALSE;
  return TRUE;
}

static gpointer
run_reader (gpointer file)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  gtx_run (read_lines, (FILE *) file, NULL);
  g_main_context_pop_thread_default (context);
  gtx_channel_close (lines);
  return NULL;
}

static gboolean
measure_lines (gpointer data, GError **error)
{
  g_autoptr (GError) end = NULL;
  char *line;

  for (; (line = gtx_channel_receive (lines, &end)); n_lines++)
    {
      longest = MAX (longest, (guint) strlen (line));
      g_free (line);
    }
  if (!g_error_matches (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    g_propagate_error (error, g_steal_pointer (&end));
  return end != NULL;
}

static gboolean
main_coroutine (gpointer data, GError **error)
{
  g_autoptr (GtxTask) other = gtx_create_task (measure_lines, NULL, NULL);

  return measure_lines (NULL, error) && gtx_await (other, error);
}

int
main (int argc, char *argv[])
{
  FILE *file = fopen (argc > 1 ? argv[1] : "/etc/passwd", "r");
  GThread *reader;

  if (file == NULL)
    {
      perror ("pipeline");
      return 1;
    }
  lines = gtx_channel_new (16, g_free);
  reader = g_thread_new ("reader", run_reader, file);
  gtx_run (main_coroutine, NULL, NULL);
  g_thread_join (reader);
  g_object_unref (lines);
  fclose (file);
  g_print ("%u lines, the longest has %u bytes\n", n_lines, longest);
  return 0;
}
