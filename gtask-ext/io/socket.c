/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/socket.h"

#include "io/ready.h"
#include "io/socket-try.h"
#include "outside/operation-private.h"

#include <unistd.h>

static gssize
try_socket (GSocket       *socket,
            GtxSocketTry  *self,
            const char    *function,
            GError       **error)
{
  GtxTask *task = gtx_task_begin_await (function, error);
  gssize n;

  if (task == NULL)
    return -1;
  g_object_ref (socket);
  /* As in GIO, a socket that is set not to block does not wait. */
  self->waits = g_socket_get_blocking (socket);
  self->delivers = TRUE;
  n = gtx_socket_try (task, socket, gtx_socket_get_notes (socket), self, error);
  g_object_unref (socket);
  return n;
}

/* ---- Tries ---- */

static gssize
receive_from_once (int           fd,
                   GtxSocketTry *self)
{
  struct sockaddr_storage storage;
  socklen_t length = sizeof storage;
  gssize n = recvfrom (fd, self->buffer, self->size, MSG_DONTWAIT, (struct sockaddr *) &storage, &length);

  if (n >= 0 && self->wants_address && length > 0)
    self->from = g_socket_address_new_from_native (&storage, length);
  return n;
}

static gssize
accept_once (int           fd,
             GtxSocketTry *self)
{
  return accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
}

/* ---- The public side ---- */

/**
 * gtx_socket_receive:
 * @socket: a connected #GSocket
 * @buffer: (array length=size) (element-type guint8) (out caller-allocates): where to put what is received
 * @size: how many bytes to receive at most
 * @error: return location for a #GError, or %NULL
 *
 * Receives from a socket: g_socket_receive(), and asyncio's `loop.sock_recv()`.
 *
 * Available data is received at once; otherwise the current task is suspended until there is
 * data, unless @socket is set not to block: then %G_IO_ERROR_WOULD_BLOCK is set.  A request
 * to cancel is delivered before data is received, or while the task waits, and stays pending
 * if data was received meanwhile: a call that is cancelled has taken no data.
 *
 * Sets the errors of g_socket_receive() (%G_IO_ERROR_CLOSED if @socket is closed meanwhile,
 * %G_IO_ERROR_TIMED_OUT if it has a time limit), %G_IO_ERROR_CANCELLED if the task is
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: how many bytes were received, 0 at the end; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_socket_receive (GSocket  *socket,
                    char     *buffer,
                    gsize     size,
                    GError  **error)
{
  GtxSocketTry self = { .once = gtx_socket_receive_once, .condition = G_IO_IN, .buffer = buffer, .size = size };

  g_return_val_if_fail (G_IS_SOCKET (socket), -1);
  g_return_val_if_fail (buffer != NULL, -1);

  return try_socket (socket, &self, G_STRFUNC, error);
}

/**
 * gtx_socket_receive_from:
 * @socket: a #GSocket
 * @address: (out) (optional) (transfer full) (nullable): from where the datagram came, if the socket tells
 * @buffer: (array length=size) (element-type guint8) (out caller-allocates): where to put what is received
 * @size: how many bytes to receive at most
 * @error: return location for a #GError, or %NULL
 *
 * Receives a datagram, and the address from which it came: g_socket_receive_from(), and
 * asyncio's `loop.sock_recvfrom()`.
 *
 * May suspend, and sets errors, as gtx_socket_receive() does.
 *
 * Returns: how many bytes were received; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_socket_receive_from (GSocket         *socket,
                         GSocketAddress **address,
                         char            *buffer,
                         gsize            size,
                         GError         **error)
{
  GtxSocketTry self = {
    .once = receive_from_once, .condition = G_IO_IN, .buffer = buffer, .size = size, .wants_address = address != NULL,
  };
  gssize n;

  g_return_val_if_fail (G_IS_SOCKET (socket), -1);
  g_return_val_if_fail (buffer != NULL, -1);

  n = try_socket (socket, &self, G_STRFUNC, error);
  if (address)
    *address = self.from;
  return n;
}

/**
 * gtx_socket_send:
 * @socket: a connected #GSocket
 * @buffer: (array length=size) (element-type guint8): what to send
 * @size: how many bytes it has
 * @error: return location for a #GError, or %NULL
 *
 * Sends through a socket: g_socket_send().
 *
 * May suspend, and sets errors, as gtx_socket_receive() does.
 *
 * Returns: how many bytes were sent, which may be fewer than @size; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_socket_send (GSocket     *socket,
                 const char  *buffer,
                 gsize        size,
                 GError     **error)
{
  GtxSocketTry self = { .once = gtx_socket_send_once, .condition = G_IO_OUT, .data = buffer, .size = size };

  g_return_val_if_fail (G_IS_SOCKET (socket), -1);
  g_return_val_if_fail (buffer != NULL, -1);

  return try_socket (socket, &self, G_STRFUNC, error);
}

/**
 * gtx_socket_send_to:
 * @socket: a #GSocket
 * @address: (nullable): where to send it; %NULL: to where @socket is connected
 * @buffer: (array length=size) (element-type guint8): what to send
 * @size: how many bytes it has
 * @error: return location for a #GError, or %NULL
 *
 * Sends a datagram: g_socket_send_to(), and asyncio's `loop.sock_sendto()`.
 *
 * May suspend, and sets errors, as gtx_socket_receive() does.
 *
 * Returns: how many bytes were sent; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_socket_send_to (GSocket         *socket,
                    GSocketAddress  *address,
                    const char      *buffer,
                    gsize            size,
                    GError         **error)
{
  GtxSocketTry self = { .once = gtx_socket_send_once, .condition = G_IO_OUT, .data = buffer, .size = size };
  struct sockaddr_storage native;

  g_return_val_if_fail (G_IS_SOCKET (socket), -1);
  g_return_val_if_fail (address == NULL || G_IS_SOCKET_ADDRESS (address), -1);
  g_return_val_if_fail (buffer != NULL, -1);

  if (address)
    {
      if (!g_socket_address_to_native (address, &native, sizeof native, error))
        return -1;
      self.to = (const struct sockaddr *) &native;
      self.to_length = (socklen_t) g_socket_address_get_native_size (address);
    }
  return try_socket (socket, &self, G_STRFUNC, error);
}

/**
 * gtx_socket_accept:
 * @socket: a #GSocket that listens
 * @error: return location for a #GError, or %NULL
 *
 * Accepts a connection: g_socket_accept(), and asyncio's `loop.sock_accept()`.
 *
 * May suspend, and sets errors, as gtx_socket_receive() does.  A call that is cancelled has
 * accepted no connection.
 *
 * Returns: (transfer full): the new socket; %NULL with @error set
 *
 * Since: 0.1
 */
