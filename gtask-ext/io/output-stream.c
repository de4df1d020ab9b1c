/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/stream.h"

#include "io/stream.h"
#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

#include <gio/gunixoutputstream.h>

/* ---- In a thread ---- */

/* The task marks @stream as pending, and not the thread: another task may come before a thread is
 * free. */
static gboolean
call_in_thread (GOutputStream  *stream,
                const char     *function,
                GtxThreadFunc   func,
                gpointer        call,
                GError        **error)
{
  gboolean succeeded;

  if (!g_output_stream_set_pending (stream, error))
    return FALSE;
  succeeded = gtx_to_thread_at (function, 0, func, call, error);
  g_output_stream_clear_pending (stream);
  return succeeded;
}

typedef struct
{
  GOutputStream *stream;
  const void *buffer;
  gsize count;
  gssize n;
} Write;

static gboolean
write_in_thread (Write         *self,
                 GCancellable  *cancellable,
                 GError       **error)
{
  self->n = G_OUTPUT_STREAM_GET_CLASS (self->stream)->write_fn (self->stream, self->buffer, self->count, cancellable,
                                                               error);
  return self->n >= 0;
}

typedef struct
{
  GOutputStream *stream;
  const void *buffer;
  gsize count;
  gsize bytes_written;
} WriteAll;

static gboolean
write_all_in_thread (WriteAll      *self,
                     GCancellable  *cancellable,
                     GError       **error)
{
  return gtx_stream_write_blocking (self->stream, self->buffer, self->count, &self->bytes_written, cancellable, error);
}

typedef struct
{
  GOutputStream *stream;
  GOutputVector *vectors;
  gsize n_vectors;
  gsize bytes_written;
} WritevAll;

static gboolean
writev_all_in_thread (WritevAll     *self,
                      GCancellable  *cancellable,
                      GError       **error)
{
  gboolean succeeded = TRUE;

  for (gsize i = 0; succeeded && i < self->n_vectors; i++)
    {
      WriteAll one = { self->stream, self->vectors[i].buffer, self->vectors[i].size, 0 };

      succeeded = write_all_in_thread (&one, cancellable, error);
      self->bytes_written += one.bytes_written;
    }
  return succeeded;
}

static gboolean
flush_in_thread (GOutputStream  *stream,
                 GCancellable   *cancellable,
                 GError        **error)
{
  return G_OUTPUT_STREAM_GET_CLASS (stream)->flush (stream, cancellable, error);
}

/* ---- Writing ---- */

static gssize
write_by_trying (GtxTask         *task,
                 GOutputStream   *stream,
                 GtxStreamNotes  *notes,
                 const void      *buffer,
                 gsize            count,
                 GError         **error)
{
  gssize n;

  if (!g_output_stream_set_pending (stream, error))
    return -1;
  n = gtx_stream_try_to_write (task, stream, notes, buffer, count, error);
  g_output_stream_clear_pending (stream);
  return n;
}

static gssize
write_some (GtxTask          *task,
            GOutputStream    *stream,
            GtxStreamAccess   access,
            const void       *buffer,
            gsize             count,
            GError          **error)
{
  Write call = { stream, buffer, count, -1 };

  /* @buffer may be NULL. */
  if (count == 0)
    return 0;
  if (count > G_MAXSSIZE)
    return g_output_stream_write (stream, buffer, count, NULL, error);
  switch (access.kind)
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) ? g_output_stream_write (stream, buffer, count, NULL, error) : -1;
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
      return write_by_trying (task, stream, access.notes, buffer, count, error);
    case GTX_STREAM_BLOCKS:
      return call_in_thread (stream, "gtx_output_stream_write", (GtxThreadFunc) write_in_thread, &call, error)
             ? call.n : -1;
    case GTX_STREAM_IS_ASYNC:
    default:
      g_output_stream_write_async (stream, buffer, count, G_PRIORITY_DEFAULT,
                                   GTX_ASYNC_OF ("gtx_output_stream_write"));
      return g_output_stream_write_finish (stream, gtx_await_result (), error);
    }
}

static gboolean
write_all (GtxTask   *task,
           WriteAll  *call,
           GError   **error)
{
  GtxStreamAccess access = gtx_output_stream_look (call->stream);
  guint n_nothing = 0;
  gssize n;

  if (access.kind == GTX_STREAM_BLOCKS && call->count > 0 && call->count <= G_MAXSSIZE)
    return call_in_thread (call->stream, "gtx_output_stream_write_all", (GtxThreadFunc) write_all_in_thread, call,
                           error);
  while (call->bytes_written < call->count)
    {
      if (call->bytes_written > 0)
        access = gtx_output_stream_look (call->stream);
      n = write_some (task, call->stream, access, (const char *) call->buffer + call->bytes_written,
                      call->count - call->bytes_written, error);
      if (n < 0 || !gtx_stream_takes_more (n, &n_nothing, error))
        return FALSE;
      call->bytes_written += n;
    }
  return TRUE;
}

