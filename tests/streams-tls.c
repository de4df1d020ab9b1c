/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encrypted streams, which wait for the stream below in both directions. */

#define _GNU_SOURCE

#include "stream-ends.h"

#include <sys/socket.h>

static GIOStream *server, *client;

static void
open_both (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "tls", "self-signed.pem", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_file (path, &error);
  g_autoptr (GTlsDatabase) trusted = g_tls_file_database_new (path, &error);
  g_autoptr (GSocketConnectable) identity = g_network_address_new ("gtask-ext-test", 443);
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);

  server = g_tls_server_connection_new (ends->connections[0], certificate, &error);
  g_assert_no_error (error);
  client = g_tls_client_connection_new (ends->connections[1], identity, &error);
  g_assert_no_error (error);
  g_tls_connection_set_database (G_TLS_CONNECTION (client), trusted);
}

static GInputStream *
input_of (GIOStream *connection)
{
  return g_io_stream_get_input_stream (connection);
}

static GOutputStream *
output_of (GIOStream *connection)
{
  return g_io_stream_get_output_stream (connection);
}

/* ---- Tasks ---- */

#define N_BYTES 400000

static gboolean
write_much (GIOStream *connection, GError **error)
{
  g_autofree char *bytes = g_malloc (N_BYTES);
  GOutputVector vectors[2] = { { bytes, N_BYTES / 2 }, { bytes + N_BYTES / 2, N_BYTES / 2 } };

  for (gsize i = 0; i < N_BYTES; i++)
    bytes[i] = (char) (i / 7);
  return gtx_output_stream_writev_all (output_of (connection), vectors, 2, NULL, error);
}

static gboolean
read_much (GIOStream *connection, GError **error)
{
  g_autofree char *bytes = g_malloc (N_BYTES);
  gsize n;

  if (!gtx_input_stream_read_all (input_of (connection), bytes, N_BYTES, &n, error))
    return FALSE;
  g_assert_cmpuint (n, ==, N_BYTES);
  for (gsize i = 0; i < N_BYTES; i++)
    g_assert_cmpint (bytes[i], ==, (char) (i / 7));
  return TRUE;
}

static gboolean
read_line (GIOStream *connection, GError **error)
{
  g_autoptr (GDataInputStream) stream = g_data_input_stream_new (input_of (connection));
  g_autofree char *line = NULL;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (stream), FALSE);
  line = gtx_data_input_stream_read_line (stream, NULL, error);
  if (line)
    note (line);
  return line != NULL;
}

static gboolean
write_line (GIOStream *connection, GError **error)
{
  return gtx_output_stream_write_all (output_of (connection), "hello\n", 6, NULL, error);
}

/* ---- Tests ---- */

/* Four tasks use both directions at the same time. */
static gboolean
test_talk (gpointer data, GError **error)
{
  GtxTask *tasks[] = {
    gtx_create_task (write_much, server, NULL), gtx_create_task (write_much, client, NULL),
    gtx_create_task (read_much, server, NULL), gtx_create_task (read_much, client, NULL),
  };

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    assert_succeeds (tasks[i]);
  return TRUE;
}

static gboolean
shake_hands (GError **error)
{
  GtxTask *task = gtx_create_task (read_line, server, NULL);

  g_assert_true (write_line (client, error));
  assert_succeeds (task);
  assert_trace ("hello");
  return TRUE;
}

static gboolean
test_cancelled (gpointer data, GError **error)
{
  GtxTask *task;

  shake_hands (error);
  for (int i = 0; i < 3; i++)
    {
      task = begin (read_line, server);
      assert_fails (gtx_create_task (read_much, server, NULL), G_IO_ERROR, G_IO_ERROR_PENDING);
      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_true (write_line (client, error));
      g_assert_true (read_line (server, error));
      assert_trace ("hello");
    }
  return TRUE;
}

