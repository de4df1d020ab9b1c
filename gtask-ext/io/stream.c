/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io/stream.h"
#include "io/socket-try.h"

#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <limits.h>
#include <sys/stat.h>

/* What is known of a stream whose type does not tell all.  Kept, so that its class and interfaces
 * are not asked for with every operation. */
struct _GtxStreamNotes
{
  GtxStreamKind kind;
  gboolean is_buffer;           /* a buffer that reads with GIO's own functions */
  union
  {
    GPollableInputStreamInterface *input;
    GPollableOutputStreamInterface *output;
  } pollable;                   /* NULL: it is not pollable */
  GUnixOutputStream *blocks_with_room; /* the stream to ask before each write whether it blocks; or NULL */
  GSocket *socket;              /* the stream's, which has the reference; NULL: it is no socket's */
  GtxSocketNotes *of_socket;
  GtxFirstTries reads;
};

/* These functions ask whether a stream is GIO's own, rather than of a class that is derived from it
 * or does the like.  A stream of such a class may have data of which no descriptor tells, or close
 * slowly. */

static gboolean
is_gios_socket_stream (gpointer stream)
{
  const char *name = G_OBJECT_TYPE_NAME (stream);

  return g_str_equal (name, "GSocketInputStream") || g_str_equal (name, "GSocketOutputStream");
}

static gboolean
is_gios_pipe_input (gpointer stream)
{
  GUnixInputStreamClass *own = g_type_class_peek (G_TYPE_UNIX_INPUT_STREAM);

  return G_IS_UNIX_INPUT_STREAM (stream) &&
         G_POLLABLE_INPUT_STREAM_GET_INTERFACE (stream) == g_type_interface_peek (own, G_TYPE_POLLABLE_INPUT_STREAM) &&
         G_INPUT_STREAM_GET_CLASS (stream)->close_fn == own->parent_class.close_fn;
}

static gboolean
is_gios_pipe_output (gpointer stream)
{
  GUnixOutputStreamClass *own = g_type_class_peek (G_TYPE_UNIX_OUTPUT_STREAM);

  return G_IS_UNIX_OUTPUT_STREAM (stream) &&
         G_POLLABLE_OUTPUT_STREAM_GET_INTERFACE (stream) == g_type_interface_peek (own, G_TYPE_POLLABLE_OUTPUT_STREAM) &&
         G_OUTPUT_STREAM_GET_CLASS (stream)->close_fn == own->parent_class.close_fn;
}

/* The class of a socket's stream is not public, but its property can be read. */
static GSocket *
get_socket (gpointer stream)
{
  GSocket *socket;

  g_object_get (stream, "socket", &socket, NULL);
  g_object_unref (socket);
  return socket;
}

static gboolean
can_poll (gpointer stream)
{
  return G_IS_INPUT_STREAM (stream)
         ? G_IS_POLLABLE_INPUT_STREAM (stream) && g_pollable_input_stream_can_poll (stream)
         : G_IS_POLLABLE_OUTPUT_STREAM (stream) && g_pollable_output_stream_can_poll (stream);
}

/* A stream without an asynchronous function of its own is called in a thread here.  GIO's default
 * would do so, too, but loses what was read there if the task is cancelled by then. */
static GtxStreamKind
kind_unpolled (gpointer stream)
{
  GInputStreamClass *input = g_type_class_peek (G_TYPE_INPUT_STREAM);
  GOutputStreamClass *output = g_type_class_peek (G_TYPE_OUTPUT_STREAM);
  gboolean is_for_threads;

  if (G_IS_INPUT_STREAM (stream))
    is_for_threads = G_INPUT_STREAM_GET_CLASS (stream)->read_fn &&
                     G_INPUT_STREAM_GET_CLASS (stream)->read_async == input->read_async;
  else
    is_for_threads = G_OUTPUT_STREAM_GET_CLASS (stream)->write_fn &&
                     G_OUTPUT_STREAM_GET_CLASS (stream)->write_async == output->write_async;
  return is_for_threads ? GTX_STREAM_BLOCKS : GTX_STREAM_IS_ASYNC;
}

/* Does what GIO's sockets do for the process: a write that nobody reads any more fails with an
 * error, and not with a signal that ends the program. */
static void
ignore_sigpipe (void)
{
  static gsize is_ignored;

  if (g_once_init_enter (&is_ignored))
    {
      g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
      g_once_init_leave (&is_ignored, TRUE);
    }
}

