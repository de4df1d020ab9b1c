/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that do less than the caller requests, and tasks that do not complete their work. */

#include "stream-limited.h"

#include <signal.h>

/* ---- Lines ---- */

static gboolean
read_line (GDataInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (stream, NULL, error);

  if (line)
    note (line);
  return line != NULL;
}

/* A derived class that adds nothing. */
typedef GDataInputStream OwnLines;
typedef GDataInputStreamClass OwnLinesClass;

static GType own_lines_get_type (void);
G_DEFINE_TYPE (OwnLines, own_lines, G_TYPE_DATA_INPUT_STREAM)

static void
own_lines_class_init (OwnLinesClass *class)
{
}

static void
own_lines_init (OwnLines *self)
{
}

/* The task is cancelled after some turns of the main loop.  It has read the line by then, or leaves
 * the line to others. */
static void
assert_line_is_kept (GType type, EndsKind kind, gboolean waits, int n_turns)
{
  g_autoptr (Ends) ends = ends_new (kind);
  g_autoptr (GDataInputStream) stream = g_object_new (type, "base-stream", ends->input, NULL);
  g_autoptr (GtxTask) task = NULL;
  g_autoptr (GtxTask) second = NULL;
  g_autoptr (GError) failure = NULL;

  if (waits)
    task = begin (read_line, stream);
  ends_put (ends, "first\n");
  if (!waits)
    task = gtx_create_task (read_line, stream, NULL);
  for (int i = 0; i < n_turns; i++)
    g_assert_true (gtx_sleep (0, NULL));
  gtx_cancel (task);
  if (!gtx_await (task, &failure))
    {
      assert_cancelled (failure);
      second = gtx_create_task (read_line, stream, NULL);
      g_assert_true (gtx_wait_for (second, 5, NULL));
    }
  ends_put (ends, "second\n");
  g_assert_true (read_line (stream, NULL));
  assert_trace ("first second");
}

static gboolean
test_fill_cancelled (gpointer data, GError **error)
{
  const GType types[] = { G_TYPE_DATA_INPUT_STREAM, own_lines_get_type () };
  static const EndsKind kinds[] = { ENDS_ARE_CONVERTED, ENDS_ARE_SOCKETS };

  for (int i = 0; i < 4; i++)
    for (int n_turns = 0; n_turns < 6; n_turns++)
      {
        assert_line_is_kept (types[i % 2], kinds[i / 2], FALSE, n_turns);
        assert_line_is_kept (types[i % 2], kinds[i / 2], TRUE, n_turns);
      }
  return TRUE;
}

/* ---- A converter at its end ---- */

#define N_BEHIND 100

/* No converter takes the bytes behind the end of the compressed data. */
static gsize
compress_hello (char *to, gsize size)
{
  g_autoptr (GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1));
  gsize n_read, n;

  g_assert_cmpint (g_converter_convert (compressor, "hello", 5, to, size - N_BEHIND, G_CONVERTER_INPUT_AT_END,
                                        &n_read, &n, NULL), ==, G_CONVERTER_FINISHED);
  memset (to + n, 0, N_BEHIND);
  return n;
}

static void
assert_takes_nothing_more (GOutputStream *base)
{
  g_autoptr (GConverter) decompressor = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (base, decompressor);
  g_autoptr (GError) failure = NULL;
  char compressed[1000];
  gsize n = compress_hello (compressed, sizeof compressed);
  gsize n_written = 0;

  g_assert_false (gtx_output_stream_write_all (stream, compressed, n + N_BEHIND, &n_written, &failure));
  g_assert_nonnull (failure);
  g_assert_cmpuint (n_written, <, n + N_BEHIND);
  g_assert_false (g_output_stream_has_pending (stream));
}

static gboolean
test_takes_nothing_memory (gpointer data, GError **error)
{
  g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();

  assert_takes_nothing_more (base);
  return TRUE;
}

static gboolean
test_takes_nothing_file (gpointer data, GError **error)
{
  g_autoptr (GFileIOStream) opened = NULL;
  g_autoptr (GFile) file = g_file_new_tmp (NULL, &opened, error);

  g_assert_nonnull (file);
  assert_takes_nothing_more (g_io_stream_get_output_stream (G_IO_STREAM (opened)));
  return g_file_delete (file, NULL, error);
}

static gboolean
test_takes_nothing_socket (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);

  assert_takes_nothing_more (ends->output);
  return TRUE;
}

/* ---- A converter on a pipe ---- */

#define N_BYTES 300000

/* A compressor cannot make random bytes shorter. */
static char *
random_bytes_new (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  char *bytes = g_malloc (N_BYTES);

  for (gsize i = 0; i < N_BYTES; i++)
    bytes[i] = (char) g_rand_int (rand);
  return bytes;
}

