/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the C programs that read and write share.  The programs find "file" and
 * "tree" in the folder in which they run, and leave "copy" there. */

#pragma once

#include "measure.h"

#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>

#include <string.h>

#define MESSAGE_SIZE 64
/* The buffer has room for more than is read, as in most programs. */
#define READ_SIZE 256
#define BLOCK_SIZE 4096
#define BULK_SIZE (1024 * 1024)
#define BULK_READ_SIZE (256 * 1024)
#define REQUEST_SIZE 4096
#define BACKLOG 4096
#define COPIED_AT_ONCE 8
#define FILES_AT_ONCE 100
#define SMALL_STACK (64 * 1024)

#define ATTRIBUTES G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE

static const char response[] =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";

#define RESPONSE_SIZE (sizeof response - 1)

/* The address that @listener gets. */
static inline GSocketAddress *
listen_on_loopback (GSocketListener *listener)
{
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GError) error = NULL;
  GSocketAddress *address = NULL;

  g_socket_listener_set_backlog (listener, BACKLOG);
  check (g_socket_listener_add_address (listener, any_port, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                        NULL, &address, &error), error);
  return address;
}

/* Prints a line for clients that want to connect. */
static inline void
print_port (GSocketAddress *address)
{
  printf ("%d\n", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  fflush (stdout);
}

/* Whether the @n bytes at @request are a whole request. */
static inline gboolean
is_request (const char *request, gsize n)
{
  return n >= 4 && memcmp (request + n - 4, "\r\n\r\n", 4) == 0;
}

static inline void
open_pipe (GInputStream **in, GOutputStream **out)
{
  g_autoptr (GError) error = NULL;
  int ends[2];

  check (g_unix_open_pipe (ends, FD_CLOEXEC, &error) &&
         g_unix_set_fd_nonblocking (ends[0], TRUE, &error) &&
         g_unix_set_fd_nonblocking (ends[1], TRUE, &error), error);
  *in = g_unix_input_stream_new (ends[0], TRUE);
  *out = g_unix_output_stream_new (ends[1], TRUE);
}

/* A socket for datagrams. */
static inline GSocket *
new_datagram_socket (void)
{
  g_autoptr (GSocketAddress) any_port = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);

  check (socket != NULL && g_socket_bind (socket, any_port, FALSE, &error), error);
  return socket;
}

static inline GSocketAddress *
address_of (GSocket *socket)
{
  g_autoptr (GError) error = NULL;
  GSocketAddress *address = g_socket_get_local_address (socket, &error);

  check (address != NULL, error);
  return address;
}
