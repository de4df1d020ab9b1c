/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading and replacing all of a file's contents, at once. */

#include "gtask-ext/file.h"

#include "io/file-thread.h"

/* ---- Loading ---- */

typedef struct
{
  GFile *file;
  char **contents;
  gsize *length;
  char **etag_out;
} Load;

static gboolean
load_contents (gpointer       data,
               GCancellable  *cancellable,
               GError       **error)
{
  Load *load = data;

  return g_file_load_contents (load->file, cancellable, load->contents, load->length,
                               load->etag_out, error);
}

/**
 * gtx_file_load_contents:
 * @file: a #GFile
 * @contents: (out) (transfer full) (array length=length) (element-type guint8): the contents,
 *   which a zero byte follows; to be freed with g_free()
 * @length: (out) (optional): how many bytes @contents has
 * @etag_out: (out) (optional) (nullable) (transfer full): the file's entity tag, to be freed
 *   with g_free()
 * @error: return location for a #GError, or %NULL
 *
 * Loads a file: g_file_load_contents().
 *
 * Suspends the current task: a native file is loaded in a thread, as gtx_to_thread() does,
 * and any other by g_file_load_contents_async().
 *
 * Sets the errors of g_file_load_contents(), %G_IO_ERROR_CANCELLED among them if the task
 * was cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task; then there are no contents.
 *
 * Returns: %TRUE if it was loaded, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_load_contents (GFile   *file,
                        char   **contents,
                        gsize   *length,
                        char   **etag_out,
                        GError **error)
{
  Load load = { file, contents, length, etag_out };

  g_return_val_if_fail (G_IS_FILE (file), FALSE);
  g_return_val_if_fail (contents != NULL, FALSE);

  if (g_file_is_native (file))
    return gtx_file_to_thread (file, G_STRFUNC, load_contents, &load, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return FALSE;
  g_file_load_contents_async (file, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_load_contents_finish (file, gtx_await_result (), contents, length, etag_out, error);
}

static gpointer
load_bytes (gpointer       data,
            GCancellable  *cancellable,
            GError       **error)
{
  Load *load = data;

  return g_file_load_bytes (load->file, cancellable, load->etag_out, error);
}

/**
 * gtx_file_load_bytes:
 * @file: a #GFile
 * @etag_out: (out) (optional) (nullable) (transfer full): the file's entity tag, to be freed
 *   with g_free()
 * @error: return location for a #GError, or %NULL
 *
 * Loads a file: g_file_load_bytes().
 *
 * Suspends the current task: a native file is loaded in a thread, as gtx_to_thread() does,
 * and any other by g_file_load_bytes_async().
 *
 * Sets the errors of g_file_load_bytes(), %G_IO_ERROR_CANCELLED among them if the task was
 * cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: (transfer full) (nullable): the contents, %NULL with @error set
 *
 * Since: 0.1
 */
GBytes *
gtx_file_load_bytes (GFile   *file,
                     char   **etag_out,
                     GError **error)
{
  Load load = { .file = file, .etag_out = etag_out };

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, load_bytes, &load, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  g_file_load_bytes_async (file, GTX_ASYNC_OF (G_STRFUNC));
  return g_file_load_bytes_finish (file, gtx_await_result (), etag_out, error);
}

/* ---- Replacing ---- */

typedef struct
{
  GFile *file;
  const char *contents;
  gsize length;
  const char *etag;
  gboolean make_backup;
  GFileCreateFlags flags;
  char **new_etag;
} Replacement;

static gboolean
replace_contents (gpointer       data,
                  GCancellable  *cancellable,
                  GError       **error)
{
  Replacement *new = data;

  return g_file_replace_contents (new->file, new->contents, new->length, new->etag,
                                  new->make_backup, new->flags, new->new_etag, cancellable, error);
}

/**
 * gtx_file_replace_contents:
 * @file: a #GFile
 * @contents: (array length=length) (element-type guint8): the new contents, which stay the
 *   caller's and must not change until this function returns
 * @length: how many bytes @contents has
 * @etag: (nullable): the entity tag that the file has to have now; %NULL: any
 * @make_backup: whether to keep the old contents as a backup
 * @flags: how the file is made
 * @new_etag: (out) (optional) (nullable) (transfer full): the file's entity tag from now on, to
 *   be freed with g_free()
 * @error: return location for a #GError, or %NULL
 *
 * Replaces the contents of a file, which need not exist: g_file_replace_contents().
 *
 * Suspends the current task: a native file is replaced in a thread, as gtx_to_thread()
 * does, and any other by g_file_replace_contents_async().
 *
 * Sets the errors of g_file_replace_contents(), %G_IO_ERROR_CANCELLED among them if the
 * task was cancelled, and %GTX_ERROR_NOT_IN_TASK outside a task.
 *
 * Returns: %TRUE if it was replaced, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_file_replace_contents (GFile            *file,
                           const char       *contents,
                           gsize             length,
                           const char       *etag,
                           gboolean          make_backup,
                           GFileCreateFlags  flags,
                           char            **new_etag,
                           GError          **error)
{
  Replacement new = { file, contents, length, etag, make_backup, flags, new_etag };

  g_return_val_if_fail (G_IS_FILE (file), FALSE);
  g_return_val_if_fail (contents != NULL, FALSE);

  if (g_file_is_native (file))
    return gtx_file_to_thread (file, G_STRFUNC, replace_contents, &new, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return FALSE;
  g_file_replace_contents_async (file, contents, length, etag, make_backup, flags,
                                 GTX_ASYNC_OF (G_STRFUNC));
  return g_file_replace_contents_finish (file, gtx_await_result (), new_etag, error);
}
