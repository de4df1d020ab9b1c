/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GIO's buffers on top of streams that are tried. */

#pragma once

#include "io/stream.h"

/* Whether @stream is a buffer of GIO's on top of a stream that is tried. */
gboolean gtx_buffered_stream_is_tried         (GInputStream          *stream);
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
/* These read and skip from one that is on a stream that is tried, as g_input_stream_read () and g_input_stream_skip () do. */
gssize   gtx_buffered_stream_read             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               void                  *buffer,
                                               gsize                  count,
                                               GError               **error);
gssize   gtx_buffered_stream_skip             (GtxTask               *task,
                                               GBufferedInputStream  *stream,
                                               gsize                  count,
                                               GError               **error);
