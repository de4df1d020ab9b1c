/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of GIO, awaited without wrappers: streams, sockets, D-Bus. */

#include "fixture.h"

#include <sys/socket.h>

/* ---- Streams ---- */

static gboolean
test_streams (gpointer data, GError **error)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GInputStream) input = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  g_autofree char *line = NULL;
  gsize written;

  g_output_stream_write_all_async (memory, "one\ntwo\n", 8, G_PRIORITY_DEFAULT, GTX_ASYNC);
  g_assert_true (g_output_stream_write_all_finish (memory, gtx_await_result (), &written, error));
  g_assert_cmpuint (written, ==, 8);
  g_output_stream_close_async (memory, G_PRIORITY_DEFAULT, GTX_ASYNC);
  g_assert_true (g_output_stream_close_finish (memory, gtx_await_result (), error));

  bytes = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
  input = g_memory_input_stream_new_from_bytes (bytes);
  lines = g_data_input_stream_new (input);
  g_data_input_stream_read_line_async (lines, G_PRIORITY_DEFAULT, GTX_ASYNC);
  line = g_data_input_stream_read_line_finish (lines, gtx_await_result (), NULL, error);
  g_assert_cmpstr (line, ==, "one");
  return TRUE;
}

/* ---- Sockets ---- */

static gboolean
echo (GSocketListener *listener, GError **error)
{
  g_autoptr (GSocketConnection) client = NULL;
  GInputStream *input;
  GOutputStream *output;
  char buffer[16];
  gssize n;

  g_socket_listener_accept_async (listener, GTX_ASYNC);
  client = g_socket_listener_accept_finish (listener, gtx_await_result (), NULL, error);
  if (client == NULL)
    return FALSE;
  input = g_io_stream_get_input_stream (G_IO_STREAM (client));
  output = g_io_stream_get_output_stream (G_IO_STREAM (client));
  do
    {
      g_input_stream_read_async (input, buffer, sizeof buffer, G_PRIORITY_DEFAULT, GTX_ASYNC);
      n = g_input_stream_read_finish (input, gtx_await_result (), error);
      if (n <= 0)
        return n == 0;
      g_output_stream_write_all_async (output, buffer, (gsize) n, G_PRIORITY_DEFAULT, GTX_ASYNC);
    }
  while (g_output_stream_write_all_finish (output, gtx_await_result (), NULL, error));
  return FALSE;
}

static GSocketConnection *
connect_to (guint16 port, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();

  g_socket_client_connect_to_host_async (client, "127.0.0.1", port, GTX_ASYNC);
  return g_socket_client_connect_to_host_finish (client, gtx_await_result (), error);
}

static gboolean
ping (GIOStream *connection, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (connection);
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  char buffer[8] = "";

  g_output_stream_write_all_async (output, "ping", 4, G_PRIORITY_DEFAULT, GTX_ASYNC);
  if (!g_output_stream_write_all_finish (output, gtx_await_result (), NULL, error))
    return FALSE;
  g_input_stream_read_all_async (input, buffer, 4, G_PRIORITY_DEFAULT, GTX_ASYNC);
  if (!g_input_stream_read_all_finish (input, gtx_await_result (), NULL, error))
    return FALSE;
  g_assert_cmpstr (buffer, ==, "ping");
  return TRUE;
}

static gboolean
test_sockets (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, error);
  g_autoptr (GtxTask) server = gtx_create_task (echo, listener, NULL);
  g_autoptr (GSocketConnection) connection = connect_to (port, error);

  g_assert_no_error (*error);
  for (int i = 0; i < 100; i++)
    g_assert_true (ping (G_IO_STREAM (connection), error));
  g_io_stream_close_async (G_IO_STREAM (connection), G_PRIORITY_DEFAULT, GTX_ASYNC);
  g_assert_true (g_io_stream_close_finish (G_IO_STREAM (connection), gtx_await_result (), error));
  return gtx_await (server, error);
}

/* A task that waits for a client is cancelled. */
static gboolean
test_accept_cancelled (gpointer data, GError **error)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GtxTask) server = NULL;

  g_assert_true (g_socket_listener_add_any_inet_port (listener, NULL, error) > 0);
  server = gtx_create_task (echo, listener, NULL);
  g_assert_true (gtx_sleep (0, error));
  gtx_cancel (server);
  g_assert_false (gtx_await (server, NULL));
  g_assert_true (gtx_future_is_cancelled (server));
  return TRUE;
}

