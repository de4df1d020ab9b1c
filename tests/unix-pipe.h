/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipe, and a task that waits until the pipe is readable. */

#pragma once

#include "fixture.h"

#include <unistd.h>

static int ends[2];

static inline void
open_pipe (void)
{
  g_assert_cmpint (pipe (ends), ==, 0);
}

static inline void
close_pipe (void)
{
  close (ends[0]);
  if (ends[1] >= 0)
    close (ends[1]);
}

static inline gboolean
await_readable (gpointer data, GError **error)
{
  GIOCondition condition = gtx_await_fd (ends[0], G_IO_IN, error);

  if (condition == 0)
    return FALSE;
  note (condition & G_IO_IN ? "in" : "");
  note (condition & G_IO_HUP ? "hup" : "");
  return TRUE;
}
