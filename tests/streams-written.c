/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams of each kind: tasks write to them, or copy them. */

#define CASES_PATH "/streams-written"

#include "stream-cases.h"

/* ---- Closed ---- */

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

/* Half of the bytes are written with one call, and the other half with another. */
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

/* The bytes arrive, although the task makes no other call. */
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

/* A cancelled write has written nothing. */
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

/* The other end is closed.  The write fails, and there is no signal. */
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

/* The source is closed even if the task is cancelled. */
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("output-closed", test_output_closed);
  add_cases ("write", test_write);
  add_cases ("many", test_many);
  add_cases ("arrives", test_arrives);
  /* Converters keep the bytes of a cancelled write if they have room. */
  for (guint i = 0; i < N_KINDS; i++)
    if (i != ENDS_ARE_CONVERTED && i != ENDS_ARE_BUFFERED_CONVERTED)
      add_case ("write-cancelled", test_write_cancelled, (EndsKind) i);
  add_cases ("write-cancelled/before", test_write_cancelled_before);
  add_cases ("broken", test_broken);
  add_cases ("splice", test_splice);
  add_cases ("splice-cancelled", test_splice_cancelled);
  return g_test_run ();
}
