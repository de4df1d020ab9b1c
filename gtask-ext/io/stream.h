/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How streams are read and written without blocking the main loop. */

#pragma once

#include "io/ready.h"

typedef enum
{
  GTX_STREAM_IS_AT_HAND,        /* never blocks: it is in memory */
  GTX_STREAM_HAS_DESCRIPTOR,    /* is tried, and its descriptor awaited: a socket's, a pipe's */
  GTX_STREAM_HAS_SOURCE,        /* is tried, and its own source awaited: any other pollable one */
  GTX_STREAM_BLOCKS,            /* in a thread: a local file's, and where GIO has but threads for it */
  GTX_STREAM_IS_ASYNC           /* by its _async functions: all else */
} GtxStreamKind;

/* What is known of a stream. */
typedef struct _GtxStreamNotes GtxStreamNotes;

/* How a stream is read or written.  The notes are there for all that is tried, and as long as the stream. */
typedef struct
{
  GtxStreamKind kind;
  GtxStreamNotes *notes;
} GtxStreamAccess;

GtxStreamAccess gtx_input_stream_look  (GInputStream  *stream);
/* What is found may be another before the next write, as where somebody made the file non-blocking. */
GtxStreamAccess gtx_output_stream_look (GOutputStream *stream);

/* Whether it is a buffer that reads with GIO's own functions. */
gboolean      gtx_input_stream_is_buffer (GInputStream  *stream);

/* The descriptor of a stream that has one; -1 where it is closed. */
int           gtx_stream_get_descriptor  (gpointer       stream);

/* These read and write as GIO's functions do, a stream that is tried and has been marked as
 * pending.  They suspend.  @delivers: a request, which stands otherwise, as where bytes were
 * read before that are to be told of. */
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
/* Whether a write took something, for who writes all, and would go on for ever.  A converter takes
 * nothing for a while where it has something left of before.  @n_nothing is 0 at first. */
gboolean      gtx_stream_takes_more      (gsize          n,
                                          guint         *n_nothing,
                                          GError       **error);
/* Writes all, and blocks, to a stream that is marked as pending; adds to @bytes_written what was. */
gboolean      gtx_stream_write_blocking  (GOutputStream *stream,
                                          const char    *buffer,
                                          gsize          count,
                                          gsize         *bytes_written,
                                          GCancellable  *cancellable,
                                          GError       **error);
