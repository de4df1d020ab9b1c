/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams are closed in threads, while others use them, and by tasks that are cancelled. */

#include "stream-limited.h"

#include <glib/gstdio.h>
#include <sys/ioctl.h>

/* ---- Copies that are cancelled ---- */

#define OLD_TEXT "the whole old text"

typedef struct
{
  GFile *file;
  GInputStream *source;
} Replacement;

static gboolean
replace_by_all (Replacement *self, GError **error)
{
  g_autoptr (GFileOutputStream) target = gtx_file_replace (self->file, NULL, FALSE, G_FILE_CREATE_NONE, error);

  return target && gtx_output_stream_splice (G_OUTPUT_STREAM (target), self->source,
                                             G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE |
                                             G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, error) >= 0;
}

static void
await_drained (Ends *ends)
{
  int n = 1;

  while (n > 0)
    {
      g_assert_true (gtx_sleep (0.001, NULL));
      g_assert_cmpint (ioctl (ends_get_fd (ends, FALSE), FIONREAD, &n), ==, 0);
    }
}

static gboolean
test_splice_cancelled (gpointer data, GError **error)
{
  g_autofree char *directory = g_dir_make_tmp (NULL, error);
  g_autofree char *path = g_build_filename (directory, "file", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_PIPES);
  g_autofree char *text = NULL;
  Replacement replacement = { file, ends->input };
  GtxTask *task;

  g_assert_true (g_file_set_contents (path, OLD_TEXT, -1, error));
  ends_put (ends, "a part");
  task = gtx_create_task (replace_by_all, &replacement, NULL);
  await_drained (ends);
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_input_stream_is_closed (ends->input));
  g_assert_true (g_file_get_contents (path, &text, NULL, error));
  g_assert_cmpstr (text, ==, OLD_TEXT);
  g_unlink (path);
  /* The bytes that were written so far are not left in another file. */
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  return TRUE;
}

/* ---- Closed while a thread writes ---- */

static gboolean
write_it (GOutputStream *stream, GError **error)
{
  return gtx_output_stream_write (stream, "x", 1, error) == 1;
}

static gboolean
close_it (GOutputStream *stream, GError **error)
{
  return gtx_output_stream_close (stream, error);
}

/* During this time the main loop does not see what threads have done. */
static gboolean
hold_loop (gpointer data, GError **error)
{
  g_usleep (100000);
  return TRUE;
}

static gboolean
test_close_pending (gpointer data, GError **error)
{
  g_autoptr (GFileIOStream) opened = NULL;
  g_autoptr (GFile) file = g_file_new_tmp (NULL, &opened, error);
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (opened));
  GtxTask *writes = gtx_create_task (write_it, stream, NULL);
  GtxTask *first = gtx_create_task (hold_loop, NULL, NULL);
  GtxTask *closes = gtx_create_task (close_it, stream, NULL);
  GtxTask *second = gtx_create_task (hold_loop, NULL, NULL);

  assert_succeeds (writes);
  assert_fails (closes, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_assert_false (g_output_stream_is_closed (stream));
  g_assert_true (write_it (stream, error));
  g_assert_true (close_it (stream, error));
  assert_succeeds (first);
  assert_succeeds (second);
  return g_file_delete (file, NULL, error);
}

/* ---- Closing in a thread ---- */

/* These streams have only functions that block. */
typedef struct
{
  GFilterOutputStream parent_instance;
} BlockingOutput;
typedef GFilterOutputStreamClass BlockingOutputClass;

typedef struct
{
  GFilterInputStream parent_instance;
} BlockingInput;
typedef GFilterInputStreamClass BlockingInputClass;

static GType blocking_output_get_type (void);
static GType blocking_input_get_type (void);
G_DEFINE_TYPE (BlockingOutput, blocking_output, G_TYPE_FILTER_OUTPUT_STREAM)
G_DEFINE_TYPE (BlockingInput, blocking_input, G_TYPE_FILTER_INPUT_STREAM)

static GThread *thread_of_loop;
static gint n_closed_in_loop, n_closed_in_thread;

/* Held by a test that wants a close not to end yet. */
static GMutex closing;

static gboolean
note_close (void)
{
  g_mutex_lock (&closing);
  g_mutex_unlock (&closing);
  g_atomic_int_inc (g_thread_self () == thread_of_loop ? &n_closed_in_loop : &n_closed_in_thread);
  return TRUE;
}

static gboolean
blocking_output_close (GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  return note_close ();
}

