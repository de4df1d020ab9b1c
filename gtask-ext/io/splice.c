/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying from one stream to another. */

#include "gtask-ext/stream.h"

#include "io/close.h"
#include "io/stream.h"
#include "outside/operation-private.h"

#include "gtask-ext/to-thread.h"

#include <gio/gfiledescriptorbased.h>

#define COPIED_AT_ONCE 65536

typedef struct
{
  GOutputStream *target;
  GInputStream *source;
  GOutputStreamSpliceFlags flags;
  gssize n;
  gboolean has_begun;           /* the thread that does all of it has begun */
} Splice;

static gboolean
splice_in_thread (Splice        *self,
                  GCancellable  *cancellable,
                  GError       **error)
{
  self->has_begun = TRUE;
  self->n = G_OUTPUT_STREAM_GET_CLASS (self->target)->splice (self->target, self->source, self->flags, cancellable,
                                                              error);
  return self->n >= 0;
}

/* A piece to write to @target, which is marked as pending, so that the public function cannot write
 * it. */
typedef struct
{
  GOutputStream *target;
  const char *buffer;
  gsize count;
  gsize written;
} Piece;

static gboolean
write_piece_in_thread (Piece         *self,
                       GCancellable  *cancellable,
                       GError       **error)
{
  return gtx_stream_write_blocking (self->target, self->buffer, self->count, &self->written, cancellable, error);
}

static gboolean
write_piece (GtxTask        *task,
             GOutputStream  *target,
             const char     *buffer,
             gsize           count,
             GError        **error)
{
  GtxStreamAccess access = gtx_output_stream_look (target);
  Piece piece = { target, buffer, count, 0 };
  guint n_nothing = 0;
  gssize n;

  switch (access.kind)
    {
    case GTX_STREAM_IS_AT_HAND:
      return gtx_ready_begin_try (task, error) && write_piece_in_thread (&piece, NULL, error);
    case GTX_STREAM_BLOCKS:
      return gtx_to_thread_at ("gtx_output_stream_splice", 0, (GtxThreadFunc) write_piece_in_thread, &piece, error);
    case GTX_STREAM_HAS_DESCRIPTOR:
    case GTX_STREAM_HAS_SOURCE:
    case GTX_STREAM_IS_ASYNC:
    default:
      for (; count > 0; buffer += n, count -= n)
        if ((n = gtx_stream_try_to_write (task, target, access.notes, buffer, count, error)) < 0 ||
            !gtx_stream_takes_more (n, &n_nothing, error))
          return FALSE;
      return TRUE;
    }
}

/* Copies piece by piece.  The target is marked as pending all the time. */
static void
copy_piece_by_piece (GtxTask       *task,
                     Splice        *call,
                     GError       **error)
{
  g_autofree char *buffer = g_malloc (COPIED_AT_ONCE);
  gssize n;

  if (!g_output_stream_set_pending (call->target, error))
    return;
  call->n = 0;
  while ((n = gtx_input_stream_read (call->source, buffer, COPIED_AT_ONCE, error)) > 0 &&
         write_piece (task, call->target, buffer, n, error))
    call->n = call->n > G_MAXSSIZE - n ? G_MAXSSIZE : call->n + n;
  g_output_stream_clear_pending (call->target);
}

/* Takes the error of closing a stream, if it is a request to cancel that was delivered, or if it
 * @is_told and nothing has failed before.  Any other error of closing is dropped. */
static void
end_with (GError   **failure,
          GError    *of_close,
          gboolean   is_told)
{
  if (g_error_matches (of_close, G_IO_ERROR, G_IO_ERROR_CANCELLED) || (is_told && *failure == NULL))
    {
      g_clear_error (failure);
      *failure = of_close;
    }
  else
    g_clear_error (&of_close);
}

