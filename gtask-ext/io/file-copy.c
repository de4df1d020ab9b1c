/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying and moving files, and telling of the progress. */

#include "gtask-ext/file.h"

#include "io/file-thread.h"

/* ---- Progress ---- */

/* The thread that copies reports as often as it likes; the task's thread gets the latest report.
 * The task has a reference while it copies, and so has a message that is on its way. */
typedef struct
{
  GFileProgressCallback func;   /* called in the task's thread; NULL when the copying is over */
  gpointer data;
  GtxScheduler *home;           /* the task's home, which the task keeps */
  GMutex mutex;                 /* protects the fields below */
  goffset n_done;
  goffset n_total;
  gboolean is_on_its_way;       /* a message, which brings the latest report when it arrives */
} Progress;

static Progress *
progress_new (GFileProgressCallback  func,
              gpointer               data,
              GtxScheduler          *home)
{
  Progress *self = g_atomic_rc_box_new0 (Progress);

  self->func = func;
  self->data = data;
  self->home = home;
  g_mutex_init (&self->mutex);
  return self;
}

static void
progress_clear (gpointer data)
{
  Progress *self = data;

  g_mutex_clear (&self->mutex);
}

static void
progress_unref (Progress *self)
{
  g_atomic_rc_box_release_full (self, progress_clear);
}

/* Runs in the task's thread.  The callback may run a main loop, in which the copying ends. */
static void
arrive (gpointer data)
{
  Progress *self = data;
  goffset n_done;
  goffset n_total;

  g_mutex_lock (&self->mutex);
  n_done = self->n_done;
  n_total = self->n_total;
  self->is_on_its_way = FALSE;
  g_mutex_unlock (&self->mutex);

  if (self->func)
    self->func (n_done, n_total, self->data);
  if (gtx_scheduler_is_running (self->home))
    gtx_scheduler_let_go_of_pushed ();
  progress_unref (self);
}

static void
send (Progress *self,
      goffset   n_done,
      goffset   n_total)
{
  gboolean is_first;

  g_mutex_lock (&self->mutex);
  self->n_done = n_done;
  self->n_total = n_total;
  is_first = !self->is_on_its_way;
  self->is_on_its_way = TRUE;
  g_mutex_unlock (&self->mutex);

  if (is_first && !gtx_scheduler_post (self->home, arrive, g_atomic_rc_box_acquire (self)))
    progress_unref (self);
}

/* GIO's progress callback, called by the thread that copies, which as a rule is not the task's. */
static void
report (goffset  n_done,
        goffset  n_total,
        gpointer data)
{
  Progress *self = data;

  if (!gtx_scheduler_is_local (self->home))
    send (self, n_done, n_total);
  else if (self->func)
    self->func (n_done, n_total, self->data);
}

/* ---- Copying and moving ---- */

/* GIO's functions to copy, or to move. */
typedef struct
{
  gboolean (*block) (GFile                  *source,
                     GFile                  *destination,
                     GFileCopyFlags          flags,
                     GCancellable           *cancellable,
                     GFileProgressCallback   progress_callback,
                     gpointer                progress_callback_data,
                     GError                **error);
  void (*start) (GFile                 *source,
                 GFile                 *destination,
                 GFileCopyFlags         flags,
                 int                    io_priority,
                 GCancellable          *cancellable,
                 GFileProgressCallback  progress_callback,
                 gpointer               progress_callback_data,
                 GAsyncReadyCallback    callback,
                 gpointer               data);
  gboolean (*finish) (GFile         *source,
                      GAsyncResult  *result,
                      GError       **error);
} Way;

static const Way copying = { g_file_copy, g_file_copy_async, g_file_copy_finish };
static const Way moving = { g_file_move, g_file_move_async, g_file_move_finish };

typedef struct
{
  const Way *way;
  GFile *source;
  GFile *destination;
  GFileCopyFlags flags;
  GFileProgressCallback report; /* NULL, as is progress, if the caller gave no callback */
  Progress *progress;
} Transfer;

