/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE

#include "stream-ends.h"

#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const ends_names[N_KINDS] = {
  "sockets", "tcp", "pipes", "pipes-nonblocking", "converted", "buffered", "data", "buffered-converted", "async",
};

/* ---- A converter that changes nothing ---- */

typedef GObject Copier;
typedef GObjectClass CopierClass;

static GConverterResult
copy (GConverter *self, const void *from, gsize n_from, void *to, gsize n_to, GConverterFlags flags,
      gsize *n_read, gsize *n_written, GError **error)
{
  gsize n = MIN (n_from, n_to);

  if (n_from == 0 && flags == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "Nothing to convert");
      return G_CONVERTER_ERROR;
    }
  if (n > 0)
    memcpy (to, from, n);
  *n_read = *n_written = n;
  if (n < n_from)
    return G_CONVERTER_CONVERTED;
  return flags & G_CONVERTER_INPUT_AT_END ? G_CONVERTER_FINISHED
         : flags & G_CONVERTER_FLUSH ? G_CONVERTER_FLUSHED : G_CONVERTER_CONVERTED;
}

static void
copier_reset (GConverter *self)
{
}

static void
copier_iface_init (GConverterIface *iface)
{
  iface->convert = copy;
  iface->reset = copier_reset;
}

static GType copier_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Copier, copier, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (G_TYPE_CONVERTER, copier_iface_init))

static void
copier_class_init (CopierClass *class)
{
}

static void
copier_init (Copier *self)
{
}

GConverter *
copier_new (void)
{
  return g_object_new (copier_get_type (), NULL);
}

/* ---- Streams that have _async functions alone ---- */

typedef struct
{
  GFilterInputStream parent_instance;
} AsyncInput;
typedef GFilterInputStreamClass AsyncInputClass;

static GType async_input_get_type (void);
G_DEFINE_TYPE (AsyncInput, async_input, G_TYPE_FILTER_INPUT_STREAM)

static void
return_count (GTask *task, gssize n, GError *error)
{
  if (n < 0)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, n);
  g_object_unref (task);
}

static GTask *
task_new (gpointer stream, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (stream, cancellable, callback, data);

  g_task_set_check_cancellable (task, FALSE);
  return task;
}

static void
on_read (GObject *base, GAsyncResult *result, gpointer task)
{
  GError *error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (base), result, &error);

  return_count (task, n, error);
}

static void
async_input_read (GInputStream *stream, void *buffer, gsize count, int priority, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer data)
{
  g_input_stream_read_async (G_FILTER_INPUT_STREAM (stream)->base_stream, buffer, count, priority, cancellable,
                             on_read, task_new (stream, cancellable, callback, data));
}

static gssize
async_input_read_finish (GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

static void
async_input_class_init (AsyncInputClass *class)
{
  GInputStreamClass *stream = G_INPUT_STREAM_CLASS (class);

  stream->read_fn = NULL;
  stream->read_async = async_input_read;
  stream->read_finish = async_input_read_finish;
}

static void
async_input_init (AsyncInput *self)
{
}

GInputStream *
async_input_new (GInputStream *base)
{
  return g_object_new (async_input_get_type (), "base-stream", base, NULL);
}

typedef struct
{
  GFilterOutputStream parent_instance;
} AsyncOutput;
typedef GFilterOutputStreamClass AsyncOutputClass;

static GType async_output_get_type (void);
G_DEFINE_TYPE (AsyncOutput, async_output, G_TYPE_FILTER_OUTPUT_STREAM)

static void
on_written (GObject *base, GAsyncResult *result, gpointer task)
{
  GError *error = NULL;
  gssize n = g_output_stream_write_finish (G_OUTPUT_STREAM (base), result, &error);

  return_count (task, n, error);
}

static void
async_output_write (GOutputStream *stream, const void *buffer, gsize count, int priority, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer data)
{
  g_output_stream_write_async (G_FILTER_OUTPUT_STREAM (stream)->base_stream, buffer, count, priority, cancellable,
                               on_written, task_new (stream, cancellable, callback, data));
}

static gssize
async_output_write_finish (GOutputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

static void
async_output_class_init (AsyncOutputClass *class)
{
  GOutputStreamClass *stream = G_OUTPUT_STREAM_CLASS (class);

  stream->write_fn = NULL;
  stream->write_async = async_output_write;
  stream->write_finish = async_output_write_finish;
}

static void
async_output_init (AsyncOutput *self)
{
}

GOutputStream *
async_output_new (GOutputStream *base)
{
  return g_object_new (async_output_get_type (), "base-stream", base, NULL);
}

/* ---- Ends ---- */

void
connect_pair (int pair[2])
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, length), ==, 0);
  g_assert_cmpint (listen (listener, 1), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  pair[0] = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (connect (pair[0], (struct sockaddr *) &address, length), ==, 0);
  pair[1] = accept (listener, NULL, NULL);
  g_assert_cmpint (pair[1], >=, 0);
  close (listener);
}

GSocket *
socket_of (int fd)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  return socket;
}

static void
make_sockets (Ends *self)
{
  int pair[2];

  if (self->kind == ENDS_ARE_TCP)
    connect_pair (pair);
  else
    g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      self->sockets[i] = socket_of (pair[i]);
      self->connections[i] = G_IO_STREAM (g_socket_connection_factory_create_connection (self->sockets[i]));
    }
  self->input = g_object_ref (g_io_stream_get_input_stream (self->connections[0]));
  self->output = g_object_ref (g_io_stream_get_output_stream (self->connections[1]));
}

