/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* asyncio: start_server(), serve_forever()
 *
 * Sends back what its clients send, to thousands of them at once. */

#include "program.h"

#define CHUNK 16384

typedef struct
{
  guint n_clients;
  guint n_open;
  guint most_open;
  guint64 n_bytes;
} Server;

static int port;
static int max_clients = 4096;

/* ---- One client ---- */

/* Until the client closes its side. */
static gboolean
echo (Server *server, GIOStream *stream, char *buffer, GError **error)
{
  for (;;)
    {
      gssize n = gtx_input_stream_read (g_io_stream_get_input_stream (stream), buffer, CHUNK, error);

      if (n <= 0)
        return n == 0;
      if (!gtx_output_stream_write_all (g_io_stream_get_output_stream (stream), buffer, (gsize) n, NULL, error))
        return FALSE;
      server->n_bytes += (gsize) n;
    }
}

static gboolean
serve (Server *server, GSocketConnection *connection, GError **error)
{
  g_autofree char *buffer = g_malloc (CHUNK); /* not on the stack, which is small */
  gboolean ended_well;

  server->n_clients++;
  server->n_open++;
  server->most_open = MAX (server->most_open, server->n_open);
  ended_well = echo (server, G_IO_STREAM (connection), buffer, error);
  server->n_open--;
  return ended_well;
}

/* ---- The server ---- */

static gboolean
run_server (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  Server server = { 0 };

  if (!program_allow_open_files ((guint) max_clients, error) || !program_listen (listener, port, max_clients, error))
    return FALSE;

  gtx_serve (listener, (guint) max_clients, serve, &server, error);
  g_print ("%u clients, at most %u at once; %" G_GUINT64_FORMAT " bytes\n",
           server.n_clients, server.most_open, server.n_bytes);
  return FALSE;
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
