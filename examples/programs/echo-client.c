/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: open_connection(), TaskGroup, create_task()
 *
 * Opens a thousand connections to an echo server, holds them all open, sends
 * messages through each at the same time and compares what comes back. */

#include "program.h"

typedef struct
{
  GSocketClient *client;
  GSocketConnectable *server;
  GPtrArray *connections;       /* of GSocketConnection, that are open */
  guint n_failed;
  guint64 n_bytes;              /* that came back as they were sent */
} Run;

static int n_connections = 1000;
static int n_messages = 10;
static int message_size = 64;

/* Only the first failure is printed, not a thousand of the same.  A child that fails
 * would end its group, so only a cancellation is passed on. */
static gboolean
note_failure (Run *run, GError *failure, GError **error)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (run->n_failed++ == 0)
    g_printerr ("echo-client: %s\n", failure->message);
  g_error_free (failure);
  return TRUE;
}

/* ---- First, all are opened ---- */

static gboolean
open_one (Run *run, GError **error)
{
  GError *failure = NULL;
  GSocketConnection *connection;

  connection = gtx_socket_client_connect (run->client, run->server, &failure);
  if (connection == NULL)
    return note_failure (run, failure, error);
  g_ptr_array_add (run->connections, connection);
  return TRUE;
}

static gboolean
open_all (Run *run, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (int i = 0; i < n_connections && failure == NULL; i++)
    gtx_task_group_create_task (&group, open_one, run, NULL, &failure);
  return gtx_task_group_end (&group, &failure, error);
}

/* ---- Then messages go through all of them ---- */

typedef struct
{
  Run *run;
  GIOStream *stream;
  guint32 seed;                 /* of the messages through this connection */
} Talk;

/* No two messages are the same, of one connection or of two. */
static void
fill (char *message, const Talk *talk, int number)
{
  guint32 x = talk->seed * 2654435761u + (guint32) number * 40503u + 1;

  for (int i = 0; i < message_size; i++)
    {
      x ^= x << 13;
      x ^= x >> 17;
      x ^= x << 5;
      message[i] = (char) x;
    }
}

static gboolean
send_messages (Talk *talk, GError **error)
{
  GOutputStream *output = g_io_stream_get_output_stream (talk->stream);
  g_autofree char *message = g_malloc ((gsize) message_size);

  for (int number = 0; number < n_messages; number++)
    {
      fill (message, talk, number);
      if (!gtx_output_stream_write_all (output, message, (gsize) message_size, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
compare_message (const char *expected, const char *received, gsize length, GError **error)
{
  if (length == (gsize) message_size && memcmp (expected, received, length) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               length < (gsize) message_size ? "The server closed the connection before its time"
                                             : "What came back is not what was sent");
  return FALSE;
}

static gboolean
receive_messages (Talk *talk, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (talk->stream);
  g_autofree char *expected = g_malloc ((gsize) message_size);
  g_autofree char *received = g_malloc ((gsize) message_size);

  for (int number = 0; number < n_messages; number++)
    {
      gsize length;

      fill (expected, talk, number);
      if (!gtx_input_stream_read_all (input, received, (gsize) message_size, &length, error) ||
          !compare_message (expected, received, length, error))
        return FALSE;
      talk->run->n_bytes += length;
    }
  return TRUE;
}

/* Sending and receiving are two tasks: a server that sends back at once stops reading
 * from a client that does not read. */
static gboolean
talk_through_one (Talk *talk, GError **error)
{
  g_autoptr (GtxTask) sender = gtx_create_task (send_messages, talk, NULL);
  GError *failure = NULL;

  if (!receive_messages (talk, &failure))
    gtx_cancel (sender);
  gtx_await (sender, failure ? NULL : &failure);
  return failure == NULL || note_failure (talk->run, failure, error);
}

static gboolean
talk_through_all (Run *run, GError **error)
{
  g_autofree Talk *talks = g_new0 (Talk, run->connections->len);
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  for (guint i = 0; i < run->connections->len && failure == NULL; i++)
    {
      talks[i] = (Talk) { run, run->connections->pdata[i], i };
      gtx_task_group_create_task (&group, talk_through_one, &talks[i], NULL, &failure);
    }
  return gtx_task_group_end (&group, &failure, error);
}

/* ---- All of it ---- */

static gboolean
run_client (GSocketConnectable *server, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GPtrArray) connections = g_ptr_array_new_with_free_func (g_object_unref);
  Run run = { client, server, connections, 0, 0 };
  gint64 began = g_get_monotonic_time ();

  g_socket_client_set_enable_proxy (client, FALSE);
  if (!program_allow_open_files ((guint) n_connections, error) || !open_all (&run, error))
    return FALSE;
  g_print ("%u connections are open\n", connections->len);
  if (!talk_through_all (&run, error))
    return FALSE;

  g_print ("%" G_GUINT64_FORMAT " bytes came back in %.3f seconds; %u failures\n",
           run.n_bytes, (double) (g_get_monotonic_time () - began) / G_USEC_PER_SEC, run.n_failed);
  if (run.n_failed == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u of %d connections failed", run.n_failed, n_connections);
  return FALSE;
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "connections", 'c', 0, G_OPTION_ARG_INT, &n_connections, "Open N connections, 1000 by default", "N" },
    { "messages", 'm', 0, G_OPTION_ARG_INT, &n_messages, "Send N messages through each, 10 by default", "N" },
    { "size", 's', 0, G_OPTION_ARG_INT, &message_size, "Send messages of N bytes, 64 by default", "N" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "HOST PORT",
    .summary = "Holds many connections to an echo server open at once, and compares what comes back.",
    .options = options,
    .least = 2,
    .most = 2,
  };
  char **arguments = program_parse (&program, &argc, &argv);
  g_autoptr (GError) error = NULL;
  guint64 port;

  program_want_between ("--connections", n_connections, 1, 1000000);
  program_want_between ("--messages", n_messages, 0, G_MAXINT);
  program_want_between ("--size", message_size, 1, 65536);
  if (!g_ascii_string_to_unsigned (arguments[1], 10, 1, G_MAXUINT16, &port, &error))
    program_usage_error ("\"%s\" is no port: %s", arguments[1], error->message);
  gtx_set_default_stack_size (64 * 1024);
  return program_run (gtx_task_new (run_client, G_SOCKET_CONNECTABLE (g_network_address_new (arguments[0], (guint16) port)),
                                    g_object_unref));
}
