/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/stream.h"

#include "io/stream.h"
#include "io/buffered-stream.h"
#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

/* As many bytes as GIO skips at once. */
#define SKIP_AT_ONCE 8192

/* ---- In a thread ---- */

/* The task marks @stream as pending, and not the thread: another task may come before a thread is
 * free. */
static gboolean
call_in_thread (GInputStream   *stream,
                const char     *function,
                GtxThreadFunc   func,
                gpointer        call,
                GError        **error)
{
  gboolean succeeded;

  if (!g_input_stream_set_pending (stream, error))
    return FALSE;
  succeeded = gtx_to_thread_at (function, 0, func, call, error);
  g_input_stream_clear_pending (stream);
  return succeeded;
}

typedef struct
{
  GInputStream *stream;
  void *buffer;
  gsize count;
  gssize n;
} Read;

static gboolean
read_in_thread (Read          *self,
                GCancellable  *cancellable,
                GError       **error)
{
  self->n = G_INPUT_STREAM_GET_CLASS (self->stream)->read_fn (self->stream, self->buffer, self->count, cancellable,
                                                             error);
  return self->n >= 0;
}

typedef struct
{
  GInputStream *stream;
  void *buffer;
  gsize count;
  gsize bytes_read;
} ReadAll;

static gboolean
read_all_in_thread (ReadAll       *self,
                    GCancellable  *cancellable,
                    GError       **error)
{
  Read some = { self->stream, NULL, 0, 1 };

  while (some.n > 0 && self->bytes_read < self->count)
    {
      some.buffer = (char *) self->buffer + self->bytes_read;
      some.count = self->count - self->bytes_read;
      if (!read_in_thread (&some, cancellable, error))
        return FALSE;
      self->bytes_read += some.n;
    }
  return TRUE;
}

static gboolean
skip_in_thread (Read          *self,
                GCancellable  *cancellable,
                GError       **error)
{
  self->n = G_INPUT_STREAM_GET_CLASS (self->stream)->skip (self->stream, self->count, cancellable, error);
  return self->n >= 0;
}

/* ---- Reading ---- */

/* Whether GIO's function returns at once, since there is nothing to do, or too much. */
static gboolean
is_answered_at_once (gsize count)
{
  return count == 0 || count > G_MAXSSIZE;
}

static gssize
read_by_trying (GtxTask         *task,
                GInputStream    *stream,
                GtxStreamNotes  *notes,
                void            *buffer,
                gsize            count,
                GError         **error)
{
  gssize n;

  if (!g_input_stream_set_pending (stream, error))
    return -1;
  n = gtx_stream_try_to_read (task, stream, notes, buffer, count, TRUE, error);
  g_input_stream_clear_pending (stream);
  return n;
}

static gssize
read_some (GtxTask          *task,
           GInputStream     *stream,
           GtxStreamAccess   access,
           void             *buffer,
           gsize             count,
           GError          **error)
{
  Read call = { stream, buffer, count, -1 };

  /* @buffer may be NULL. */
  if (count == 0)
    return 0;
  if (count > G_MAXSSIZE)
    return g_input_stream_read (stream, buffer, count, NULL, error);
  if (access.kind == GTX_STREAM_BLOCKS && gtx_buffered_stream_is_tried (stream))
    return gtx_buffered_stream_read (task, (GBufferedInputStream *) stream, buffer, count, error);
  switch (access.kind)
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) ? g_input_stream_read (stream, buffer, count, NULL, error) : -1;
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
      return read_by_trying (task, stream, access.notes, buffer, count, error);
    case GTX_STREAM_BLOCKS:
      return call_in_thread (stream, "gtx_input_stream_read", (GtxThreadFunc) read_in_thread, &call, error) ? call.n : -1;
    case GTX_STREAM_IS_ASYNC:
    default:
      g_input_stream_read_async (stream, buffer, count, G_PRIORITY_DEFAULT,
                                 GTX_ASYNC_OF ("gtx_input_stream_read"));
      return g_input_stream_read_finish (stream, gtx_await_result (), error);
    }
}

