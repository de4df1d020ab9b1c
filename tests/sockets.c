/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that wait for sockets: each function, and the wait of a task whose connection ends. */

#include "socket-ends.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* ---- Two ends ---- */

static gboolean
test_receive (gpointer data, GError **error)
{
  GtxTask *task = begin (receive, ends->sockets[0]);

  g_assert_cmpint (gtx_socket_send (ends->sockets[1], "x", 1, error), ==, 1);
  assert_succeeds (task);
  assert_trace ("x");
  ends_finish (ends);
  g_assert_true (receive (ends->sockets[0], error));
  assert_trace ("end");
  return TRUE;
}

/* The data stays for the next task. */
static gboolean
test_cancelled (gpointer data, GError **error)
{
  static const GtxCoroutine waits[] = { (GtxCoroutine) receive, (GtxCoroutine) wait_for_input };

  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      GtxTask *task = begin_named ("waits", waits[i], ends->sockets[0]);

      gtx_cancel (task);
      assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      ends_put (ends, "x");
      g_assert_true (receive (ends->sockets[0], error));
      assert_trace ("x");
    }
  return TRUE;
}

static gboolean
cancel_and_receive (GSocket *socket, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return receive (socket, error);
}

static gboolean
cancel_and_send (GSocket *socket, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return send_it (socket, error);
}