static gboolean
compress_to (GOutputStream *base, GError **error)
{
  g_autoptr (GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW, 1));
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (base, compressor);
  g_autofree char *bytes = random_bytes_new ();

  return gtx_output_stream_write_all (stream, bytes, N_BYTES, NULL, error) && gtx_output_stream_close (stream, error);
}

static GBytes *
read_to_end (GInputStream *stream)
{
  GByteArray *all = g_byte_array_new ();
  guint8 block[4096];
  gssize n;

  while ((n = gtx_input_stream_read (stream, block, sizeof block, NULL)) > 0)
    g_byte_array_append (all, block, (guint) n);
  g_assert_cmpint (n, ==, 0);
  return g_byte_array_free_to_bytes (all);
}

static void
assert_is_compressed (GBytes *compressed)
{
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_bytes (compressed);
  g_autoptr (GConverter) decompressor = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW));
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (base, decompressor);
  g_autofree char *expected = random_bytes_new ();
  g_autofree char *bytes = g_malloc (N_BYTES + 1);
  gsize n;

  g_assert_true (g_input_stream_read_all (stream, bytes, N_BYTES + 1, &n, NULL, NULL));
  g_assert_cmpmem (bytes, n, expected, N_BYTES);
}

static gboolean
test_converter_on_pipe (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_PIPES);
  g_autoptr (GBytes) compressed = NULL;
  GtxTask *task = gtx_create_task (compress_to, ends->output, NULL);

  for (int i = 0; i < 20; i++)
    g_assert_true (gtx_sleep (0.005, error));
  g_assert_false (gtx_future_is_done (task));
  compressed = read_to_end (ends->input);
  assert_succeeds (task);
  assert_is_compressed (compressed);
  return TRUE;
}

static gboolean
write_to_nobody (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_PIPES);

  g_assert_true (g_input_stream_close (ends->input, NULL, error));
  assert_fails (gtx_create_task (compress_to, ends->output, NULL), G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  return TRUE;
}

/* The test needs a process in which no other code ignores the signal. */
static void
test_converter_on_closed_pipe (void)
{
  if (g_test_subprocess ())
    {
      static const GtxCoroutine coroutine = write_to_nobody;

      signal (SIGPIPE, SIG_DFL);
      run_limited (&coroutine);
      return;
    }
  g_test_trap_subprocess (NULL, SECONDS * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

/* ---- Threads ---- */

#define N_MANY 40

static guint
count_threads (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;

  while (tasks && g_dir_read_name (tasks))
    n++;
  return n;
}

static gboolean
load_file (gpointer data, GError **error)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "streams-found.c", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree char *text = NULL;

  return gtx_file_load_contents (file, &text, NULL, NULL, error);
}

static gboolean
skip_two (GInputStream *stream, GError **error)
{
  return gtx_input_stream_skip (stream, 2, error) == 2;
}

/* Tasks that wait for sockets do not use threads, which other calls need. */
static gboolean
test_skip_many (gpointer data, GError **error)
{
  Ends *all[N_MANY];
  GtxTask *tasks[N_MANY];
  guint n_threads;

  g_assert_true (load_file (NULL, error));
  n_threads = count_threads ();
  for (int i = 0; i < N_MANY; i++)
    {
      g_autoptr (GInputStream) stream = NULL;

      all[i] = ends_new (ENDS_ARE_SOCKETS);
      stream = G_INPUT_STREAM (g_data_input_stream_new (all[i]->input));
      tasks[i] = gtx_create_task (skip_two, g_steal_pointer (&stream), g_object_unref);
    }
  let_loop_rest ();
  g_assert_cmpuint (count_threads (), <=, n_threads + 4);
  assert_succeeds (gtx_create_task (load_file, NULL, NULL));
  for (int i = 0; i < N_MANY; i++)
    {
      g_assert_false (gtx_future_is_done (tasks[i]));
      ends_put (all[i], "xy");
      assert_succeeds (tasks[i]);
      ends_free (all[i]);
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_limited ("/streams-found/fill-cancelled-keeps", test_fill_cancelled);
  add_limited ("/streams-found/takes-nothing-memory", test_takes_nothing_memory);
  add_limited ("/streams-found/takes-nothing-file", test_takes_nothing_file);
  add_limited ("/streams-found/takes-nothing-socket", test_takes_nothing_socket);
  add_limited ("/streams-found/converter-on-pipe", test_converter_on_pipe);
  g_test_add_func ("/streams-found/converter-on-closed-pipe", test_converter_on_closed_pipe);
  add_limited ("/streams-found/skip-many", test_skip_many);
  return g_test_run ();
}
