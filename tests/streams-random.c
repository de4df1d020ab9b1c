/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random programs of operations, run once by GIO's functions that block and once by those
 * for tasks: both have the same results, errors and bytes.  STREAMS_SEED names one program,
 * and STREAMS_PROGRAMS how many to run. */

#define _GNU_SOURCE

#include "stream-ends.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_PROGRAMS 400
#define N_OPERATIONS 40
#define MOST_BYTES 6000
#define HANGS_SECONDS 60

/* ---- What is compared ---- */

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

static gssize
blocking_read (GInputStream *stream, void *buffer, gsize count, GError **error)
{
  return g_input_stream_read (stream, buffer, count, NULL, error);
}

static gboolean
blocking_read_all (GInputStream *stream, void *buffer, gsize count, gsize *n, GError **error)
{
  return g_input_stream_read_all (stream, buffer, count, n, NULL, error);
}

static GBytes *
blocking_read_bytes (GInputStream *stream, gsize count, GError **error)
{
  return g_input_stream_read_bytes (stream, count, NULL, error);
}

static gssize
blocking_skip (GInputStream *stream, gsize count, GError **error)
{
  return g_input_stream_skip (stream, count, NULL, error);
}

static gboolean
blocking_close_input (GInputStream *stream, GError **error)
{
  return g_input_stream_close (stream, NULL, error);
}

static gssize
blocking_fill (GBufferedInputStream *stream, gssize count, GError **error)
{
  return g_buffered_input_stream_fill (stream, count, NULL, error);
}

static char *
blocking_read_line (GDataInputStream *stream, gsize *length, GError **error)
{
  return g_data_input_stream_read_line (stream, length, NULL, error);
}

static char *
blocking_read_upto (GDataInputStream *stream, const char *stops, gssize n, gsize *length, GError **error)
{
  return g_data_input_stream_read_upto (stream, stops, n, length, NULL, error);
}

static gssize
blocking_write (GOutputStream *stream, const void *buffer, gsize count, GError **error)
{
  return g_output_stream_write (stream, buffer, count, NULL, error);
}

static gboolean
blocking_write_all (GOutputStream *stream, const void *buffer, gsize count, gsize *n, GError **error)
{
  return g_output_stream_write_all (stream, buffer, count, n, NULL, error);
}

static gboolean
blocking_writev_all (GOutputStream *stream, GOutputVector *vectors, gsize n_vectors, gsize *n, GError **error)
{
  return g_output_stream_writev_all (stream, vectors, n_vectors, n, NULL, error);
}

static gboolean
blocking_flush (GOutputStream *stream, GError **error)
{
  return g_output_stream_flush (stream, NULL, error);
}

static gssize
blocking_splice (GOutputStream *stream, GInputStream *source, GOutputStreamSpliceFlags flags, GError **error)
{
  return g_output_stream_splice (stream, source, flags, NULL, error);
}

static gboolean
blocking_close_output (GOutputStream *stream, GError **error)
{
  return g_output_stream_close (stream, NULL, error);
}

static gboolean
blocking_close (GIOStream *stream, GError **error)
{
  return g_io_stream_close (stream, NULL, error);
}

static gssize
blocking_receive (GSocket *socket, char *buffer, gsize size, GError **error)
{
  return g_socket_receive (socket, buffer, size, NULL, error);
}

static gssize
blocking_receive_from (GSocket *socket, GSocketAddress **address, char *buffer, gsize size, GError **error)
{
  return g_socket_receive_from (socket, address, buffer, size, NULL, error);
}

static gssize
blocking_send (GSocket *socket, const char *buffer, gsize size, GError **error)
{
  return g_socket_send (socket, buffer, size, NULL, error);
}

static gboolean
blocking_wait (GSocket *socket, GIOCondition condition, GError **error)
{
  return g_socket_condition_wait (socket, condition, NULL, error);
}

static const Functions blocking = {
  blocking_read, blocking_read_all, blocking_read_bytes, blocking_skip, blocking_close_input, blocking_fill,
  blocking_read_line, blocking_read_upto, blocking_write, blocking_write_all, blocking_writev_all, blocking_flush,
  blocking_splice, blocking_close_output, blocking_close, blocking_receive, blocking_receive_from, blocking_send,
  blocking_wait,
};

