/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GIO's buffers on top of streams that are tried. */

#pragma once

#include "io/stream.h"

/* Whether @stream is a buffer of GIO's on top of a stream that has a descriptor. */
gboolean gtx_buffered_stream_is_on_descriptor (GInputStream          *stream);
/* As GIO's function of that name. */
gssize   gtx_buffered_stream_fill             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               gssize                 count,
                                               GError               **error);
gboolean gtx_buffered_stream_is_full          (GBufferedInputStream  *stream);
/* FALSE with @error set where it is closed, or another task reads it. */
gboolean gtx_buffered_stream_may_be_read      (GBufferedInputStream  *stream,
                                               GError               **error);
/* Takes what is in the buffer: how much. */
gsize    gtx_buffered_stream_take             (GBufferedInputStream  *stream,
                                               char                  *buffer,
                                               gsize                  count);
/* Reads from one that is on a descriptor, as g_input_stream_read () does. */
gssize   gtx_buffered_stream_read             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               void                  *buffer,
                                               gsize                  count,
                                               GError               **error);
