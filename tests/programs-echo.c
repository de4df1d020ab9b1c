/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* examples/programs/echo-server.c and echo-client.c, against each other and against servers that
 * make mistakes. */

#include "spawn.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define SERVER "programs/echo-server"
#define CLIENT "programs/echo-client"

static void
test_arguments (void)
{
  assert_helps (SERVER);
  assert_refuses (SERVER, "--port 65536", "--port is 65536, and has to be from 0 to 65535");
  assert_refuses (SERVER, "--max-clients 0", "--max-clients is 0, *");
  assert_refuses (SERVER, "--nonsense", "Unknown option --nonsense");
  assert_refuses (SERVER, "more", "does not know what to do with \"more\"");

  assert_helps (CLIENT);
  assert_refuses (CLIENT, "localhost", "wants HOST PORT");
  assert_refuses (CLIENT, "localhost 0", "\"0\" is no port: *");
  assert_refuses (CLIENT, "localhost http", "\"http\" is no port: *");
  assert_refuses (CLIENT, "--size 65537 localhost 7", "--size is 65537, *");
  assert_refuses (CLIENT, "--connections 0 localhost 7", "--connections is 0, *");
  assert_refuses (CLIENT, "--messages many localhost 7", "*many*");
}

static char *
get_port (Running *server)
{
  g_autofree char *line = get_line (server, "listening on 127.0.0.1:*");

  return g_strdup (strchr (line, ':') + 1);
}

/* ---- One against the other ---- */

/* Both programs begin with a limit of 256 files, and raise it. */
static void
test_thousand (void)
{
  const char *few_files = "ulimit -Sn 256 && exec \"$0\" \"$@\"";
  g_autofree char *server_path = find_program (SERVER);
  g_autofree char *client_path = find_program (CLIENT);
  g_autofree char *port = NULL;
  g_autoptr (Outcome) client_end = NULL;
  g_autoptr (Outcome) server_end = NULL;
  struct rlimit limit;
  Running *server;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < 1100)
    {
      g_test_skip ("A thousand connections are not allowed here");
      return;
    }
  server = start_program ("sh", "-c", few_files, server_path, "--max-clients", "1001", NULL);
  port = get_port (server);
  client_end = run_program (NULL, "sh", "-c", few_files, client_path, "127.0.0.1", port, NULL);
  assert_outcome (client_end, 0, "", "1000 connections are open\n640000 bytes came back in * seconds; 0 failures\n");
  server_end = end_program (server, SIGINT);
  assert_outcome (server_end, 130, "", "1000 clients, at most 1000 at once; 640000 bytes\n");
}

static void
test_too_many (void)
{
  g_autofree char *server = find_program (SERVER);
  g_autofree char *client = find_program (CLIENT);
  const char *few_files = "ulimit -n 100 && exec \"$0\" \"$@\"";
  g_autoptr (Outcome) server_end = run_program (NULL, "sh", "-c", few_files, server, NULL);
  g_autoptr (Outcome) client_end = run_program (NULL, "sh", "-c", few_files, client, "127.0.0.1", "7", NULL);

  assert_outcome (server_end, 1, "echo-server: This takes 4160 open files, and 100 are allowed: *\n", "");
  assert_outcome (client_end, 1, "echo-client: This takes 1064 open files, and 100 are allowed: *\n", "");
}

/* The messages are longer than the system's buffers for a connection. */
static void
test_long_messages (void)
{
  Running *server = start_program (SERVER, NULL);
  g_autofree char *port = get_port (server);
  g_autoptr (Outcome) client_end = NULL;
  g_autoptr (Outcome) server_end = NULL;

  client_end = run_program (NULL, CLIENT, "--connections", "3", "--messages", "200", "--size", "65536",
                            "127.0.0.1", port, NULL);
  assert_outcome (client_end, 0, "", "3 connections are open\n39321600 bytes came back in * seconds; 0 failures\n");
  server_end = end_program (server, SIGTERM);
  assert_outcome (server_end, 143, "", "3 clients, at most 3 at once; 39321600 bytes\n");
}

static GSocketConnection *
connect_to (const char *port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection =
    g_socket_client_connect_to_host (client, "127.0.0.1", (guint16) g_ascii_strtoull (port, NULL, 10), NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
send_byte (GSocketConnection *connection)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "x", 1, NULL, &error),
                   ==, 1);
  g_assert_no_error (error);
}

/* Returns how many bytes come back; 0 at the end. */
static gssize
receive_byte (GSocketConnection *connection)
{
  g_autoptr (GError) error = NULL;
  char byte;
  gssize n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &byte, 1, NULL, &error);

  g_assert_no_error (error);
  return n;
}