static const Functions suspending = {
  gtx_input_stream_read, gtx_input_stream_read_all, gtx_input_stream_read_bytes, gtx_input_stream_skip,
  gtx_input_stream_close, gtx_buffered_input_stream_fill, gtx_data_input_stream_read_line,
  gtx_data_input_stream_read_upto, gtx_output_stream_write, gtx_output_stream_write_all,
  gtx_output_stream_writev_all, gtx_output_stream_flush, gtx_output_stream_splice, gtx_output_stream_close,
  gtx_io_stream_close, gtx_socket_receive, gtx_socket_receive_from, gtx_socket_send, gtx_socket_condition_wait,
};

/* ---- Streams ---- */

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
  gsize n_memory;               /* what a memory stream or file has, or has room for */
  gboolean is_fixed;
} Shape;

static const char *const below_names[] = { "unix", "tcp", "pipes", "memory", "file" };
static const char *const input_names[] = { "plain", "converted", "buffered", "data", "data-converted" };
static const char *const output_names[] = { "plain", "converted", "buffered" };

typedef struct
{
  const Shape *shape;
  const Functions *functions;
  GInputStream *input;
  GOutputStream *output;
  GIOStream *connection;
  GSocket *socket;
  char *path;
  /* The other side: -1 where there is none, or none any more. */
  int feeds, takes;
  int fd;                       /* what the input reads */
  GByteArray *put;              /* all that is to be read */
  gsize consumed;
  gboolean is_at_end;
  GByteArray *taken;
  GString *log;
} Side;

static guint8
byte_at (gsize i)
{
  static const char text[] = "ab\ncd\r\ne\rfgh;i\n\n\r\r\njk lmnop";

  return (guint8) text[(i * 7 + i / 29) % (sizeof text - 1)];
}

static void
add_bytes (GByteArray *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint8 byte = byte_at (bytes->len);

      g_byte_array_append (bytes, &byte, 1);
    }
}

static void
open_sockets (Side *self)
{
  int pair[2];

  if (self->shape->below == BELOW_TCP)
    connect_pair (pair);
  else
    g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  self->fd = pair[0];
  self->feeds = self->takes = pair[1];
  self->socket = socket_of (pair[0]);
  self->connection = G_IO_STREAM (g_socket_connection_factory_create_connection (self->socket));
  self->input = g_object_ref (g_io_stream_get_input_stream (self->connection));
  self->output = g_object_ref (g_io_stream_get_output_stream (self->connection));
}

static void
open_pipes (Side *self)
{
  int in[2], out[2];

  g_assert_cmpint (pipe (in), ==, 0);
  g_assert_cmpint (pipe (out), ==, 0);
  self->fd = in[0];
  self->feeds = in[1];
  self->takes = out[0];
  self->input = g_unix_input_stream_new (in[0], TRUE);
  self->output = g_unix_output_stream_new (out[1], TRUE);
}

static void
open_memory (Side *self)
{
  gsize n = self->shape->n_memory;

  add_bytes (self->put, n);
  self->is_at_end = TRUE;
  self->input = g_memory_input_stream_new_from_data (self->put->data, n, NULL);
  self->output = self->shape->is_fixed ? g_memory_output_stream_new (g_malloc0 (n), n, NULL, g_free)
                                       : g_memory_output_stream_new_resizable ();
}

static void
open_file (Side *self)
{
  g_autoptr (GFileIOStream) made = NULL;
  g_autoptr (GFile) file = g_file_new_tmp (NULL, &made, NULL);

  add_bytes (self->put, self->shape->n_memory);
  self->is_at_end = TRUE;
  self->path = g_file_get_path (file);
  g_assert_true (g_file_set_contents (self->path, (char *) self->put->data, self->put->len, NULL));
  self->input = G_INPUT_STREAM (g_file_read (file, NULL, NULL));
  self->output = G_OUTPUT_STREAM (g_file_append_to (file, G_FILE_CREATE_NONE, NULL, NULL));
}

static void
put_on_top (gpointer base, gpointer top)
{
  g_object_unref (*(gpointer *) base);
  *(gpointer *) base = top;
}