static gboolean
blocking_input_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  return note_close ();
}

static void
blocking_output_class_init (BlockingOutputClass *class)
{
  G_OUTPUT_STREAM_CLASS (class)->close_fn = blocking_output_close;
}

static void
blocking_input_class_init (BlockingInputClass *class)
{
  G_INPUT_STREAM_CLASS (class)->close_fn = blocking_input_close;
}

static void
blocking_output_init (BlockingOutput *self)
{
}

static void
blocking_input_init (BlockingInput *self)
{
}

static GOutputStream *
blocking_output_new (void)
{
  g_autoptr (GOutputStream) base = g_memory_output_stream_new_resizable ();

  return g_object_new (blocking_output_get_type (), "base-stream", base, NULL);
}

static GInputStream *
blocking_input_new (void)
{
  g_autoptr (GInputStream) base = g_memory_input_stream_new ();

  return g_object_new (blocking_input_get_type (), "base-stream", base, NULL);
}

static void
begin_counting_closes (void)
{
  thread_of_loop = g_thread_self ();
  n_closed_in_loop = n_closed_in_thread = 0;
}

static gboolean
close_input (GInputStream *stream, GError **error)
{
  return gtx_input_stream_close (stream, error);
}

static gboolean
read_it (GInputStream *stream, GError **error)
{
  char byte;

  return gtx_input_stream_read (stream, &byte, 1, error) >= 0;
}

/* Whether somebody else had the stream meanwhile; closed by him it may be. */
static gboolean
is_pending (GtxTask *task)
{
  g_autoptr (GError) failure = NULL;
  gboolean succeeded = gtx_await (task, &failure);
  gboolean pending = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PENDING);

  if (!succeeded && !pending)
    g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_object_unref (task);
  return pending;
}

/* Who comes first has it: mostly the first, which on a slow machine may let the second go ahead. */
static guint
assert_first_closes (gpointer stream, GtxCoroutine closes, GtxCoroutine second)
{
  GtxTask *first = gtx_create_task (closes, stream, NULL);
  GtxTask *other = gtx_create_task (second, stream, NULL);
  gboolean first_pending = is_pending (first);
  gboolean other_pending = is_pending (other);

  g_assert_false (first_pending && other_pending);
  g_assert_true (closes (stream, NULL));
  assert_fails (gtx_create_task (second == closes ? (GtxCoroutine) write_it : second, stream, NULL),
                G_IO_ERROR, G_IO_ERROR_CLOSED);
  return other_pending;
}

static gboolean
test_close_first (gpointer data, GError **error)
{
  guint n_pending = 0;

  for (int i = 0; i < 20; i++)
    {
      g_autoptr (GFileIOStream) opened = NULL;
      g_autoptr (GFile) file = g_file_new_tmp (NULL, &opened, error);
      g_autoptr (GInputStream) input = G_INPUT_STREAM (gtx_file_read (file, error));
      g_autoptr (GOutputStream) output = G_OUTPUT_STREAM (gtx_file_append_to (file, 0, error));
      g_autoptr (GOutputStream) buffer = g_buffered_output_stream_new (output);

      n_pending += assert_first_closes (input, (GtxCoroutine) close_input, (GtxCoroutine) read_it);
      n_pending += assert_first_closes (buffer, (GtxCoroutine) close_it, (GtxCoroutine) write_it);
      n_pending += assert_first_closes (g_io_stream_get_output_stream (G_IO_STREAM (opened)),
                                        (GtxCoroutine) close_it, (GtxCoroutine) close_it);
      g_assert_true (g_file_delete (file, NULL, error));
    }
  /* Where the main loop has turned between the two, which a slow machine may make it, the first
   * may have closed the stream before. */
  g_assert_cmpuint (n_pending, >, 20);
  return TRUE;
}

