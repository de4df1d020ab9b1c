/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams of classes that are derived from GIO's, or that resemble them, and behave in their own
 * way. */

#define _GNU_SOURCE

#include "stream-limited.h"

#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>

static gboolean
read_it (GInputStream *stream, GError **error)
{
  char byte;

  return gtx_input_stream_read (stream, &byte, 1, error) == 1;
}

/* ---- A pipe with a gate ---- */

/* The pipe's data can be read while the gate is open; data that was put back can always
 * be read. */
typedef struct
{
  GUnixInputStream parent_instance;
  gboolean is_shut;
  gboolean has_put_back;
  guint n_asked;
  GSource *waits;               /* the last source that waited for the gate */
  GThread *closed_in;
} GatedInput;
typedef GUnixInputStreamClass GatedInputClass;

typedef struct
{
  GUnixOutputStream parent_instance;
  gboolean is_shut;
  guint n_asked;
  GSource *waits;
} GatedOutput;
typedef GUnixOutputStreamClass GatedOutputClass;

static GPollableInputStreamInterface *pipe_input;
static GPollableOutputStreamInterface *pipe_output;

static void gated_input_iface_init (GPollableInputStreamInterface *iface);
static void gated_output_iface_init (GPollableOutputStreamInterface *iface);

static GType gated_input_get_type (void);
static GType gated_output_get_type (void);
G_DEFINE_TYPE_WITH_CODE (GatedInput, gated_input, G_TYPE_UNIX_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, gated_input_iface_init))
G_DEFINE_TYPE_WITH_CODE (GatedOutput, gated_output, G_TYPE_UNIX_OUTPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM, gated_output_iface_init))

static gboolean
gated_input_is_readable (GPollableInputStream *stream)
{
  GatedInput *self = (GatedInput *) stream;

  self->n_asked++;
  return self->has_put_back || (!self->is_shut && pipe_input->is_readable (stream));
}

static GSource *
gated_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  GatedInput *self = (GatedInput *) stream;

  if (!self->is_shut && !self->has_put_back)
    return pipe_input->create_source (stream, cancellable);
  g_clear_pointer (&self->waits, g_source_unref);
  self->waits = g_source_ref (g_pollable_source_new (G_OBJECT (stream)));
  if (self->has_put_back)
    g_source_set_ready_time (self->waits, 0);
  return self->waits;
}

static void
gated_input_iface_init (GPollableInputStreamInterface *iface)
{
  pipe_input = g_type_interface_peek_parent (iface);
  iface->is_readable = gated_input_is_readable;
  iface->create_source = gated_input_create_source;
}

static gssize
gated_input_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  GatedInput *self = (GatedInput *) stream;

  if (!self->has_put_back)
    return G_INPUT_STREAM_CLASS (gated_input_parent_class)->read_fn (stream, buffer, count, cancellable, error);
  self->has_put_back = FALSE;
  *(char *) buffer = 'b';
  return 1;
}

static gboolean
gated_input_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  ((GatedInput *) stream)->closed_in = g_thread_self ();
  return G_INPUT_STREAM_CLASS (gated_input_parent_class)->close_fn (stream, cancellable, error);
}

static void
gated_input_finalize (GObject *object)
{
  g_clear_pointer (&((GatedInput *) object)->waits, g_source_unref);
  G_OBJECT_CLASS (gated_input_parent_class)->finalize (object);
}

static void
gated_input_class_init (GatedInputClass *class)
{
  G_INPUT_STREAM_CLASS (class)->read_fn = gated_input_read;
  G_INPUT_STREAM_CLASS (class)->close_fn = gated_input_close;
  G_OBJECT_CLASS (class)->finalize = gated_input_finalize;
}

static void
gated_input_init (GatedInput *self)
{
}

static gboolean
gated_output_is_writable (GPollableOutputStream *stream)
{
  GatedOutput *self = (GatedOutput *) stream;

  self->n_asked++;
  return !self->is_shut && pipe_output->is_writable (stream);
}