static void
add_tops (Side *self)
{
  g_autoptr (GConverter) reads = copier_new ();
  g_autoptr (GConverter) writes = copier_new ();
  InputTop top = self->shape->input_top;

  if (top == INPUT_CONVERTED || top == INPUT_DATA_CONVERTED)
    put_on_top (&self->input, g_converter_input_stream_new (self->input, reads));
  if (top == INPUT_BUFFERED)
    put_on_top (&self->input, g_buffered_input_stream_new_sized (self->input, self->shape->buffer_size));
  if (top == INPUT_DATA || top == INPUT_DATA_CONVERTED)
    {
      put_on_top (&self->input, g_data_input_stream_new (self->input));
      g_data_input_stream_set_newline_type (G_DATA_INPUT_STREAM (self->input), self->shape->newline);
      g_buffered_input_stream_set_buffer_size (G_BUFFERED_INPUT_STREAM (self->input), self->shape->buffer_size);
    }
  if (self->shape->output_top == OUTPUT_CONVERTED)
    put_on_top (&self->output, g_converter_output_stream_new (self->output, writes));
  if (self->shape->output_top == OUTPUT_BUFFERED)
    put_on_top (&self->output, g_buffered_output_stream_new_sized (self->output, self->shape->buffer_size));
}

static void
side_open (Side *self, const Shape *shape, const Functions *functions)
{
  *self = (Side) { .shape = shape, .functions = functions, .feeds = -1, .takes = -1, .fd = -1 };
  self->put = g_byte_array_new ();
  self->taken = g_byte_array_new ();
  self->log = g_string_new (NULL);
  if (shape->below <= BELOW_TCP)
    open_sockets (self);
  else if (shape->below == BELOW_PIPES)
    open_pipes (self);
  else if (shape->below == BELOW_MEMORY)
    open_memory (self);
  else
    open_file (self);
  add_tops (self);
}

static void
close_other (Side *self)
{
  if (self->feeds >= 0)
    close (self->feeds);
  if (self->takes >= 0 && self->takes != self->feeds)
    close (self->takes);
  self->feeds = self->takes = -1;
}

static void
side_close (Side *self)
{
  g_object_unref (self->input);
  g_object_unref (self->output);
  g_clear_object (&self->connection);
  g_clear_object (&self->socket);
  close_other (self);
  if (self->path)
    g_unlink (self->path);
  g_free (self->path);
  g_byte_array_unref (self->put);
  g_byte_array_unref (self->taken);
  g_string_free (self->log, TRUE);
}

/* ---- The other side ---- */

static void
take (Side *self)
{
  guint8 block[4096];
  gssize n;
  int flags;

  if (self->takes < 0)
    return;
  flags = fcntl (self->takes, F_GETFL);
  fcntl (self->takes, F_SETFL, flags | O_NONBLOCK);
  while ((n = read (self->takes, block, sizeof block)) > 0)
    g_byte_array_append (self->taken, block, n);
  fcntl (self->takes, F_SETFL, flags);
}

