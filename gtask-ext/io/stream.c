/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "io/stream.h"

#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixoutputstream.h>
#include <limits.h>

/* ---- Kinds ---- */

/* GIO's own buffers block as what is below does. */
static GtxStreamKind
kind_on_top (GtxStreamKind base)
{
  return base == GTX_STREAM_IS_AT_HAND || base == GTX_STREAM_BLOCKS ? base : GTX_STREAM_IS_ASYNC;
}

GtxStreamKind
gtx_input_stream_get_kind (GInputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);

  if (type == G_TYPE_BUFFERED_INPUT_STREAM || type == G_TYPE_DATA_INPUT_STREAM)
    return kind_on_top (gtx_input_stream_get_kind (
      g_filter_input_stream_get_base_stream ((GFilterInputStream *) stream)));
  if (type == G_TYPE_MEMORY_INPUT_STREAM)
    return GTX_STREAM_IS_AT_HAND;
  if (G_IS_POLLABLE_INPUT_STREAM (stream) &&
      g_pollable_input_stream_can_poll ((GPollableInputStream *) stream))
    return G_IS_FILE_DESCRIPTOR_BASED (stream) ? GTX_STREAM_HAS_DESCRIPTOR : GTX_STREAM_HAS_SOURCE;
  return G_IS_FILE_DESCRIPTOR_BASED (stream) ? GTX_STREAM_BLOCKS : GTX_STREAM_IS_ASYNC;
}

GtxStreamKind
gtx_output_stream_get_kind (GOutputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);

  if (type == G_TYPE_BUFFERED_OUTPUT_STREAM || type == G_TYPE_DATA_OUTPUT_STREAM)
    return kind_on_top (gtx_output_stream_get_kind (
      g_filter_output_stream_get_base_stream ((GFilterOutputStream *) stream)));
  if (type == G_TYPE_MEMORY_OUTPUT_STREAM)
    return GTX_STREAM_IS_AT_HAND;
  if (G_IS_POLLABLE_OUTPUT_STREAM (stream) &&
      g_pollable_output_stream_can_poll ((GPollableOutputStream *) stream))
    return G_IS_FILE_DESCRIPTOR_BASED (stream) ? GTX_STREAM_HAS_DESCRIPTOR : GTX_STREAM_HAS_SOURCE;
  return G_IS_FILE_DESCRIPTOR_BASED (stream) ? GTX_STREAM_BLOCKS : GTX_STREAM_IS_ASYNC;
}

/* ---- Waiting ---- */

int
gtx_stream_get_descriptor (gpointer stream)
{
  return g_file_descriptor_based_get_fd ((GFileDescriptorBased *) stream);
}

/* What is known of a stream that has a descriptor. */
typedef struct
{
  GSocket *socket;              /* the stream's own reference; NULL: it is no socket's */
  guint n_vain;                 /* reads, one after the other, for which nothing was there at first */
  guint n_untried;
} StreamNotes;

/* A socket's stream has it as a property; its class is not public. */
static GSocket *
find_socket (gpointer stream)
{
  GSocket *socket = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (stream), "socket"))
    g_object_get (stream, "socket", &socket, NULL);
  if (socket)
    g_object_unref (socket);
  return socket;
}

static StreamNotes *
notes_of (gpointer stream)
{
  static GQuark quark;
  StreamNotes *notes;

  if (G_UNLIKELY (quark == 0))
    quark = g_quark_from_static_string ("gtask-ext-notes");
  notes = g_object_get_qdata (stream, quark);
  if (notes)
    return notes;
  notes = g_new0 (StreamNotes, 1);
  notes->socket = find_socket (stream);
  g_object_set_qdata_full (stream, quark, notes, g_free);
  return notes;
}

gboolean
gtx_stream_await (GtxTask       *task,
                  gpointer       stream,
                  GIOCondition   condition,
                  GError       **error)
{
  GSocket *socket = notes_of (stream)->socket;

  if (socket)
    return gtx_ready_await_socket (task, socket, condition, error);
  return gtx_ready_await_descriptor (task, gtx_stream_get_descriptor (stream), condition, error);
}

static gboolean
await_input (GtxTask       *task,
             GInputStream  *stream,
             GError       **error)
{
  if (G_IS_FILE_DESCRIPTOR_BASED (stream))
    return gtx_stream_await (task, stream, G_IO_IN, error);
  return gtx_ready_await_source (
    task, g_pollable_input_stream_create_source ((GPollableInputStream *) stream, NULL), error);
}

