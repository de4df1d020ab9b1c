/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io/serve-private.h"

#include "gtask-ext/event.h"
#include "gtask-ext/socket.h"
#include "gtask-ext/stream.h"
#include "gtask-ext/timeout.h"
#include "gtask-ext/wait.h"
#include "task/task-private.h"

/* How long to wait at most before the next try to accept, if one has failed. */
#define RETRY_SECONDS 1

typedef struct
{
  GSocketListener *listener;
  guint limit;
  GtxServeFunc func;
  gpointer data;
  guint n_clients;
  GtxEvent *one_has_gone;
  gboolean is_in_trouble;       /* accepting fails, and a warning has said so */
} Server;

/* ---- Clients ---- */

typedef struct
{
  Server *server;
  GSocketConnection *connection;
} Client;

static Client *
client_new (Server            *server,
            GSocketConnection *connection)
{
  Client *self = g_new (Client, 1);

  server->n_clients++;
  self->server = server;
  self->connection = connection;
  return self;
}

static void
client_free (gpointer data)
{
  Client *self = data;

  self->server->n_clients--;
  gtx_event_set (self->server->one_has_gone);
  g_object_unref (self->connection);
  g_free (self);
}

/* A failure of one client is not the fault of the others, and does not end the group. */
static gboolean
end_client (GError  *failure,
            GError **error)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    g_debug ("A client has gone: %s", failure->message);
  else
    g_warning ("Serving a client failed: %s", failure->message);
  g_error_free (failure);
  return TRUE;
}

static gboolean
serve_client (Client  *self,
              GError **error)
{
  GError *failure = NULL;

  self->server->func (self->server->data, self->connection, &failure);
  gtx_io_stream_close ((GIOStream *) self->connection, NULL);
  return failure == NULL || end_client (failure, error);
}

/* ---- The server ---- */

static gboolean
is_final (const GError *failure)
{
  return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
         g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
         g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED) ||
         g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT) ||
         failure->domain != G_IO_ERROR;
}

static gboolean
await_one_to_go (Server   *self,
                 double    seconds,
                 GError  **error)
{
  g_auto (GtxTimeout) timeout = GTX_TIMEOUT_INIT;
  g_autoptr (GError) failure = NULL;

  gtx_event_clear (self->one_has_gone);
  gtx_timeout_begin (&timeout, seconds);
  gtx_event_wait (self->one_has_gone, &failure);
  return gtx_timeout_end (&timeout, &failure, error);
}

/* Waits until accepting may succeed again: until a client has gone, or for a while. */
static gboolean
bear (Server   *self,
      GError   *trouble,
      GError  **error)
{
  g_autoptr (GError) failure = NULL;

  if (!self->is_in_trouble)
    g_warning ("Accepting a client failed, and is tried again: %s", trouble->message);
  self->is_in_trouble = TRUE;
  g_error_free (trouble);
  if (await_one_to_go (self, RETRY_SECONDS, &failure) ||
      g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Returns NULL with @error set if no client is to be served any more. */
static GSocketConnection *
accept_next (Server  *self,
             GError **error)
{
  GSocketConnection *connection;
  GError *failure = NULL;

  while (self->limit > 0 && self->n_clients >= self->limit)
    if (!await_one_to_go (self, GTX_FOREVER, error))
      return NULL;
  while ((connection = gtx_socket_listener_accept (self->listener, NULL, &failure)) == NULL)
    {
      if (is_final (failure))
        {
          g_propagate_error (error, failure);
          return NULL;
        }
      if (!bear (self, g_steal_pointer (&failure), error))
        return NULL;
    }
  self->is_in_trouble = FALSE;
  return connection;
}

static gboolean
serve (Server   *self,
       void    (*prepare) (GtxTaskGroup *group,
                           gpointer      data),
       gpointer  prepare_data,
       GError  **error)
{
  g_auto (GtxTaskGroup) group = GTX_TASK_GROUP_INIT;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) reason = NULL;
  GSocketConnection *connection;

  gtx_task_group_begin (&group);
  if (prepare)
    prepare (&group, prepare_data);
  while ((connection = accept_next (self, &failure)))
    if (!gtx_task_group_create_task (&group, serve_client, client_new (self, connection), client_free, &failure))
      break;
  /* A client that comes from now on is refused, and does not wait for an answer that never comes. */
  g_socket_listener_close (self->listener);
  /* The error that ends the server is returned as it is, and not as one of a group's errors. */
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      reason = g_steal_pointer (&failure);
      gtx_task_group_cancel (&group);
    }
  if (!gtx_task_group_end (&group, &failure, error))
    return FALSE;
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

gboolean
gtx_serve_in_group (GSocketListener  *listener,
                    guint             limit,
                    GtxServeFunc      func,
                    gpointer          data,
                    void            (*prepare) (GtxTaskGroup *group,
                                                gpointer      data),
                    gpointer          prepare_data,
                    GError          **error)
{
  Server self = { .listener = listener, .limit = limit, .func = func, .data = data };
  gboolean succeeded;

  if (gtx_task_begin_await ("gtx_serve", error) == NULL)
    return FALSE;
  g_object_ref (listener);
  self.one_has_gone = gtx_event_new ();
  succeeded = serve (&self, prepare, prepare_data, error);
  g_object_unref (self.one_has_gone);
  g_object_unref (listener);
  return succeeded;
}

/**
 * gtx_serve_with: (rename-to gtx_serve)
 * @listener: a #GSocketListener that has an address
 * @limit: how many clients to serve at once; 0: no limit
 * @func: (scope call): a coroutine for one client
 * @data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Serves clients: the function behind gtx_serve(), where it is described.
 *
 * Returns: %FALSE with @error set, when the serving has ended
 *
 * Since: 0.1
 */
gboolean
gtx_serve_with (GSocketListener  *listener,
                guint             limit,
                GtxServeFunc      func,
                gpointer          data,
                GError          **error)
{
  g_return_val_if_fail (G_IS_SOCKET_LISTENER (listener), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  return gtx_serve_in_group (listener, limit, func, data, NULL, NULL, error);
}