static void
make_pipes (Ends *self)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC | (self->kind == ENDS_ARE_NONBLOCKING_PIPES ? O_NONBLOCK : 0)), ==, 0);
  self->input = g_unix_input_stream_new (ends[0], TRUE);
  self->output = g_unix_output_stream_new (ends[1], TRUE);
}

static void
put_on_top (gpointer base, gpointer top)
{
  g_object_unref (*(gpointer *) base);
  *(gpointer *) base = top;
}

static void
put_converters_on_top (Ends *self)
{
  g_autoptr (GConverter) reads = copier_new ();
  g_autoptr (GConverter) writes = copier_new ();

  put_on_top (&self->input, g_converter_input_stream_new (self->input, reads));
  put_on_top (&self->output, g_converter_output_stream_new (self->output, writes));
}

Ends *
ends_new (EndsKind kind)
{
  Ends *self = g_new0 (Ends, 1);

  self->kind = kind;
  if (kind == ENDS_ARE_PIPES || kind == ENDS_ARE_NONBLOCKING_PIPES || kind == ENDS_ARE_DATA)
    make_pipes (self);
  else
    make_sockets (self);
  if (kind == ENDS_ARE_CONVERTED || kind == ENDS_ARE_BUFFERED_CONVERTED)
    put_converters_on_top (self);
  if (kind == ENDS_ARE_BUFFERED || kind == ENDS_ARE_BUFFERED_CONVERTED)
    put_on_top (&self->input, g_buffered_input_stream_new (self->input));
  if (kind == ENDS_ARE_DATA)
    put_on_top (&self->input, g_data_input_stream_new (self->input));
  if (kind == ENDS_ARE_ASYNC)
    {
      put_on_top (&self->input, async_input_new (self->input));
      put_on_top (&self->output, async_output_new (self->output));
    }
  return self;
}

void
ends_free (Ends *self)
{
  g_object_unref (self->input);
  g_object_unref (self->output);
  for (int i = 0; i < 2; i++)
    {
      g_clear_object (&self->connections[i]);
      g_clear_object (&self->sockets[i]);
    }
  g_free (self);
}

static int
fd_of (gpointer stream)
{
  while (!G_IS_FILE_DESCRIPTOR_BASED (stream))
    stream = G_IS_INPUT_STREAM (stream)
             ? (gpointer) g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream))
             : (gpointer) g_filter_output_stream_get_base_stream (G_FILTER_OUTPUT_STREAM (stream));
  return g_file_descriptor_based_get_fd (stream);
}

int
ends_get_fd (Ends *self, gboolean writes)
{
  return fd_of (writes ? (gpointer) self->output : (gpointer) self->input);
}

void
ends_put (Ends *self, const char *text)
{
  g_assert_cmpint (write (ends_get_fd (self, TRUE), text, strlen (text)), ==, (gssize) strlen (text));
}

void
ends_finish (Ends *self)
{
  if (self->sockets[1])
    g_assert_cmpint (shutdown (g_socket_get_fd (self->sockets[1]), SHUT_WR), ==, 0);
  else
    g_assert_true (g_output_stream_close (self->output, NULL, NULL));
}

/* Makes the descriptor non-blocking only during the call, because other processes may share it. */
static gsize
move (int fd, gssize (*func) (int fd, void *block, gsize size))
{
  int flags = fcntl (fd, F_GETFL);
  gsize sum = 0;
  char block[4096] = { 0 };
  gssize n;

  fcntl (fd, F_SETFL, flags | O_NONBLOCK);
  for (gsize size = sizeof block; size > 0; size /= 2)
    while ((n = func (fd, block, size)) > 0)
      sum += n;
  fcntl (fd, F_SETFL, flags);
  return sum;
}

static gssize
write_block (int fd, void *block, gsize size)
{
  return write (fd, block, size);
}

/* Data that is sent to a TCP socket takes a while to arrive. */
gsize
ends_fill (Ends *self)
{
  int fd = ends_get_fd (self, TRUE);
  gsize sum = 0;
  gsize n;

  while ((n = move (fd, write_block)) > 0)
    {
      sum += n;
      if (self->kind == ENDS_ARE_TCP)
        g_usleep (10000);
    }
  return sum;
}

gsize
ends_drain (Ends *self)
{
  return move (ends_get_fd (self, FALSE), read);
}

/* ---- The main loop ---- */

static gboolean
end_turns (gpointer future)
{
  gtx_future_set_result (future, NULL, NULL);
  return G_SOURCE_REMOVE;
}

void
let_loop_rest (void)
{
  g_autoptr (GtxFuture) future = gtx_future_new ();
  g_autoptr (GSource) idle = g_idle_source_new ();

  g_source_set_priority (idle, G_PRIORITY_LOW);
  g_source_set_callback (idle, end_turns, future, NULL);
  g_source_attach (idle, g_main_context_get_thread_default ());
  g_assert_true (gtx_await (future, NULL));
}

guint
count_open (void)
{
  g_autoptr (GDir) open = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (open))
    n++;
  return n;
}

GtxTask *
begin_named (const char *name, GtxCoroutine coroutine, gpointer data)
{
  GtxTask *task = gtx_create_task_named (name, coroutine, data, NULL);

  let_loop_rest ();
  g_assert_false (gtx_future_is_done (task));
  return task;
}

void
assert_fails (GtxTask *task, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (gtx_await (task, &error));
  g_assert_error (error, domain, code);
  g_object_unref (task);
}

void
assert_succeeds (GtxTask *task)
{
  g_autoptr (GError) error = NULL;

  gtx_await (task, &error);
  g_assert_no_error (error);
  g_object_unref (task);
}