static gboolean
read_all (GtxTask       *task,
          ReadAll       *call,
          GError       **error)
{
  GtxStreamAccess access = gtx_input_stream_look (call->stream);
  gssize n;

  if (access.kind == GTX_STREAM_BLOCKS && !is_answered_at_once (call->count) &&
      !gtx_buffered_stream_is_tried (call->stream))
    return call_in_thread (call->stream, "gtx_input_stream_read_all", (GtxThreadFunc) read_all_in_thread, call, error);
  while (call->bytes_read < call->count)
    {
      n = read_some (task, call->stream, access, (char *) call->buffer + call->bytes_read,
                     call->count - call->bytes_read, error);
      if (n <= 0)
        return n == 0;
      call->bytes_read += n;
    }
  return TRUE;
}

/* As in GIO, bytes that were skipped are reported if the task is cancelled meanwhile. */
static gssize
skip_by_trying (GtxTask         *task,
                GInputStream    *stream,
                GtxStreamNotes  *notes,
                gsize            count,
                GError         **error)
{
  g_autofree char *buffer = g_malloc (SKIP_AT_ONCE);
  GError *failure = NULL;
  gsize skipped = 0;
  gssize n;

  if (!g_input_stream_set_pending (stream, error))
    return -1;
  do
    {
      n = gtx_stream_try_to_read (task, stream, notes, buffer, MIN (count - skipped, SKIP_AT_ONCE), skipped == 0,
                                  &failure);
      skipped += MAX (n, 0);
    }
  while (n > 0 && skipped < count);
  g_input_stream_clear_pending (stream);

  if (skipped > 0 && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_clear_error (&failure);
  if (failure == NULL)
    return skipped;
  g_propagate_error (error, failure);
  return -1;
}

static gssize
skip (GtxTask       *task,
      GInputStream  *stream,
      gsize          count,
      GError       **error)
{
  Read call = { stream, NULL, count, -1 };
  GtxStreamAccess access;

  if (is_answered_at_once (count))
    return g_input_stream_skip (stream, count, NULL, error);
  if (gtx_buffered_stream_is_tried (stream))
    return gtx_buffered_stream_skip (task, (GBufferedInputStream *) stream, count, error);
  access = gtx_input_stream_look (stream);
  switch (access.kind)
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) ? g_input_stream_skip (stream, count, NULL, error) : -1;
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
      return skip_by_trying (task, stream, access.notes, count, error);
    case GTX_STREAM_BLOCKS:
      return call_in_thread (stream, "gtx_input_stream_skip", (GtxThreadFunc) skip_in_thread, &call, error) ? call.n : -1;
    case GTX_STREAM_IS_ASYNC:
    default:
      g_input_stream_skip_async (stream, count, G_PRIORITY_DEFAULT, GTX_ASYNC_OF ("gtx_input_stream_skip"));
      return g_input_stream_skip_finish (stream, gtx_await_result (), error);
    }
}

/* ---- The public side ---- */