/* The third client is served when the first has gone. */
static void
test_max_clients (void)
{
  Running *server = start_program (SERVER, "--max-clients", "2", NULL);
  g_autofree char *port = get_port (server);
  GSocketConnection *clients[3];
  g_autoptr (Outcome) outcome = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      clients[i] = connect_to (port);
      send_byte (clients[i]);
      if (i < 2)
        g_assert_cmpint (receive_byte (clients[i]), ==, 1);
    }
  g_io_stream_close (G_IO_STREAM (clients[0]), NULL, NULL);
  g_assert_cmpint (receive_byte (clients[2]), ==, 1);

  outcome = end_program (server, SIGINT);
  assert_outcome (outcome, 130, "", "3 clients, at most 2 at once; 3 bytes\n");
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    g_object_unref (clients[i]);
}

static void
test_port_in_use (void)
{
  Running *server = start_program (SERVER, NULL);
  g_autofree char *port = get_port (server);
  g_autoptr (Outcome) second = run_program (NULL, SERVER, "--port", port, NULL);
  g_autoptr (Outcome) first = NULL;

  assert_outcome (second, 1, "echo-server: *in use\n", "");
  first = end_program (server, SIGINT);
  assert_outcome (first, 130, "", "0 clients, *");
}

/* ---- Servers that are wrong ---- */

static GSocketListener *
listen_to (char **port)
{
  GSocketListener *listener = g_socket_listener_new ();
  g_autoptr (GError) error = NULL;

  *port = g_strdup_printf ("%u", g_socket_listener_add_any_inet_port (listener, NULL, &error));
  g_assert_no_error (error);
  return listener;
}

/* Reads a message of 64 bytes, and answers with @text. */
static void
answer_with (GSocketListener *listener, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) client = g_socket_listener_accept (listener, NULL, NULL, &error);
  char message[64];

  g_assert_no_error (error);
  g_input_stream_read_all (g_io_stream_get_input_stream (G_IO_STREAM (client)), message, sizeof message, NULL, NULL,
                           &error);
  g_assert_no_error (error);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (client)), text, strlen (text), NULL, NULL,
                             &error);
  g_assert_no_error (error);
  g_io_stream_close (G_IO_STREAM (client), NULL, NULL);
}

static void
check_wrong_server (const char *text, const char *errors)
{
  g_autofree char *port = NULL;
  g_autoptr (GSocketListener) listener = listen_to (&port);
  Running *client = start_program (CLIENT, "--connections", "1", "--messages", "1", "127.0.0.1", port, NULL);
  g_autoptr (Outcome) outcome = NULL;

  answer_with (listener, text);
  outcome = end_program (client, 0);
  assert_outcome (outcome, 1, errors, "1 connections are open\n0 bytes came back in * seconds; 1 failures\n");
}

static void
test_wrong_servers (void)
{
  check_wrong_server ("0123456789012345678901234567890123456789012345678901234567890123",
                      "echo-client: What came back is not what was sent\necho-client: 1 of 1 connections failed\n");
  check_wrong_server ("", "echo-client: The server closed the connection before its time\n*");
}

static void
test_no_server (void)
{
  g_autofree char *port = NULL;
  g_autoptr (GSocketListener) listener = listen_to (&port);
  g_autoptr (Outcome) outcome = NULL;

  g_socket_listener_close (listener);
  outcome = run_program (NULL, CLIENT, "--connections", "20", "127.0.0.1", port, NULL);
  assert_outcome (outcome, 1, "echo-client: *refused\necho-client: 20 of 20 connections failed\n", "0 connections *");
}

/* No process accepts connections, so the server never answers. */
static void
test_client_interrupted (void)
{
  g_autofree char *port = NULL;
  g_autoptr (GSocketListener) listener = listen_to (&port);
  Running *client = start_program (CLIENT, "--connections", "5", "127.0.0.1", port, NULL);
  g_autoptr (Outcome) outcome = NULL;

  await_line (client, "5 connections are open");
  outcome = end_program (client, SIGINT);
  assert_outcome (outcome, 130, "", "");
  g_socket_listener_close (listener);
}

/* A client that stays connected is told that the server ends. */
static void
test_server_interrupted (void)
{
  Running *server = start_program (SERVER, NULL);
  g_autofree char *port = get_port (server);
  g_autoptr (GSocketConnection) client = connect_to (port);
  g_autoptr (Outcome) outcome = NULL;

  send_byte (client);
  g_assert_cmpint (receive_byte (client), ==, 1);
  outcome = end_program (server, SIGINT);
  assert_outcome (outcome, 130, "", "1 clients, at most 1 at once; 1 bytes\n");
  g_assert_cmpint (receive_byte (client), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/programs/echo/arguments", test_arguments);
  g_test_add_func ("/programs/echo/thousand", test_thousand);
  g_test_add_func ("/programs/echo/too-many", test_too_many);
  g_test_add_func ("/programs/echo/long-messages", test_long_messages);
  g_test_add_func ("/programs/echo/max-clients", test_max_clients);
  g_test_add_func ("/programs/echo/port-in-use", test_port_in_use);
  g_test_add_func ("/programs/echo/wrong-servers", test_wrong_servers);
  g_test_add_func ("/programs/echo/no-server", test_no_server);
  g_test_add_func ("/programs/echo/client-interrupted", test_client_interrupted);
  g_test_add_func ("/programs/echo/server-interrupted", test_server_interrupted);
  return g_test_run ();
}