/* Up to its end, or an error. */
static void
take_to_end (Side *self)
{
  struct timeval most = { 1, 0 };
  guint8 block[4096];
  gssize n;

  setsockopt (self->takes, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  while ((n = read (self->takes, block, sizeof block)) > 0)
    g_byte_array_append (self->taken, block, n);
}

/* What was sent by TCP has come. */
static void
await_bytes (Side *self, int before, gsize n)
{
  int now = before;

  for (int i = 0; i < 10000 && (gsize) (now - before) < n; i++)
    {
      if (ioctl (self->fd, FIONREAD, &now) != 0)
        return;
      if ((gsize) (now - before) < n)
        g_usleep (100);
    }
}

static void
await_event (Side *self, short events)
{
  struct pollfd poll_fd = { self->fd, events, 0 };

  if (self->shape->below == BELOW_TCP && !(self->socket && g_socket_is_closed (self->socket)))
    poll (&poll_fd, 1, 100);
}

static void
put (Side *self, gsize n)
{
  gsize old = self->put->len;
  int before = 0;

  if (self->feeds < 0 || self->is_at_end)
    return;
  ioctl (self->fd, FIONREAD, &before);
  add_bytes (self->put, n);
  if (self->shape->below <= BELOW_TCP ? send (self->feeds, self->put->data + old, n, MSG_NOSIGNAL) == (gssize) n
                                      : write (self->feeds, self->put->data + old, n) == (gssize) n)
    {
      if (self->shape->below == BELOW_TCP)
        await_bytes (self, before, n);
    }
  else
    g_byte_array_set_size (self->put, old);
}

static void
end_feeding (Side *self)
{
  self->is_at_end = TRUE;
  if (self->feeds < 0)
    return;
  if (self->shape->below <= BELOW_TCP)
    shutdown (self->feeds, SHUT_WR);
  else
    {
      close (self->feeds);
      self->feeds = -1;
    }
  await_event (self, POLLRDHUP);
}

static void
leave (Side *self, gboolean resets)
{
  struct linger at_once = { 1, 0 };

  self->is_at_end = TRUE;
  if (resets && self->shape->below == BELOW_TCP && self->feeds >= 0)
    setsockopt (self->feeds, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  take (self);
  close_other (self);
  await_event (self, resets ? POLLHUP : POLLRDHUP);
}

/* ---- Operations ---- */

typedef enum
{
  PUT, END, LEAVE, RESET, READ, READ_ALL, READ_BYTES, SKIP, FILL, READ_LINE, READ_UPTO, WRITE, WRITE_ALL, WRITEV_ALL,
  FLUSH, SPLICE_IN, SPLICE_OUT, CLOSE_INPUT, CLOSE_OUTPUT, CLOSE, RECEIVE, RECEIVE_FROM, SEND, WAIT, SHUTDOWN_READ,
  SHUTDOWN_WRITE, CLOSE_SOCKET, PENDING_INPUT, PENDING_OUTPUT, NONBLOCKING, N_KINDS_OF_OPERATIONS
} OperationKind;

static const char *const operation_names[] = {
  "put", "end", "leave", "reset", "read", "read-all", "read-bytes", "skip", "fill", "read-line", "read-upto", "write",
  "write-all", "writev-all", "flush", "splice-in", "splice-out", "close-input", "close-output", "close", "receive",
  "receive-from", "send", "wait", "shutdown-read", "shutdown-write", "close-socket", "pending-input",
  "pending-output", "nonblocking",
};

typedef struct
{
  OperationKind kind;
  gsize count;
  guint flags;
} Operation;

static void
log_error (Side *self, GError *error)
{
  if (error)
    g_string_append_printf (self->log, " %s:%d", g_quark_to_string (error->domain), error->code);
  g_clear_error (&error);
}

static void
log_bytes (Side *self, gconstpointer bytes, gssize n)
{
  g_autofree char *sum = n > 0 ? g_compute_checksum_for_data (G_CHECKSUM_MD5, bytes, n) : NULL;

  if (sum)
    g_string_append_printf (self->log, " [%.8s]", sum);
}

static void
log_read (Side *self, gssize result, gconstpointer buffer, gssize n)
{
  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " (%" G_GSSIZE_FORMAT ")", result, n);
  log_bytes (self, buffer, n);
  self->consumed += MAX (n, 0);
}

static void
log_text (Side *self, char *text, gsize length, gboolean is_line)
{
  const char *left = (const char *) self->put->data + self->consumed;
  gsize n_left = self->put->len - self->consumed;
  gsize n = length;

  if (text == NULL)
    {
      g_string_append (self->log, " = none");
      return;
    }
  g_string_append_printf (self->log, " = %" G_GSIZE_FORMAT, length);
  log_bytes (self, text, length);
  if (is_line && n < n_left && n < length + 1)
    n += left[n] == '\r' && n + 1 < n_left && left[n + 1] == '\n' &&
         self->shape->newline != G_DATA_STREAM_NEWLINE_TYPE_CR ? 2 : 1;
  self->consumed += MIN (n, n_left);
  g_free (text);
}

static void
run_reading (Side *self, const Operation *operation)
{
  const Functions *f = self->functions;
  g_autofree char *buffer = g_malloc (MIN (operation->count, MOST_BYTES) + 1);
  g_autoptr (GBytes) bytes = NULL;
  GSocketAddress *address = NULL;
  GError *error = NULL;
  gsize count = operation->count;
  gsize length = 0;
  gssize n = 0;
  char *text;

  switch (operation->kind)
    {
    case READ:
      n = f->read (self->input, buffer, count, &error);
      log_read (self, n, buffer, n);
      break;
    case READ_ALL:
      n = f->read_all (self->input, buffer, count, &length, &error);
      log_read (self, n, buffer, length);
      break;
    case READ_BYTES:
      bytes = f->read_bytes (self->input, count, &error);
      log_read (self, bytes != NULL, bytes ? g_bytes_get_data (bytes, NULL) : NULL, bytes ? g_bytes_get_size (bytes) : 0);
      break;
    case SKIP:
      n = f->skip (self->input, count, &error);
      log_read (self, n, NULL, 0);
      self->consumed += MAX (n, 0);
      break;
    case FILL:
      n = f->fill (G_BUFFERED_INPUT_STREAM (self->input), (gssize) count, &error);
      g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT, n);
      break;
    case READ_LINE:
      text = f->read_line (G_DATA_INPUT_STREAM (self->input), &length, &error);
      log_text (self, text, length, TRUE);
      break;
    case READ_UPTO:
      text = f->read_upto (G_DATA_INPUT_STREAM (self->input), ";k", operation->flags & 1 ? 2 : -1, &length, &error);
      log_text (self, text, length, FALSE);
      break;
    case RECEIVE:
      n = f->receive (self->socket, buffer, count, &error);
      log_read (self, n, buffer, n);
      break;
    case RECEIVE_FROM:
      n = f->receive_from (self->socket, operation->flags & 1 ? &address : NULL, buffer, count, &error);
      log_read (self, n, buffer, n);
      g_string_append_printf (self->log, " from %s", address ? G_OBJECT_TYPE_NAME (address) : "none");
      g_clear_object (&address);
      break;
    default:
      g_assert_not_reached ();
    }
  log_error (self, error);
}

