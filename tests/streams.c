/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams of each kind, read by tasks. */

#define CASES_PATH "/streams"

#include "stream-cases.h"

/* ---- Reading ---- */

static gboolean
test_read (Ends *ends, GError **error)
{
  Read read = read_of (ends, sizeof read.buffer);
  GtxTask *task = begin (read_some, &read);

  ends_put (ends, "hello");
  assert_succeeds (task);
  g_assert_cmpmem (read.buffer, read.n, "hello", 5);
  return TRUE;
}

static gboolean
test_short_buffers (Ends *ends, GError **error)
{
  ends_put (ends, "hello");
  assert_reads (ends->input, 2, "he");
  assert_reads (ends->input, 1, "l");
  assert_reads (ends->input, is_buffered (ends) ? 2 : 64, "lo");
  return TRUE;
}

/* The stream has no data, and the functions do not wait for any. */
static gboolean
test_nothing_asked (Ends *ends, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  gsize n = 7;

  g_assert_cmpint (gtx_input_stream_read (ends->input, NULL, 0, error), ==, 0);
  g_assert_true (gtx_input_stream_read_all (ends->input, NULL, 0, &n, error));
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpint (gtx_input_stream_skip (ends->input, 0, error), ==, 0);
  bytes = gtx_input_stream_read_bytes (ends->input, 0, error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
  g_assert_cmpint (gtx_output_stream_write (ends->output, NULL, 0, error), ==, 0);
  g_assert_cmpint (gtx_output_stream_write_bytes (ends->output, bytes, error), ==, 0);
  g_assert_true (gtx_output_stream_write_all (ends->output, NULL, 0, &n, error));
  g_assert_true (gtx_output_stream_writev_all (ends->output, NULL, 0, &n, error));
  return TRUE;
}

static gboolean
test_too_much_asked (Ends *ends, GError **error)
{
  g_autoptr (GError) failure = NULL;
  char byte = 0;

  g_assert_cmpint (gtx_input_stream_read (ends->input, &byte, (gsize) G_MAXSSIZE + 1, &failure), ==, -1);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_cmpint (gtx_input_stream_skip (ends->input, (gsize) G_MAXSSIZE + 1, &failure), ==, -1);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&failure);
  g_assert_cmpint (gtx_output_stream_write (ends->output, &byte, (gsize) G_MAXSSIZE + 1, &failure), ==, -1);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  return TRUE;
}

static gboolean
test_end (Ends *ends, GError **error)
{
  Read read = read_of (ends, 10);
  GtxTask *task;

  ends_put (ends, "bye");
  task = begin (read_all, &read);
  ends_finish (ends);
  assert_succeeds (task);
  g_assert_cmpmem (read.buffer, read.n, "bye", 3);
  for (int i = 0; i < 4; i++)
    assert_reads (ends->input, 5, "");
  return TRUE;
}

/* The data comes in two parts, the second of which comes later. */
static gboolean
test_read_all (Ends *ends, GError **error)
{
  Read read = read_of (ends, 6);
  GtxTask *task;

  ends_put (ends, "one");
  task = begin (read_all, &read);
  ends_put (ends, "two!");
  assert_succeeds (task);
  g_assert_cmpmem (read.buffer, read.n, "onetwo", 6);
  assert_reads (ends->input, is_buffered (ends) ? 1 : 5, "!");
  return TRUE;
}

static gboolean
test_read_bytes (Ends *ends, GError **error)
{
  g_autoptr (GBytes) some = NULL;
  g_autoptr (GBytes) none = NULL;

  ends_put (ends, "some");
  some = gtx_input_stream_read_bytes (ends->input, 64, error);
  g_assert_cmpmem (g_bytes_get_data (some, NULL), g_bytes_get_size (some), "some", 4);
  ends_finish (ends);
  none = gtx_input_stream_read_bytes (ends->input, 64, error);
  g_assert_cmpuint (g_bytes_get_size (none), ==, 0);
  return TRUE;
}

