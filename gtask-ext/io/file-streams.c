/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening files. */

#include "gtask-ext/file.h"

#include "io/file-thread.h"

typedef struct
{
  GFile *file;
  const char *etag;
  gboolean make_backup;
  GFileCreateFlags flags;
} Opening;

static gpointer
open_to_read (gpointer       data,
              GCancellable  *cancellable,
              GError       **error)
{
  return g_file_read (data, cancellable, error);
}

/**
 * gtx_file_read:
 * @file: a #GFile
 * @error: return location for a #GError, or %NULL
 *
 * Opens a file to be read: g_file_read().
 *
 * Suspends the current task: a native file is opened in a thread, as gtx_to_thread() does,
 * and any other by g_file_read_async().
 *
 * Sets the errors of g_file_read(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full) (nullable): the stream, %NULL with @error set
 *
 * Since: 0.1
 */
GFileInputStream *
gtx_file_read (GFile   *file,
               GError **error)
{
  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, open_to_read, file, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_file_read_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_read_finish (file, gtx_await_result (), error);
}

static gpointer
open_to_replace (gpointer       data,
                 GCancellable  *cancellable,
                 GError       **error)
{
  Opening *opening = data;

  return g_file_replace (opening->file, opening->etag, opening->make_backup, opening->flags,
                         cancellable, error);
}

/**
 * gtx_file_replace:
 * @file: a #GFile
 * @etag: (nullable): the entity tag that the file has to have now; %NULL: any
 * @make_backup: whether to keep the old contents as a backup
 * @flags: how the file is made
 * @error: return location for a #GError, or %NULL
 *
 * Opens a file, which need not exist, to be written anew: g_file_replace().  The new contents
 * take the place of the old ones when the stream is closed.
 *
 * Suspends the current task: a native file is opened in a thread, as gtx_to_thread() does,
 * and any other by g_file_replace_async().
 *
 * Sets the errors of g_file_replace(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full) (nullable): the stream, %NULL with @error set
 *
 * Since: 0.1
 */
GFileOutputStream *
gtx_file_replace (GFile            *file,
                  const char       *etag,
                  gboolean          make_backup,
                  GFileCreateFlags  flags,
                  GError          **error)
{
  Opening opening = { file, etag, make_backup, flags };

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, open_to_replace, &opening, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_file_replace_async (file, etag, make_backup, flags, G_PRIORITY_DEFAULT,
                        GTX_ASYNC_OF (G_STRFUNC));
  return g_file_replace_finish (file, gtx_await_result (), error);
}

static gpointer
open_to_append (gpointer       data,
                GCancellable  *cancellable,
                GError       **error)
{
  Opening *opening = data;

  return g_file_append_to (opening->file, opening->flags, cancellable, error);
}

/**
 * gtx_file_append_to:
 * @file: a #GFile
 * @flags: how the file is made, if it does not exist
 * @error: return location for a #GError, or %NULL
 *
 * Opens a file, which need not exist, to be written to at its end: g_file_append_to().
 *
 * Suspends the current task: a native file is opened in a thread, as gtx_to_thread() does,
 * and any other by g_file_append_to_async().
 *
 * Sets the errors of g_file_append_to(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full) (nullable): the stream, %NULL with @error set
 *
 * Since: 0.1
 */
GFileOutputStream *
gtx_file_append_to (GFile            *file,
                    GFileCreateFlags  flags,
                    GError          **error)
{
  Opening opening = { .file = file, .flags = flags };

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, open_to_append, &opening, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_file_append_to_async (file, flags, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_append_to_finish (file, gtx_await_result (), error);
}
