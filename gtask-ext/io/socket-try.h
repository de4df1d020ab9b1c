/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets that are tried, and awaited where they would block. */

#pragma once

#include "task/task-private.h"

#include <sys/socket.h>

/* What is known of a socket. */
typedef struct _GtxSocketNotes GtxSocketNotes;

typedef struct _GtxSocketTry GtxSocketTry;

/* What one try is about. */
struct _GtxSocketTry
{
  /* -1 with errno set where that fails, or would block. */
  gssize (*once) (int           fd,
                  GtxSocketTry *self);
  GIOCondition condition;       /* to wait for where it would block */
  gboolean waits;               /* then, rather than to fail */
  gboolean delivers;            /* a request, which stands otherwise */
  void *buffer;
  const void *data;
  gsize size;
  GSocketAddress *from;
  gboolean wants_address;
  const struct sockaddr *to;    /* NULL: where the socket is connected to */
  socklen_t to_length;
};

/* Those of a socket stay where they are. */
GtxSocketNotes *gtx_socket_get_notes (GSocket         *socket);
/* May suspend @task.  GIO's own functions would block where another process was faster, but for a
 * property of the socket that other threads look at, or are in the way of who only wants to know
 * whether to wait. */
gssize          gtx_socket_try       (GtxTask         *task,
                                      GSocket         *socket,
                                      GtxSocketNotes  *notes,
                                      GtxSocketTry    *self,
                                      GError         **error);

/* For @once. */
gssize          gtx_socket_receive_once (int           fd,
                                         GtxSocketTry *self);
gssize          gtx_socket_send_once    (int           fd,
                                         GtxSocketTry *self);
