/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of random programs: streams whose other side the test controls, and two sets of
 * functions that read and write them. */

#pragma once

#include "stream-ends.h"

typedef struct
{
  gssize   (*read)        (GInputStream *stream, void *buffer, gsize count, GError **error);
  gboolean (*read_all)    (GInputStream *stream, void *buffer, gsize count, gsize *n, GError **error);
  GBytes  *(*read_bytes)  (GInputStream *stream, gsize count, GError **error);
  gssize   (*skip)        (GInputStream *stream, gsize count, GError **error);
  gboolean (*close_input) (GInputStream *stream, GError **error);
  gssize   (*fill)        (GBufferedInputStream *stream, gssize count, GError **error);
  char    *(*read_line)   (GDataInputStream *stream, gsize *length, GError **error);
  char    *(*read_upto)   (GDataInputStream *stream, const char *stops, gssize n, gsize *length, GError **error);
  gssize   (*write)       (GOutputStream *stream, const void *buffer, gsize count, GError **error);
  gboolean (*write_all)   (GOutputStream *stream, const void *buffer, gsize count, gsize *n, GError **error);
  gboolean (*writev_all)  (GOutputStream *stream, GOutputVector *vectors, gsize n_vectors, gsize *n, GError **error);
  gboolean (*flush)       (GOutputStream *stream, GError **error);
  gssize   (*splice)      (GOutputStream *stream, GInputStream *source, GOutputStreamSpliceFlags flags, GError **error);
  gboolean (*close_output)(GOutputStream *stream, GError **error);
  gboolean (*close)       (GIOStream *stream, GError **error);
  gssize   (*receive)     (GSocket *socket, char *buffer, gsize size, GError **error);
  gssize   (*receive_from)(GSocket *socket, GSocketAddress **address, char *buffer, gsize size, GError **error);
  gssize   (*send)        (GSocket *socket, const char *buffer, gsize size, GError **error);
  gboolean (*wait)        (GSocket *socket, GIOCondition condition, GError **error);
} Functions;

extern const Functions blocking, suspending;

typedef enum { BELOW_UNIX, BELOW_TCP, BELOW_PIPES, BELOW_MEMORY, BELOW_FILE, N_BELOW } Below;
typedef enum { INPUT_PLAIN, INPUT_CONVERTED, INPUT_BUFFERED, INPUT_DATA, INPUT_DATA_CONVERTED, N_INPUTS } InputTop;
typedef enum { OUTPUT_PLAIN, OUTPUT_CONVERTED, OUTPUT_BUFFERED, N_OUTPUTS } OutputTop;

typedef struct
{
  Below below;
  InputTop input_top;
  OutputTop output_top;
  GDataStreamNewlineType newline;
  gsize buffer_size;
  gsize n_memory;               /* the size of a memory stream or a file, or the room in it */
  gboolean is_fixed;
} Shape;

typedef struct
{
  const Shape *shape;
  const Functions *functions;
  GInputStream *input;
  GOutputStream *output;
  GIOStream *connection;
  GSocket *socket;
  char *path;
  /* The descriptors of the other side; -1: it has none, or no longer has one. */
  int feeds, takes;
  int fd;                       /* the data that the input reads */
  GByteArray *put;              /* all bytes that this side may read */
  gsize consumed;
  gboolean is_at_end;
  GByteArray *taken;
  GString *log;
} Side;

void   side_open        (Side            *self,
                         const Shape     *shape,
                         const Functions *functions);
void   side_close       (Side            *self);

/* Returns byte @i of the data that either side writes. */
guint8 side_byte_at     (gsize            i);

/* The other side writes @n bytes, if there is one; ends its output; or goes away. */
void   side_put         (Side            *self,
                         gsize            n);
void   side_end_feeding (Side            *self);
void   side_leave       (Side            *self,
                         gboolean         resets);
/* The other side takes the available data; or takes all data up to the end. */
void   side_take        (Side            *self);
void   side_take_to_end (Side            *self);
/* Waits until the action of the other side has arrived at this side. */
void   side_await_event (Side            *self,
                         short            events);
