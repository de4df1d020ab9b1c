/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gtx_serve() */

#include "fixture.h"

#include <sys/resource.h>

typedef struct
{
  GSocketListener *listener;
  guint16 port;
  guint limit;
  GtxServeFunc serve;
  guint n_begun;
  guint n_ended;
  guint n_cleaned_up;
  guint most_at_once;
} Server;

static void
server_open (Server *self)
{
  self->listener = g_socket_listener_new ();
  g_socket_listener_set_backlog (self->listener, 128);
  self->port = g_socket_listener_add_any_inet_port (self->listener, NULL, NULL);
  g_assert_cmpuint (self->port, >, 0);
}

static gboolean
run_server (Server *self, GError **error)
{
  return gtx_serve (self->listener, self->limit, self->serve, self, error);
}

static GSocketConnection *
try_to_connect (Server *self, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, self->port);

  g_socket_client_set_enable_proxy (client, FALSE);
  return gtx_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), error);
}

static GSocketConnection *
connect_to (Server *self)
{
  GError *error = NULL;
  GSocketConnection *connection = try_to_connect (self, &error);

  g_assert_no_error (error);
  return connection;
}

static gssize
ask (GSocketConnection *connection, const char *question, char *answer, gsize size)
{
  GError *error = NULL;
  gssize n;

  g_assert_true (gtx_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), question,
                                              strlen (question), NULL, &error));
  g_assert_no_error (error);
  n = gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), answer, size, &error);
  g_assert_no_error (error);
  return n;
}

/* Sends each byte back until the client closes its side. */
static gboolean
echo (Server *self, GSocketConnection *connection, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  char buffer[64];
  gssize n;

  self->n_begun++;
  self->most_at_once = MAX (self->most_at_once, self->n_begun - self->n_ended);
  while ((n = gtx_input_stream_read (input, buffer, sizeof buffer, error)) > 0 &&
         gtx_output_stream_write_all (output, buffer, (gsize) n, NULL, error))
    ;
  self->n_ended++;
  return n == 0;
}

static void
server_end (Server *self, GtxTask *task)
{
  GError *error = NULL;

  gtx_cancel (task);
  g_assert_false (gtx_await (task, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (error);
  g_object_unref (task);
  g_object_unref (self->listener);
}

static gboolean
test_many (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) echo };
  GSocketConnection *connections[20];
  char answer[64];
  GtxTask *task;

  server_open (&server);
  task = gtx_create_task (run_server, &server, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    connections[i] = connect_to (&server);
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    g_assert_cmpint (ask (connections[i], "hello", answer, sizeof answer), ==, 5);
  g_assert_cmpuint (server.most_at_once, ==, G_N_ELEMENTS (connections));
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    {
      g_assert_true (gtx_io_stream_close (G_IO_STREAM (connections[i]), NULL));
      g_object_unref (connections[i]);
    }
  server_end (&server, task);
  g_assert_cmpuint (server.n_ended, ==, server.n_begun);
  return TRUE;
}

/* ---- A limit ---- */

static void
wait_until_begun (Server *server, guint n)
{
  while (server->n_begun < n)
    g_assert_true (gtx_sleep (0, NULL));
}

/* A client beyond the limit is connected by the system, and served when another has
 * gone. */
static gboolean
test_limited (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) echo, .limit = 3 };
  GSocketConnection *connections[8];
  char answer[64];
  GtxTask *task;

  server_open (&server);
  task = gtx_create_task (run_server, &server, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    connections[i] = connect_to (&server);
  wait_until_begun (&server, 3);
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    {
      g_assert_cmpint (ask (connections[i], "hello", answer, sizeof answer), ==, 5);
      g_assert_true (gtx_io_stream_close (G_IO_STREAM (connections[i]), error));
      g_object_unref (connections[i]);
      wait_until_begun (&server, MIN (i + 4, G_N_ELEMENTS (connections)));
    }
  g_assert_cmpuint (server.most_at_once, ==, 3);
  server_end (&server, task);
  return TRUE;
}

/* ---- The end ---- */

/* The handler says goodbye when it is cancelled. */
static gboolean
say_goodbye (Server *self, GSocketConnection *connection, GError **error)
{
  char c;

  self->n_begun++;
  gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), &c, 1, error);
  g_assert_true (gtx_sleep (0, NULL));
  /* No client can connect any more. */
  g_assert_null (try_to_connect (self, NULL));
  g_assert_true (gtx_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), "goodbye", 7,
                                              NULL, NULL));
  self->n_cleaned_up++;
  return FALSE;
}