/* Returns the stream of a file, @stream or one below it, of which a write may block though it
 * reports room; or NULL.  There may be less room than is to be written, and then the write blocks
 * while the file is not non-blocking. */
static GUnixOutputStream *
find_blocking_with_room (gpointer stream)
{
  gpointer bottom = stream;
  struct stat status;

  while (G_IS_FILTER_OUTPUT_STREAM (bottom))
    bottom = g_filter_output_stream_get_base_stream (bottom);
  if (!G_IS_UNIX_OUTPUT_STREAM (bottom))
    return NULL;
  /* The room of a pipe is known; but a stream above one writes as much as it likes. */
  if (bottom == stream && fstat (g_unix_output_stream_get_fd (bottom), &status) == 0 && S_ISFIFO (status.st_mode))
    return NULL;
  return bottom;
}

/* Asked each time: other processes that have the file may change that. */
static gboolean
is_blocking (GUnixOutputStream *stream)
{
  int flags = fcntl (g_unix_output_stream_get_fd (stream), F_GETFL);

  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

/* GIO's own buffers block if the stream below may block. */
static GtxStreamKind
kind_on_top (GtxStreamKind base)
{
  return base == GTX_STREAM_IS_AT_HAND ? base : GTX_STREAM_BLOCKS;
}

static gboolean
calls_the_same (const GInputStreamClass *class,
                const GInputStreamClass *own)
{
  return class->read_fn == own->read_fn && class->read_async == own->read_async && class->skip == own->skip &&
         class->skip_async == own->skip_async && class->close_fn == own->close_fn &&
         class->close_async == own->close_async;
}

/* Whether a stream is derived from GIO's buffers, and reads as they do. */
static gboolean
reads_as_buffer (gpointer stream)
{
  GBufferedInputStreamClass *own = g_type_class_peek (G_TYPE_BUFFERED_INPUT_STREAM);
  GBufferedInputStreamClass *class;

  if (!G_IS_BUFFERED_INPUT_STREAM (stream) || G_IS_POLLABLE_INPUT_STREAM (stream))
    return FALSE;
  class = G_BUFFERED_INPUT_STREAM_GET_CLASS (stream);
  return class->fill == own->fill && class->fill_async == own->fill_async &&
         calls_the_same ((GInputStreamClass *) class, (GInputStreamClass *) own);
}

static gpointer
notes_new (gpointer stream)
{
  GtxStreamNotes *self = g_new0 (GtxStreamNotes, 1);

  if (reads_as_buffer (stream))
    {
      self->is_buffer = TRUE;
      self->kind = kind_on_top (gtx_input_stream_look (g_filter_input_stream_get_base_stream (stream)).kind);
      return self;
    }
  if (G_IS_OUTPUT_STREAM (stream))
    ignore_sigpipe ();
  if (!can_poll (stream))
    {
      self->kind = kind_unpolled (stream);
      return self;
    }
  self->kind = GTX_STREAM_HAS_SOURCE;
  if (is_gios_pipe_input (stream) || is_gios_pipe_output (stream))
    self->kind = GTX_STREAM_HAS_DESCRIPTOR;
  if (is_gios_socket_stream (stream))
    {
      self->kind = GTX_STREAM_HAS_DESCRIPTOR;
      self->socket = get_socket (stream);
      self->of_socket = gtx_socket_get_notes (self->socket);
    }
  if (G_IS_INPUT_STREAM (stream))
    self->pollable.input = G_POLLABLE_INPUT_STREAM_GET_INTERFACE (stream);
  else
    {
      self->pollable.output = G_POLLABLE_OUTPUT_STREAM_GET_INTERFACE (stream);
      self->blocks_with_room = find_blocking_with_room (stream);
    }
  return self;
}

static GtxStreamNotes *
notes_of (gpointer stream)
{
  static gsize quark;

  return gtx_ready_get_notes (stream, &quark, "gtask-ext-notes", notes_new);
}

/* ---- Kinds ---- */

GtxStreamAccess
gtx_input_stream_look (GInputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);
  GtxStreamAccess self = { GTX_STREAM_IS_AT_HAND, NULL };

  if (type == G_TYPE_BUFFERED_INPUT_STREAM || type == G_TYPE_DATA_INPUT_STREAM)
    self.kind = kind_on_top (gtx_input_stream_look (
      g_filter_input_stream_get_base_stream ((GFilterInputStream *) stream)).kind);
  else if (type != G_TYPE_MEMORY_INPUT_STREAM)
    {
      self.notes = notes_of (stream);
      self.kind = self.notes->kind;
    }
  return self;
}

