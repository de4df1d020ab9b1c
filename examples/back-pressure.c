/* asyncio: Queue(maxsize), Queue.shutdown(), TaskGroup
 *
 * Looks for a word in the lines that a command prints.  The program reads the lines no
 * faster than the searchers can follow, so only a few lines are in memory at any time:
 * back-pressure [WORD COMMAND…] */
#include <gtask-ext.h>

#include <string.h>

#define N_SEARCHERS 3
#define MOST_WAITING 16

typedef struct
{
  const char *word;
  char **command;
  GtxQueue *lines;
  guint n_read;
  guint n_found;
  guint most_waiting;
} Search;

/* The producer: gtx_queue_put() suspends it while the queue is full. */
static gboolean
read_lines (Search *search, GError **error)
{
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GDataInputStream) output = NULL;
  GError *failure = NULL;
  char *line;

  process = g_subprocess_newv ((const char *const *) search->command, G_SUBPROCESS_FLAGS_STDOUT_PIPE, error);
  if (process == NULL)
    return FALSE;
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));

  for (;;)
    {
      g_data_input_stream_read_line_async (output, G_PRIORITY_DEFAULT, GTX_ASYNC);
      line = g_data_input_stream_read_line_finish (output, gtx_await_result (), NULL, &failure);
      if (line == NULL)
        break;
      search->n_read++;
      if (!gtx_queue_put (search->lines, line, error))
        return FALSE;
      search->most_waiting = MAX (search->most_waiting, gtx_queue_get_size (search->lines));
    }
  gtx_queue_shutdown (search->lines, GTX_SHUTDOWN_DRAIN);
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* A consumer: ends when the queue is shut down and empty. */
static gboolean
search_lines (Search *search, GError **error)
{
  g_autoptr (GError) end = NULL;
  char *line;

  while ((line = gtx_queue_get (search->lines, &end)))
    {
      if (strstr (line, search->word))
        search->n_found++;
      g_free (line);
      /* A real search could take this long. */
      if (!gtx_sleep (0.001, error))
        return FALSE;
    }
  if (g_error_matches (end, GTX_ERROR, GTX_ERROR_QUEUE_SHUT_DOWN))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&end));
  return FALSE;
}

static gboolean
main_coroutine (Search *search, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, read_lines, search, NULL, &failure);
  for (guint i = 0; failure == NULL && i < N_SEARCHERS; i++)
    gtx_task_group_create_task (&group, search_lines, search, NULL, &failure);
  if (!gtx_task_group_end (&group, &failure, error))
    return FALSE;

  g_print ("%u of %u lines have \"%s\"; at most %u waited\n",
           search->n_found, search->n_read, search->word, search->most_waiting);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  char *seq[] = { (char *) "seq", (char *) "1", (char *) "1000", NULL };
  g_autoptr (GtxQueue) lines = gtx_queue_new (MOST_WAITING, g_free);
  Search search = { "7", seq, lines, 0, 0, 0 };
  g_autoptr (GError) error = NULL;

  if (argc > 2)
    {
      search.word = argv[1];
      search.command = argv + 2;
    }
  if (gtx_run (main_coroutine, &search, &error))
    return 0;
  g_printerr ("back-pressure: %s\n", error->message);
  return 1;
}
