/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations of GIO (files, sockets), and bare descriptors. */

#include "load.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that differ from one load to the next. */
static GBytes *
make_bytes (gsize most)
{
  gsize length = 1 + random_below ((guint) most);
  guint8 *bytes = g_malloc (length);
  guint32 seed = random_seed ();

  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8) (seed >> (8 * (i % 4))) ^ (guint8) (i >> 2);
  return g_bytes_new_take (bytes, length);
}

/* ---- Files ---- */

static gboolean
write_file (GFile *file, GBytes *bytes, GError **error)
{
  g_autoptr (GFileOutputStream) stream = NULL;
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);

  g_file_create_async (file, G_FILE_CREATE_NONE, G_PRIORITY_DEFAULT, GTX_ASYNC);
  stream = g_file_create_finish (file, gtx_await_result (), error);
  if (stream == NULL)
    return FALSE;
  return gtx_output_stream_write_all (G_OUTPUT_STREAM (stream), data, length, NULL, error) &&
         gtx_output_stream_close (G_OUTPUT_STREAM (stream), error);
}

static gboolean
compare_file (GFile *file, GBytes *bytes, GError **error)
{
  g_autoptr (GFileInputStream) stream = NULL;
  gsize length = g_bytes_get_size (bytes), n_read;
  g_autofree char *data = g_malloc (length + 1);

  g_file_read_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC);
  stream = g_file_read_finish (file, gtx_await_result (), error);
  if (stream == NULL)
    return FALSE;
  if (!gtx_input_stream_read_all (G_INPUT_STREAM (stream), data, length + 1, &n_read, error))
    return FALSE;
  if (n_read != length || memcmp (data, g_bytes_get_data (bytes, NULL), length) != 0)
    complain ("files: what is read is not what was written");
  return TRUE;
}

/* Two questions at once. */
static gboolean
ask_about_file (GFile *file, GError **error)
{
  g_autoptr (GtxFuture) first = gtx_operation_future_new ();
  g_autoptr (GtxFuture) second = gtx_operation_future_new ();
  g_autoptr (GFileInfo) info = NULL, same = NULL;

  g_file_query_info_async (file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                           GTX_ASYNC_FUTURE (first));
  g_file_query_info_async (file, "standard::size", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                           GTX_ASYNC_FUTURE (second));
  if (!gtx_gather_list (GTX_GATHER_NONE, error, first, second, NULL) ||
      !(info = g_file_query_info_finish (file, gtx_future_get_result (first), error)) ||
      !(same = g_file_query_info_finish (file, gtx_future_get_result (second), error)))
    return FALSE;
  if (g_file_info_get_size (info) != g_file_info_get_size (same))
    complain ("files: two sizes of one");
  return TRUE;
}

static gboolean
delete_file (GFile *file, GError **error)
{
  g_file_delete_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC);
  return g_file_delete_finish (file, gtx_await_result (), error);
}

gboolean
load_files (gpointer data, GError **error)
{
  g_autofree char *path = load_new_path ();
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GBytes) bytes = make_bytes (32 * 1024);

  if (write_file (file, bytes, error) && compare_file (file, bytes, error) &&
      ask_about_file (file, error) && delete_file (file, error))
    return TRUE;
  g_unlink (path);
  return FALSE;
}

/* ---- Sockets ---- */

typedef struct
{
  GSocketListener *listener;
  GSocketClient *client;
  GSocketConnectable *address;
} Service;

/* A client that is cancelled goes away in the middle of something; other clients notice
 * that their message did not come back. */
static gboolean
echo (gpointer data, GSocketConnection *connection, GError **error)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  char buffer[4096];
  gssize n;

  do
    n = gtx_input_stream_read (input, buffer, sizeof buffer, error);
  while (n > 0 && gtx_output_stream_write_all (output, buffer, (gsize) n, NULL, error));
  return n == 0;
}

static gboolean
serve (Service *service, GError **error)
{
  return gtx_serve (service->listener, 0, echo, NULL, error);
}

