/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listing all that is in a folder, at once. */

#include "gtask-ext/file.h"

#include "io/file-thread.h"

typedef struct
{
  GFile *folder;
  const char *attributes;
  GFileQueryInfoFlags flags;
} Enumeration;

/* ---- In a thread ---- */

static gboolean
add_all (GPtrArray        *infos,
         GFileEnumerator  *enumerator,
         GCancellable     *cancellable,
         GError          **error)
{
  GError *failure = NULL;
  GFileInfo *info;

  /* Not all enumerators look at their GCancellable. */
  while (!g_cancellable_set_error_if_cancelled (cancellable, &failure) &&
         (info = g_file_enumerator_next_file (enumerator, cancellable, &failure)))
    g_ptr_array_add (infos, info);
  if (failure)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gpointer
enumerate (gpointer       data,
           GCancellable  *cancellable,
           GError       **error)
{
  Enumeration *self = data;
  g_autoptr (GFileEnumerator) enumerator = NULL;
  g_autoptr (GPtrArray) infos = NULL;

  enumerator = g_file_enumerate_children (self->folder, self->attributes, self->flags, cancellable,
                                          error);
  if (enumerator == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func (g_object_unref);
  return add_all (infos, enumerator, cancellable, error) ? g_steal_pointer (&infos) : NULL;
}

/* ---- By GIO's operations ---- */

/* FALSE if there are no more files, or with @error set.  Asks for one file at a time: if GIO is
 * asked for several, it drops an error behind the first file, and goes on. */
static gboolean
add_next (GPtrArray        *infos,
          GFileEnumerator  *enumerator,
          const char       *function,
          GError          **error)
{
  GList *next;

  g_file_enumerator_next_files_async (enumerator, 1, G_PRIORITY_DEFAULT, GTX_ASYNC_OF (function));
  next = g_file_enumerator_next_files_finish (enumerator, gtx_await_result (), error);
  for (GList *link = next; link; link = link->next)
    g_ptr_array_add (infos, link->data);
  g_list_free (next);
  return next != NULL;
}

/* Closes the enumerator; else its last unref would, and block.  A request to cancel neither stops
 * this nor is delivered by it, since nobody looks at the result. */
static void
close_enumerator (GFileEnumerator *enumerator,
                  const char      *function)
{
  g_file_enumerator_close_async (enumerator, G_PRIORITY_DEFAULT, NULL, GTX_CALLBACK_OF (function));
  g_file_enumerator_close_finish (enumerator, gtx_await_result (), NULL);
}

static GPtrArray *
await_all (const Enumeration  *self,
           const char         *function,
           GError            **error)
{
  g_autoptr (GFileEnumerator) enumerator = NULL;
  g_autoptr (GPtrArray) infos = NULL;
  GError *failure = NULL;

  g_file_enumerate_children_async (self->folder, self->attributes, self->flags, G_PRIORITY_DEFAULT,
                                   GTX_ASYNC_OF (function));
  enumerator = g_file_enumerate_children_finish (self->folder, gtx_await_result (), error);
  if (enumerator == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func (g_object_unref);
  while (add_next (infos, enumerator, function, &failure))
    ;
  close_enumerator (enumerator, function);
  if (failure == NULL)
    return g_steal_pointer (&infos);
  g_propagate_error (error, failure);
  return NULL;
}

/**
 * gtx_file_enumerate:
 * @file: a #GFile
 * @attributes: the attributes to ask for, such as "standard::name,standard::size"
 * @flags: how to ask for them
 * @error: return location for a #GError, or %NULL
 *
 * Lists all files in a folder at once: g_file_enumerate_children() and the calls that follow
 * it.  The list includes the folders in it, but not their contents.  The list is in no order;
 * if "standard::name" is asked for, g_file_get_child() makes a #GFile of that name.
 *
 * Suspends the current task: a native folder is read in a thread, as gtx_to_thread() does, and
 * any other by GIO's operations, one for each file in it.
 *
 * Sets the errors of g_file_enumerate_children() and g_file_enumerator_next_file(),
 * %G_IO_ERROR_CANCELLED among them if the task was cancelled, and %GTX_ERROR_NOT_IN_TASK
 * outside a task; the part of the list that was read is freed.
 *
 * Returns: (transfer full) (nullable) (element-type GFileInfo): what is known of each file,
 *   which the array keeps; %NULL with @error set
 *
 * Since: 0.1
 */
GPtrArray *
gtx_file_enumerate (GFile                *file,
                    const char           *attributes,
                    GFileQueryInfoFlags   flags,
                    GError              **error)
{
  Enumeration enumeration = { file, attributes, flags };

  g_return_val_if_fail (G_IS_FILE (file), NULL);

  if (g_file_is_native (file))
    return gtx_file_to_thread_pointer (file, G_STRFUNC, enumerate, &enumeration, error);
  if (gtx_task_begin_await (G_STRFUNC, error) == NULL)
    return NULL;
  return await_all (&enumeration, G_STRFUNC, error);
}
