/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for what is known of a file, making folders, and removing files. */

#include "gtask-ext/file.h"

#include "io/file-thread.h"

typedef struct
{
  GFile *file;
  const char *attributes;
  GFileQueryInfoFlags flags;
} Query;

static gpointer
query_info (gpointer       data,
            GCancellable  *cancellable,
            GError       **error)
{
  Query *query = data;

  return g_file_query_info (query->file, query->attributes, query->flags, cancellable, error);
}

/**
 * gtx_file_query_info:
 * @file: a #GFile
 * @attributes: the attributes to ask for, such as "standard::size,time::modified"
 * @flags: how to ask for them
 * @error: return location for a #GError, or %NULL
 *
 * Queries information about a file: g_file_query_info().
 *
 * Suspends the current task: a native file is queried in a thread, as gtx_to_thread()
 * does, and any other by g_file_query_info_async().
 *
 * Sets the errors of g_file_query_info(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full) (nullable): the information, %NULL with @error set
 *
 * Since: 0.1
 */
GFileInfo *
gtx_file_query_info (GFile                *file,
                     const char           *attributes,
                     GFileQueryInfoFlags   flags,
                     GError              **error)
{
  Query query = { file, attributes, flags };

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, query_info, &query, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_file_query_info_async (file, attributes, flags, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_query_info_finish (file, gtx_await_result (), error);
}

static gboolean
make_directory_with_parents (gpointer       data,
                             GCancellable  *cancellable,
                             GError       **error)
{
  return g_file_make_directory_with_parents (data, cancellable, error);
}

/**
 * gtx_file_make_directory_with_parents:
 * @file: a #GFile
 * @error: return location for a #GError, or %NULL
 *
 * Makes a folder, and those above it that do not exist: g_file_make_directory_with_parents().
 *
 * Suspends the current task while a thread makes the folders, as gtx_to_thread() does: GIO has
 * no operation for it.
 *
 * Sets the errors of g_file_make_directory_with_parents(), %G_IO_ERROR_CANCELLED among them
 * if the task was cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.  Folders that were
 * made until then stay.
 *
 * Returns: %TRUE if it was made, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_make_directory_with_parents (GFile   *file,
                                      GError **error)
{
  g_return_val_if_fail (G_IS_FILE (file), FALSE);

  return gtx_file_to_thread (file, G_STRFUNC, make_directory_with_parents, file, error);
}

static gboolean
delete (gpointer       data,
        GCancellable  *cancellable,
        GError       **error)
{
  return g_file_delete (data, cancellable, error);
}

/**
 * gtx_file_delete:
 * @file: a #GFile
 * @error: return location for a #GError, or %NULL
 *
 * Deletes a file, or an empty folder: g_file_delete().
 *
 * Suspends the current task: a native file is deleted in a thread, as gtx_to_thread() does,
 * and any other by g_file_delete_async().
 *
 * Sets the errors of g_file_delete(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE if it was deleted, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_delete (GFile   *file,
                 GError **error)
{
  g_return_val_if_fail (G_IS_FILE (file), FALSE);

  if (g_file_is_native (file))
    return gtx_file_to_thread (file, G_STRFUNC, delete, file, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return FALSE;
  g_file_delete_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_delete_finish (file, gtx_await_result (), error);
}

static gboolean
trash (gpointer       data,
       GCancellable  *cancellable,
       GError       **error)
{
  return g_file_trash (data, cancellable, error);
}

/**
 * gtx_file_trash:
 * @file: a #GFile
 * @error: return location for a #GError, or %NULL
 *
 * Moves a file to the trash, if its file system has one: g_file_trash().
 *
 * Suspends the current task: a native file is moved in a thread, as gtx_to_thread() does,
 * and any other by g_file_trash_async().
 *
 * Sets the errors of g_file_trash(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE if it was moved, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_trash (GFile   *file,
                GError **error)
{
  g_return_val_if_fail (G_IS_FILE (file), FALSE);

  if (g_file_is_native (file))
    return gtx_file_to_thread (file, G_STRFUNC, trash, file, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return FALSE;
  g_file_trash_async (file, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_trash_finish (file, gtx_await_result (), error);
}