/* ---- Several buffers at once ---- */

/* Takes the bytes that were written out of the vectors. */
static void
advance (WritevAll *call,
         gsize      n)
{
  call->bytes_written += n;
  while (call->n_vectors > 0 && n >= call->vectors->size)
    {
      n -= call->vectors->size;
      call->vectors++;
      call->n_vectors--;
    }
  if (n > 0)
    {
      call->vectors->buffer = (const char *) call->vectors->buffer + n;
      call->vectors->size -= n;
    }
}

static gboolean
writev_by_trying (GtxTask         *task,
                  WritevAll       *call,
                  GtxStreamNotes  *notes,
                  GError         **error)
{
  gboolean succeeded = TRUE;
  guint n_nothing = 0;
  gsize n;

  advance (call, 0);
  while (succeeded && call->n_vectors > 0)
    {
      if (!g_output_stream_set_pending (call->stream, error))
        return FALSE;
      succeeded = gtx_stream_try_to_writev (task, call->stream, notes, call->vectors, call->n_vectors, &n, error);
      g_output_stream_clear_pending (call->stream);
      succeeded = succeeded && gtx_stream_takes_more (n, &n_nothing, error);
      if (succeeded)
        advance (call, n);
    }
  return succeeded;
}

static gboolean
writev_one_by_one (GtxTask    *task,
                   WritevAll  *call,
                   GError    **error)
{
  gboolean succeeded = TRUE;

  for (gsize i = 0; succeeded && i < call->n_vectors; i++)
    {
      WriteAll one = { call->stream, call->vectors[i].buffer, call->vectors[i].size, 0 };

      succeeded = write_all (task, &one, error);
      call->bytes_written += one.bytes_written;
    }
  return succeeded;
}

static gboolean
is_too_much (const WritevAll *call)
{
  gsize sum = 0;

  for (gsize i = 0; i < call->n_vectors; i++)
    if (__builtin_add_overflow (sum, call->vectors[i].size, &sum))
      return TRUE;
  return FALSE;
}

static gboolean
writev_all (GtxTask    *task,
            WritevAll  *call,
            GError    **error)
{
  GOutputStream *stream = call->stream;
  GtxStreamAccess access;

  if (is_too_much (call))
    return g_output_stream_writev_all (stream, call->vectors, call->n_vectors, &call->bytes_written, NULL, error);
  access = gtx_output_stream_look (stream);
  switch (access.kind)
    {
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
      /* A pipe that reports room has it for one vector at a time. */
      if (G_IS_UNIX_OUTPUT_STREAM (stream))
        return writev_one_by_one (task, call, error);
      return writev_by_trying (task, call, access.notes, error);
    case GTX_STREAM_BLOCKS:
      advance (call, 0);
      if (call->n_vectors == 0)
        return TRUE;
      return call_in_thread (stream, "gtx_output_stream_writev_all", (GtxThreadFunc) writev_all_in_thread, call, error);
    case GTX_STREAM_IS_AT_HAND:
    case GTX_STREAM_IS_ASYNC:
    default:
      return writev_one_by_one (task, call, error);
    }
}

/* ---- Flushing ---- */

/* A class may have only one of flush () and flush_async (). */
static gboolean
flush (GOutputStream  *stream,
       GError        **error)
{
  GtxStreamKind kind = gtx_output_stream_look (stream).kind;
  GOutputStreamClass *class = G_OUTPUT_STREAM_GET_CLASS (stream);
  GOutputStreamClass *base = g_type_class_peek (G_TYPE_OUTPUT_STREAM);

  if (kind == GTX_STREAM_IS_AT_HAND || (class->flush == NULL && class->flush_async == base->flush_async))
    return g_output_stream_flush (stream, NULL, error);
  if (kind == GTX_STREAM_BLOCKS && class->flush)
    return call_in_thread (stream, "gtx_output_stream_flush", (GtxThreadFunc) flush_in_thread, stream, error);
  g_output_stream_flush_async (stream, G_PRIORITY_DEFAULT, GTX_ASYNC_OF ("gtx_output_stream_flush"));
  return g_output_stream_flush_finish (stream, gtx_await_result (), error);
}

/* ---- The public side ---- */