/* If the splice was cancelled, a file that was to be replaced stays as it was. */
static void
close_both (GtxTask  *task,
            Splice   *call,
            GError  **failure)
{
  GError *of_close = NULL;

  if ((call->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0 && !gtx_close_input (task, call->source, &of_close))
    end_with (failure, g_steal_pointer (&of_close), FALSE);
  if ((call->flags & G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) == 0)
    return;
  if (g_error_matches (*failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    gtx_abandon_output (call->target);
  else if (!gtx_close_output (task, call->target, &of_close))
    end_with (failure, of_close, TRUE);
}

static gssize
end_splice (Splice   *call,
            GError   *failure,
            GError  **error)
{
  if (failure == NULL)
    return call->n;
  g_propagate_error (error, failure);
  return -1;
}

static gssize
splice_here (GtxTask  *task,
             Splice   *call,
             GError  **error)
{
  GError *failure = NULL;

  copy_piece_by_piece (task, call, &failure);
  close_both (task, call, &failure);
  return end_splice (call, failure, error);
}

/* The task marks the target as pending, and not the thread: another task may come before a thread
 * is free. */
static gssize
splice_by_thread (GtxTask  *task,
                  Splice   *call,
                  GError  **error)
{
  GError *failure = NULL;

  if (!g_output_stream_set_pending (call->target, error))
    return -1;
  gtx_to_thread_at ("gtx_output_stream_splice", 0, (GtxThreadFunc) splice_in_thread, call, &failure);
  g_output_stream_clear_pending (call->target);
  if (!call->has_begun)
    close_both (task, call, &failure);
  return end_splice (call, failure, error);
}

static gboolean
has_splice_of_its_own (GOutputStream *stream)
{
  GOutputStreamClass *base = g_type_class_peek (G_TYPE_OUTPUT_STREAM);

  return G_OUTPUT_STREAM_GET_CLASS (stream)->splice != base->splice;
}

static gssize
splice (GtxTask  *task,
        Splice   *call,
        GError  **error)
{
  GtxStreamKind from = gtx_input_stream_look (call->source).kind;
  GtxStreamKind to = gtx_output_stream_look (call->target).kind;
  gboolean is_file = from == GTX_STREAM_BLOCKS && G_IS_FILE_DESCRIPTOR_BASED (call->source);

  /* GIO's function returns at once in these cases. */
  if (g_input_stream_is_closed (call->source) || g_output_stream_is_closed (call->target) ||
      g_output_stream_has_pending (call->target))
    return g_output_stream_splice (call->target, call->source, call->flags, NULL, error);
  if ((is_file && (to == GTX_STREAM_BLOCKS || to == GTX_STREAM_IS_AT_HAND)) ||
      (from == GTX_STREAM_IS_AT_HAND && to == GTX_STREAM_BLOCKS))
    return splice_by_thread (task, call, error);
  if (from != GTX_STREAM_IS_ASYNC && to != GTX_STREAM_IS_ASYNC && !has_splice_of_its_own (call->target))
    return splice_here (task, call, error);
  g_output_stream_splice_async (call->target, call->source, call->flags, G_PRIORITY_DEFAULT,
                                GTX_ASYNC_OF ("gtx_output_stream_splice"));
  return g_output_stream_splice_finish (call->target, gtx_await_result (), error);
}

/**
 * gtx_output_stream_splice:
 * @stream: a #GOutputStream
 * @source: a #GInputStream
 * @flags: which of the two streams to close, even if it fails
 * @error: return location for a #GError, or %NULL
 *
 * Writes all data of @source to a stream, up to the end of @source:
 * g_output_stream_splice().
 *
 * May suspend, and sets errors, as gtx_input_stream_read() and gtx_output_stream_write() do.
 * If the task is cancelled, the data that was read last may be written in part.
 *
 * Returns: how many bytes were written; -1 with @error set
 *
 * Since: 0.1
 */
gssize
gtx_output_stream_splice (GOutputStream             *stream,
                          GInputStream              *source,
                          GOutputStreamSpliceFlags   flags,
                          GError                   **error)
{
  Splice call = { stream, source, flags, -1, FALSE };
  GtxTask *task;
  gssize n;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), -1);
  g_return_val_if_fail (G_IS_INPUT_STREAM (source), -1);

  task = gtx_task_begin_await (G_STRFUNC, error);
  if (task == NULL)
    return -1;
  g_object_ref (stream);
  g_object_ref (source);
  n = splice (task, &call, error);
  g_object_unref (source);
  g_object_unref (stream);
  return n;
}