GSocket *
gtx_socket_accept (GSocket  *socket,
                   GError  **error)
{
  GtxSocketTry self = { .once = accept_once, .condition = G_IO_IN };
  GSocket *accepted;
  int fd;

  g_return_val_if_fail (G_IS_SOCKET (socket), NULL);

  fd = (int) try_socket (socket, &self, G_STRFUNC, error);
  if (fd < 0)
    return NULL;
  accepted = g_socket_new_from_fd (fd, error);
  if (accepted == NULL)
    close (fd);
  return accepted;
}

static gboolean
connect_to (GtxTask         *task,
            GSocket         *socket,
            GSocketAddress  *address,
            GError         **error)
{
  g_autoptr (GSocketAddress) remote = NULL;
  GError *failure = NULL;
  gboolean succeeded;

  if (!gtx_ready_begin_try (task, error))
    return FALSE;
  g_socket_set_blocking (socket, FALSE);
  succeeded = g_socket_connect (socket, address, NULL, &failure);
  g_socket_set_blocking (socket, TRUE);
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PENDING))
    {
      if (failure)
        g_propagate_error (error, failure);
      return succeeded;
    }
  g_error_free (failure);
  if (!gtx_ready_await_socket (task, socket, g_socket_get_fd (socket), 0, G_IO_OUT, TRUE, error) ||
      !g_socket_check_connect_result (socket, error))
    return FALSE;
  /* Until its remote address is asked for, GIO takes the socket for one that still connects. */
  remote = g_socket_get_remote_address (socket, NULL);
  return TRUE;
}