static GSource *
gated_output_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  GatedOutput *self = (GatedOutput *) stream;

  if (!self->is_shut)
    return pipe_output->create_source (stream, cancellable);
  g_clear_pointer (&self->waits, g_source_unref);
  return self->waits = g_source_ref (g_pollable_source_new (G_OBJECT (stream)));
}

static void
gated_output_iface_init (GPollableOutputStreamInterface *iface)
{
  pipe_output = g_type_interface_peek_parent (iface);
  iface->is_writable = gated_output_is_writable;
  iface->create_source = gated_output_create_source;
}

static void
gated_output_finalize (GObject *object)
{
  g_clear_pointer (&((GatedOutput *) object)->waits, g_source_unref);
  G_OBJECT_CLASS (gated_output_parent_class)->finalize (object);
}

static void
gated_output_class_init (GatedOutputClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gated_output_finalize;
}

static void
gated_output_init (GatedOutput *self)
{
}

typedef struct
{
  int fds[2];
  GatedInput *input;
  GatedOutput *output;
} Gates;

static void
gates_open (Gates *self)
{
  g_assert_cmpint (pipe2 (self->fds, O_CLOEXEC), ==, 0);
  self->input = g_object_new (gated_input_get_type (), "fd", self->fds[0], NULL);
  self->output = g_object_new (gated_output_get_type (), "fd", self->fds[1], NULL);
}

static void
gates_close (Gates *self)
{
  g_object_unref (self->input);
  g_object_unref (self->output);
}

/* The byte that was put back is read even after reads that found nothing. */
static gboolean
test_put_back (gpointer data, GError **error)
{
  Gates gates;

  gates_open (&gates);
  for (int i = 0; i < 3; i++)
    {
      GtxTask *task = begin (read_it, (GInputStream *) gates.input);

      g_assert_cmpint (write (gates.fds[1], "x", 1), ==, 1);
      assert_succeeds (task);
    }
  gates.input->has_put_back = TRUE;
  g_assert_true (read_it ((GInputStream *) gates.input, error));
  gates_close (&gates);
  return TRUE;
}

/* A task that waits for the gate does not poll it without pause. */
static gboolean
test_gate (gpointer data, GError **error)
{
  Gates gates;
  GtxTask *task;

  gates_open (&gates);
  gates.input->is_shut = TRUE;
  g_assert_cmpint (write (gates.fds[1], "x", 1), ==, 1);
  task = begin (read_it, (GInputStream *) gates.input);
  gates.input->is_shut = FALSE;
  g_source_set_ready_time (gates.input->waits, 0);
  assert_succeeds (task);
  g_assert_cmpuint (gates.input->n_asked, <=, 4);
  gates_close (&gates);
  return TRUE;
}

#define N_BYTES 300000

static gboolean
write_much (GOutputStream *stream, GError **error)
{
  g_autofree char *bytes = g_malloc0 (N_BYTES);
  GOutputVector vectors[2] = { { bytes, 10 }, { bytes + 10, N_BYTES - 10 } };

  return gtx_output_stream_writev_all (stream, vectors, 2, NULL, error);
}

static gboolean
test_gate_to_write (gpointer data, GError **error)
{
  g_autofree char *bytes = g_malloc (N_BYTES);
  g_autoptr (GInputStream) input = NULL;
  Gates gates;
  GtxTask *task;
  gsize n;

  gates_open (&gates);
  input = g_unix_input_stream_new (gates.fds[0], FALSE);
  gates.output->is_shut = TRUE;
  task = begin (write_much, (GOutputStream *) gates.output);
  gates.output->is_shut = FALSE;
  g_source_set_ready_time (gates.output->waits, 0);
  g_assert_true (gtx_input_stream_read_all (input, bytes, N_BYTES, &n, error));
  g_assert_cmpuint (n, ==, N_BYTES);
  assert_succeeds (task);
  gates_close (&gates);
  return TRUE;
}

