/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams of each kind, read and written by tasks. */

#include "stream-ends.h"


/* ---- Cases ---- */

typedef gboolean (*EndsFunc) (Ends *ends, GError **error);

typedef struct
{
  EndsFunc func;
  EndsKind kind;
} Case;

static void
run_case (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (Ends) ends = ends_new (self->kind);

  run_with (gtx_test_run_named, (GtxCoroutine) self->func, ends);
}

static void
add_case (const char *name, EndsFunc func, EndsKind kind)
{
  g_autofree char *path = g_strdup_printf ("/streams/%s/%s", ends_names[kind], name);
  Case *self = g_new (Case, 1);

  *self = (Case) { func, kind };
  g_test_add_data_func_full (path, self, run_case, g_free);
}

static void
add_cases (const char *name, EndsFunc func)
{
  for (guint i = 0; i < N_KINDS; i++)
    add_case (name, func, (EndsKind) i);
}

/* ---- Tasks ---- */

typedef struct
{
  GInputStream *stream;
  char buffer[64];
  gsize count;
  gsize n;
} Read;

static gboolean
read_some (Read *self, GError **error)
{
  gssize n = gtx_input_stream_read (self->stream, self->buffer, self->count, error);

  self->n = MAX (n, 0);
  return n >= 0;
}

static gboolean
read_all (Read *self, GError **error)
{
  return gtx_input_stream_read_all (self->stream, self->buffer, self->count, &self->n, error);
}

static Read
read_of (Ends *ends, gsize count)
{
  return (Read) { .stream = ends->input, .count = count };
}

