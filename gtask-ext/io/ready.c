/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "io/ready.h"

#include "io/descriptor.h"
#include "loop/deadline.h"
#include "many/timeout-private.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

gboolean
gtx_ready_begin_try (GtxTask  *task,
                     GError  **error)
{
  gtx_task_take_up_request (task);
  if (G_LIKELY (!task->must_cancel && !gtx_scheduler_is_over (task->parent_instance.home)))
    return TRUE;
  return gtx_task_let_others_run (task, error);
}

gboolean
gtx_ready_begin_next_try (GtxTask   *task,
                          gboolean   delivers,
                          GError   **error)
{
  if (delivers)
    return gtx_ready_begin_try (task, error);
  gtx_task_take_up_request (task);
  if (!task->must_cancel && gtx_scheduler_is_over (task->parent_instance.home))
    gtx_task_let_others_run_first (task);
  if (!task->must_cancel)
    return TRUE;
  task->outlived = TRUE;
  gtx_set_cancelled_error_for (error, task->reason);
  return FALSE;
}

gboolean
gtx_ready_would_block (GError **failure)
{
  if (!g_error_matches (*failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return FALSE;
  g_clear_error (failure);
  return TRUE;
}

gpointer
gtx_ready_get_notes (gpointer      object,
                     gsize        *quark,
                     const char   *name,
                     GtxMakeNotes  make)
{
  gpointer notes;

  if (g_once_init_enter (quark))
    g_once_init_leave (quark, g_quark_from_static_string (name));
  notes = g_object_get_qdata (object, *quark);
  if (G_LIKELY (notes))
    return notes;
  notes = make (object);
  if (g_object_replace_qdata (object, *quark, NULL, notes, g_free, NULL))
    return notes;
  g_free (notes);
  return g_object_get_qdata (object, *quark);
}

/* ---- First tries ---- */

#define MOST_VAIN 2
#define MOST_LEFT_OUT 15

gboolean
gtx_first_tries_is_worth_it (GtxFirstTries *self,
                             GtxTask       *task)
{
  guint n_left_out = __atomic_load_n (&self->n_left_out, __ATOMIC_RELAXED);
  gboolean is_worth_it = __atomic_load_n (&self->n_vain, __ATOMIC_RELAXED) < MOST_VAIN || n_left_out >= MOST_LEFT_OUT ||
                         gtx_task_is_out_of_time (task);

  __atomic_store_n (&self->n_left_out, is_worth_it ? 0 : n_left_out + 1, __ATOMIC_RELAXED);
  return is_worth_it;
}

/* ---- Descriptors ---- */

static gboolean
await (GtxTask            *task,
       GtxDescriptorWait  *wanted,
       GError            **error)
{
  GIOCondition came;

  /* A closed socket or stream has no descriptor: the next try fails and says so. */
  if (wanted->fd < 0)
    return TRUE;
  wanted->what = (wanted->condition & G_IO_OUT) != 0 ? "room in descriptor" : "data from descriptor";
  wanted->number = wanted->fd;
  came = gtx_descriptor_wait (task, wanted, error);
  if (came == GTX_IO_TIMED_OUT)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The socket timed out");
  return came != 0 && came != GTX_IO_TIMED_OUT;
}

gboolean
gtx_ready_await_descriptor (GtxTask       *task,
                            int            fd,
                            GIOCondition   condition,
                            gboolean       delivers,
                            GError       **error)
{
  GtxDescriptorWait wanted = { .fd = fd, .condition = condition, .deadline = GTX_NEVER, .stands = !delivers };

  return await (task, &wanted, error);
}

gboolean
gtx_ready_await_socket (GtxTask       *task,
                        GSocket       *socket,
                        int            fd,
                        guint64        stream,
                        GIOCondition   condition,
                        gboolean       delivers,
                        GError       **error)
{
  guint seconds = g_socket_get_timeout (socket);
  GtxDescriptorWait wanted = {
    .fd = fd, .socket = socket, .stream = stream, .condition = condition,
    .stands = !delivers,
    .deadline = seconds > 0 ? gtx_deadline (task->parent_instance.home, seconds) : GTX_NEVER,
  };

  return await (task, &wanted, error);
}

/* ---- Sources ---- */

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append (text, "a stream");
}

static const GtxWaiterKind stream_kind = { "stream", gtx_waiter_cancel, describe, NULL, NULL };

static gboolean
on_ready (GObject  *stream,
          gpointer  waiter)
{
  gtx_waiter_wake_now (waiter);
  return G_SOURCE_REMOVE;
}

gboolean
gtx_ready_await_source (GtxTask   *task,
                        GSource   *source,
                        gboolean   delivers,
                        GError   **error)
{
  GtxScheduler *home = task->parent_instance.home;
  GtxWaiter waiter;
  gboolean woken;

  gtx_waiter_init (&waiter, task, &stream_kind);
  waiter.stands = !delivers;
  g_source_set_callback (source, G_SOURCE_FUNC (on_ready), &waiter, NULL);
  g_source_set_static_name (source, "gtask-ext (stream)");
  /* A task that the source wakes may run a main loop. */
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, gtx_scheduler_get_context (home));

  gtx_scheduler_hold (home);
  woken = gtx_waiter_wait (&waiter, error);
  gtx_scheduler_release (home);
  g_source_destroy (source);
  g_source_unref (source);
  return woken;
}
