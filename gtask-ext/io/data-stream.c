/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/stream.h"

#include "io/buffered-stream.h"

#include <string.h>

/* What is looked for in the buffer. */
typedef struct
{
  const char *stop_chars;       /* NULL: the end of a line */
  gsize n_stop_chars;
  gsize checked;                /* how many bytes were looked at and do not match */
} Search;

/* A line may end with CR alone, which is known only when the next byte has come. */
static gboolean
find_line (Search                 *self,
           const char             *data,
           gsize                   length,
           GDataStreamNewlineType  type)
{
  for (; self->checked < length; self->checked++)
    {
      char c = data[self->checked];
      gboolean is_last = self->checked + 1 == length;

      if (c == '\n' && (type == G_DATA_STREAM_NEWLINE_TYPE_LF || type == G_DATA_STREAM_NEWLINE_TYPE_ANY))
        return TRUE;
      if (c != '\r' || type == G_DATA_STREAM_NEWLINE_TYPE_LF)
        continue;
      if (type == G_DATA_STREAM_NEWLINE_TYPE_CR)
        return TRUE;
      if (is_last)
        return FALSE;
      if (type == G_DATA_STREAM_NEWLINE_TYPE_ANY || data[self->checked + 1] == '\n')
        return TRUE;
    }
  return FALSE;
}

static gboolean
find_stop_char (Search     *self,
                const char *data,
                gsize       length)
{
  for (; self->checked < length; self->checked++)
    if (memchr (self->stop_chars, data[self->checked], self->n_stop_chars))
      return TRUE;
  return FALSE;
}

static gboolean
find (Search           *self,
      GDataInputStream *stream)
{
  gsize length;
  const char *data = g_buffered_input_stream_peek_buffer ((GBufferedInputStream *) stream, &length);

  return self->stop_chars ? find_stop_char (self, data, length)
                          : find_line (self, data, length, g_data_input_stream_get_newline_type (stream));
}

/* Fills the buffer.  If other tasks may have read from it meanwhile, the search begins anew: a
 * stream in memory is not pending while it lets other tasks run, nor is any stream when a result
 * has come and the task did not go on yet. */
static gssize
fill (GtxTask               *task,
      Search                *search,
      GBufferedInputStream  *stream,
      GError               **error)
{
  gsize available = g_buffered_input_stream_get_available (stream);
  gssize n;

  if (gtx_buffered_stream_is_full (stream))
    g_buffered_input_stream_set_buffer_size (stream, 2 * g_buffered_input_stream_get_buffer_size (stream));
  n = gtx_buffered_stream_fill (task, stream, -1, error);
  if (gtx_input_stream_look ((GInputStream *) stream).kind == GTX_STREAM_IS_AT_HAND ||
      g_buffered_input_stream_get_available (stream) != available + MAX (n, 0))
    search->checked = 0;
  return n;
}

/* Fills the buffer until it has all of the line or text.  Returns 1, 0 if the stream ends before,
 * -1 with @error set. */
static int
fill_until_found (GtxTask           *task,
                  Search            *search,
                  GDataInputStream  *stream,
                  GError           **error)
{
  GBufferedInputStream *buffer = (GBufferedInputStream *) stream;
  gssize n = 1;

  /* The order matters: while other tasks run, they may close the stream, or begin to read it. */
  if (!gtx_ready_begin_try (task, error) || !gtx_buffered_stream_may_be_read (buffer, error))
    return -1;
  while (n >= 0 && !find (search, stream))
    {
      if (n == 0)
        return 0;
      n = fill (task, search, buffer, error);
    }
  return n < 0 ? -1 : 1;
}

/* Takes the rest of the buffer, since the end of the stream ends a line, too.  GIO would try to
 * read once more. */
static char *
take_rest (GBufferedInputStream *stream,
           gsize                *length)
{
  gsize n = g_buffered_input_stream_get_available (stream);
  char *text;

  if (length)
    *length = n;
  if (n == 0)
    return NULL;
  text = g_malloc (n + 1);
  gtx_buffered_stream_take (stream, text, n);
  text[n] = '\0';
  return text;
}

/**
 * gtx_data_input_stream_read_line:
 * @stream: a #GDataInputStream
 * @length: (out) (optional): how long the line is, in bytes
 * @error: return location for a #GError, or %NULL
 *
 * Reads a line, without its line ending: g_data_input_stream_read_line(), and asyncio's
 * `StreamReader.readline()`.
 *
 * May suspend, and sets errors, as gtx_input_stream_read() does.  If the task is cancelled,
 * the part of the line that was read stays in the buffer of @stream for the next call.  A
 * line may take all memory: if the data comes from an untrusted source, read with
 * gtx_buffered_input_stream_fill() and a limit of your own.
 *
 * Returns: (transfer full) (nullable): the line, which may be invalid UTF-8; %NULL at the
 *   end of the stream, and with @error set
 *
 * Since: 0.1
 */
char *
gtx_data_input_stream_read_line (GDataInputStream  *stream,
                                 gsize             *length,
                                 GError           **error)
{
  Search search = { NULL, 0, 0 };
  GtxTask *task;
  int n;
  char *line = NULL;

  g_return_val_if_fail (G_IS_DATA_INPUT_STREAM (stream), NULL);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return NULL;
  g_object_ref (stream);
  n = fill_until_found (task, &search, stream, error);
  if (n > 0)
    line = g_data_input_stream_read_line (stream, length, NULL, error);
  else if (n == 0)
    line = take_rest ((GBufferedInputStream *) stream, length);
  g_object_unref (stream);
  return line;
}

/**
 * gtx_data_input_stream_read_upto:
 * @stream: a #GDataInputStream
 * @stop_chars: (array length=stop_chars_len) (element-type guint8): the bytes that end it
 * @stop_chars_len: how many there are, or -1: @stop_chars is a string
 * @length: (out) (optional): how long the text is, in bytes
 * @error: return location for a #GError, or %NULL
 *
 * Reads up to the first of the bytes in @stop_chars, and does not read that byte:
 * g_data_input_stream_read_upto(), and asyncio's `StreamReader.readuntil()`.
 *
 * May suspend, and sets errors, as gtx_data_input_stream_read_line() does.
 *
 * Returns: (transfer full) (nullable): the text, which may be invalid UTF-8; %NULL at the
 *   end of the stream, and with @error set
 *
 * Since: 0.1
 */
char *
gtx_data_input_stream_read_upto (GDataInputStream  *stream,
                                 const char        *stop_chars,
                                 gssize             stop_chars_len,
                                 gsize             *length,
                                 GError           **error)
{
  Search search = { stop_chars, 0, 0 };
  GtxTask *task;
  int n;
  char *text = NULL;

  g_return_val_if_fail (G_IS_DATA_INPUT_STREAM (stream), NULL);
  g_return_val_if_fail (stop_chars != NULL, NULL);

  search.n_stop_chars = stop_chars_len < 0 ? strlen (stop_chars) : (gsize) stop_chars_len;
  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return NULL;
  g_object_ref (stream);
  n = fill_until_found (task, &search, stream, error);
  if (n > 0)
    text = g_data_input_stream_read_upto (stream, stop_chars, stop_chars_len, length, NULL, error);
  else if (n == 0)
    text = take_rest ((GBufferedInputStream *) stream, length);
  g_object_unref (stream);
  return text;
}