static void
assert_reads (GInputStream *stream, gsize count, const char *expected)
{
  g_autoptr (GError) error = NULL;
  char buffer[64];
  gssize n = gtx_input_stream_read (stream, buffer, count, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (buffer, n, expected, strlen (expected));
}

/* GIO's buffers wait until there is as much as is asked for, as a rule. */
static gboolean
is_buffered (Ends *ends)
{
  return G_IS_BUFFERED_INPUT_STREAM (ends->input);
}

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

/* Nothing is there, and nothing is waited for. */
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

/* In two parts, of which the second comes later. */
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

/* All of it, as GIO's does, though it comes in parts. */
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

/* What comes in the same moment is read, or stays: nothing is lost. */
static gboolean
test_cancelled_as_it_comes (Ends *ends, GError **error)
{
  for (int i = 0; i < 20; i++)
    {
      Read read = read_of (ends, 3);
      GtxTask *task = begin (read_some, &read);

      ends_put (ends, "abc");
      /* A thread may have it by now, or not. */
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

/* So much as came is told of. */
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

static gboolean
write_some (Ends *ends, GError **error)
{
  return gtx_output_stream_write (ends->output, "x", 1, error) == 1;
}

static gboolean
write_vectors (Ends *ends, GError **error)
{
  GOutputVector vectors[] = { { "a", 1 }, { "b", 1 } };

  return gtx_output_stream_writev_all (ends->output, vectors, 2, NULL, error);
}

static gboolean
flush (Ends *ends, GError **error)
{
  return gtx_output_stream_flush (ends->output, error);
}

static gboolean
test_output_closed (Ends *ends, GError **error)
{
  g_assert_true (gtx_output_stream_close (ends->output, error));
  g_assert_no_error (*error);
  g_assert_true (gtx_output_stream_close (ends->output, error));
  assert_fails (gtx_create_task (write_some, ends, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (write_vectors, ends, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (flush, ends, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_assert_cmpint (gtx_output_stream_write (ends->output, NULL, 0, error), ==, 0);
  return TRUE;
}

/* ---- Writing ---- */

static gboolean
test_write (Ends *ends, GError **error)
{
  GOutputVector vectors[] = { { "", 0 }, { "two", 3 }, { NULL, 0 }, { "three", 5 } };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("four", 4);
  gsize n;

  g_assert_cmpint (gtx_output_stream_write (ends->output, "one", 3, error), ==, 3);
  g_assert_true (gtx_output_stream_writev_all (ends->output, vectors, G_N_ELEMENTS (vectors), &n, error));
  g_assert_cmpuint (n, ==, 8);
  g_assert_cmpint (gtx_output_stream_write_bytes (ends->output, bytes, error), ==, 4);
  g_assert_true (gtx_output_stream_flush (ends->output, error));
  for (const char *left = "onetwothreefour"; *left != '\0'; left += 5)
    {
      char part[6];

      g_assert_true (gtx_input_stream_read_all (ends->input, part, 5, NULL, error));
      g_assert_cmpmem (part, 5, left, 5);
    }
  return TRUE;
}

#define N_MANY 1000000

static guint8
byte_at (gsize i)
{
  return (guint8) (i * 31 + i / 251);
}

/* Half of them with one call, the other half with another. */
static gboolean
write_many (Ends *ends, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (N_MANY);
  GOutputVector vectors[11];
  gsize n;

  for (gsize i = 0; i < N_MANY; i++)
    bytes[i] = byte_at (i);
  if (!gtx_output_stream_write_all (ends->output, bytes, N_MANY / 2, &n, error))
    return FALSE;
  g_assert_cmpuint (n, ==, N_MANY / 2);
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    vectors[i] = (GOutputVector) { bytes + N_MANY / 2 + i * (N_MANY / 22), i < 10 ? N_MANY / 22 : N_MANY / 2 - N_MANY / 22 * 10 };
  if (!gtx_output_stream_writev_all (ends->output, vectors, G_N_ELEMENTS (vectors), &n, error))
    return FALSE;
  g_assert_cmpuint (n, ==, N_MANY / 2);
  g_assert_true (gtx_output_stream_close (ends->output, error));
  return TRUE;
}

static gboolean
test_many (Ends *ends, GError **error)
{
  GtxTask *writer = gtx_create_task (write_many, ends, NULL);
  guint8 block[8000];
  gsize sum = 0;
  gssize n;

  while (sum < N_MANY && (n = gtx_input_stream_read (ends->input, block, MIN (1 + sum % sizeof block, N_MANY - sum),
                                                      error)) > 0)
    for (gssize i = 0; i < n; i++)
      g_assert_cmpuint (block[i], ==, byte_at (sum++));
  g_assert_cmpuint (sum, ==, N_MANY);
  assert_succeeds (writer);
  return TRUE;
}

/* What was written is on its way, and no other call makes it come. */
static gboolean
write_and_leave (Ends *ends, GError **error)
{
  g_autofree guint8 *bytes = g_malloc0 (N_MANY);

  return gtx_output_stream_write_all (ends->output, bytes, N_MANY, NULL, error);
}

static gboolean
test_arrives (Ends *ends, GError **error)
{
  GtxTask *writer = gtx_create_task (write_and_leave, ends, NULL);
  g_autofree guint8 *bytes = g_malloc (N_MANY);
  gsize n;

  g_assert_true (gtx_input_stream_read_all (ends->input, bytes, N_MANY, &n, error));
  g_assert_cmpuint (n, ==, N_MANY);
  assert_succeeds (writer);
  return TRUE;
}

/* What was cancelled has written nothing. */
static gboolean
test_write_cancelled (Ends *ends, GError **error)
{
  gsize n = ends_fill (ends);
  GtxTask *task = begin (write_some, ends);
  g_autoptr (GError) failure = NULL;

  assert_fails (gtx_create_task (write_some, ends, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  assert_fails (gtx_create_task (write_vectors, ends, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  assert_fails (gtx_create_task (flush, ends, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_false (gtx_output_stream_close (ends->output, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_PENDING);
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  task = begin (write_some, ends);
  g_assert_cmpuint (ends_drain (ends), ==, n);
  assert_succeeds (task);
  assert_reads (ends->input, 64, "x");
  return TRUE;
}

static gboolean
cancel_and_write (Ends *ends, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return write_some (ends, error);
}

static gboolean
cancel_and_write_vectors (Ends *ends, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return write_vectors (ends, error);
}

static gboolean
test_write_cancelled_before (Ends *ends, GError **error)
{
  assert_fails (gtx_create_task (cancel_and_write, ends, NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_fails (gtx_create_task (cancel_and_write_vectors, ends, NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (write_some (ends, error));
  g_assert_true (gtx_output_stream_flush (ends->output, error));
  assert_reads (ends->input, 64, "x");
  return TRUE;
}

/* Nobody reads any more: an error, and no signal. */
static gboolean
test_broken (Ends *ends, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean succeeded = TRUE;

  g_assert_true (gtx_input_stream_close (ends->input, error));
  if (ends->connections[0])
    g_assert_true (gtx_io_stream_close (ends->connections[0], error));
  for (int i = 0; succeeded && i < 1000; i++)
    {
      succeeded = gtx_output_stream_write_all (ends->output, "abc", 3, NULL, &failure) &&
                  gtx_output_stream_flush (ends->output, &failure);
      if (ends->kind == ENDS_ARE_TCP)
        g_usleep (1000);
    }
  g_assert_false (succeeded);
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  return TRUE;
}

/* ---- Copying ---- */

static gboolean
splice_there (Ends *ends, GError **error)
{
  g_autoptr (GInputStream) source = g_memory_input_stream_new_from_data ("all of it", 9, NULL);

  return gtx_output_stream_splice (ends->output, source, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE |
                                   G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, error) == 9;
}

static gboolean
test_splice (Ends *ends, GError **error)
{
  g_autoptr (GOutputStream) target = g_memory_output_stream_new_resizable ();
  GMemoryOutputStream *memory = G_MEMORY_OUTPUT_STREAM (target);
  GtxTask *writer = gtx_create_task (splice_there, ends, NULL);
  char text[10] = "";

  g_assert_true (gtx_input_stream_read_all (ends->input, text, 5, NULL, error));
  g_assert_cmpstr (text, ==, "all o");
  assert_succeeds (writer);
  g_assert_true (g_output_stream_is_closed (ends->output));
  ends_finish (ends);
  g_assert_cmpint (gtx_output_stream_splice (target, ends->input, G_OUTPUT_STREAM_SPLICE_NONE, error), ==, 4);
  g_assert_cmpmem (g_memory_output_stream_get_data (memory), g_memory_output_stream_get_data_size (memory),
                   "f it", 4);
  g_assert_false (g_output_stream_is_closed (target));
  g_assert_false (g_input_stream_is_closed (ends->input));
  return TRUE;
}

static gboolean
splice_here (Ends *ends, GError **error)
{
  g_autoptr (GOutputStream) target = g_memory_output_stream_new_resizable ();

  return gtx_output_stream_splice (target, ends->input, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, error) >= 0;
}

/* The source is closed all the same. */
static gboolean
test_splice_cancelled (Ends *ends, GError **error)
{
  GtxTask *task = begin (splice_here, ends);
  Read read = read_of (ends, 1);

  assert_fails (gtx_create_task (read_some, &read, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_input_stream_is_closed (ends->input));
  assert_fails (gtx_create_task (splice_here, ends, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
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
  add_cases ("output-closed", test_output_closed);
  add_cases ("write", test_write);
  add_cases ("many", test_many);
  add_cases ("arrives", test_arrives);
  /* Converters take what they can keep. */
  for (guint i = 0; i < N_KINDS; i++)
    if (i != ENDS_ARE_CONVERTED && i != ENDS_ARE_BUFFERED_CONVERTED)
      add_case ("write-cancelled", test_write_cancelled, (EndsKind) i);
  add_cases ("write-cancelled/before", test_write_cancelled_before);
  add_cases ("broken", test_broken);
  add_cases ("splice", test_splice);
  add_cases ("splice-cancelled", test_splice_cancelled);
  g_test_add_func ("/streams/outside", test_outside);
  return g_test_run ();
}
