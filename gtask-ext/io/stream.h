/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How streams are read and written without blocking the main loop. */

#pragma once

#include "io/ready.h"

typedef enum
{
  GTX_STREAM_IS_AT_HAND,        /* never blocks: it is in memory */
  GTX_STREAM_HAS_DESCRIPTOR,    /* is tried, and its descriptor awaited: a socket's, a pipe's */
  GTX_STREAM_HAS_SOURCE,        /* is tried, and its own source awaited: any other pollable one */
  GTX_STREAM_BLOCKS,            /* is called in a thread: a local file's, and any for which GIO has only
                                 * threads */
  GTX_STREAM_IS_ASYNC           /* is called by its _async functions: any other */
} GtxStreamKind;

/* What is known of a stream. */
typedef struct _GtxStreamNotes GtxStreamNotes;

/* How a stream is read or written.  Any stream that is tried has notes, which live as long as the
 * stream. */
typedef struct
{
  GtxStreamKind kind;
  GtxStreamNotes *notes;
} GtxStreamAccess;

GtxStreamAccess gtx_input_stream_look  (GInputStream  *stream);
/* The answer may change before the next write, for instance if the file was made non-blocking. */
GtxStreamAccess gtx_output_stream_look (GOutputStream *stream);

/* Whether @stream is a buffer that reads with GIO's own functions. */
gboolean      gtx_input_stream_is_buffer (GInputStream  *stream);

/* Returns the descriptor of a stream that has one; -1 if it is closed. */
int           gtx_stream_get_descriptor  (gpointer       stream);

/* Read and write as GIO's functions do.  May suspend.  The stream has to be one that is tried, and
 * marked as pending.  @delivers: whether a request to cancel is delivered; else it stands, since
 * bytes were read before that are to be reported. */
gssize        gtx_stream_try_to_read     (GtxTask             *task,
                                          GInputStream        *stream,
                                          GtxStreamNotes      *notes,
                                          void                *buffer,
                                          gsize                count,
                                          gboolean             delivers,
                                          GError             **error);
gssize        gtx_stream_try_to_write    (GtxTask             *task,
                                          GOutputStream       *stream,
                                          GtxStreamNotes      *notes,
                                          const void          *buffer,
                                          gsize                count,
                                          GError             **error);
gboolean      gtx_stream_try_to_writev   (GtxTask             *task,
                                          GOutputStream       *stream,
                                          GtxStreamNotes      *notes,
                                          const GOutputVector *vectors,
                                          gsize                n_vectors,
                                          gsize               *bytes_written,
                                          GError             **error);
/* For a caller that writes all: FALSE with @error set if so many writes in a row took nothing that
 * it would go on for ever.  A converter takes nothing for a while if it has bytes of an earlier
 * write left.  @n_nothing is 0 at first. */
gboolean      gtx_stream_takes_more      (gsize          n,
                                          guint         *n_nothing,
                                          GError       **error);
/* Writes all bytes to a stream that is marked as pending, and blocks.  Adds the number of those
 * that were written to @bytes_written. */
gboolean      gtx_stream_write_blocking  (GOutputStream *stream,
                                          const char    *buffer,
                                          gsize          count,
                                          gsize         *bytes_written,
                                          GCancellable  *cancellable,
                                          GError       **error);
