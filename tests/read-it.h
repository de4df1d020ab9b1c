/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that reads a byte of a stream, and notes the byte. */

#pragma once

#include "fixture.h"

static inline gboolean
read_it (GInputStream *stream, GError **error)
{
  char byte = 0;
  gssize n = gtx_input_stream_read (stream, &byte, 1, error);

  if (n >= 0)
    note (n == 0 ? "end" : byte == 'x' ? "x" : "other");
  return n >= 0;
}