/* The operation may take long, so it runs in a thread. */
static gboolean
test_closed_in_thread (gpointer data, GError **error)
{
  Gates gates;

  gates_open (&gates);
  g_assert_true (gtx_input_stream_close ((GInputStream *) gates.input, error));
  g_assert_true (gates.input->closed_in != NULL && gates.input->closed_in != g_thread_self ());
  gates_close (&gates);
  return TRUE;
}

/* ---- A socket that is exchanged ---- */

typedef struct
{
  GInputStream parent_instance;
  GSocket *socket;
} Exchange;
typedef GInputStreamClass ExchangeClass;

static void exchange_pollable_init (GPollableInputStreamInterface *iface);
static void exchange_descriptor_init (GFileDescriptorBasedIface *iface);

static GType exchange_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Exchange, exchange, G_TYPE_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, exchange_pollable_init)
                         G_IMPLEMENT_INTERFACE (G_TYPE_FILE_DESCRIPTOR_BASED, exchange_descriptor_init))

static int
exchange_get_fd (GFileDescriptorBased *stream)
{
  return g_socket_get_fd (((Exchange *) stream)->socket);
}

static gboolean
exchange_is_readable (GPollableInputStream *stream)
{
  return g_socket_condition_check (((Exchange *) stream)->socket, G_IO_IN) != 0;
}

static GSource *
exchange_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  g_autoptr (GSource) source = g_socket_create_source (((Exchange *) stream)->socket, G_IO_IN, cancellable);

  return g_pollable_source_new_full (stream, source, cancellable);
}

static gssize
exchange_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  return g_socket_receive (((Exchange *) stream)->socket, buffer, count, cancellable, error);
}

static void
exchange_set_property (GObject *object, guint id, const GValue *value, GParamSpec *property)
{
  g_set_object (&((Exchange *) object)->socket, g_value_get_object (value));
}

static void
exchange_get_property (GObject *object, guint id, GValue *value, GParamSpec *property)
{
  g_value_set_object (value, ((Exchange *) object)->socket);
}

static void
exchange_finalize (GObject *object)
{
  g_clear_object (&((Exchange *) object)->socket);
  G_OBJECT_CLASS (exchange_parent_class)->finalize (object);
}

static void
exchange_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = exchange_is_readable;
  iface->create_source = exchange_create_source;
}

static void
exchange_descriptor_init (GFileDescriptorBasedIface *iface)
{
  iface->get_fd = exchange_get_fd;
}

static void
exchange_class_init (ExchangeClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);

  G_INPUT_STREAM_CLASS (class)->read_fn = exchange_read;
  object->set_property = exchange_set_property;
  object->get_property = exchange_get_property;
  object->finalize = exchange_finalize;
  g_object_class_install_property (object, 1, g_param_spec_object ("socket", NULL, NULL, G_TYPE_SOCKET,
                                                                   G_PARAM_READWRITE));
}

static void
exchange_init (Exchange *self)
{
}

static gboolean
test_exchanged (gpointer data, GError **error)
{
  g_autoptr (GInputStream) stream = g_object_new (exchange_get_type (), NULL);

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);
      GtxTask *task;

      g_object_set (stream, "socket", ends->sockets[0], NULL);
      task = begin (read_it, stream);
      ends_put (ends, "x");
      assert_succeeds (task);
    }
  return TRUE;
}

/* ---- A descriptor beside asynchronous functions ---- */

typedef struct
{
  GInputStream parent_instance;
} Beside;
typedef GInputStreamClass BesideClass;

static GType beside_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Beside, beside, G_TYPE_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_FILE_DESCRIPTOR_BASED, NULL))

static gssize
beside_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  return 0;
}

static void
beside_read_async (GInputStream *stream, void *buffer, gsize count, int priority, GCancellable *cancellable,
                   GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, data);

  g_task_return_int (task, 1);
}

static gssize
beside_read_finish (GInputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_int (G_TASK (result), error);
}

