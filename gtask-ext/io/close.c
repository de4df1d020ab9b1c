/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/stream.h"

#include "io/close.h"
#include "outside/operation-private.h"

#include "loop/poller.h"

/* Tells the tasks that wait for a descriptor that it was closed. */
static void
tell_of_descriptor (GtxTask *task,
                    int      fd)
{
  gtx_poller_look (task->parent_instance.home, fd);
}

/* ---- Streams ---- */

gboolean
gtx_close_input (GtxTask       *task,
                 GInputStream  *stream,
                 GError       **error)
{
  GtxStreamKind kind = gtx_input_stream_look (stream).kind;
  gboolean succeeded;

  if (kind == GTX_STREAM_IS_AT_HAND || kind == GTX_STREAM_HAS_DESCRIPTOR)
    {
      int fd = kind == GTX_STREAM_HAS_DESCRIPTOR ? gtx_stream_get_descriptor (stream) : -1;

      succeeded = g_input_stream_close (stream, NULL, error);
      tell_of_descriptor (task, fd);
      return succeeded;
    }
  /* If closing blocks GIO does it in a thread, and marks @stream as pending before. */
  g_input_stream_close_async (stream, G_PRIORITY_DEFAULT, GTX_ASYNC_OF ("gtx_input_stream_close"));
  return g_input_stream_close_finish (stream, gtx_await_result (), error);
}

/* GIO closes a stream even if its GCancellable is cancelled. */
static GCancellable *
cancelled_new (void)
{
  GCancellable *cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  return cancellable;
}

/* A stream that may block, or says goodbye to the other side, takes time to close, and no request
 * to cancel stops it. */
void
gtx_abandon_output (GOutputStream *stream)
{
  g_autoptr (GCancellable) cancelled = cancelled_new ();
  GtxStreamKind kind = gtx_output_stream_look (stream).kind;

  if (kind == GTX_STREAM_IS_AT_HAND || kind == GTX_STREAM_HAS_DESCRIPTOR)
    {
      g_output_stream_close (stream, cancelled, NULL);
      return;
    }
  g_output_stream_close_async (stream, G_PRIORITY_DEFAULT, cancelled, GTX_CALLBACK_OF ("gtx_output_stream_close"));
  g_output_stream_close_finish (stream, gtx_await_result (), NULL);
}

static gboolean
is_on_file (GOutputStream *stream)
{
  while (G_IS_FILTER_OUTPUT_STREAM (stream))
    stream = g_filter_output_stream_get_base_stream ((GFilterOutputStream *) stream);
  return G_IS_FILE_OUTPUT_STREAM (stream);
}

/* A request to cancel is delivered before the file is closed, or stands.  GIO would report one that
 * comes in between, and not that the file has taken the place of another. */
static gboolean
close_file (GtxTask        *task,
            GOutputStream  *stream,
            GError        **error)
{
  if (!gtx_ready_begin_try (task, error))
    {
      gtx_abandon_output (stream);
      return FALSE;
    }
  if (g_output_stream_is_closed (stream))
    return TRUE;
  g_output_stream_close_async (stream, G_PRIORITY_DEFAULT, NULL, GTX_CALLBACK_OF ("gtx_output_stream_close"));
  return g_output_stream_close_finish (stream, gtx_await_result (), error);
}

gboolean
gtx_close_output (GtxTask        *task,
                  GOutputStream  *stream,
                  GError        **error)
{
  GtxStreamKind kind = gtx_output_stream_look (stream).kind;
  gboolean succeeded;

  /* As g_output_stream_close () does, but not its asynchronous function. */
  if (g_output_stream_is_closed (stream))
    return TRUE;
  if (kind == GTX_STREAM_IS_AT_HAND || kind == GTX_STREAM_HAS_DESCRIPTOR)
    {
      int fd = kind == GTX_STREAM_HAS_DESCRIPTOR ? gtx_stream_get_descriptor (stream) : -1;

      succeeded = g_output_stream_close (stream, NULL, error);
      tell_of_descriptor (task, fd);
      return succeeded;
    }
  if (kind == GTX_STREAM_BLOCKS && is_on_file (stream))
    return close_file (task, stream, error);
  g_output_stream_close_async (stream, G_PRIORITY_DEFAULT, GTX_ASYNC_OF ("gtx_output_stream_close"));
  return g_output_stream_close_finish (stream, gtx_await_result (), error);
}

