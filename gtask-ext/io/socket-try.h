/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets that are tried, and awaited if they would block. */

#pragma once

#include "task/task-private.h"

#include <sys/socket.h>

/* What is known of a socket. */
typedef struct _GtxSocketNotes GtxSocketNotes;

typedef struct _GtxSocketTry GtxSocketTry;

/* One operation that is tried. */
struct _GtxSocketTry
{
  /* Makes one try.  Returns -1 with errno set if it fails, or would block. */
  gssize (*once) (int           fd,
                  GtxSocketTry *self);
  GIOCondition condition;       /* to wait for if the try would block */
  gboolean waits;               /* whether to wait then, rather than to fail */
  gboolean delivers;            /* whether a request to cancel is delivered; else it stands */
  void *buffer;
  const void *data;
  gsize size;
  GSocketAddress *from;
  gboolean wants_address;
  const struct sockaddr *to;    /* NULL: where the socket is connected to */
  socklen_t to_length;
};

/* Returns the notes of @socket, which keep their address. */
GtxSocketNotes *gtx_socket_get_notes (GSocket         *socket);
/* Tries until it does not block; may suspend @task.  GIO's own functions would block if another
 * process was faster, unless the socket is set not to block, which other threads look at; and they
 * get in the way of a caller that only wants to know whether to wait. */
gssize          gtx_socket_try       (GtxTask         *task,
                                      GSocket         *socket,
                                      GtxSocketNotes  *notes,
                                      GtxSocketTry    *self,
                                      GError         **error);

/* Functions for @once. */
gssize          gtx_socket_receive_once (int           fd,
                                         GtxSocketTry *self);
gssize          gtx_socket_send_once    (int           fd,
                                         GtxSocketTry *self);