/* ---- D-Bus: a service whose methods are coroutines ---- */

static const char introspection[] =
  "<node><interface name='org.example.Kitchen'>"
  "<method name='Cook'><arg type='s' direction='in'/><arg type='d' direction='in'/><arg type='s' direction='out'/></method>"
  "</interface></node>";

static gboolean
cook (GDBusMethodInvocation *invocation, GError **error)
{
  const char *dish;
  double seconds;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(&sd)", &dish, &seconds);
  if (!gtx_sleep (seconds, error))
    return FALSE;
  if (g_str_equal (dish, "stone"))
    g_dbus_method_invocation_return_error (g_object_ref (invocation), G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                           "Not a dish");
  else
    g_dbus_method_invocation_return_value (g_object_ref (invocation), g_variant_new ("(s)", dish));
  return TRUE;
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  g_object_unref (gtx_create_task (cook, invocation, g_object_unref));
}

static GDBusConnection *
connection_new (GSocket *socket, GDBusConnectionFlags flags, GError **error)
{
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  g_autofree char *guid = g_dbus_generate_guid ();

  g_dbus_connection_new (G_IO_STREAM (stream),
                         flags & G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER ? guid : NULL,
                         flags, NULL, GTX_ASYNC);
  return g_dbus_connection_new_finish (gtx_await_result (), error);
}

static GDBusConnection *
serve_kitchen (GSocket *socket, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (introspection, NULL);
  GDBusConnection *connection;

  connection = connection_new (socket, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_ALLOW_ANONYMOUS |
                               G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING, error);
  if (connection == NULL)
    return NULL;
  g_assert_cmpuint (g_dbus_connection_register_object (connection, "/kitchen", node->interfaces[0],
                                                       &vtable, NULL, NULL, NULL), >, 0);
  g_dbus_connection_start_message_processing (connection);
  return connection;
}

typedef struct
{
  GDBusConnection *connection;
  const char *dish;
  double seconds;
} Order;

static gboolean
order (Order *order, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  const char *dish;

  g_dbus_connection_call (order->connection, NULL, "/kitchen", "org.example.Kitchen", "Cook",
                          g_variant_new ("(sd)", order->dish, order->seconds), G_VARIANT_TYPE ("(s)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, GTX_ASYNC);
  reply = g_dbus_connection_call_finish (order->connection, gtx_await_result (), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(&s)", &dish);
  note (dish);
  return TRUE;
}

static gboolean
close_connection (GDBusConnection *connection, GError **error)
{
  g_dbus_connection_close (connection, GTX_ASYNC);
  return g_dbus_connection_close_finish (connection, gtx_await_result (), error);
}

static gboolean
test_dbus (gpointer data, GError **error)
{
  int ends[2];
  g_autoptr (GSocket) server_end = NULL;
  g_autoptr (GSocket) client_end = NULL;
  g_autoptr (GtxTask) serving = NULL;
  g_autoptr (GDBusConnection) client = NULL;
  Order orders[] = { { NULL, "soup", 0.03 }, { NULL, "salad", 0 }, { NULL, "stone", 0 } };
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  server_end = g_socket_new_from_fd (ends[0], error);
  client_end = g_socket_new_from_fd (ends[1], error);
  serving = gtx_create_task_pointer (serve_kitchen, server_end, NULL, g_object_unref);
  client = connection_new (client_end, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, error);
  g_assert_nonnull (client);
  g_assert_nonnull (gtx_await_peek_pointer (serving, error));

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      orders[i].connection = client;
      g_ptr_array_add (tasks, gtx_create_task (order, &orders[i], NULL));
    }
  g_assert_true (gtx_gather (tasks, GTX_GATHER_RETURN_ERRORS, error));
  assert_trace ("salad soup");
  g_assert_error (gtx_future_get_error (tasks->pdata[2]), G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);

  return close_connection (client, error) &&
         close_connection (gtx_future_get_result (serving), error);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  add_coroutine ("/gio/streams", test_streams);
  add_real_coroutine ("/gio/sockets", test_sockets);
  add_real_coroutine ("/gio/accept-cancelled", test_accept_cancelled);
  add_real_coroutine ("/gio/dbus", test_dbus);
  return g_test_run ();
}