gboolean
gtx_input_stream_is_buffer (GInputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);

  return type == G_TYPE_BUFFERED_INPUT_STREAM || type == G_TYPE_DATA_INPUT_STREAM || notes_of (stream)->is_buffer;
}

GtxStreamAccess
gtx_output_stream_look (GOutputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);
  GtxStreamAccess self = { GTX_STREAM_IS_AT_HAND, NULL };

  if (type == G_TYPE_BUFFERED_OUTPUT_STREAM || type == G_TYPE_DATA_OUTPUT_STREAM)
    self.kind = kind_on_top (gtx_output_stream_look (
      g_filter_output_stream_get_base_stream ((GFilterOutputStream *) stream)).kind);
  else if (type != G_TYPE_MEMORY_OUTPUT_STREAM)
    {
      self.notes = notes_of (stream);
      self.kind = self.notes->blocks_with_room && is_blocking (self.notes->blocks_with_room) ? kind_unpolled (stream)
                                                                                           : self.notes->kind;
    }
  return self;
}

/* ---- Waiting ---- */

int
gtx_stream_get_descriptor (gpointer stream)
{
  return g_file_descriptor_based_get_fd (stream);
}

/* Waits with the socket, the descriptor or the source of @stream. */
static gboolean
await_stream (GtxTask         *task,
              gpointer         stream,
              GtxStreamNotes  *notes,
              GIOCondition     condition,
              gboolean         delivers,
              GError         **error)
{
  GSource *source;

  if (notes->socket)
    return gtx_ready_await_socket (task, notes->socket, g_socket_get_fd (notes->socket), 0, condition, delivers, error);
  if (notes->kind == GTX_STREAM_HAS_DESCRIPTOR)
    return gtx_ready_await_descriptor (task, gtx_stream_get_descriptor (stream), condition, delivers, error);
  source = condition == G_IO_IN ? notes->pollable.input->create_source (stream, NULL)
                                : notes->pollable.output->create_source (stream, NULL);
  return gtx_ready_await_source (task, source, delivers, error);
}

/* ---- Trying ---- */

static gssize
try_to_read_polled (GtxTask         *task,
                    GInputStream    *stream,
                    GtxStreamNotes  *notes,
                    void            *buffer,
                    gsize            count,
                    gboolean         delivers,
                    GError         **error)
{
  /* A stream with a source of its own may have data that the source does not look at. */
  gboolean is_tried = notes->kind == GTX_STREAM_HAS_SOURCE || gtx_first_tries_is_worth_it (&notes->reads, task);
  gboolean has_waited = FALSE;
  gboolean is_streams = FALSE;
  GError *failure = NULL;
  gssize n = -1;

  if (!gtx_ready_begin_next_try (task, delivers, error))
    return -1;
  for (;;)
    {
      if (is_tried)
        {
          n = notes->pollable.input->read_nonblocking ((GPollableInputStream *) stream, buffer, count, &failure);
          is_streams = n < 0 && !gtx_ready_would_block (&failure);
          if (!has_waited)
            gtx_first_tries_note (&notes->reads, n < 0 && !is_streams);
        }
      if (n >= 0 || is_streams || !await_stream (task, stream, notes, G_IO_IN, delivers, &failure))
        break;
      is_tried = has_waited = TRUE;
    }
  if (failure == NULL)
    return n;
  g_propagate_error (error, failure);
  return -1;
}

gssize
gtx_stream_try_to_read (GtxTask         *task,
                        GInputStream    *stream,
                        GtxStreamNotes  *notes,
                        void            *buffer,
                        gsize            count,
                        gboolean         delivers,
                        GError         **error)
{
  GtxSocketTry self = {
    .once = gtx_socket_receive_once, .condition = G_IO_IN, .waits = TRUE, .delivers = delivers,
    .buffer = buffer, .size = count,
  };

  return notes->of_socket ? gtx_socket_try (task, notes->socket, notes->of_socket, &self, error)
                          : try_to_read_polled (task, stream, notes, buffer, count, delivers, error);
}

#define MOST_OF_NOTHING 1000

gboolean
gtx_stream_takes_more (gsize    n,
                       guint   *n_nothing,
                       GError **error)
{
  *n_nothing = n == 0 ? *n_nothing + 1 : 0;
  if (*n_nothing < MOST_OF_NOTHING)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The stream accepts no more data");
  return FALSE;
}

