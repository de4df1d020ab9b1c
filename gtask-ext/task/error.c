/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "gtask-ext/error.h"

#include "task/error-private.h"

/* What an error of this domain has besides its text. */
typedef struct
{
  GPtrArray *errors;            /* of GError; NULL unless gtx_error_new_group () made the error */
} GtxErrorPrivate;

static void
gtx_error_private_init (GtxErrorPrivate *self)
{
  self->errors = NULL;
}

static void
gtx_error_private_copy (const GtxErrorPrivate *from,
                        GtxErrorPrivate       *to)
{
  to->errors = from->errors ? g_ptr_array_ref (from->errors) : NULL;
}

static void
gtx_error_private_clear (GtxErrorPrivate *self)
{
  g_clear_pointer (&self->errors, g_ptr_array_unref);
}

G_DEFINE_EXTENDED_ERROR (GtxError, gtx_error)

/* The limit for the text of a group, which has the texts of its errors, those of inner groups included. */
#define MOST_TEXT 4096

static void
append_bounded (GString    *text,
                const char *message)
{
  gsize room = text->len < MOST_TEXT ? MOST_TEXT - text->len : 0;
  const char *end;

  if (strlen (message) <= room)
    {
      g_string_append (text, message);
      return;
    }
  end = g_utf8_find_prev_char (message, message + room);
  g_string_append_len (text, message, end ? end - message : 0);
  g_string_append (text, "…");
}

GError *
gtx_error_new_group (GPtrArray  *errors,
                     const char *heading)
{
  g_autoptr (GString) text = g_string_new (heading);
  GPtrArray *held = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  GError *error;

  g_string_append (text, ": ");
  for (guint i = 0; i < errors->len; i++)
    {
      const GError *one = g_ptr_array_index (errors, i);

      if (i > 0 && text->len < MOST_TEXT)
        g_string_append (text, "; ");
      if (i == 0 || text->len < MOST_TEXT)
        append_bounded (text, one->message);
      g_ptr_array_add (held, g_error_copy (one));
    }
  error = g_error_new_literal (GTX_ERROR, GTX_ERROR_GROUP, text->str);
  gtx_error_get_private (error)->errors = held;
  return error;
}

/**
 * gtx_error_get_n_errors:
 * @error: a #GError
 *
 * Tells how many errors a %GTX_ERROR_GROUP holds: the length of asyncio's
 * `ExceptionGroup.exceptions`.  Never suspends; may be called in any thread.
 *
 * Returns: the number of errors; 0 for any other error, and for a %GTX_ERROR_GROUP
 *   that was made neither by a task group nor by gtx_any()
 *
 * Since: 0.1
 */
guint
gtx_error_get_n_errors (const GError *error)
{
  const GPtrArray *errors;

  g_return_val_if_fail (error != NULL, 0);

  if (!g_error_matches (error, GTX_ERROR, GTX_ERROR_GROUP))
    return 0;
  errors = gtx_error_get_private (error)->errors;
  return errors ? errors->len : 0;
}

/**
 * gtx_error_get_error:
 * @error: a %GTX_ERROR_GROUP
 * @index: the index of the error, from 0, below gtx_error_get_n_errors()
 *
 * Lends one of the errors that a group holds, in the order in which the tasks
 * ended; the error of the block itself comes last.  An error of gtx_any() holds them in the
 * order of its futures.  Never suspends; may be called in any thread.
 *
 * Returns: (transfer none): the error, valid while @error lives
 *
 * Since: 0.1
 */
const GError *
gtx_error_get_error (const GError *error,
                     guint         index)
{
  g_return_val_if_fail (index < gtx_error_get_n_errors (error), NULL);

  return g_ptr_array_index (gtx_error_get_private (error)->errors, index);
}

/* ---- Cancelled ---- */

/**
 * gtx_error_is_cancelled:
 * @error: (nullable): a #GError
 *
 * Tells whether an error says that a task was cancelled, and nothing else.
 *
 * A %GTX_ERROR_GROUP says so if all errors that it holds do.  An application shows its user all
 * other errors.  Never suspends; may be called in any thread.
 *
 * Returns: %TRUE for %G_IO_ERROR_CANCELLED, and for a group of nothing else
 *
 * Since: 0.1
 */
gboolean
gtx_error_is_cancelled (const GError *error)
{
  guint n_errors;

  if (error == NULL)
    return FALSE;
  n_errors = gtx_error_get_n_errors (error);
  if (n_errors == 0)
    return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  for (guint i = 0; i < n_errors; i++)
    if (!gtx_error_is_cancelled (gtx_error_get_error (error, i)))
      return FALSE;
  return TRUE;
}

/* GLib takes a lock to look up an error's domain, when it makes the error and when
 * it frees it: tasks that are cancelled pass one error on. */
static GPrivate spare_error = G_PRIVATE_INIT ((GDestroyNotify) g_error_free);

static const char cancelled_message[] = "The task was cancelled";

void
gtx_set_cancelled_error (GError **error)
{
  GError *spare = g_private_get (&spare_error);

  if (spare == NULL || error == NULL || *error)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, cancelled_message);
      return;
    }
  g_private_set (&spare_error, NULL);
  *error = spare;
}

void
gtx_take_cancelled_error (GError *error)
{
  if (g_private_get (&spare_error) == NULL && strcmp (error->message, cancelled_message) == 0)
    g_private_set (&spare_error, error);
  else
    g_error_free (error);
}

void
gtx_set_cancelled_error_for (GError     **error,
                             const char  *reason)
{
  if (reason)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "%s: %s", cancelled_message, reason);
  else
    gtx_set_cancelled_error (error);
}

/* Most messages have no reason, which the first comparison finds out. */
gboolean
gtx_error_tells_reason (const GError *error)
{
  static const gsize length = sizeof cancelled_message - 1;

  return error && strncmp (error->message, cancelled_message, length) == 0 && error->message[length] == ':' &&
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}
