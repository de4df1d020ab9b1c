/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "gtask-ext/stream.h"

#include "io/buffered-stream.h"
#include "operation-private.h"

#include "gtask-ext/to-thread.h"

static GInputStream *
base_of (GBufferedInputStream *stream)
{
  return g_filter_input_stream_get_base_stream ((GFilterInputStream *) stream);
}

gboolean
gtx_buffered_stream_is_on_descriptor (GInputStream *stream)
{
  GType type = G_OBJECT_TYPE (stream);

  return (type == G_TYPE_BUFFERED_INPUT_STREAM || type == G_TYPE_DATA_INPUT_STREAM) &&
         gtx_input_stream_get_kind (base_of ((GBufferedInputStream *) stream)) == GTX_STREAM_HAS_DESCRIPTOR;
}

/* ---- Filling ---- */

/* Whether a read of it returns at once, be it with an error. */
static gboolean
is_readable (GInputStream *base)
{
  return g_input_stream_is_closed (base) || g_input_stream_has_pending (base) ||
         gtx_stream_get_descriptor (base) < 0 ||
         g_pollable_input_stream_is_readable ((GPollableInputStream *) base);
}

/* Suspends until what @stream is on top of can be read: FALSE with @error set if the task was
 * cancelled, or a socket's time is over. */
static gboolean
await_data (GtxTask               *task,
            GBufferedInputStream  *stream,
            gboolean               delivers,
            GError               **error)
{
  GInputStream *base = base_of (stream);
  gboolean succeeded;

  if (!g_input_stream_set_pending ((GInputStream *) stream, error))
    return FALSE;
  while ((succeeded = gtx_ready_begin_next_try (task, delivers, error)) && !is_readable (base))
    if (!gtx_stream_await (task, base, G_IO_IN, delivers, error))
      {
        succeeded = FALSE;
        break;
      }
  g_input_stream_clear_pending ((GInputStream *) stream);
  return succeeded;
}

gboolean
gtx_buffered_stream_is_full (GBufferedInputStream *stream)
{
  return g_buffered_input_stream_get_available (stream) == g_buffered_input_stream_get_buffer_size (stream);
}

typedef struct
{
  GBufferedInputStream *stream;
  gssize count;
  gssize n;
} Fill;

static gboolean
fill_in_thread (Fill          *self,
                GCancellable  *cancellable,
                GError       **error)
{
  self->n = G_BUFFERED_INPUT_STREAM_GET_CLASS (self->stream)->fill (self->stream, self->count, cancellable, error);
  return self->n >= 0;
}

/* GIO's function answers at once where there is nothing to do, or a mistake. */
static gboolean
is_answered_at_once (GBufferedInputStream *stream,
                     gssize                count)
{
  return count == 0 || count < -1 || gtx_buffered_stream_is_full (stream) || g_input_stream_has_pending ((GInputStream *) stream) ||
         g_input_stream_is_closed ((GInputStream *) stream);
}

gssize
gtx_buffered_stream_fill (GtxTask               *task,
                          GBufferedInputStream  *stream,
                          gssize                 count,
                          GError               **error)
{
  Fill call = { stream, count, -1 };

  if (is_answered_at_once (stream, count))
    return g_buffered_input_stream_fill (stream, count, NULL, error);
  if (gtx_buffered_stream_is_on_descriptor ((GInputStream *) stream))
    return await_data (task, stream, TRUE, error) ? g_buffered_input_stream_fill (stream, count, NULL, error) : -1;
  switch (gtx_input_stream_get_kind (base_of (stream)))
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) ? g_buffered_input_stream_fill (stream, count, NULL, error) : -1;
    case GTX_STREAM_BLOCKS:
      /* It is the task that does so: a second one may come before a thread is free. */
      if (!g_input_stream_set_pending ((GInputStream *) stream, error))
        return -1;
      gtx_to_thread_at ("gtx_buffered_input_stream_fill", 0, (GtxThreadFunc) fill_in_thread, &call, error);
      g_input_stream_clear_pending ((GInputStream *) stream);
      return call.n;
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
    case GTX_STREAM_IS_ASYNC:
    default:
      g_buffered_input_stream_fill_async (stream, count, G_PRIORITY_DEFAULT,
                                          GTX_ASYNC_OF ("gtx_buffered_input_stream_fill"));
      return g_buffered_input_stream_fill_finish (stream, gtx_await_result (), error);
    }
}

/* ---- Reading ---- */

gboolean
gtx_buffered_stream_may_be_read (GBufferedInputStream  *stream,
                                 GError               **error)
{
  if (!g_input_stream_set_pending ((GInputStream *) stream, error))
    return FALSE;
  g_input_stream_clear_pending ((GInputStream *) stream);
  return TRUE;
}

gsize
gtx_buffered_stream_take (GBufferedInputStream *stream,
                          char                 *buffer,
                          gsize                 count)
{
  gsize n = MIN (count, g_buffered_input_stream_get_available (stream));

  return n > 0 ? g_input_stream_read ((GInputStream *) stream, buffer, n, NULL, NULL) : 0;
}

/* What is behind it, when it is empty: much is not read through the buffer. */
static gssize
read_behind (GBufferedInputStream  *stream,
             char                  *buffer,
             gsize                  count,
             GError               **error)
{
  gssize n;

  if (count > g_buffered_input_stream_get_buffer_size (stream))
    return g_input_stream_read (base_of (stream), buffer, count, NULL, error);
  n = g_buffered_input_stream_fill (stream, -1, NULL, error);
  return n < 0 ? -1 : (gssize) gtx_buffered_stream_take (stream, buffer, count);
}

gssize
gtx_buffered_stream_read (GtxTask               *task,
                          GBufferedInputStream  *stream,
                          void                  *buffer,
                          gsize                  count,
                          GError               **error)
{
  gsize taken;
  gssize n = -1;
  GError *failure = NULL;

  /* Others may have closed it meanwhile, or begun to read. */
  if (!gtx_ready_begin_try (task, error) || !gtx_buffered_stream_may_be_read (stream, error))
    return -1;
  taken = gtx_buffered_stream_take (stream, buffer, count);
  if (taken == count)
    return count;
  /* What was taken is told of, whatever becomes of the rest. */
  if (await_data (task, stream, taken == 0, &failure))
    n = read_behind (stream, (char *) buffer + taken, count - taken, &failure);
  if (n >= 0)
    return taken + n;
  if (taken > 0)
    {
      g_clear_error (&failure);
      return taken;
    }
  g_propagate_error (error, failure);
  return -1;
}

/**
 * gtx_buffered_input_stream_fill:
 * @stream: a #GBufferedInputStream
 * @count: how many bytes to read at most, or -1: as many as there is room for
 * @error: return location for a #GError, or %NULL
 *
 * Reads into the buffer of a stream: g_buffered_input_stream_fill().
 *
 * May suspend, and sets errors, as gtx_input_stream_read() does.
 *
 * Returns: how many bytes were read, 0 at the end of the stream or if the buffer is full; -1
 *   with @error set
 *
 * Since: 0.1
 */
gssize
gtx_buffered_input_stream_fill (GBufferedInputStream  *stream,
                                gssize                 count,
                                GError               **error)
{
  GtxTask *task;
  gssize n;

  g_return_val_if_fail (G_IS_BUFFERED_INPUT_STREAM (stream), -1);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return -1;
  g_object_ref (stream);
  n = gtx_buffered_stream_fill (task, stream, count, error);
  g_object_unref (stream);
  return n;
}
