/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of descriptors share: pairs of sockets, and tasks that wait for an end of
 * one. */

#pragma once

#include "fixture.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  int fd;
  GIOCondition condition;
  GIOCondition came;
} Wait;

static inline gboolean
await_it (Wait *wait, GError **error)
{
  wait->came = gtx_await_fd (wait->fd, wait->condition, error);
  return wait->came != 0;
}

static inline gboolean
end_turns (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* Returns when the main loop has nothing else to do. */
static inline void
let_loop_rest (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GSource) idle = g_idle_source_new ();

  g_source_set_priority (idle, G_PRIORITY_LOW);
  g_source_set_callback (idle, end_turns, future, NULL);
  g_source_attach (idle, g_main_context_get_thread_default ());
  g_assert_true (gtx_await (future, NULL));
}

/* Creates a task, and returns when it waits. */
static inline GtxTask *
begin (Wait *wait)
{
  GtxTask *task = gtx_create_task (await_it, wait, NULL);

  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  return task;
}

static inline void
drain (int fd)
{
  char block[4096];

  while (recv (fd, block, sizeof block, MSG_DONTWAIT) > 0)
    ;
}

static inline void
write_byte (int fd)
{
  g_assert_cmpint (write (fd, "x", 1), ==, 1);
}

static inline void
open_pair (int pair[2])
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
}

static inline void
close_pair (int pair[2])
{
  close (pair[0]);
  close (pair[1]);
}