static gboolean
skip_some (Read *self, GError **error)
{
  gssize n = gtx_input_stream_skip (self->stream, self->count, error);

  self->n = MAX (n, 0);
  return n >= 0;
}

/* As with GIO's function, all bytes are skipped although they come in parts. */
static gboolean
test_skip (Ends *ends, GError **error)
{
  Read skip = read_of (ends, 4);
  GtxTask *task = gtx_create_task (skip_some, &skip, NULL);

  ends_put (ends, "0123456");
  assert_succeeds (task);
  g_assert_cmpuint (skip.n, ==, 4);
  assert_reads (ends->input, is_buffered (ends) ? 3 : 64, "456");
  ends_finish (ends);
  g_assert_cmpint (gtx_input_stream_skip (ends->input, 5, error), ==, 0);
  return TRUE;
}

/* ---- Cancelling ---- */

static gboolean
test_cancelled (Ends *ends, GError **error)
{
  Read read = read_of (ends, 3);
  GtxTask *task;

  for (int i = 0; i < 4; i++)
    {
      task = begin (read_some, &read);
      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_false (g_input_stream_has_pending (ends->input));
      ends_put (ends, "abc");
      assert_reads (ends->input, 64, "abc");
    }
  return TRUE;
}

/* Data that comes at the moment of the request is read, or stays in the stream. */
static gboolean
test_cancelled_as_it_comes (Ends *ends, GError **error)
{
  for (int i = 0; i < 20; i++)
    {
      Read read = read_of (ends, 3);
      GtxTask *task = begin (read_some, &read);

      ends_put (ends, "abc");
      /* A thread may have the data by now. */
      if (i % 2 == 1)
        g_thread_yield ();
      gtx_cancel (task);
      gtx_await (task, NULL);
      if (read.n == 0)
        assert_reads (ends->input, 64, "abc");
      else
        g_assert_cmpmem (read.buffer, read.n, "abc", 3);
      g_object_unref (task);
    }
  return TRUE;
}

static gboolean
cancel_and_read (Read *self, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return read_some (self, error);
}

