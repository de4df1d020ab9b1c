/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "worker.h"

#include "program.h"

void
worker_check_address (const char *address)
{
  g_autoptr (GError) error = NULL;

  if (address && !g_dbus_is_supported_address (address, &error))
    program_usage_error ("--bus: %s", error->message);
}

GDBusConnection *
worker_connect (const char  *address,
                GError     **error)
{
  const GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
  g_autofree char *session = NULL;

  if (address == NULL)
    {
      session = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SESSION, GTX_CANCELLABLE, error);
      address = session;
    }
  if (address == NULL)
    return NULL;
  g_dbus_connection_new_for_address (address, flags, NULL, GTX_ASYNC);
  return g_dbus_connection_new_for_address_finish (gtx_await_result (), error);
}