static gboolean
test_closed (gpointer data, GError **error)
{
  char byte;

  shake_hands (error);
  g_assert_true (gtx_io_stream_close (client, error));
  g_assert_cmpint (gtx_input_stream_read (input_of (server), &byte, 1, error), ==, 0);
  /* The other end is gone, so the closing alert cannot be sent. */
  gtx_io_stream_close (server, NULL);
  g_assert_true (g_io_stream_is_closed (server));
  g_assert_cmpint (gtx_input_stream_read (input_of (server), &byte, 1, NULL), ==, -1);
  assert_fails (gtx_create_task (write_line, client, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

#define MESSAGE 100
#define PIECE 10

static gboolean
read_message (GIOStream *connection, GError **error)
{
  char bytes[MESSAGE];

  return gtx_input_stream_read (input_of (connection), bytes, MESSAGE, error) == MESSAGE;
}

static gboolean
read_piece (GIOStream *connection, GError **error)
{
  char bytes[PIECE];

  return gtx_input_stream_read (input_of (connection), bytes, PIECE, error) == PIECE;
}

static gboolean
write_message (GIOStream *connection, GError **error)
{
  char bytes[MESSAGE] = { 0 };

  return gtx_output_stream_write_all (output_of (connection), bytes, MESSAGE, NULL, error);
}

/* Decrypted data in the buffer is read even if earlier tries found nothing. */
static gboolean
test_read_left (gpointer data, GError **error)
{
  GtxTask *task;

  shake_hands (error);
  for (int i = 0; i < 6; i++)
    {
      task = begin (read_message, server);
      g_assert_true (write_message (client, error));
      assert_succeeds (task);
    }
  task = begin (read_piece, server);
  g_assert_true (write_message (client, error));
  assert_succeeds (task);
  for (int i = 1; i < MESSAGE / PIECE; i++)
    {
      task = gtx_create_task (read_piece, server, NULL);
      g_assert_true (gtx_wait_for (task, 5, error));
      g_object_unref (task);
    }
  return TRUE;
}

static gboolean
read_next_line (GDataInputStream *stream, GError **error)
{
  g_autofree char *line = gtx_data_input_stream_read_line (stream, NULL, error);

  if (line)
    note (line);
  return line != NULL;
}

static GtxTask *
begin_to_read (GDataInputStream *stream, int n_turns)
{
  GtxTask *task = gtx_create_task (read_next_line, stream, NULL);

  for (int i = 0; i < n_turns; i++)
    g_assert_true (gtx_sleep (0, NULL));
  return task;
}

/* The task is cancelled after some turns of the main loop.  It has read the line by then, or leaves
 * the line to others. */
static gboolean
test_fill_cancelled (gpointer data, GError **error)
{
  g_autoptr (GDataInputStream) stream = g_data_input_stream_new (input_of (server));

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (stream), FALSE);
  shake_hands (error);
  for (int n_turns = 0; n_turns < 6; n_turns++)
    {
      g_autoptr (GtxTask) task = NULL;
      g_autoptr (GtxTask) second = NULL;
      g_autoptr (GError) failure = NULL;

      g_assert_true (write_line (client, error));
      task = begin_to_read (stream, n_turns);
      gtx_cancel (task);
      if (!gtx_await (task, &failure))
        {
          assert_cancelled (failure);
          second = begin_to_read (stream, 0);
          g_assert_true (gtx_wait_for (second, 5, error));
        }
      assert_trace ("hello");
    }
  return TRUE;
}

static void
run_case (gconstpointer coroutine)
{
  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_test_skip ("glib-networking is not there");
      return;
    }
  open_both ();
  run_with (gtx_run_named, *(const GtxCoroutine *) coroutine, NULL);
  g_clear_object (&server);
  g_clear_object (&client);
}

#define add_case(path, coroutine)                                              \
  add_run_ ((path), (coroutine), run_case)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_case ("/streams-tls/talk", test_talk);
  add_case ("/streams-tls/cancelled", test_cancelled);
  add_case ("/streams-tls/closed", test_closed);
  add_case ("/streams-tls/read-left", test_read_left);
  add_case ("/streams-tls/fill-cancelled-keeps", test_fill_cancelled);
  return g_test_run ();
}