static gboolean
test_cancelled_before (gpointer data, GError **error)
{
  ends_put (ends, "x");
  assert_fails (gtx_create_task (cancel_and_receive, ends->sockets[0], NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_fails (gtx_create_task (cancel_and_send, ends->sockets[1], NULL), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (receive (ends->sockets[0], error));
  g_assert_cmpuint (ends_drain (ends), ==, 0);
  return TRUE;
}

static gboolean
test_send_waits (gpointer data, GError **error)
{
  gsize n = ends_fill (ends);
  GtxTask *task = begin (send_it, ends->sockets[1]);

  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  task = begin (send_it, ends->sockets[1]);
  g_assert_cmpuint (ends_drain (ends), ==, n);
  assert_succeeds (task);
  g_assert_true (receive (ends->sockets[0], error));
  assert_trace ("x");
  return TRUE;
}

/* Each of the two reads what the other writes, and both write at the same time. */
static gboolean
talk (GIOStream *connection, GError **error)
{
  char byte = 'x';

  for (int i = 0; i < 200; i++)
    {
      if (gtx_output_stream_write (g_io_stream_get_output_stream (connection), &byte, 1, error) != 1 ||
          gtx_input_stream_read (g_io_stream_get_input_stream (connection), &byte, 1, error) != 1)
        return FALSE;
    }
  return TRUE;
}

static gboolean
test_both_directions (gpointer data, GError **error)
{
  GtxTask *reader = begin (receive, ends->sockets[0]);
  GtxTask *writer;
  gsize n;

  /* The writer uses the same socket, which has no room. */
  int fd = g_socket_get_fd (ends->sockets[0]);
  char block[4096] = { 0 };

  for (n = 0; send (fd, block, sizeof block, MSG_DONTWAIT) > 0; n++)
    ;
  writer = begin (send_it, ends->sockets[0]);
  ends_put (ends, "x");
  assert_succeeds (reader);
  assert_trace ("x");
  g_assert_false (gtx_future_is_done (writer));
  while (recv (g_socket_get_fd (ends->sockets[1]), block, sizeof block, MSG_DONTWAIT) > 0)
    ;
  assert_succeeds (writer);
  g_assert_true (receive (ends->sockets[1], error));
  writer = gtx_create_task (talk, ends->connections[0], NULL);
  g_assert_true (talk (ends->connections[1], error));
  assert_succeeds (writer);
  return TRUE;
}

static gboolean
test_nonblocking (gpointer data, GError **error)
{
  GSocket *socket = ends->sockets[0];
  GtxTask *task;

  g_socket_set_blocking (socket, FALSE);
  g_socket_set_blocking (ends->sockets[1], FALSE);
  assert_fails (gtx_create_task (receive, socket, NULL), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  ends_fill (ends);
  assert_fails (gtx_create_task (send_it, ends->sockets[1], NULL), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  /* As with GIO's sockets, a stream on top of a non-blocking socket waits all the same. */
  ends_drain (ends);
  task = begin (read_it, ends->input);
  ends_put (ends, "x");
  assert_succeeds (task);
  assert_trace ("x");
  return TRUE;
}

/* ---- Cut off ---- */

static gboolean
test_half_closed (gpointer data, GError **error)
{
  GtxTask *task = begin (read_it, ends->input);
  GIOStream *other = ends->connections[1];
  char byte;

  g_assert_true (g_socket_shutdown (ends->sockets[1], FALSE, TRUE, error));
  assert_succeeds (task);
  assert_trace ("end");
  /* The other direction still works. */
  task = begin (read_it, g_io_stream_get_input_stream (other));
  g_assert_cmpint (gtx_output_stream_write (g_io_stream_get_output_stream (ends->connections[0]), "x", 1, error), ==, 1);
  assert_succeeds (task);
  assert_trace ("x");
  g_assert_cmpint (gtx_output_stream_write (ends->output, "x", 1, NULL), ==, -1);
  g_assert_cmpint (gtx_input_stream_read (ends->input, &byte, 1, error), ==, 0);
  return TRUE;
}

/* This side of the socket is shut. */
static gboolean
test_shut_while_awaited (gpointer data, GError **error)
{
  GtxTask *task = begin (read_it, ends->input);

  g_assert_true (g_socket_shutdown (ends->sockets[0], TRUE, FALSE, error));
  assert_succeeds (task);
  assert_trace ("end");
  return TRUE;
}

static void
reset (Ends *self)
{
  struct linger at_once = { 1, 0 };

  g_assert_cmpint (setsockopt (g_socket_get_fd (self->sockets[1]), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
  g_assert_true (g_socket_close (self->sockets[1], NULL));
}

static gboolean
test_reset (gpointer data, GError **error)
{
  g_autoptr (Ends) tcp = ends_new (ENDS_ARE_TCP);
  GtxTask *reader = begin (read_it, tcp->input);
  GtxTask *writer = begin (fill_and_send, tcp->sockets[0]);
  g_autoptr (GError) failure = NULL;

  reset (tcp);
  /* The task that runs first gets the reason. */
  g_assert_false (gtx_await (writer, &failure));
  g_assert_true (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED));
  gtx_await (reader, NULL);
  g_assert_true (gtx_future_is_done (reader));
  g_object_unref (reader);
  g_object_unref (writer);
  return TRUE;
}

static gboolean
test_out_of_band (gpointer data, GError **error)
{
  g_autoptr (Ends) tcp = ends_new (ENDS_ARE_TCP);
  int fd = g_socket_get_fd (tcp->sockets[1]);
  GtxTask *task = begin (read_it, tcp->input);
  char byte = 0;

  g_assert_cmpint (send (fd, "!", 1, MSG_OOB), ==, 1);
  g_assert_true (gtx_socket_condition_wait (tcp->sockets[0], G_IO_PRI, error));
  g_assert_false (gtx_future_is_done (task));
  g_assert_cmpint (recv (g_socket_get_fd (tcp->sockets[0]), &byte, 1, MSG_OOB), ==, 1);
  g_assert_cmpint (byte, ==, '!');
  ends_put (tcp, "x");
  assert_succeeds (task);
  assert_trace ("x");
  return TRUE;
}

/* ---- Time limits ---- */

static gboolean
test_time_limit (gpointer data, GError **error)
{
  static const GtxCoroutine waits[] = { (GtxCoroutine) receive, (GtxCoroutine) wait_for_input };
  gint64 began = g_get_monotonic_time ();
  GtxTask *tasks[3];

  g_socket_set_timeout (ends->sockets[0], 1);
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    tasks[i] = begin_named ("waits", waits[i], ends->sockets[0]);
  tasks[2] = begin (read_it, ends->input);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    assert_fails (tasks[i], G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 990 * 1000);
  /* The socket works after the time-out. */
  ends_put (ends, "x");
  g_assert_true (read_it (ends->input, error));
  assert_trace ("x");
  return TRUE;
}

/* ---- Datagrams ---- */

static GSocket *
datagrams_new (GSocketAddress **address)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  *address = g_socket_get_local_address (socket, NULL);
  return socket;
}

static guint16
port_of (GSocketAddress *address)
{
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

static gboolean
receive_from_anybody (GSocket *socket, GError **error)
{
  g_autoptr (GSocketAddress) from = NULL;
  char buffer[16];
  gssize n = gtx_socket_receive_from (socket, &from, buffer, sizeof buffer, error);

  return n >= 0 && gtx_socket_send_to (socket, from, buffer, n, error) == n;
}

static gboolean
test_datagrams (gpointer data, GError **error)
{
  g_autoptr (GSocketAddress) to = NULL;
  g_autoptr (GSocketAddress) other = NULL;
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GSocket) a = datagrams_new (&to);
  g_autoptr (GSocket) b = datagrams_new (&other);
  GtxTask *task = begin (receive_from_anybody, a);
  char buffer[16];

  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  task = begin (receive_from_anybody, a);
  g_assert_cmpint (gtx_socket_send_to (b, to, "hello", 5, error), ==, 5);
  g_assert_cmpint (gtx_socket_receive_from (b, &from, buffer, sizeof buffer, error), ==, 5);
  g_assert_cmpuint (port_of (from), ==, port_of (to));
  assert_succeeds (task);
  /* A message that is too long is cut off, and an empty message does not end the connection. */
  g_assert_cmpint (gtx_socket_send_to (b, to, "hello", 5, error), ==, 5);
  g_assert_cmpint (gtx_socket_send_to (b, to, "", 0, error), ==, 0);
  g_assert_cmpint (gtx_socket_receive_from (a, NULL, buffer, 2, error), ==, 2);
  g_assert_cmpint (gtx_socket_receive_from (a, NULL, buffer, 2, error), ==, 0);
  g_socket_close (a, NULL);
  assert_fails (gtx_create_task (receive_from_anybody, a, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

/* ---- Connections ---- */

static GSocket *
listening_new (GSocketAddress **address)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  g_assert_true (g_socket_bind (socket, any, FALSE, NULL));
  g_assert_true (g_socket_listen (socket, NULL));
  *address = g_socket_get_local_address (socket, NULL);
  return socket;
}

static gboolean
accept_one (GSocket *socket, GError **error)
{
  g_autoptr (GSocket) accepted = gtx_socket_accept (socket, error);

  if (accepted == NULL)
    return FALSE;
  g_assert_true (g_socket_is_connected (accepted));
  g_assert_true (g_socket_get_blocking (accepted));
  g_assert_cmpint (g_socket_get_protocol (accepted), ==, g_socket_get_protocol (socket));
  g_assert_cmpint (fcntl (g_socket_get_fd (accepted), F_GETFD), ==, FD_CLOEXEC);
  return TRUE;
}

static GSocket *
stream_socket_new (void)
{
  return g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
}

static gboolean
test_accept (gpointer data, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) listening = listening_new (&address);
  g_autoptr (GSocket) socket = stream_socket_new ();
  GtxTask *task = begin (accept_one, listening);

  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  task = begin (accept_one, listening);
  g_assert_true (gtx_socket_connect (socket, address, error));
  g_assert_true (g_socket_is_connected (socket) && g_socket_get_blocking (socket));
  assert_succeeds (task);
  g_socket_set_blocking (listening, FALSE);
  assert_fails (gtx_create_task (accept_one, listening, NULL), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
  g_socket_set_blocking (listening, TRUE);
  task = begin (accept_one, listening);
  g_socket_close (listening, NULL);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CLOSED);
  assert_fails (gtx_create_task (accept_one, listening, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

static gboolean
test_refused (gpointer data, GError **error)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) listening = listening_new (&address);
  g_autoptr (GSocket) socket = stream_socket_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) failure = NULL;

  g_socket_close (listening, NULL);
  g_assert_false (gtx_socket_connect (socket, address, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  g_assert_true (g_socket_get_blocking (socket));
  g_clear_error (&failure);
  g_assert_null (gtx_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
  g_clear_error (&failure);
  g_socket_close (socket, NULL);
  g_assert_false (gtx_socket_connect (socket, address, &failure));
  g_assert_error (failure, G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

static guint n_accepted;

static gboolean
accept_by_listener (GSocketListener *listener, GError **error)
{
  GObject *source = NULL;
  g_autoptr (GSocketConnection) connection = gtx_socket_listener_accept (listener, &source, error);

  if (connection == NULL)
    return FALSE;
  g_assert_true (source == G_OBJECT (ends->connections[0]));
  n_accepted++;
  return TRUE;
}

static gboolean
test_listener (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, G_OBJECT (ends->connections[0]), error);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GSocketConnectable) where = g_network_address_new ("127.0.0.1", port);
  GtxTask *task = begin (accept_by_listener, listener);

  gtx_cancel (task);
  assert_fails (task, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  task = begin (accept_by_listener, listener);
  connection = gtx_socket_client_connect (client, where, error);
  g_assert_nonnull (connection);
  assert_succeeds (task);
  g_socket_listener_close (listener);
  assert_fails (gtx_create_task (accept_by_listener, listener, NULL), G_IO_ERROR, G_IO_ERROR_CLOSED);
  return TRUE;
}

/* ---- A client that has connected before ---- */

static gboolean
cancel_before (GSocketListener *listener, GError **error)
{
  gtx_cancel (gtx_current_task ());
  return accept_by_listener (listener, error);
}

static gboolean
time_out_at_once (GSocketListener *listener, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 0);
  accept_by_listener (listener, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

static gboolean
time_out_late (GSocketListener *listener, GError **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_timeout_begin (&timeout, 0.001);
  g_usleep (3000);
  accept_by_listener (listener, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* The client is accepted, or stays for the next task that accepts. */
static gboolean
test_listener_keeps_client (gpointer data, GError **error)
{
  static const GtxCoroutine ways[] = {
    (GtxCoroutine) cancel_before, (GtxCoroutine) time_out_at_once, (GtxCoroutine) time_out_late
  };

  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (GSocketListener) listener = g_socket_listener_new ();
      guint16 port = g_socket_listener_add_any_inet_port (listener, G_OBJECT (ends->connections[0]), error);
      g_autoptr (GSocketClient) client = g_socket_client_new ();
      g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (client, "127.0.0.1", port,
                                                                                  NULL, error);
      g_autoptr (GtxTask) first = gtx_create_task (ways[i], (gpointer) listener, NULL);

      g_assert_nonnull (connection);
      n_accepted = 0;
      gtx_await (first, NULL);
      if (n_accepted == 0)
        assert_succeeds (gtx_create_task (accept_by_listener, listener, NULL));
    }
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
  g_autoptr (Ends) pair = ends_new (ENDS_ARE_SOCKETS);
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) listening = listening_new (&address);
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) from = NULL;
  GError *error = NULL;
  char byte = 0;

  ends_put (pair, "x");
  g_assert_cmpint (gtx_socket_receive (pair->sockets[0], &byte, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_socket_receive_from (pair->sockets[0], &from, &byte, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_socket_send (pair->sockets[0], &byte, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_cmpint (gtx_socket_send_to (pair->sockets[0], NULL, &byte, 1, &error), ==, -1);
  assert_not_in_task (&error);
  g_assert_false (gtx_socket_condition_wait (pair->sockets[0], G_IO_IN, &error));
  assert_not_in_task (&error);
  g_assert_null (gtx_socket_accept (listening, &error));
  assert_not_in_task (&error);
  g_assert_false (gtx_socket_connect (pair->sockets[0], address, &error));
  assert_not_in_task (&error);
  g_assert_null (gtx_socket_listener_accept (listener, NULL, &error));
  assert_not_in_task (&error);
  g_assert_null (gtx_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), &error));
  assert_not_in_task (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_case ("/sockets/receive", test_receive);
  add_case ("/sockets/cancelled", test_cancelled);
  add_case ("/sockets/cancelled/before", test_cancelled_before);
  add_case ("/sockets/send-waits", test_send_waits);
  add_case ("/sockets/both-directions", test_both_directions);
  add_case ("/sockets/nonblocking", test_nonblocking);
  add_case ("/sockets/half-closed", test_half_closed);
  add_case ("/sockets/shut-while-awaited", test_shut_while_awaited);
  add_case ("/sockets/reset", test_reset);
  add_case ("/sockets/out-of-band", test_out_of_band);
  add_case ("/sockets/time-limit", test_time_limit);
  add_case ("/sockets/datagrams", test_datagrams);
  add_case ("/sockets/accept", test_accept);
  add_case ("/sockets/refused", test_refused);
  add_case ("/sockets/listener", test_listener);
  add_case ("/sockets/listener/keeps-client", test_listener_keeps_client);
  g_test_add_func ("/sockets/outside", test_outside);
  return g_test_run ();
}