/**
 * gtx_output_stream_write:
 * @stream: a #GOutputStream
 * @buffer: (array length=count) (element-type guint8): what to write
 * @count: how many bytes it has
 * @error: return location for a #GError, or %NULL
 *
 * Writes to a stream: g_output_stream_write().
 *
 * As many bytes as there is room for are written at once; if there is no room, the current
 * task is suspended until there is, as in gtx_input_stream_read().  To a pipe no more than
 * %PIPE_BUF bytes are written at once, unless its file is non-blocking: more would block the
 * main loop.
 *
 * A request to cancel is delivered before bytes are written, or while the task waits, and
 * stays pending if bytes were written meanwhile: a write that is cancelled has written
 * nothing.
 *
 * A write to a pipe or socket that no longer has a reader fails with %G_IO_ERROR_BROKEN_PIPE
 * or %G_IO_ERROR_CONNECTION_CLOSED, and raises no SIGPIPE: the process ignores that signal
 * from then on, as it does with GIO's sockets.
 *
 * Sets the errors of g_output_stream_write() (%G_IO_ERROR_PENDING if another task writes,
 * %G_IO_ERROR_CLOSED, and %G_IO_ERROR_TIMED_OUT for a socket that has a time limit),
 * %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: how many bytes were written, which may be fewer than @count; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_output_stream_write (GOutputStream  *stream,
                         const void     *buffer,
                         gsize           count,
                         GError        **error)
{
  GtxTask *task;
  gssize n;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), -1);
  g_return_val_if_fail (buffer != NULL || count == 0, -1);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return -1;
  g_object_ref (stream);
  n = write_some (task, stream, gtx_output_stream_look (stream), buffer, count, error);
  g_object_unref (stream);
  return n;
}

/**
 * gtx_output_stream_write_all:
 * @stream: a #GOutputStream
 * @buffer: (array length=count) (element-type guint8): what to write
 * @count: how many bytes it has
 * @bytes_written: (out) (optional): how many were written, even if it fails
 * @error: return location for a #GError, or %NULL
 *
 * Writes all bytes of a buffer: g_output_stream_write_all(), and asyncio's
 * `StreamWriter.write()` with `drain()`.
 *
 * May suspend, and sets errors, as gtx_output_stream_write() does.
 *
 * Returns: %TRUE when all was written, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_output_stream_write_all (GOutputStream  *stream,
                             const void     *buffer,
                             gsize           count,
                             gsize          *bytes_written,
                             GError        **error)
{
  WriteAll call = { stream, buffer, count, 0 };
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (buffer != NULL || count == 0, FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  g_object_ref (stream);
  succeeded = task && write_all (task, &call, error);
  g_object_unref (stream);
  if (bytes_written)
    *bytes_written = call.bytes_written;
  return succeeded;
}

/**
 * gtx_output_stream_write_bytes:
 * @stream: a #GOutputStream
 * @bytes: what to write
 * @error: return location for a #GError, or %NULL
 *
 * Writes to a stream as gtx_output_stream_write() does: g_output_stream_write_bytes().
 *
 * May suspend, and sets errors, as gtx_output_stream_write() does.
 *
 * Returns: how many bytes were written, which may be fewer than @bytes has; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_output_stream_write_bytes (GOutputStream  *stream,
                               GBytes         *bytes,
                               GError        **error)
{
  gconstpointer data;
  gsize count;

  g_return_val_if_fail (bytes != NULL, -1);

  data = g_bytes_get_data (bytes, &count);
  return gtx_output_stream_write (stream, data, count, error);
}

/**
 * gtx_output_stream_writev_all:
 * @stream: a #GOutputStream
 * @vectors: (array length=n_vectors): what to write; this function changes them
 * @n_vectors: how many vectors there are
 * @bytes_written: (out) (optional): how many bytes were written, even if it fails
 * @error: return location for a #GError, or %NULL
 *
 * Writes all bytes of several buffers, one after the other, in one call if @stream can:
 * g_output_stream_writev_all(), and asyncio's `StreamWriter.writelines()` with `drain()`.
 *
 * May suspend, and sets errors, as gtx_output_stream_write() does.
 *
 * Returns: %TRUE when all was written, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_output_stream_writev_all (GOutputStream  *stream,
                              GOutputVector  *vectors,
                              gsize           n_vectors,
                              gsize          *bytes_written,
                              GError        **error)
{
  WritevAll call = { stream, vectors, n_vectors, 0 };
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (vectors != NULL || n_vectors == 0, FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  g_object_ref (stream);
  succeeded = task && writev_all (task, &call, error);
  g_object_unref (stream);
  if (bytes_written)
    *bytes_written = call.bytes_written;
  return succeeded;
}

/**
 * gtx_output_stream_flush:
 * @stream: a #GOutputStream
 * @error: return location for a #GError, or %NULL
 *
 * Writes the contents of a stream's buffers: g_output_stream_flush().
 *
 * May suspend, and sets errors, as gtx_output_stream_write() does.
 *
 * Returns: %TRUE when it was written, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_output_stream_flush (GOutputStream  *stream,
                         GError        **error)
{
  gboolean succeeded;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);

  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return FALSE;
  g_object_ref (stream);
  succeeded = flush (stream, error);
  g_object_unref (stream);
  return succeeded;
}