static gboolean
block (gpointer       data,
       GCancellable  *cancellable,
       GError       **error)
{
  Transfer *self = data;

  return self->way->block (self->source, self->destination, self->flags, cancellable,
                           self->report, self->progress, error);
}

/* Keeps a reference of both files meanwhile, as GIO's operations do. */
static gboolean
transfer (Transfer    *self,
          const char  *function,
          GError     **error)
{
  g_autoptr (GFile) source = g_object_ref (self->source);
  g_autoptr (GFile) destination = g_object_ref (self->destination);

  if (g_file_is_native (source) && g_file_is_native (destination))
    return gtx_to_thread_at (function, 0, block, self, error);
  self->way->start (source, destination, self->flags, G_PRIORITY_DEFAULT, GTX_CANCELLABLE,
                    self->report, self->progress, GTX_CALLBACK_OF (function));
  return self->way->finish (source, gtx_await_result (), error);
}

static gboolean
transfer_and_report (Transfer               *self,
                     GFileProgressCallback   func,
                     gpointer                data,
                     const char             *function,
                     GError                **error)
{
  GtxTask *task = gtx_task_begin_await (function, error);
  gboolean succeeded;

  if (task == NULL)
    return FALSE;
  if (func == NULL)
    return transfer (self, function, error);
  self->report = report;
  self->progress = progress_new (func, data, task->parent_instance.home);
  succeeded = transfer (self, function, error);
  self->progress->func = NULL;
  progress_unref (self->progress);
  return succeeded;
}

/**
 * gtx_file_copy:
 * @source: a #GFile
 * @destination: the #GFile to be made, not the folder that it is to be in
 * @flags: how it is copied
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called to
 *   report the progress
 * @progress_callback_data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Copies a file: g_file_copy().
 *
 * Suspends the current task: if both files are native they are copied in a thread, as
 * gtx_to_thread() does, and otherwise by g_file_copy_async().
 *
 * @progress_callback is called in the task's thread, by its main loop and outside of the task,
 * so that it cannot await.  It is never called after this function has returned.  If there are
 * more reports than the main loop has turns, it gets the latest one.
 *
 * Sets the errors of g_file_copy(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE if it was copied, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_copy (GFile                  *source,
               GFile                  *destination,
               GFileCopyFlags          flags,
               GFileProgressCallback   progress_callback,
               gpointer                progress_callback_data,
               GError                **error)
{
  Transfer copy = { .way = &copying, .source = source, .destination = destination, .flags = flags };

  g_return_val_if_fail (G_IS_FILE (source), FALSE);
  g_return_val_if_fail (G_IS_FILE (destination), FALSE);

  return transfer_and_report (&copy, progress_callback, progress_callback_data, G_STRFUNC, error);
}

/**
 * gtx_file_move:
 * @source: a #GFile
 * @destination: the #GFile that it is to be, not the folder that it is to be in
 * @flags: how it is moved
 * @progress_callback: (nullable) (scope call) (closure progress_callback_data): called to
 *   report the progress
 * @progress_callback_data: (nullable): its data
 * @error: return location for a #GError, or %NULL
 *
 * Moves a file or a folder, by copying and deleting it if there is no other way:
 * g_file_move().
 *
 * Suspends the current task: if both files are native they are moved in a thread, as
 * gtx_to_thread() does, and otherwise by g_file_move_async().  @progress_callback is called as
 * that of gtx_file_copy() is, if anything is copied.
 *
 * Sets the errors of g_file_move(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE if it was moved, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_move (GFile                  *source,
               GFile                  *destination,
               GFileCopyFlags          flags,
               GFileProgressCallback   progress_callback,
               gpointer                progress_callback_data,
               GError                **error)
{
  Transfer move = { .way = &moving, .source = source, .destination = destination, .flags = flags };

  g_return_val_if_fail (G_IS_FILE (source), FALSE);
  g_return_val_if_fail (G_IS_FILE (destination), FALSE);

  return transfer_and_report (&move, progress_callback, progress_callback_data, G_STRFUNC, error);
}
