/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API gssize             gtx_socket_receive         (GSocket             *socket,
                                                       char                *buffer,
                                                       gsize                size,
                                                       GError             **error);
GTX_API gssize             gtx_socket_receive_from    (GSocket             *socket,
                                                       GSocketAddress     **address,
                                                       char                *buffer,
                                                       gsize                size,
                                                       GError             **error);
GTX_API gssize             gtx_socket_send            (GSocket             *socket,
                                                       const char          *buffer,
                                                       gsize                size,
                                                       GError             **error);
GTX_API gssize             gtx_socket_send_to         (GSocket             *socket,
                                                       GSocketAddress      *address,
                                                       const char          *buffer,
                                                       gsize                size,
                                                       GError             **error);
GTX_API GSocket           *gtx_socket_accept          (GSocket             *socket,
                                                       GError             **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API gboolean           gtx_socket_connect         (GSocket             *socket,
                                                       GSocketAddress      *address,
                                                       GError             **error);
GTX_API gboolean           gtx_socket_condition_wait  (GSocket             *socket,
                                                       GIOCondition         condition,
                                                       GError             **error);
GTX_API GSocketConnection *gtx_socket_listener_accept (GSocketListener     *listener,
                                                       GObject            **source_object,
                                                       GError             **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GSocketConnection *gtx_socket_client_connect  (GSocketClient       *client,
                                                       GSocketConnectable  *connectable,
                                                       GError             **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