static void
run_splice (Side *self, gboolean is_in, guint flags)
{
  g_autoptr (GOutputStream) target = is_in ? g_memory_output_stream_new_resizable () : g_object_ref (self->output);
  g_autoptr (GInputStream) source = is_in ? g_object_ref (self->input)
                                          : g_memory_input_stream_new_from_data ("some bytes", 10, NULL);
  GMemoryOutputStream *memory = is_in ? G_MEMORY_OUTPUT_STREAM (target) : NULL;
  GError *error = NULL;
  gssize n = self->functions->splice (target, source, (GOutputStreamSpliceFlags) (flags & 3), &error);

  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " %d", n, g_output_stream_is_closed (target));
  if (memory)
    log_read (self, n, g_memory_output_stream_get_data (memory), g_memory_output_stream_get_data_size (memory));
  log_error (self, error);
}

static gboolean
run_writev_all (Side *self, const Operation *operation, const char *bytes, gsize *n, GError **error)
{
  GOutputVector vectors[5];
  guint n_vectors = operation->flags % 6;
  gsize size = operation->count / 5;
  /* GIO's buffers may be flushed by a vector of no bytes. */
  gboolean is_buffered = self->shape->output_top == OUTPUT_BUFFERED;

  if (is_buffered && size == 0)
    n_vectors = 0;
  for (guint i = 0; i < n_vectors; i++)
    vectors[i] = (GOutputVector) { bytes + i * size, is_buffered || ((operation->flags >> (4 + i)) & 1) ? size : 0 };
  return self->functions->writev_all (self->output, vectors, n_vectors, n, error);
}

static void
run_writing (Side *self, const Operation *operation)
{
  const Functions *f = self->functions;
  g_autofree char *bytes = g_malloc (MIN (operation->count, MOST_BYTES) + 1);
  GError *error = NULL;
  gsize written = 0;
  gssize n;

  for (gsize i = 0; i < MIN (operation->count, MOST_BYTES); i++)
    bytes[i] = (char) byte_at (i);
  switch (operation->kind)
    {
    case WRITE:
      n = f->write (self->output, bytes, operation->count, &error);
      break;
    case WRITE_ALL:
      n = f->write_all (self->output, bytes, operation->count, &written, &error);
      break;
    case WRITEV_ALL:
      n = run_writev_all (self, operation, bytes, &written, &error);
      break;
    case SEND:
      n = f->send (self->socket, bytes, operation->count, &error);
      break;
    default:
      g_assert_not_reached ();
    }
  g_string_append_printf (self->log, " = %" G_GSSIZE_FORMAT " (%" G_GSIZE_FORMAT ")", n, written);
  log_error (self, error);
  /* What nobody takes any more is told of by then. */
  if (self->takes < 0)
    await_event (self, POLLHUP);
}

