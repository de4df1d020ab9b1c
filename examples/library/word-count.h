/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small library in GObject's style.  The header does not show that a coroutine does the
 * work. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * WordCount:
 * @n_lines: the newlines
 * @n_words: the longest sequences of bytes without white space
 * @n_bytes: all bytes
 *
 * What `wc` counts, to be freed with g_free().
 */
typedef struct
{
  guint64 n_lines;
  guint64 n_words;
  guint64 n_bytes;
} WordCount;

void       word_count_async  (GFile               *file,
                              int                  io_priority,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data);
WordCount *word_count_finish (GFile               *file,
                              GAsyncResult        *result,
                              GError             **error);

G_END_DECLS
