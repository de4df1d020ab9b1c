/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of sockets share: two ends of a connection, and tasks that wait for
 * them. */

#pragma once

#include "read-it.h"
#include "stream-ends.h"

static Ends *ends;

static inline gboolean
receive (GSocket *socket, GError **error)
{
  char buffer[16];
  gssize n = gtx_socket_receive (socket, buffer, sizeof buffer, error);

  if (n > 0)
    note (buffer[0] == 'x' ? "x" : "other");
  else if (n == 0)
    note ("end");
  return n >= 0;
}

static inline gboolean
send_it (GSocket *socket, GError **error)
{
  return gtx_socket_send (socket, "x", 1, error) == 1;
}

static inline gboolean
wait_for_input (GSocket *socket, GError **error)
{
  return gtx_socket_condition_wait (socket, G_IO_IN, error);
}

static inline gboolean
fill_and_send (GSocket *socket, GError **error)
{
  char block[4096] = { 0 };

  while (gtx_socket_send (socket, block, sizeof block, error) > 0)
    ;
  return FALSE;
}

static inline void
run_case (gconstpointer coroutine)
{
  ends = ends_new (ENDS_ARE_SOCKETS);
  run_with (gtx_run_named, *(const GtxCoroutine *) coroutine, NULL);
  g_clear_pointer (&ends, ends_free);
}

#define add_case(path, coroutine)                                              \
  add_run_ ((path), (coroutine), run_case)