static gboolean
exchange_message (GIOStream *connection, GError **error)
{
  g_autoptr (GBytes) bytes = make_bytes (2048);
  gsize length, n_read;
  const void *sent = g_bytes_get_data (bytes, &length);
  g_autofree char *received = g_malloc (length);
  GOutputStream *output = g_io_stream_get_output_stream (connection);
  GInputStream *input = g_io_stream_get_input_stream (connection);

  if (!gtx_output_stream_write_all (output, sent, length, NULL, error) ||
      !gtx_input_stream_read_all (input, received, length, &n_read, error))
    return FALSE;
  if (n_read != length || memcmp (sent, received, length) != 0)
    complain ("sockets: what came back is not what was sent");
  return TRUE;
}

static gboolean
talk (Service *service, GError **error)
{
  g_autoptr (GSocketConnection) connection = gtx_socket_client_connect (service->client, service->address, error);

  if (connection == NULL)
    return FALSE;
  for (guint n = random_below (4); n > 0; n--)
    if (!exchange_message (G_IO_STREAM (connection), error))
      return FALSE;
  return TRUE;
}

static gboolean
talk_all (Service *service, GError **error)
{
  g_auto (GtxTaskGroup) clients = GTX_TASK_GROUP_INIT;

  gtx_task_group_begin (&clients);
  for (guint n = 1 + random_below (5); n > 0; n--)
    gtx_task_group_create_task (&clients, talk, service, NULL, NULL);
  return gtx_task_group_end (&clients, NULL, error);
}

static gboolean
serve_and_talk (Service *service, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, serve, service, NULL, NULL);
  talk_all (service, &failure);
  gtx_task_group_cancel (&group);
  return gtx_task_group_end (&group, &failure, error);
}

gboolean
load_sockets (gpointer data, GError **error)
{
  g_autofree char *path = load_new_path ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  Service service = { listener, client, G_SOCKET_CONNECTABLE (address) };
  gboolean succeeded = g_socket_listener_add_address (listener, address, G_SOCKET_TYPE_STREAM,
                                                      G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error) &&
                       serve_and_talk (&service, error);

  g_socket_listener_close (listener);
  g_unlink (path);
  return succeeded;
}

/* ---- Descriptors ---- */

#define N_BYTES 20

static gboolean
send_bytes (gpointer descriptor, GError **error)
{
  int fd = GPOINTER_TO_INT (descriptor);

  for (guint8 i = 0; i < N_BYTES; i++)
    if (!gtx_await_fd (fd, G_IO_OUT, error) || send (fd, &i, 1, MSG_NOSIGNAL) != 1 ||
        !gtx_sleep (random_below (4) ? 0 : random_seconds (0.0005), error))
      return FALSE;
  shutdown (fd, SHUT_WR);
  return TRUE;
}

static gboolean
receive_bytes (int fd, GError **error)
{
  guint8 byte, expected = 0;

  while (gtx_await_fd (fd, G_IO_IN, error))
    switch (read (fd, &byte, 1))
      {
      case 1:
        if (byte != expected++)
          complain ("descriptors: %u came in place of %u", byte, expected - 1);
        break;
      case 0:
        if (expected != N_BYTES)
          complain ("descriptors: %u bytes came of %u", expected, N_BYTES);
        return TRUE;
      default:
        g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
        return FALSE;
      }
  return FALSE;
}

static gboolean
send_and_receive (const int *fds, GError **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_task_group_begin (&group);
  gtx_task_group_create_task (&group, send_bytes, GINT_TO_POINTER (fds[0]), NULL, NULL);
  receive_bytes (fds[1], &failure);
  return gtx_task_group_end (&group, &failure, error);
}

gboolean
load_descriptors (gpointer data, GError **error)
{
  int fds[2];
  gboolean succeeded;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
    {
      g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
      return FALSE;
    }
  succeeded = send_and_receive (fds, error);
  close (fds[0]);
  close (fds[1]);
  return succeeded;
}