static void
run_other (Side *self, const Operation *operation)
{
  GError *error = NULL;
  gboolean succeeded = TRUE;

  switch (operation->kind)
    {
    case PUT:
      put (self, operation->count);
      break;
    case END:
      end_feeding (self);
      break;
    case LEAVE:
    case RESET:
      leave (self, operation->kind == RESET);
      break;
    case FLUSH:
      succeeded = self->functions->flush (self->output, &error);
      break;
    case CLOSE_INPUT:
      succeeded = self->functions->close_input (self->input, &error);
      break;
    case CLOSE_OUTPUT:
      succeeded = self->functions->close_output (self->output, &error);
      break;
    case CLOSE:
      succeeded = self->functions->close (self->connection, &error);
      break;
    case WAIT:
      succeeded = self->functions->wait (self->socket, operation->flags & 1 ? G_IO_IN | G_IO_OUT : G_IO_OUT, &error);
      break;
    case SHUTDOWN_READ:
    case SHUTDOWN_WRITE:
      self->is_at_end |= operation->kind == SHUTDOWN_READ;
      succeeded = g_socket_shutdown (self->socket, operation->kind == SHUTDOWN_READ, operation->kind == SHUTDOWN_WRITE,
                                     &error);
      break;
    case CLOSE_SOCKET:
      succeeded = g_socket_close (self->socket, &error);
      break;
    case NONBLOCKING:
      g_socket_set_blocking (self->socket, !g_socket_get_blocking (self->socket));
      break;
    case PENDING_INPUT:
      if (g_input_stream_has_pending (self->input))
        g_input_stream_clear_pending (self->input);
      else
        succeeded = g_input_stream_set_pending (self->input, &error);
      break;
    case PENDING_OUTPUT:
      if (g_output_stream_has_pending (self->output))
        g_output_stream_clear_pending (self->output);
      else
        succeeded = g_output_stream_set_pending (self->output, &error);
      break;
    default:
      g_assert_not_reached ();
    }
  g_string_append_printf (self->log, " = %d", succeeded);
  log_error (self, error);
}

static void
run_operation (Side *self, const Operation *operation)
{
  g_string_append_printf (self->log, "%s %" G_GSIZE_FORMAT " %u", operation_names[operation->kind], operation->count,
                          operation->flags);
  if ((operation->kind >= READ && operation->kind <= READ_UPTO) || operation->kind == RECEIVE ||
      operation->kind == RECEIVE_FROM)
    run_reading (self, operation);
  else if ((operation->kind >= WRITE && operation->kind <= WRITEV_ALL) || operation->kind == SEND)
    run_writing (self, operation);
  else if (operation->kind == SPLICE_IN || operation->kind == SPLICE_OUT)
    run_splice (self, operation->kind == SPLICE_IN, operation->flags);
  else
    run_other (self, operation);
  take (self);
  g_string_append_printf (self->log, " | %d%d %d%d", g_input_stream_is_closed (self->input),
                          g_input_stream_has_pending (self->input), g_output_stream_is_closed (self->output),
                          g_output_stream_has_pending (self->output));
  if (self->shape->below != BELOW_TCP)
    g_string_append_printf (self->log, " taken %u", self->taken->len);
  if (G_IS_BUFFERED_INPUT_STREAM (self->input))
    g_string_append_printf (self->log, " buffered %" G_GSIZE_FORMAT,
                            g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (self->input)));
  g_string_append_c (self->log, '\n');
}

/* All that was ever written. */
static void
log_end (Side *self)
{
  gsize size = 0;
  g_autofree char *contents = NULL;

  g_object_run_dispose (G_OBJECT (self->output));
  /* To close one that has unread data is to reset it, and what was sent may be lost. */
  if (self->shape->below == BELOW_TCP && g_socket_is_closed (self->socket))
    return;
  if (self->socket)
    g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
  if (self->takes >= 0 && self->shape->below == BELOW_TCP)
    take_to_end (self);
  take (self);
  g_string_append_printf (self->log, "taken %u", self->taken->len);
  log_bytes (self, self->taken->data, self->taken->len);
  if (self->path && g_file_get_contents (self->path, &contents, &size, NULL))
    log_bytes (self, contents, size);
  g_string_append_c (self->log, '\n');
}

/* ---- What is to come ---- */

static gsize
n_unread (Side *self)
{
  return self->put->len - MIN (self->consumed, self->put->len);
}