/* ---- Connections ---- */

/* A connection that says goodbye to the other side, or closes a stream below, takes time. */
static gboolean
is_closed_at_once (GIOStream *stream)
{
  return G_IS_SOCKET_CONNECTION (stream) && !G_IS_TCP_WRAPPER_CONNECTION (stream) &&
         !(G_IS_TCP_CONNECTION (stream) &&
           g_tcp_connection_get_graceful_disconnect ((GTcpConnection *) stream));
}

static gboolean
close_stream (GtxTask    *task,
              GIOStream  *stream,
              GError    **error)
{
  gboolean succeeded;
  int fd = -1;

  if (G_IS_SOCKET_CONNECTION (stream))
    fd = g_socket_get_fd (g_socket_connection_get_socket ((GSocketConnection *) stream));
  if (is_closed_at_once (stream))
    succeeded = g_io_stream_close (stream, NULL, error);
  else
    {
      g_io_stream_close_async (stream, G_PRIORITY_DEFAULT, GTX_ASYNC_OF ("gtx_io_stream_close"));
      succeeded = g_io_stream_close_finish (stream, gtx_await_result (), error);
    }
  tell_of_descriptor (task, fd);
  return succeeded;
}

/* ---- The public side ---- */

/**
 * gtx_input_stream_close:
 * @stream: a #GInputStream
 * @error: return location for a #GError, or %NULL
 *
 * Closes a stream: g_input_stream_close().
 *
 * May suspend the current task, except for the stream of a socket or a pipe.  As in GIO,
 * @stream is closed even if the task is cancelled meanwhile, or if closing fails.
 *
 * Sets the errors of g_input_stream_close() (%G_IO_ERROR_PENDING if another task reads
 * from @stream), %G_IO_ERROR_CANCELLED if the task is cancelled, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE when it is closed, even if it was already; %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_input_stream_close (GInputStream  *stream,
                        GError       **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  g_object_ref (stream);
  succeeded = gtx_close_input (task, stream, error);
  g_object_unref (stream);
  return succeeded;
}

/**
 * gtx_output_stream_close:
 * @stream: a #GOutputStream
 * @error: return location for a #GError, or %NULL
 *
 * Writes the contents of a stream's buffers, and closes the stream: g_output_stream_close().
 *
 * May suspend the current task, except for the stream of a socket or a pipe.  As in GIO,
 * @stream is closed even if the task is cancelled meanwhile, or if closing fails; a local file
 * that was to be replaced stays as it was if %G_IO_ERROR_CANCELLED is set.
 *
 * Sets the errors of g_output_stream_close() (%G_IO_ERROR_PENDING if another task
 * writes to @stream), %G_IO_ERROR_CANCELLED if the task is cancelled, and
 * %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE when it is closed, even if it was already; %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_output_stream_close (GOutputStream  *stream,
                         GError        **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  g_object_ref (stream);
  succeeded = gtx_close_output (task, stream, error);
  g_object_unref (stream);
  return succeeded;
}

/**
 * gtx_io_stream_close:
 * @stream: a #GIOStream, such as a connection
 * @error: return location for a #GError, or %NULL
 *
 * Closes a stream, and the input and output stream in it: g_io_stream_close(), and asyncio's
 * `StreamWriter.close()` with `wait_closed()`.
 *
 * May suspend the current task, except for the connection of a socket.  Tasks of the same main
 * context that wait to read from the socket or to write to it fail with %G_IO_ERROR_CLOSED;
 * those of another main context do so when that main context turns next.  As in GIO, @stream
 * is closed even if the task is cancelled meanwhile, or if closing fails.
 *
 * Sets the errors of g_io_stream_close(), %G_IO_ERROR_CANCELLED if the task is cancelled,
 * and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE when it is closed, even if it was already; %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_io_stream_close (GIOStream  *stream,
                     GError    **error)
{
  GtxTask *task;
  gboolean succeeded;

  g_return_val_if_fail (G_IS_IO_STREAM (stream), FALSE);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return FALSE;
  g_object_ref (stream);
  succeeded = close_stream (task, stream, error);
  g_object_unref (stream);
  return succeeded;
}