static gboolean
test_ends_after_clean_up (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) say_goodbye };
  g_autoptr (GSocketConnection) connection = NULL;
  char answer[64];
  GtxTask *task;

  server_open (&server);
  task = gtx_create_task (run_server, &server, NULL);
  connection = connect_to (&server);
  wait_until_begun (&server, 1);
  server_end (&server, task);
  g_assert_cmpuint (server.n_cleaned_up, ==, 1);
  g_assert_cmpint (gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), answer,
                                          sizeof answer, error), ==, 7);
  g_assert_cmpint (gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), answer,
                                          sizeof answer, error), ==, 0);
  return TRUE;
}

static gboolean
test_closed_listener (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) echo };
  g_autoptr (GError) failure = NULL;

  server_open (&server);
  g_socket_listener_close (server.listener);
  g_assert_false (run_server (&server, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_object_unref (server.listener);
  return TRUE;
}

/* ---- Trouble ---- */

/* A failure ends only that client. */
static gboolean
fail_once (Server *self, GSocketConnection *connection, GError **error)
{
  self->n_begun++;
  if (self->n_begun > 1)
    return echo (self, connection, error);
  self->n_ended++;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "this one is bad");
  return FALSE;
}

static gboolean
test_failing_client (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) fail_once };
  g_autoptr (GSocketConnection) bad = NULL;
  g_autoptr (GSocketConnection) good = NULL;
  char answer[64];
  GtxTask *task;

  server_open (&server);
  task = gtx_create_task (run_server, &server, NULL);
  g_test_expect_message ("gtask-ext", G_LOG_LEVEL_WARNING, "*this one is bad*");
  bad = connect_to (&server);
  g_assert_cmpint (gtx_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (bad)), answer, 1, error), ==, 0);
  g_test_assert_expected_messages ();
  good = connect_to (&server);
  g_assert_cmpint (ask (good, "hello", answer, sizeof answer), ==, 5);
  server_end (&server, task);
  return TRUE;
}

static guint n_warnings;

static void
count_warning (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  n_warnings++;
}

/* Takes all descriptors that are left.  Returns their number. */
static guint
use_up_descriptors (GArray *taken)
{
  int fd;

  while ((fd = dup (0)) >= 0)
    g_array_append_val (taken, fd);
  return taken->len;
}

static void
give_back_descriptors (GArray *taken)
{
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_array_set_size (taken, 0);
}

/* A waiting client is accepted when there are descriptors again. */
static gboolean
test_no_descriptors (gpointer data, GError **error)
{
  Server server = { .serve = (GtxServeFunc) echo };
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GSocketConnection) first = NULL;
  g_autoptr (GSocket) second = NULL;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = NULL;
  struct rlimit old, few = { 256, 256 };
  char answer[64];
  GLogLevelFlags fatal;
  guint handler;
  GtxTask *task;

  if (RUNNING_ON_VALGRIND)
    {
      g_test_skip ("Valgrind accepts a connection for which there is no descriptor, and closes it");
      return TRUE;
    }
  getrlimit (RLIMIT_NOFILE, &old);
  few.rlim_max = old.rlim_max;
  setrlimit (RLIMIT_NOFILE, &few);
  server_open (&server);
  address = g_inet_socket_address_new (loopback, server.port);
  task = gtx_create_task (run_server, &server, NULL);
  first = connect_to (&server);
  g_assert_cmpint (ask (first, "hello", answer, sizeof answer), ==, 5);

  second = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  handler = g_log_set_handler ("gtask-ext", G_LOG_LEVEL_WARNING, count_warning, NULL);
  g_assert_cmpuint (use_up_descriptors (taken), >, 0);
  g_assert_true (gtx_socket_connect (second, address, error));
  while (n_warnings == 0)
    g_assert_true (gtx_sleep (0, error));
  g_assert_cmpuint (server.n_begun, ==, 1);

  /* The first client leaves, and its descriptor is free. */
  g_assert_true (gtx_io_stream_close (G_IO_STREAM (first), error));
  g_assert_cmpint (gtx_socket_send (second, "hello", 5, error), ==, 5);
  g_assert_cmpint (gtx_socket_receive (second, answer, sizeof answer, error), ==, 5);
  g_assert_cmpuint (server.n_begun, ==, 2);
  g_assert_cmpuint (n_warnings, ==, 1);
  g_log_remove_handler ("gtask-ext", handler);
  g_log_set_always_fatal (fatal);
  give_back_descriptors (taken);
  setrlimit (RLIMIT_NOFILE, &old);
  server_end (&server, task);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add_coroutine ("/serve/many", test_many);
  add_coroutine ("/serve/limit", test_limited);
  add_coroutine ("/serve/end/after-clean-up", test_ends_after_clean_up);
  add_coroutine ("/serve/end/closed", test_closed_listener);
  add_coroutine ("/serve/failing-client", test_failing_client);
  add_real_coroutine ("/serve/no-descriptors", test_no_descriptors);
  return g_test_run ();
}