/**
 * gtx_input_stream_read:
 * @stream: a #GInputStream
 * @buffer: (array length=count) (element-type guint8) (out caller-allocates): where to put what is read
 * @count: how many bytes to read at most
 * @error: return location for a #GError, or %NULL
 *
 * Reads from a stream: g_input_stream_read(), and asyncio's `StreamReader.read()`.
 *
 * Available data is read at once; otherwise the current task is suspended until there is
 * data.  The stream of a socket or a pipe is tried, and waits with all others of the main
 * context in one place, so that a wait costs the same however many there are.  Any other
 * pollable stream is tried, too, and waits with a source of its own.  A local file is read
 * in a thread, and any other stream by g_input_stream_read_async().  A task that always
 * finds data lets others run when it has used up its time.
 *
 * A read that is cancelled has taken no data, and the data stays for the next read: a
 * request to cancel is delivered before bytes are read, or while the task waits, and stays
 * pending if bytes were read meanwhile.  (For a stream that is read by its own asynchronous
 * function, this holds if its author made it so.)
 *
 * Sets the errors of g_input_stream_read() (%G_IO_ERROR_PENDING if another task reads,
 * %G_IO_ERROR_CLOSED, and %G_IO_ERROR_TIMED_OUT for a socket that has a time limit),
 * %G_IO_ERROR_CANCELLED if the task is cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: how many bytes were read, 0 at the end of the stream, -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_input_stream_read (GInputStream  *stream,
                       void          *buffer,
                       gsize          count,
                       GError       **error)
{
  GtxTask *task;
  gssize n;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), -1);
  g_return_val_if_fail (buffer != NULL || count == 0, -1);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return -1;
  g_object_ref (stream);
  n = read_some (task, stream, gtx_input_stream_look (stream), buffer, count, error);
  g_object_unref (stream);
  return n;
}

/**
 * gtx_input_stream_read_all:
 * @stream: a #GInputStream
 * @buffer: (array length=count) (element-type guint8) (out caller-allocates): where to put what is read
 * @count: how many bytes to read
 * @bytes_read: (out) (optional): how many were read, even if it fails
 * @error: return location for a #GError, or %NULL
 *
 * Reads @count bytes, or up to the end of the stream: g_input_stream_read_all(), and asyncio's
 * `StreamReader.readexactly()` without its exception.
 *
 * May suspend, and sets errors, as gtx_input_stream_read() does.  Bytes that were read before
 * the task was cancelled are in @buffer.
 *
 * Returns: %TRUE, with fewer than @count bytes only at the end of the stream; %FALSE with
 *   @error set
 *
 * Since: 0.1
 */
gboolean
gtx_input_stream_read_all (GInputStream  *stream,
                           void          *buffer,
                           gsize          count,
                           gsize         *bytes_read,
                           GError       **error)
{
  ReadAll call = { stream, buffer, count, 0 };
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (buffer != NULL || count == 0, FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  g_object_ref (stream);
  succeeded = task && read_all (task, &call, error);
  g_object_unref (stream);
  if (bytes_read)
    *bytes_read = call.bytes_read;
  return succeeded;
}

/**
 * gtx_input_stream_read_bytes:
 * @stream: a #GInputStream
 * @count: how many bytes to read at most
 * @error: return location for a #GError, or %NULL
 *
 * Reads from a stream as gtx_input_stream_read() does: g_input_stream_read_bytes().
 *
 * May suspend, and sets errors, as gtx_input_stream_read() does.
 *
 * Returns: (transfer full): what was read, empty at the end of the stream; %NULL with @error set
 *
 * Since: 0.1
 */
GBytes *
gtx_input_stream_read_bytes (GInputStream  *stream,
                             gsize          count,
                             GError       **error)
{
  g_autofree guint8 *buffer = NULL;
  gssize n;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), NULL);

  buffer = g_malloc (count);
  n = gtx_input_stream_read (stream, buffer, count, error);
  return n < 0 ? NULL : g_bytes_new_take (g_steal_pointer (&buffer), n);
}

/**
 * gtx_input_stream_skip:
 * @stream: a #GInputStream
 * @count: how many bytes to skip
 * @error: return location for a #GError, or %NULL
 *
 * Skips bytes of a stream: g_input_stream_skip().
 *
 * May suspend, and sets errors, as gtx_input_stream_read() does.  If the task is cancelled
 * when some bytes were skipped, their number is returned, and the next await delivers the
 * request.
 *
 * Returns: how many bytes were skipped, fewer than @count at the end of the stream; -1 with
 *   @error set
 *
 * Since: 0.1
 */
gssize
gtx_input_stream_skip (GInputStream  *stream,
                       gsize          count,
                       GError       **error)
{
  GtxTask *task;
  gssize n;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), -1);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return -1;
  g_object_ref (stream);
  n = skip (task, stream, count, error);
  g_object_unref (stream);
  return n;
}
