/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/stream.h"

#include "io/buffered-stream.h"
#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

#define SKIPPED_AT_ONCE 8192

static GInputStream *
base_of (GBufferedInputStream *stream)
{
  return g_filter_input_stream_get_base_stream ((GFilterInputStream *) stream);
}

gboolean
gtx_buffered_stream_is_tried (GInputStream *stream)
{
  GtxStreamKind kind;

  if (!gtx_input_stream_is_buffer (stream))
    return FALSE;
  kind = gtx_input_stream_look (base_of ((GBufferedInputStream *) stream)).kind;
  return kind == GTX_STREAM_HAS_DESCRIPTOR || kind == GTX_STREAM_HAS_SOURCE;
}

/* ---- Filling ---- */

/* Reads from the stream below @stream, which is one that is tried. */
static gssize
read_base (GtxTask               *task,
           GBufferedInputStream  *stream,
           void                  *buffer,
           gsize                  count,
           gboolean               delivers,
           GError               **error)
{
  GInputStream *base = base_of (stream);
  gssize n = -1;

  if (!g_input_stream_set_pending ((GInputStream *) stream, error))
    return -1;
  if (g_input_stream_set_pending (base, error))
    {
      n = gtx_stream_try_to_read (task, base, gtx_input_stream_look (base).notes, buffer, count, delivers, error);
      g_input_stream_clear_pending (base);
    }
  g_input_stream_clear_pending ((GInputStream *) stream);
  return n;
}

/* Puts the bytes that were read into the buffer, in which there is room.  GIO's function fills the
 * buffer from the stream below, so that a stream of these bytes takes its place meanwhile. */
static void
put (GBufferedInputStream *stream,
     const char           *bytes,
     gsize                 n)
{
  GFilterInputStream *filter = (GFilterInputStream *) stream;
  GInputStream *base = filter->base_stream;
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_data (bytes, n, NULL);

  filter->base_stream = memory;
  g_buffered_input_stream_fill (stream, n, NULL, NULL);
  filter->base_stream = base;
}

/* Fills the buffer by trying.  GIO's function would block, and its asynchronous one loses what it
 * has read if the task is cancelled by then. */
static gssize
fill_by_trying (GtxTask               *task,
                GBufferedInputStream  *stream,
                gssize                 count,
                gboolean               delivers,
                GError               **error)
{
  gsize room = g_buffered_input_stream_get_buffer_size (stream) - g_buffered_input_stream_get_available (stream);
  gsize most = count < 0 ? room : MIN ((gsize) count, room);
  g_autofree char *bytes = g_malloc (most);
  gssize n = read_base (task, stream, bytes, most, delivers, error);

  if (n > 0)
    put (stream, bytes, n);
  return n;
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

/* Whether GIO's function returns at once, since there is nothing to do, or the call is a mistake. */
static gboolean
is_answered_at_once (GBufferedInputStream *stream,
                     gssize                count)
{
  return count == 0 || count < -1 || gtx_buffered_stream_is_full (stream) || g_input_stream_has_pending ((GInputStream *) stream) ||
         g_input_stream_is_closed ((GInputStream *) stream);
}

/* Returns the kind that matters to fill @stream: that of the stream below a buffer of GIO's, or
 * else its own, since a class may fill the buffer in its own way. */
static GtxStreamKind
kind_to_fill (GInputStream *stream)
{
  return gtx_input_stream_look (gtx_input_stream_is_buffer (stream) ? base_of ((GBufferedInputStream *) stream)
                                                                    : stream).kind;
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
  if (gtx_buffered_stream_is_tried ((GInputStream *) stream))
    return fill_by_trying (task, stream, count, TRUE, error);
  switch (kind_to_fill ((GInputStream *) stream))
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) ? g_buffered_input_stream_fill (stream, count, NULL, error) : -1;
    case GTX_STREAM_BLOCKS:
      /* The task sets @stream pending, and not the thread: another task may come before a thread is
       * free. */
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

/* Reads from the stream below when the buffer is empty.  A large read does not go through the
 * buffer. */
static gssize
read_behind (GtxTask               *task,
             GBufferedInputStream  *stream,
             char                  *buffer,
             gsize                  count,
             gboolean               delivers,
             GError               **error)
{
  gssize n;

  if (count > g_buffered_input_stream_get_buffer_size (stream))
    return read_base (task, stream, buffer, count, delivers, error);
  n = fill_by_trying (task, stream, -1, delivers, error);
  return n < 0 ? -1 : (gssize) gtx_buffered_stream_take (stream, buffer, count);
}

/* Returns how many bytes were read or skipped, if there were any, whether or not the next ones
 * failed. */
static gssize
end_with (gsize    n,
          GError  *failure,
          GError **error)
{
  if (failure && n == 0)
    {
      g_propagate_error (error, failure);
      return -1;
    }
  g_clear_error (&failure);
  return n;
}

gssize
gtx_buffered_stream_read (GtxTask               *task,
                          GBufferedInputStream  *stream,
                          void                  *buffer,
                          gsize                  count,
                          GError               **error)
{
  gsize taken;
  gssize n;
  GError *failure = NULL;

  /* Other tasks may have closed the stream meanwhile, or begun to read it. */
  if (!gtx_ready_begin_try (task, error) || !gtx_buffered_stream_may_be_read (stream, error))
    return -1;
  taken = gtx_buffered_stream_take (stream, buffer, count);
  if (taken == count)
    return count;
  n = read_behind (task, stream, (char *) buffer + taken, count - taken, taken == 0, &failure);
  return end_with (taken + MAX (n, 0), failure, error);
}

static gsize
skip_in_buffer (GBufferedInputStream *stream,
                gsize                 count)
{
  gsize n = MIN (count, g_buffered_input_stream_get_available (stream));

  return n > 0 ? g_input_stream_skip ((GInputStream *) stream, n, NULL, NULL) : 0;
}

/* Skips in the stream below when the buffer is empty.  As in GIO, bytes that were skipped there
 * count if the task is cancelled, and not if the stream fails. */
static gsize
skip_behind (GtxTask               *task,
             GBufferedInputStream  *stream,
             gsize                  count,
             gboolean               delivers,
             GError               **failure)
{
  g_autofree char *bytes = NULL;
  gsize skipped = 0;
  gssize n = 1;

  if (count <= g_buffered_input_stream_get_buffer_size (stream))
    return fill_by_trying (task, stream, -1, delivers, failure) > 0 ? skip_in_buffer (stream, count) : 0;
  bytes = g_malloc (SKIPPED_AT_ONCE);
  for (; n > 0 && skipped < count; skipped += MAX (n, 0))
    n = read_base (task, stream, bytes, MIN (count - skipped, SKIPPED_AT_ONCE), delivers && skipped == 0, failure);
  return *failure && !g_error_matches (*failure, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? 0 : skipped;
}

gssize
gtx_buffered_stream_skip (GtxTask               *task,
                          GBufferedInputStream  *stream,
                          gsize                  count,
                          GError               **error)
{
  GError *failure = NULL;
  gsize skipped;

  if (!gtx_ready_begin_try (task, error) || !gtx_buffered_stream_may_be_read (stream, error))
    return -1;
  skipped = skip_in_buffer (stream, count);
  if (skipped < count)
    skipped += skip_behind (task, stream, count - skipped, skipped == 0, &failure);
  return end_with (skipped, failure, error);
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
