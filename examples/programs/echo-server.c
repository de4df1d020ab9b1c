/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: start_server(), TaskGroup
 *
 * Sends back what its clients send, to thousands of them at once: a task group
 * for the server, and a child for each connection. */

#include "program.h"

#define CHUNK 16384

typedef struct
{
  GSocketListener *listener;
  guint n_clients;
  guint n_open;
  guint most_open;
  guint64 n_bytes;
} Server;

static int port;
static int max_clients = 4096;

/* ---- One client ---- */

typedef struct
{
  Server *server;
  GSocketConnection *connection;
  char buffer[CHUNK];           /* not on the stack, which is small */
} Client;

static Client *
client_new (Server *server, GSocketConnection *connection)
{
  Client *client = g_new (Client, 1);

  client->server = server;
  client->connection = connection;
  return client;
}

static void
client_free (gpointer data)
{
  Client *client = data;

  g_object_unref (client->connection);
  g_free (client);
}

/* Until the client closes its side. */
static gboolean
echo (Client *client, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client->connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client->connection));

  for (;;)
    {
      gssize n;

      g_input_stream_read_async (input, client->buffer, CHUNK, G_PRIORITY_DEFAULT, GTX_ASYNC);
      n = g_input_stream_read_finish (input, gtx_await_result (), error);
      if (n <= 0)
        return n == 0;
      g_output_stream_write_all_async (output, client->buffer, (gsize) n, G_PRIORITY_DEFAULT, GTX_ASYNC);
      if (!g_output_stream_write_all_finish (output, gtx_await_result (), NULL, error))
        return FALSE;
      client->server->n_bytes += (gsize) n;
    }
}

static gboolean
count_and_echo (Client *client, GError **error)
{
  Server *server = client->server;
  gboolean ended_well;

  server->n_clients++;
  server->n_open++;
  server->most_open = MAX (server->most_open, server->n_open);
  ended_well = echo (client, error);
  server->n_open--;
  return ended_well;
}

/* A child that fails would end the group: a client that is lost is no reason. */
static gboolean
serve (Client *client, GError **error)
{
  GError *failure = NULL;

  if (count_and_echo (client, &failure))
    return TRUE;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_printerr ("echo-server: a client is lost: %s\n", failure->message);
  g_error_free (failure);
  return TRUE;
}

/* ---- The server ---- */

static GSocketConnection *
accept_client (GSocketListener *listener, GError **error)
{
  g_socket_listener_accept_async (listener, GTX_ASYNC);
  return g_socket_listener_accept_finish (listener, gtx_await_result (), NULL, error);
}

/* While there are as many clients as may be, one more waits for its child.
 * What keeps one client from being accepted may be over for the next. */
static gboolean
accept_clients (Server *server, GtxTaskGroup *group, GError **error)
{
  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      GSocketConnection *connection = accept_client (server->listener, &failure);

      if (connection)
        {
          if (!gtx_task_group_create_task (group, serve, client_new (server, connection), client_free, error))
            return FALSE;
        }
      else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      else
        {
          g_printerr ("echo-server: a client was not accepted: %s\n", failure->message);
          if (!gtx_sleep (1, error))
            return FALSE;
        }
    }
}

static gboolean
open_port (GSocketListener *listener, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, (guint16) port);
  g_autoptr (GSocketAddress) bound = NULL;

  g_socket_listener_set_backlog (listener, max_clients);
  if (!g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                      NULL, &bound, error))
    return FALSE;
  g_print ("listening on 127.0.0.1:%u\n", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  return TRUE;
}

static gboolean
run_server (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  Server server = { .listener = listener };
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  gboolean ended_well;

  if (!program_allow_open_files ((guint) max_clients, error) || !open_port (listener, error))
    return FALSE;

  gtx_task_group_begin (&group);
  gtx_task_group_set_limit (&group, (guint) max_clients);
  accept_clients (&server, &group, &failure);
  ended_well = gtx_task_group_end (&group, &failure, error);

  g_print ("%u clients, at most %u at once; %" G_GUINT64_FORMAT " bytes\n",
           server.n_clients, server.most_open, server.n_bytes);
  return ended_well;
}

int
main (int argc, char *argv[])
{
  static const GOptionEntry options[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &port, "Listen on port N; 0, the default, is any that is free", "N" },
    { "max-clients", 'm', 0, G_OPTION_ARG_INT, &max_clients,
      "Serve N clients at once, 4096 by default; more have to wait", "N" },
    G_OPTION_ENTRY_NULL
  };
  static const Program program = {
    .arguments = "",
    .summary = "Sends back what clients send, on the loopback interface, until it is interrupted.",
    .options = options,
  };

  program_parse (&program, &argc, &argv);
  program_want_between ("--port", port, 0, G_MAXUINT16);
  program_want_between ("--max-clients", max_clients, 1, 1000000);
  gtx_set_default_stack_size (64 * 1024);
  return program_run (gtx_task_new (run_server, NULL, NULL));
}