static gboolean
await_output (GtxTask        *task,
              GOutputStream  *stream,
              GError        **error)
{
  if (G_IS_FILE_DESCRIPTOR_BASED (stream))
    return gtx_stream_await (task, stream, G_IO_OUT, error);
  return gtx_ready_await_source (
    task, g_pollable_output_stream_create_source ((GPollableOutputStream *) stream, NULL), error);
}

/* ---- Trying ---- */

/* Where reads were in vain at first, as in a talk of question and answer, the next one is
 * likely to be: it waits at once, which is no mistake where something is there, and takes a
 * third of the time where nothing is.  Now and then one is tried all the same. */
#define VAIN_READS 2
#define UNTRIED_READS 15

static gboolean
is_worth_a_try (StreamNotes *notes)
{
  if (notes->n_vain >= VAIN_READS && notes->n_untried < UNTRIED_READS)
    {
      notes->n_untried++;
      return FALSE;
    }
  notes->n_untried = 0;
  return TRUE;
}

gssize
gtx_stream_try_to_read (GtxTask       *task,
                        GInputStream  *stream,
                        void          *buffer,
                        gsize          count,
                        gboolean      *cancelled,
                        GError       **error)
{
  StreamNotes *notes = G_IS_FILE_DESCRIPTOR_BASED (stream) ? notes_of (stream) : NULL;
  gboolean is_tried = notes == NULL || is_worth_a_try (notes);
  gboolean has_waited = FALSE;
  gboolean is_streams = FALSE;
  GError *failure = NULL;
  gssize n = -1;

  while (gtx_ready_begin_try (task, &failure))
    {
      if (is_tried)
        {
          n = g_pollable_input_stream_read_nonblocking ((GPollableInputStream *) stream, buffer, count, NULL,
                                                        &failure);
          is_streams = n < 0 && !gtx_ready_would_block (&failure);
          if (notes && !has_waited)
            notes->n_vain = failure == NULL && n < 0 ? notes->n_vain + 1 : 0;
        }
      if (n >= 0 || is_streams || !await_input (task, stream, &failure))
        break;
      is_tried = has_waited = TRUE;
    }
  if (failure == NULL)
    return n;
  if (cancelled)
    *cancelled = !is_streams && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_propagate_error (error, failure);
  return -1;
}

/* What GIO's sockets do for the process: who writes where nobody reads any more gets an
 * error, and no signal that ends the program. */
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

/* A pipe has room for so much where it says that it has room; to write more blocks unless the
 * file is non-blocking, which is not ours to decide: other processes may share it. */
static gsize
limit_to_room (GOutputStream *stream,
               gsize          count)
{
  int flags;

  if (!G_IS_UNIX_OUTPUT_STREAM (stream))
    return count;
  ignore_sigpipe ();
  if (count <= PIPE_BUF)
    return count;
  flags = fcntl (gtx_stream_get_descriptor (stream), F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0 ? count : PIPE_BUF;
}

gssize
gtx_stream_try_to_write (GtxTask        *task,
                         GOutputStream  *stream,
                         const void     *buffer,
                         gsize           count,
                         GError        **error)
{
  GError *failure = NULL;
  gssize n = -1;

  count = limit_to_room (stream, count);
  while (gtx_ready_begin_try (task, &failure))
    {
      n = g_pollable_output_stream_write_nonblocking ((GPollableOutputStream *) stream, buffer, count, NULL,
                                                      &failure);
      if (n >= 0 || !gtx_ready_would_block (&failure) || !await_output (task, stream, &failure))
        break;
    }
  if (failure)
    g_propagate_error (error, failure);
  return failure ? -1 : n;
}

/* Of a pipe's there is room for one at a time. */
gboolean
gtx_stream_try_to_writev (GtxTask              *task,
                          GOutputStream        *stream,
                          const GOutputVector  *vectors,
                          gsize                 n_vectors,
                          gsize                *bytes_written,
                          GError              **error)
{
  while (gtx_ready_begin_try (task, error))
    switch (g_pollable_output_stream_writev_nonblocking ((GPollableOutputStream *) stream, vectors, n_vectors,
                                                         bytes_written, NULL, error))
      {
      case G_POLLABLE_RETURN_OK:
        return TRUE;
      case G_POLLABLE_RETURN_WOULD_BLOCK:
        if (!await_output (task, stream, error))
          return FALSE;
        break;
      case G_POLLABLE_RETURN_FAILED:
      default:
        return FALSE;
      }
  return FALSE;
}