static gboolean
test_close_once (gpointer data, GError **error)
{
  g_autoptr (GInputStream) input = blocking_input_new ();
  g_autoptr (GPtrArray) tasks = g_ptr_array_new ();
  GtxTask *refused;

  begin_counting_closes ();
  g_mutex_lock (&closing);
  g_ptr_array_add (tasks, gtx_create_task (close_input, input, NULL));
  g_ptr_array_add (tasks, gtx_create_task (close_input, input, NULL));
  g_assert_true (gtx_wait (tasks, GTX_FIRST_COMPLETED, GTX_FOREVER, error));
  refused = tasks->pdata[gtx_future_is_done (tasks->pdata[1])];
  g_ptr_array_remove (tasks, refused);
  assert_fails (refused, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_mutex_unlock (&closing);
  assert_succeeds (tasks->pdata[0]);
  g_assert_cmpint (n_closed_in_thread, ==, 1);
  g_assert_cmpint (n_closed_in_loop, ==, 0);
  return TRUE;
}

static gboolean
copy_to_blocking (GInputStream *source, GError **error)
{
  g_autoptr (GOutputStream) target = blocking_output_new ();

  return gtx_output_stream_splice (target, source, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, error) >= 0;
}

static gboolean
close_input_cancelled (GInputStream *stream, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_input_stream_close (stream, error);
}

static gboolean
close_cancelled (GOutputStream *stream, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return gtx_output_stream_close (stream, error);
}

/* The main loop does not wait for a stream that a cancelled task closes. */
static gboolean
test_close_cancelled (gpointer data, GError **error)
{
  g_autoptr (GInputStream) input = blocking_input_new ();
  g_autoptr (GOutputStream) output = blocking_output_new ();
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);
  GtxTask *task = begin (copy_to_blocking, ends->input);

  begin_counting_closes ();
  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_fails (gtx_create_task (close_input_cancelled, input, NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_fails (gtx_create_task (close_cancelled, output, NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_input_stream_is_closed (input));
  g_assert_true (g_output_stream_is_closed (output));
  g_assert_cmpint (n_closed_in_thread, ==, 3);
  g_assert_cmpint (n_closed_in_loop, ==, 0);
  return TRUE;
}

typedef struct
{
  GOutputStream *stream;
  gboolean succeeded;
} Closing;

static gboolean
close_and_note (Closing *self, GError **error)
{
  return self->succeeded = gtx_output_stream_close (self->stream, error);
}

/* The outcome of closing a file that was to be replaced is true, whenever a request comes. */
static gboolean
test_close_cancelled_tells (gpointer data, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "gtask-ext-close-XXXXXX", NULL);
  g_autoptr (GFile) file = NULL;

  g_assert_cmpint (g_close (g_mkstemp (path), NULL), ==, TRUE);
  file = g_file_new_for_path (path);
  for (int i = 0; i < 200; i++)
    {
      g_autofree char *text = NULL;
      g_autoptr (GOutputStream) stream = NULL;
      Closing closing = { NULL, FALSE };
      g_autoptr (GtxTask) task = NULL;

      g_assert_true (g_file_set_contents (path, OLD_TEXT, -1, error));
      closing.stream = stream = G_OUTPUT_STREAM (gtx_file_replace (file, NULL, FALSE, 0, error));
      g_assert_true (gtx_output_stream_write_all (stream, "new", 3, NULL, error));
      task = gtx_create_task (close_and_note, &closing, NULL);
      if (i > 0)
        g_assert_true (gtx_sleep (0, error));
      g_usleep (i);
      gtx_cancel (task);
      gtx_await (task, NULL);
      g_assert_true (g_file_get_contents (path, &text, NULL, error));
      g_assert_cmpstr (text, ==, closing.succeeded ? "new" : OLD_TEXT);
    }
  g_unlink (path);
  return TRUE;
}

/* ---- Closing that waits for the other side ---- */

static gboolean
close_connection (GIOStream *connection, GError **error)
{
  return gtx_io_stream_close (connection, error);
}

/* The reading task is told in the main loop's next turns, and not when it polls again. */
static gboolean
test_close_graceful (gpointer data, GError **error)
{
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_TCP);
  GtxTask *reads, *closes;

  g_tcp_connection_set_graceful_disconnect (G_TCP_CONNECTION (ends->connections[0]), TRUE);
  reads = begin (read_it, ends->input);
  closes = begin (close_connection, ends->connections[0]);
  gtx_cancel (closes);
  assert_fails (closes, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  let_loop_rest ();
  g_assert_true (gtx_future_is_done (reads));
  assert_fails (reads, G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_limited ("/streams-closing/splice-cancelled-keeps-file", test_splice_cancelled);
  add_limited ("/streams-closing/pending", test_close_pending);
  add_limited ("/streams-closing/first", test_close_first);
  add_limited ("/streams-closing/once", test_close_once);
  add_limited ("/streams-closing/cancelled", test_close_cancelled);
  add_limited ("/streams-closing/cancelled-tells", test_close_cancelled_tells);
  add_limited ("/streams-closing/graceful", test_close_graceful);
  return g_test_run ();
}
