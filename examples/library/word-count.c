/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "word-count.h"

#include <gtask-ext.h>

#define CHUNK 65536

static void
add_bytes (WordCount  *count,
           const char *bytes,
           gsize       length,
           gboolean   *in_word)
{
  for (gsize i = 0; i < length; i++)
    {
      gboolean is_space = g_ascii_isspace (bytes[i]) || bytes[i] == '\v';

      count->n_words += !is_space && !*in_word;
      count->n_lines += bytes[i] == '\n';
      *in_word = !is_space;
    }
  count->n_bytes += length;
}

static gboolean
count_stream (GInputStream  *input,
              int            io_priority,
              WordCount     *count,
              GError       **error)
{
  gboolean in_word = FALSE;

  for (;;)
    {
      g_autoptr (GBytes) bytes = NULL;
      gsize length;
      const char *data;

      g_input_stream_read_bytes_async (input, CHUNK, io_priority, GTX_ASYNC);
      bytes = g_input_stream_read_bytes_finish (input, gtx_await_result (), error);
      if (bytes == NULL)
        return FALSE;
      data = g_bytes_get_data (bytes, &length);
      if (length == 0)
        return TRUE;
      add_bytes (count, data, length, &in_word);
    }
}

/* The coroutine behind the pair of functions. */
static WordCount *
count_words (GTask   *task,
             GError **error)
{
  GFile *file = g_task_get_source_object (task);
  int io_priority = g_task_get_priority (task);
  g_autoptr (GFileInputStream) input = NULL;
  g_autofree WordCount *count = g_new0 (WordCount, 1);

  g_file_read_async (file, io_priority, GTX_ASYNC);
  input = g_file_read_finish (file, gtx_await_result (), error);
  if (input == NULL || !count_stream (G_INPUT_STREAM (input), io_priority, count, error))
    return NULL;
  return g_steal_pointer (&count);
}

/**
 * word_count_async:
 * @file: the file to count
 * @io_priority: the priority of the request
 * @cancellable: (nullable): a #GCancellable
 * @callback: (scope async): called when the file is counted
 * @user_data: for @callback
 *
 * Counts the lines, words and bytes of @file.
 */
void
word_count_async (GFile               *file,
                  int                  io_priority,
                  GCancellable        *cancellable,
                  GAsyncReadyCallback  callback,
                  gpointer             user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (G_IS_FILE (file));

  task = g_task_new (file, cancellable, callback, user_data);
  g_task_set_name (task, "word_count_async");
  g_task_set_priority (task, io_priority);
  gtx_gtask_run_pointer (task, count_words, g_free);
}

/**
 * word_count_finish:
 * @file: the file that was counted
 * @result: the result that was passed to the callback
 * @error: return location for a #GError, or %NULL
 *
 * Returns: (transfer full): the numbers, or %NULL with @error set
 */
WordCount *
word_count_finish (GFile         *file,
                   GAsyncResult  *result,
                   GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, file), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