/**
 * gtx_socket_connect:
 * @socket: a #GSocket
 * @address: where to connect to
 * @error: return location for a #GError, or %NULL
 *
 * Connects a socket: g_socket_connect(), and asyncio's `loop.sock_connect()`.
 *
 * May suspend, and sets the errors of g_socket_connect(), as gtx_socket_receive() does.  If
 * the task is cancelled, the system goes on connecting: close @socket.
 *
 * Returns: %TRUE when it is connected, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_socket_connect (GSocket         *socket,
                    GSocketAddress  *address,
                    GError         **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_SOCKET (socket), FALSE);
  g_return_val_if_fail (G_IS_SOCKET_ADDRESS (address), FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  if (g_socket_is_closed (socket) || !g_socket_get_blocking (socket))
    return g_socket_connect (socket, address, NULL, error);
  g_object_ref (socket);
  succeeded = connect_to (task, socket, address, error);
  g_object_unref (socket);
  return succeeded;
}

static gboolean
await_condition (GtxTask       *task,
                 GSocket       *socket,
                 GIOCondition   condition,
                 GError       **error)
{
  if (!gtx_ready_begin_try (task, error))
    return FALSE;
  for (;;)
    {
      /* GIO's function returns at once if the socket is closed. */
      if (g_socket_is_closed (socket))
        return g_socket_condition_wait (socket, condition, NULL, error);
      if (g_socket_condition_check (socket, condition) != 0)
        return TRUE;
      if (!gtx_ready_await_socket (task, socket, g_socket_get_fd (socket), 0, condition, TRUE, error))
        return FALSE;
    }
}

/**
 * gtx_socket_condition_wait:
 * @socket: a #GSocket
 * @condition: what to wait for, such as %G_IO_IN
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a socket is ready: g_socket_condition_wait().
 *
 * Does not suspend if the socket is ready already.  %G_IO_ERR and %G_IO_HUP need not be asked
 * for.  Sets errors as gtx_socket_receive() does.
 *
 * Returns: %TRUE when it is ready, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_socket_condition_wait (GSocket       *socket,
                           GIOCondition   condition,
                           GError       **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_SOCKET (socket), FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  g_object_ref (socket);
  succeeded = await_condition (task, socket, condition, error);
  g_object_unref (socket);
  return succeeded;
}

/* GIO accepts a client before it looks at the GCancellable: a connection that was accepted is the
 * caller's, and a request stands. */
static void
on_accepted (GObject      *listener,
             GAsyncResult *result,
             gpointer      operation)
{
  g_task_set_check_cancellable ((GTask *) result, FALSE);
  gtx_operation_ready (listener, result, operation);
}

/**
 * gtx_socket_listener_accept:
 * @listener: a #GSocketListener
 * @source_object: (out) (optional) (transfer none) (nullable): the object with which the
 *   address was added
 * @error: return location for a #GError, or %NULL
 *
 * Accepts a connection at any of the addresses of a listener: g_socket_listener_accept().
 *
 * Suspends the current task until a client has connected.  Only one task at a time, and one
 * process, may accept from a listener: with two processes, GIO may block the main loop of the
 * slower one.  Sets the errors of g_socket_listener_accept(), %G_IO_ERROR_CANCELLED if the
 * task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.  For a server use
 * gtx_serve().
 *
 * Returns: (transfer full): the connection; %NULL with @error set
 *
 * Since: 0.1
 */
GSocketConnection *
gtx_socket_listener_accept (GSocketListener  *listener,
                            GObject         **source_object,
                            GError          **error)
{
  g_return_val_if_fail (G_IS_SOCKET_LISTENER (listener), NULL);

  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_socket_listener_accept_async (listener, GTX_CANCELLABLE, on_accepted,
                                  gtx_operation_begin ("gtx_socket_listener_accept", 0));
  return g_socket_listener_accept_finish (listener, gtx_await_result (), source_object, error);
}

/**
 * gtx_socket_client_connect:
 * @client: a #GSocketClient
 * @connectable: where to connect to, such as a #GNetworkAddress
 * @error: return location for a #GError, or %NULL
 *
 * Connects to a server: g_socket_client_connect(), and asyncio's `open_connection()`.
 *
 * Suspends the current task until a connection is made, or connecting to all addresses has
 * failed.  Sets the errors of g_socket_client_connect(), %G_IO_ERROR_CANCELLED if the task
 * is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full): the connection; %NULL with @error set
 *
 * Since: 0.1
 */
GSocketConnection *
gtx_socket_client_connect (GSocketClient       *client,
                           GSocketConnectable  *connectable,
                           GError             **error)
{
  g_return_val_if_fail (G_IS_SOCKET_CLIENT (client), NULL);
  g_return_val_if_fail (G_IS_SOCKET_CONNECTABLE (connectable), NULL);

  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_socket_client_connect_async (client, connectable, GTX_ASYNC_OF ("gtx_socket_client_connect"));
  return g_socket_client_connect_finish (client, gtx_await_result (), error);
}