static gboolean
test_cancelled_before (Ends *ends, GError **error)
{
  Read read = read_of (ends, 3);

  ends_put (ends, "abc");
  for (int i = 0; i < 4; i++)
    assert_fails (gtx_create_task (cancel_and_read, &read, NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_reads (ends->input, 64, "abc");
  return TRUE;
}

/* The function returns the bytes that came before the request. */
static gboolean
test_read_all_cancelled (Ends *ends, GError **error)
{
  Read read = read_of (ends, 6);
  GtxTask *task;

  ends_put (ends, "one");
  if (ends->kind == ENDS_ARE_BUFFERED_CONVERTED)
    assert_reads (ends->input, 3, "one");
  task = begin (read_all, &read);
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (ends->kind != ENDS_ARE_BUFFERED_CONVERTED)
    g_assert_cmpmem (read.buffer, read.n, "one", 3);
  ends_put (ends, "two");
  assert_reads (ends->input, 64, "two");
  return TRUE;
}

/* ---- Pending, closed ---- */

static gboolean
test_pending (Ends *ends, GError **error)
{
  Read first = read_of (ends, 3);
  Read second = read_of (ends, 3);
  GtxTask *task = begin (read_some, &first);
  g_autoptr (GError) failure = NULL;

  for (int i = 0; i < 3; i++)
    assert_fails (gtx_create_task (read_some, &second, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  assert_fails (gtx_create_task (skip_some, &second, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_false (gtx_input_stream_close (ends->input, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_false (g_input_stream_is_closed (ends->input));
  ends_put (ends, "abc");
  assert_succeeds (task);
  g_assert_cmpmem (first.buffer, first.n, "abc", 3);
  return TRUE;
}

static gboolean
test_closed (Ends *ends, GError **error)
{
  Read read = read_of (ends, 3);

  ends_put (ends, "abc");
  g_assert_true (gtx_input_stream_close (ends->input, error));
  g_assert_true (gtx_input_stream_close (ends->input, error));
  assert_fails (gtx_create_task (read_some, &read, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (read_all, &read, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (skip_some, &read, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (gtx_input_stream_read (ends->input, NULL, 0, error), ==, 0);
  return TRUE;
}

/* ---- Outside of a task ---- */

static void
assert_not_in_task (GError **error)
{
  g_assert_error (*error, GTX_ERROR, GTX_ERROR_NOT_IN_TASK);
  g_clear_error (error);
}

static void
test_outside (void)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_DATA);
  GBufferedInputStream *buffered = G_BUFFERED_INPUT_STREAM (ends->input);
  GDataInputStream *data = G_DATA_INPUT_STREAM (ends->input);
  g_autoptr (Ends) sockets = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  GOutputVector vector = { "x", 1 };
  GError *error = NULL;
  gsize n = 7;
  char byte;

  ends_put (ends, "abc\n");
  g_assert_cmpint (gtx_input_stream_read (ends->input, &byte, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_false (gtx_input_stream_read_all (ends->input, &byte, 1, &n, &error));
  assert_not_in_task (&error);
  g_assert_cmpuint (n, ==, 0);
  g_assert_null (gtx_input_stream_read_bytes (ends->input, 1, &error));
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_input_stream_skip (ends->input, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_buffered_input_stream_fill (buffered, -1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_null (gtx_data_input_stream_read_line (data, NULL, &error));
  assert_not_in_task (&error);
  g_assert_null (gtx_data_input_stream_read_upto (data, "c", -1, NULL, &error));
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_output_stream_write (ends->output, "x", 1, &error), ==, -1);
  assert_not_in_task (&error);
  n = 7;
  g_assert_false (gtx_output_stream_write_all (ends->output, "x", 1, &n, &error));
  assert_not_in_task (&error);
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpint (gtx_output_stream_write_bytes (ends->output, bytes, &error), ==, -1);
  assert_not_in_task (&error);
  n = 7;
  g_assert_false (gtx_output_stream_writev_all (ends->output, &vector, 1, &n, &error));
  assert_not_in_task (&error);
  g_assert_cmpuint (n, ==, 0);
  g_assert_false (gtx_output_stream_flush (ends->output, &error));
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_output_stream_splice (ends->output, ends->input, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, &error),
                   ==, -1);
  assert_not_in_task (&error);
  g_assert_false (gtx_input_stream_close (ends->input, &error));
  assert_not_in_task (&error);
  g_assert_false (gtx_output_stream_close (ends->output, &error));
  assert_not_in_task (&error);
  g_assert_false (gtx_io_stream_close (sockets->connections[0], &error));
  assert_not_in_task (&error);
  g_assert_false (g_input_stream_is_closed (ends->input) || g_output_stream_is_closed (ends->output));
  g_assert_cmpuint (ends_drain (ends), ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("read", test_read);
  add_cases ("short-buffers", test_short_buffers);
  add_cases ("nothing-asked", test_nothing_asked);
  add_cases ("too-much-asked", test_too_much_asked);
  add_cases ("end", test_end);
  add_cases ("read-all", test_read_all);
  add_cases ("read-bytes", test_read_bytes);
  add_cases ("skip", test_skip);
  add_cases ("cancelled", test_cancelled);
  add_cases ("cancelled/as-it-comes", test_cancelled_as_it_comes);
  add_cases ("cancelled/before", test_cancelled_before);
  add_cases ("cancelled/read-all", test_read_all_cancelled);
  add_cases ("pending", test_pending);
  add_cases ("closed", test_closed);
  g_test_add_func ("/streams/outside", test_outside);
  return g_test_run ();
}