static void
beside_class_init (BesideClass *class)
{
  G_INPUT_STREAM_CLASS (class)->read_fn = beside_read;
  G_INPUT_STREAM_CLASS (class)->read_async = beside_read_async;
  G_INPUT_STREAM_CLASS (class)->read_finish = beside_read_finish;
}

static void
beside_init (Beside *self)
{
}

static gboolean
test_descriptor_beside (gpointer data, GError **error)
{
  g_autoptr (GInputStream) stream = g_object_new (beside_get_type (), NULL);

  return read_it (stream, error);
}

/* ---- A buffer that is filled in its own way ---- */

typedef struct
{
  GDataInputStream parent_instance;
  GThread *filled_in;
} OwnFill;
typedef GDataInputStreamClass OwnFillClass;

static GType own_fill_get_type (void);
G_DEFINE_TYPE (OwnFill, own_fill, G_TYPE_DATA_INPUT_STREAM)

static gssize
own_fill_fill (GBufferedInputStream *stream, gssize count, GCancellable *cancellable, GError **error)
{
  ((OwnFill *) stream)->filled_in = g_thread_self ();
  return G_BUFFERED_INPUT_STREAM_CLASS (own_fill_parent_class)->fill (stream, count, cancellable, error);
}

static void
own_fill_class_init (OwnFillClass *class)
{
  G_BUFFERED_INPUT_STREAM_CLASS (class)->fill = own_fill_fill;
}

static void
own_fill_init (OwnFill *self)
{
}

/* The stream's own function may block, even if the stream below does not or has a descriptor. */
static void
assert_is_filled_in_thread (GInputStream *base)
{
  g_autoptr (GDataInputStream) stream = g_object_new (own_fill_get_type (), "base-stream", base, NULL);
  g_autofree char *line = gtx_data_input_stream_read_line (stream, NULL, NULL);
  GThread *thread = ((OwnFill *) stream)->filled_in;

  g_assert_cmpstr (line, ==, "line");
  g_assert_true (thread != NULL && thread != g_thread_self ());
}

static gboolean
test_own_fill (gpointer data, GError **error)
{
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_data ("line\n", -1, NULL);
  g_autoptr (Ends) ends = ends_new (ENDS_ARE_SOCKETS);

  assert_is_filled_in_thread (memory);
  ends_put (ends, "line\n");
  assert_is_filled_in_thread (ends->input);
  return TRUE;
}

/* ---- Flushed by an asynchronous function ---- */

typedef struct
{
  GOutputStream parent_instance;
  guint n_flushed;
} Flushed;
typedef GOutputStreamClass FlushedClass;

static GType flushed_get_type (void);
G_DEFINE_TYPE (Flushed, flushed, G_TYPE_OUTPUT_STREAM)

static void
flushed_flush_async (GOutputStream *stream, int priority, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, data);

  ((Flushed *) stream)->n_flushed++;
  g_task_return_boolean (task, TRUE);
}

static gboolean
flushed_flush_finish (GOutputStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
flushed_class_init (FlushedClass *class)
{
  class->flush_async = flushed_flush_async;
  class->flush_finish = flushed_flush_finish;
}

static void
flushed_init (Flushed *self)
{
}

static gboolean
test_flushed (gpointer data, GError **error)
{
  g_autoptr (GOutputStream) stream = g_object_new (flushed_get_type (), NULL);

  g_assert_true (gtx_output_stream_flush (stream, error));
  g_assert_cmpuint (((Flushed *) stream)->n_flushed, ==, 1);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_limited ("/streams-derived/put-back", test_put_back);
  add_limited ("/streams-derived/gate", test_gate);
  add_limited ("/streams-derived/gate-to-write", test_gate_to_write);
  add_limited ("/streams-derived/closed-in-thread", test_closed_in_thread);
  add_limited ("/streams-derived/exchanged", test_exchanged);
  add_limited ("/streams-derived/descriptor-beside", test_descriptor_beside);
  add_limited ("/streams-derived/own-fill", test_own_fill);
  add_limited ("/streams-derived/flushed", test_flushed);
  return g_test_run ();
}
