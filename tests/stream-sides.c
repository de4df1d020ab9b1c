/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE

#include "stream-sides.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Logged results ---- */

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

const Functions blocking = {
  blocking_read, blocking_read_all, blocking_read_bytes, blocking_skip, blocking_close_input, blocking_fill,
  blocking_read_line, blocking_read_upto, blocking_write, blocking_write_all, blocking_writev_all, blocking_flush,
  blocking_splice, blocking_close_output, blocking_close, blocking_receive, blocking_receive_from, blocking_send,
  blocking_wait,
};

const Functions suspending = {
  gtx_input_stream_read, gtx_input_stream_read_all, gtx_input_stream_read_bytes, gtx_input_stream_skip,
  gtx_input_stream_close, gtx_buffered_input_stream_fill, gtx_data_input_stream_read_line,
  gtx_data_input_stream_read_upto, gtx_output_stream_write, gtx_output_stream_write_all,
  gtx_output_stream_writev_all, gtx_output_stream_flush, gtx_output_stream_splice, gtx_output_stream_close,
  gtx_io_stream_close, gtx_socket_receive, gtx_socket_receive_from, gtx_socket_send, gtx_socket_condition_wait,
};

/* ---- Streams ---- */

guint8
side_byte_at (gsize i)
{
  static const char text[] = "ab\ncd\r\ne\rfgh;i\n\n\r\r\njk lmnop";

  return (guint8) text[(i * 7 + i / 29) % (sizeof text - 1)];
}

static void
add_bytes (GByteArray *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      guint8 byte = side_byte_at (bytes->len);

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

void
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

void
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

void
side_take (Side *self)
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

/* Takes all data up to the end of the stream, or to an error. */
void
side_take_to_end (Side *self)
{
  struct timeval most = { 1, 0 };
  guint8 block[4096];
  gssize n;

  setsockopt (self->takes, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  while ((n = read (self->takes, block, sizeof block)) > 0)
    g_byte_array_append (self->taken, block, n);
}

/* Waits until the data that was sent by TCP has arrived. */
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

void
side_await_event (Side *self, short events)
{
  struct pollfd poll_fd = { self->fd, events, 0 };

  if (self->shape->below == BELOW_TCP && !(self->socket && g_socket_is_closed (self->socket)))
    poll (&poll_fd, 1, 100);
}

void
side_put (Side *self, gsize n)
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

void
side_end_feeding (Side *self)
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
  side_await_event (self, POLLRDHUP);
}

void
side_leave (Side *self, gboolean resets)
{
  struct linger at_once = { 1, 0 };

  self->is_at_end = TRUE;
  if (resets && self->shape->below == BELOW_TCP && self->feeds >= 0)
    setsockopt (self->feeds, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  side_take (self);
  close_other (self);
  side_await_event (self, resets ? POLLHUP : POLLRDHUP);
}
