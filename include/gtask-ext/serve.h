/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/checks.h>
#include <gtask-ext/macros.h>

G_BEGIN_DECLS

/**
 * GtxServeFunc:
 * @data: (nullable): the data that was passed to gtx_serve()
 * @connection: the connection of the client
 * @error: where the coroutine sets its error
 *
 * A coroutine that serves one client, for gtx_serve(); @connection is closed when it
 * returns.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*GtxServeFunc) (gpointer            data,
                                  GSocketConnection  *connection,
                                  GError            **error);

/**
 * gtx_serve:
 * @listener: a #GSocketListener that has an address
 * @limit: how many clients to serve at once; 0: no limit
 * @func: (scope call): a coroutine for one client,
 *   `gboolean f (U *data, GSocketConnection *connection, GError **error)`
 * @data: (nullable): its data, a `U *`, the same for all clients
 * @error: return location for a #GError, or %NULL
 *
 * Serves clients, each in a task of its own, until the current task is cancelled:
 * asyncio's `start_server()` and `Server.serve_forever()`.
 *
 * The tasks of the clients are in a group.  When the current task is cancelled,
 * gtx_serve() closes @listener, so that no other client can connect, cancels the tasks of
 * the clients, and returns when all of them have ended.  A failure with one client ends
 * that client's task alone: the library warns of an error that @func sets, unless it is
 * %G_IO_ERROR_CANCELLED, or %G_IO_ERROR_CONNECTION_CLOSED, which means that the client
 * has gone.
 *
 * While there are as many clients as @limit allows, no other is accepted; the system
 * keeps the clients that wait, as many as g_socket_listener_set_backlog() says.  Set the
 * backlog before addresses are added, since it is 10 by default; a client beyond it tries
 * again after a second, and then after longer times.  If accepting fails for a while,
 * such as for lack of descriptors, gtx_serve() logs a warning, and tries again when a
 * client has gone, and once a second.
 *
 * Only one task at a time, and one process, may accept from a listener: with two, GIO may
 * block the main loop of the slower one.
 *
 * Sets %G_IO_ERROR_CANCELLED if the task is cancelled, the errors of
 * g_socket_listener_accept() if @listener is closed, and %GTX_ERROR_NOT_IN_TASK outside a
 * task.  If @listener has no address, no client ever comes.  Always suspends.
 *
 * Returns: %FALSE with @error set, when the serving has ended
 *
 * Since: 0.1
 */
#define gtx_serve(listener, limit, func, data, error)                          \
  gtx_serve_with ((listener), (limit), (GtxServeFunc) (func), GTX_SERVE_FUNC_DATA_ (func, data), (error))

GTX_API gboolean gtx_serve_with (GSocketListener  *listener,
                                 guint             limit,
                                 GtxServeFunc      func,
                                 gpointer          data,
                                 GError          **error);

G_END_DECLS
