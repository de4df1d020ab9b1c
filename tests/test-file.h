/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GFile that passes its operations on to a real one.  The test chooses whether the file is
 * native, and how it delays its operations. */

#pragma once

#include <gio/gio.h>

typedef enum
{
  TEST_FILE_PASSES,
  TEST_FILE_WAITS,              /* each call waits until its GCancellable is cancelled */
  TEST_FILE_IS_DEAF,            /* the same, and then goes on as if there were no request */
  TEST_FILE_IS_SLOW,            /* each call takes a moment */
  TEST_FILE_BREAKS_INSIDE,      /* reading a folder fails once, after the first file */
  TEST_FILE_WAITS_INSIDE,       /* reading a folder waits there until its GCancellable is cancelled, and then goes on */
  TEST_FILE_WAITS_AT_END,       /* closing a folder waits until test_file_let_close () */
  TEST_FILE_TELLS_LATE          /* another thread reports the progress of a copy right before its end */
} TestFileMode;

GFile *test_file_new     (GFile        *real,
                          gboolean      is_native,
                          TestFileMode  mode);

/* Return how many calls such files got in this process, in any thread; the second counts the closed
 * folders. */
guint  test_file_n_calls (void);
guint  test_file_n_closed (void);
void   test_file_let_close (void);

/* @func replaces the copying and moving of the real file. */
typedef gboolean (*TestFileCopyFunc) (GFileProgressCallback   progress,
                                      gpointer                progress_data,
                                      GCancellable           *cancellable,
                                      gpointer                data,
                                      GError                **error);
void   test_file_set_copy (GFile             *file,
                           TestFileCopyFunc   func,
                           gpointer           data);