static gboolean
has_line (Side *self)
{
  const char *left = (const char *) self->put->data + MIN (self->consumed, self->put->len);
  gsize n = n_unread (self);

  if (n == 0)
    return FALSE;
  if (self->shape->newline == G_DATA_STREAM_NEWLINE_TYPE_CR)
    return memchr (left, '\r', n) != NULL;
  if (self->shape->newline == G_DATA_STREAM_NEWLINE_TYPE_CR_LF)
    return memmem (left, n, "\r\n", 2) != NULL;
  return memchr (left, '\n', n) != NULL;
}

static gboolean
has_stop (Side *self)
{
  const char *left = (const char *) self->put->data + MIN (self->consumed, self->put->len);

  return n_unread (self) > 0 &&
         (memchr (left, ';', n_unread (self)) || memchr (left, 'k', n_unread (self)));
}

static gsize
in_buffer (Side *self)
{
  return G_IS_BUFFERED_INPUT_STREAM (self->input)
         ? g_buffered_input_stream_get_available (G_BUFFERED_INPUT_STREAM (self->input)) : 0;
}

/* Whether it exists here, and ends at once where it blocks. */
static gboolean
is_possible (Side *self, const Operation *operation)
{
  InputTop top = self->shape->input_top;
  gboolean is_plain = top == INPUT_PLAIN && self->shape->output_top == OUTPUT_PLAIN;
  gboolean ends = self->is_at_end || g_input_stream_is_closed (self->input) ||
                  g_input_stream_has_pending (self->input);
  /* GIO warns where it finds a line in the buffer, and may not read it. */
  gboolean is_refused = in_buffer (self) > 0 &&
                        (g_input_stream_is_closed (self->input) || g_input_stream_has_pending (self->input));
  gsize n = n_unread (self);

  switch (operation->kind)
    {
    case READ:
    case READ_BYTES:
      return ends || operation->count > G_MAXSSIZE || (top == INPUT_PLAIN || top == INPUT_CONVERTED ? n > 0 : n >= operation->count);
    case READ_ALL:
    case SKIP:
      /* GIO's skips what is below the converter, not what comes of it. */
      if (operation->kind == SKIP && (top == INPUT_CONVERTED || top == INPUT_DATA_CONVERTED))
        return FALSE;
      return ends || operation->count > G_MAXSSIZE || n >= operation->count;
    case FILL:
      return top >= INPUT_BUFFERED && (ends || n > in_buffer (self));
    case READ_LINE:
      return top >= INPUT_DATA && !is_refused && (ends || has_line (self));
    case READ_UPTO:
      return top >= INPUT_DATA && !is_refused && (ends || has_stop (self));
    case SPLICE_IN:
      return ends;
    case RECEIVE:
    case RECEIVE_FROM:
      return self->socket && is_plain &&
             (self->is_at_end || n > 0 || g_socket_is_closed (self->socket) || !g_socket_get_blocking (self->socket));
    case SEND:
    case NONBLOCKING:
      return self->socket && is_plain;
    case WAIT:
    case SHUTDOWN_READ:
    case SHUTDOWN_WRITE:
    case CLOSE_SOCKET:
    case CLOSE:
      return self->socket != NULL;
    default:
      return TRUE;
    }
}

static gsize
random_count (GRand *rand, const Shape *shape, OperationKind kind)
{
  gboolean may_be_wrong = kind == READ || kind == READ_ALL || kind == SKIP || kind == WRITE;
  gsize most = shape->below == BELOW_PIPES && kind == WRITE ? 4096 : MOST_BYTES;

  if (kind == FILL)
    return g_rand_int_range (rand, 0, 4) == 0 ? (gsize) -1 : (gsize) g_rand_int_range (rand, 0, 100);
  switch (g_rand_int_range (rand, 0, 12))
    {
    case 0: return kind == READ_BYTES ? 1 : 0;
    case 1: return may_be_wrong ? (gsize) G_MAXSSIZE + 1 : 1;
    case 2: return g_rand_int_range (rand, 1, (gint32) most + 1);
    default: return g_rand_int_range (rand, 1, 80);
    }
}

