/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API gssize   gtx_input_stream_read           (GInputStream              *stream,
                                                  void                      *buffer,
                                                  gsize                      count,
                                                  GError                   **error);
GTX_API gboolean gtx_input_stream_read_all       (GInputStream              *stream,
                                                  void                      *buffer,
                                                  gsize                      count,
                                                  gsize                     *bytes_read,
                                                  GError                   **error);
GTX_API GBytes  *gtx_input_stream_read_bytes     (GInputStream              *stream,
                                                  gsize                      count,
                                                  GError                   **error);
GTX_API gssize   gtx_input_stream_skip           (GInputStream              *stream,
                                                  gsize                      count,
                                                  GError                   **error);
GTX_API gboolean gtx_input_stream_close          (GInputStream              *stream,
                                                  GError                   **error);

GTX_API gssize   gtx_output_stream_write         (GOutputStream             *stream,
                                                  const void                *buffer,
                                                  gsize                      count,
                                                  GError                   **error);
GTX_API gboolean gtx_output_stream_write_all     (GOutputStream             *stream,
                                                  const void                *buffer,
                                                  gsize                      count,
                                                  gsize                     *bytes_written,
                                                  GError                   **error);
GTX_API gssize   gtx_output_stream_write_bytes   (GOutputStream             *stream,
                                                  GBytes                    *bytes,
                                                  GError                   **error);
GTX_API gboolean gtx_output_stream_writev_all    (GOutputStream             *stream,
                                                  GOutputVector             *vectors,
                                                  gsize                      n_vectors,
                                                  gsize                     *bytes_written,
                                                  GError                   **error);
GTX_API gboolean gtx_output_stream_flush         (GOutputStream             *stream,
                                                  GError                   **error);
GTX_API gssize   gtx_output_stream_splice        (GOutputStream             *stream,
                                                  GInputStream              *source,
                                                  GOutputStreamSpliceFlags   flags,
                                                  GError                   **error);
GTX_API gboolean gtx_output_stream_close         (GOutputStream             *stream,
                                                  GError                   **error);

GTX_API gboolean gtx_io_stream_close             (GIOStream                 *stream,
                                                  GError                   **error);

GTX_API gssize   gtx_buffered_input_stream_fill  (GBufferedInputStream      *stream,
                                                  gssize                     count,
                                                  GError                   **error);
GTX_API char    *gtx_data_input_stream_read_line (GDataInputStream          *stream,
                                                  gsize                     *length,
                                                  GError                   **error) G_GNUC_WARN_UNUSED_RESULT;
GTX_API char    *gtx_data_input_stream_read_upto (GDataInputStream          *stream,
                                                  const char                *stop_chars,
                                                  gssize                     stop_chars_len,
                                                  gsize                     *length,
                                                  GError                   **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
