/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GIO's buffered streams on top of streams that are tried. */

#pragma once

#include "io/stream.h"

/* Whether @stream is a buffer of GIO's on top of a stream that is tried. */
gboolean gtx_buffered_stream_is_tried         (GInputStream          *stream);
/* Does what g_buffered_input_stream_fill () does.  May suspend. */
gssize   gtx_buffered_stream_fill             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               gssize                 count,
                                               GError               **error);
gboolean gtx_buffered_stream_is_full          (GBufferedInputStream  *stream);
/* FALSE with @error set if @stream is closed, or another task reads it. */
gboolean gtx_buffered_stream_may_be_read      (GBufferedInputStream  *stream,
                                               GError               **error);
/* Takes bytes out of the buffer.  Returns how many. */
gsize    gtx_buffered_stream_take             (GBufferedInputStream  *stream,
                                               char                  *buffer,
                                               gsize                  count);
/* Read and skip as g_input_stream_read () and g_input_stream_skip () do.  May suspend.  @stream has
 * to be a buffer on top of a stream that is tried. */
gssize   gtx_buffered_stream_read             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               void                  *buffer,
                                               gsize                  count,
                                               GError               **error);
gssize   gtx_buffered_stream_skip             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               gsize                  count,
                                               GError               **error);