gboolean
gtx_stream_write_blocking (GOutputStream  *stream,
                           const char     *buffer,
                           gsize           count,
                           gsize          *bytes_written,
                           GCancellable   *cancellable,
                           GError        **error)
{
  guint n_nothing = 0;

  while (*bytes_written < count)
    {
      gssize n = G_OUTPUT_STREAM_GET_CLASS (stream)->write_fn (stream, buffer + *bytes_written,
                                                               count - *bytes_written, cancellable, error);

      if (n < 0 || !gtx_stream_takes_more (n, &n_nothing, error))
        return FALSE;
      *bytes_written += n;
    }
  return TRUE;
}

/* A pipe that reports room has room for PIPE_BUF bytes.  To write more blocks unless the file is
 * non-blocking, which is not ours to decide: other processes may share the file. */
static gsize
limit_to_room (GOutputStream *stream,
               gsize          count)
{
  if (count <= PIPE_BUF || !G_IS_UNIX_OUTPUT_STREAM (stream))
    return count;
  return is_blocking ((GUnixOutputStream *) stream) ? PIPE_BUF : count;
}

/* Waits until a converter has written the bytes that it has taken, as GIO's blocking functions do.
 * These bytes count as written, so that a request to cancel stands; the next write reports an error
 * of theirs. */
static void
write_leftover (GtxTask        *task,
                GOutputStream  *stream,
                GtxStreamNotes *notes)
{
  GError *failure = NULL;

  if (!G_IS_CONVERTER_OUTPUT_STREAM (stream))
    return;
  while (notes->pollable.output->write_nonblocking ((GPollableOutputStream *) stream, "", 0, &failure) < 0 &&
         gtx_ready_would_block (&failure) && await_stream (task, stream, notes, G_IO_OUT, FALSE, &failure))
    ;
  g_clear_error (&failure);
}

static gssize
try_to_write_polled (GtxTask         *task,
                     GOutputStream   *stream,
                     GtxStreamNotes  *notes,
                     const void      *buffer,
                     gsize            count,
                     GError         **error)
{
  GError *failure = NULL;
  gssize n = -1;

  count = limit_to_room (stream, count);
  if (!gtx_ready_begin_try (task, error))
    return -1;
  do
    n = notes->pollable.output->write_nonblocking ((GPollableOutputStream *) stream, buffer, count, &failure);
  while (n < 0 && gtx_ready_would_block (&failure) && await_stream (task, stream, notes, G_IO_OUT, TRUE, &failure));
  if (failure)
    {
      g_propagate_error (error, failure);
      return -1;
    }
  if (notes->kind == GTX_STREAM_HAS_SOURCE)
    write_leftover (task, stream, notes);
  return n;
}

gssize
gtx_stream_try_to_write (GtxTask         *task,
                         GOutputStream   *stream,
                         GtxStreamNotes  *notes,
                         const void      *buffer,
                         gsize            count,
                         GError         **error)
{
  GtxSocketTry self = {
    .once = gtx_socket_send_once, .condition = G_IO_OUT, .waits = TRUE, .delivers = TRUE, .data = buffer, .size = count,
  };

  return notes->of_socket ? gtx_socket_try (task, notes->socket, notes->of_socket, &self, error)
                          : try_to_write_polled (task, stream, notes, buffer, count, error);
}

/* Not for a pipe, which has room for one vector at a time. */
gboolean
gtx_stream_try_to_writev (GtxTask              *task,
                          GOutputStream        *stream,
                          GtxStreamNotes       *notes,
                          const GOutputVector  *vectors,
                          gsize                 n_vectors,
                          gsize                *bytes_written,
                          GError              **error)
{
  if (!gtx_ready_begin_try (task, error))
    return FALSE;
  for (;;)
    switch (g_pollable_output_stream_writev_nonblocking ((GPollableOutputStream *) stream, vectors, n_vectors,
                                                         bytes_written, NULL, error))
      {
      case G_POLLABLE_RETURN_OK:
        if (notes->kind == GTX_STREAM_HAS_SOURCE)
          write_leftover (task, stream, notes);
        return TRUE;
      case G_POLLABLE_RETURN_WOULD_BLOCK:
        if (!await_stream (task, stream, notes, G_IO_OUT, TRUE, error))
          return FALSE;
        break;
      case G_POLLABLE_RETURN_FAILED:
      default:
        return FALSE;
      }
}