static Operation
random_operation (GRand *rand, const Shape *shape)
{
  static const OperationKind rare[] = {
    END, LEAVE, RESET, CLOSE_INPUT, CLOSE_OUTPUT, CLOSE, SHUTDOWN_READ, SHUTDOWN_WRITE, CLOSE_SOCKET, PENDING_INPUT,
    PENDING_OUTPUT, NONBLOCKING, SPLICE_IN,
  };
  static const OperationKind often[] = {
    PUT, PUT, READ, READ, READ_ALL, READ_BYTES, SKIP, FILL, FILL, READ_LINE, READ_LINE, READ_UPTO, WRITE, WRITE,
    WRITE_ALL, WRITEV_ALL, FLUSH, SPLICE_OUT, RECEIVE, RECEIVE_FROM, SEND, WAIT,
  };
  Operation operation;

  operation.kind = g_rand_int_range (rand, 0, 12) == 0 ? rare[g_rand_int_range (rand, 0, G_N_ELEMENTS (rare))]
                                                       : often[g_rand_int_range (rand, 0, G_N_ELEMENTS (often))];
  operation.count = random_count (rand, shape, operation.kind);
  operation.flags = g_rand_int_range (rand, 0, 1 << 9);
  return operation;
}

static Shape
random_shape (GRand *rand)
{
  Shape shape = {
    .below = (Below) g_rand_int_range (rand, 0, N_BELOW),
    .input_top = (InputTop) g_rand_int_range (rand, 0, N_INPUTS),
    .output_top = (OutputTop) g_rand_int_range (rand, 0, N_OUTPUTS),
    .newline = (GDataStreamNewlineType) g_rand_int_range (rand, 0, 4),
    .buffer_size = g_rand_int_range (rand, 1, 100),
    .n_memory = g_rand_int_range (rand, 0, 2000),
    .is_fixed = g_rand_boolean (rand),
  };

  return shape;
}

/* ---- Programs ---- */

typedef struct
{
  Side side;
  GArray *operations;
} Program;

static gboolean
run_again (Program *program, GError **error)
{
  for (guint i = 0; i < program->operations->len; i++)
    run_operation (&program->side, &g_array_index (program->operations, Operation, i));
  return TRUE;
}

static gboolean
run_in_time (Program *program, GError **error)
{
  g_autoptr (GtxTask) task = gtx_create_task (run_again, program, NULL);

  return gtx_wait_for (task, HANGS_SECONDS, error);
}

static void
choose_and_run (Side *side, GRand *rand, GArray *operations)
{
  for (guint i = 0; i < N_OPERATIONS; i++)
    {
      Operation operation = random_operation (rand, side->shape);

      if (!is_possible (side, &operation))
        continue;
      g_array_append_val (operations, operation);
      run_operation (side, &operation);
    }
}

static void
run_program (guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Shape shape = random_shape (rand);
  Program program;
  Side other;
  g_autoptr (GError) error = NULL;

  program.operations = g_array_new (FALSE, FALSE, sizeof (Operation));
  alarm (2 * HANGS_SECONDS);
  side_open (&other, &shape, &blocking);
  choose_and_run (&other, rand, program.operations);
  log_end (&other);
  side_open (&program.side, &shape, &suspending);
  gtx_run (run_in_time, &program, &error);
  log_end (&program.side);
  alarm (0);
  if (error || !g_str_equal (other.log->str, program.side.log->str))
    {
      g_test_message ("STREAMS_SEED=%u: %s, %s, %s, newline %d, buffer %" G_GSIZE_FORMAT "\n%s-- tasks: %s\n%s", seed,
                      below_names[shape.below], input_names[shape.input_top], output_names[shape.output_top],
                      shape.newline, shape.buffer_size, other.log->str, error ? error->message : "",
                      program.side.log->str);
      g_test_fail ();
    }
  side_close (&other);
  side_close (&program.side);
  g_array_unref (program.operations);
}

static void
test_programs (void)
{
  const char *seed = g_getenv ("STREAMS_SEED");
  const char *programs = g_getenv ("STREAMS_PROGRAMS");
  guint n = programs ? (guint) g_ascii_strtoull (programs, NULL, 10)
                     : RUNNING_ON_VALGRIND || UNDER_EMULATOR ? N_PROGRAMS / 20 : N_PROGRAMS;

  if (seed)
    run_program ((guint32) g_ascii_strtoull (seed, NULL, 10));
  for (guint i = 0; seed == NULL && i < n && !g_test_failed (); i++)
    run_program (i + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* GIO's function for several vectors warns of its own answer where the first was written and
   * the next fails. */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  /* As it is for those who have used a socket of GIO's. */
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  g_test_add_func ("/streams-random/programs", test_programs);
  return g_test_run ();
}
