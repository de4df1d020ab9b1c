/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks read lines of streams, and two of them read the same stream. */

#include "stream-ends.h"

/* ---- Two that read one stream ---- */

typedef struct
{
  GInputStream *stream;
  gboolean reads_line;
} Reader;

#define N_LINES 2000

static gboolean
read_three (GInputStream *stream, GError **error)
{
  char buffer[3];
  gssize n = gtx_input_stream_read (stream, buffer, 3, error);

  g_assert_true (n < 0 || (n == 3 && memcmp (buffer, "ab\n", 3) == 0));
  return n >= 0;
}

static gboolean
read_two (GInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (G_DATA_INPUT_STREAM (stream), NULL, error);

  g_assert_true (line == NULL || g_str_equal (line, "ab"));
  return line != NULL;
}

/* The task has used up its time when it begins to read. */
static gboolean
spend_time_and_read (Reader *self, GError **error)
{
  gint64 until = g_get_monotonic_time () + 20000;

  while (g_get_monotonic_time () < until)
    ;
  for (int i = 0; i < N_LINES; i++)
    if (!(self->reads_line ? read_two (self->stream, error) : read_three (self->stream, error)))
      return FALSE;
  return TRUE;
}

static gboolean
fill_more (GInputStream *stream, GError **error)
{
  return gtx_buffered_input_stream_fill (G_BUFFERED_INPUT_STREAM (stream), -1, error) >= 0;
}

/* When the first task lets others run, the second begins to wait. */
static void
assert_is_read_by_one (gboolean reads_line)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_DATA);
  Reader reader = { ends->input, reads_line };
  g_autoptr (GError) failure = NULL;
  GtxTask *first, *second;

  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (ends->input), 8 * N_LINES);
  for (int i = 0; i < N_LINES; i++)
    ends_put (ends, "ab\n");
  g_assert_true (fill_more (ends->input, NULL));
  first = gtx_create_task (spend_time_and_read, &reader, NULL);
  second = gtx_create_task (fill_more, ends->input, NULL);
  if (!gtx_await (first, &failure))
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_PENDING);
  ends_put (ends, "more");
  assert_succeeds (second);
  g_object_unref (first);
}

static gboolean
test_read_by_two (gpointer data, GError **error)
{
  assert_is_read_by_one (FALSE);
  return TRUE;
}

static gboolean
test_lines_read_by_two (gpointer data, GError **error)
{
  assert_is_read_by_one (TRUE);
  return TRUE;
}

#define N_SHORT 1000
#define N_LONG (20 * 1024 * 1024)

typedef struct
{
  GDataInputStream *stream;
  gboolean is_upto;
  guint n;
} Lines;

static gboolean
read_all_lines (Lines *self, GError **error)
{
  for (;;)
    {
      gsize length;
      g_autofree char *line = self->is_upto ? gtx_data_input_stream_read_upto (self->stream, "\n", 1, &length, error)
                                            : gtx_data_input_stream_read_line (self->stream, &length, error);

      if (line == NULL)
        return *error == NULL;
      g_assert_null (memchr (line, '\n', length));
      if (self->is_upto)
        g_assert_cmpint (g_input_stream_skip (G_INPUT_STREAM (self->stream), 1, NULL, error), ==, 1);
      self->n++;
    }
}

/* A task that looks for the end of a long line lets others run, and the other task then reads some
 * lines. */
static void
assert_read_by_both (gboolean is_upto)
{
  g_autoptr (GString) text = g_string_sized_new (N_LONG + 2 * N_SHORT + 1);
  g_autoptr (GInputStream) memory = NULL;
  g_autoptr (GDataInputStream) stream = NULL;
  Lines lines;
  GtxTask *first, *second;

  g_string_set_size (text, N_LONG);
  memset (text->str, 'x', N_LONG);
  for (int i = 0; i < N_SHORT; i++)
    g_string_append (text, "\ny");
  g_string_append_c (text, '\n');
  memory = g_memory_input_stream_new_from_data (text->str, (gssize) text->len, NULL);
  stream = g_data_input_stream_new (memory);
  lines = (Lines) { stream, is_upto, 0 };
  first = gtx_create_task (read_all_lines, &lines, NULL);
  second = gtx_create_task (read_all_lines, &lines, NULL);
  assert_succeeds (first);
  assert_succeeds (second);
  g_assert_cmpuint (lines.n, ==, N_SHORT + 1);
}

static gboolean
test_lines_of_memory (gpointer data, GError **error)
{
  assert_read_by_both (FALSE);
  assert_read_by_both (TRUE);
  return TRUE;
}

/* ---- Lines ---- */

static gboolean
test_lines (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_DATA);
  GDataInputStream *stream = G_DATA_INPUT_STREAM (ends->input);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *text = NULL;
  g_autofree char *rest = NULL;
  gsize length = 7;

  g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (stream), 2);
  ends_put (ends, "a long line\n\nup;to\nno end");
  first = gtx_data_input_stream_read_line (stream, &length, error);
  g_assert_cmpstr (first, ==, "a long line");
  g_assert_cmpuint (length, ==, 11);
  second = gtx_data_input_stream_read_line (stream, NULL, error);
  g_assert_cmpstr (second, ==, "");
  text = gtx_data_input_stream_read_upto (stream, ";", -1, &length, error);
  g_assert_cmpstr (text, ==, "up");
  g_assert_cmpint (gtx_input_stream_skip (ends->input, 4, error), ==, 4);
  ends_finish (ends);
  rest = gtx_data_input_stream_read_line (stream, &length, error);
  g_assert_cmpstr (rest, ==, "no end");
  length = 7;
  g_assert_null (gtx_data_input_stream_read_line (stream, &length, error));
  g_assert_cmpuint (length, ==, 0);
  g_assert_no_error (*error);
  return TRUE;
}

static gboolean
read_line (GDataInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (stream, NULL, error);

  if (line)
    note (line);
  return line != NULL;
}

/* The first half of a line stays in the stream. */
static gboolean
test_line_cancelled (gpointer data, GError **error)
{
  static const EndsKind kinds[] = { ENDS_ARE_PIPES, ENDS_ARE_SOCKETS, ENDS_ARE_CONVERTED, ENDS_ARE_ASYNC };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (Ends) ends = ends_new (kinds[i]);
      g_autoptr (GDataInputStream) stream = g_data_input_stream_new (ends->input);
      GtxTask *task;

      ends_put (ends, "half");
      task = begin (read_line, stream);
      assert_fails (gtx_create_task (read_line, stream, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      task = begin (read_line, stream);
      ends_put (ends, "-line\nnext");
      assert_succeeds (task);
      assert_trace ("half-line");
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_real_coroutine ("/streams-lines/read-by-two", test_read_by_two);
  add_real_coroutine ("/streams-lines/lines-read-by-two", test_lines_read_by_two);
  add_real_coroutine ("/streams-lines/lines-of-memory-read-by-two", test_lines_of_memory);
  add_coroutine ("/streams-lines/lines", test_lines);
  add_coroutine ("/streams-lines/line-cancelled", test_line_cancelled);
  return g_test_run ();
}
