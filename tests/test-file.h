/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GFile that passes its operations on to a real one, that is native or not as the test
 * chooses, and that can be held up. */

#pragma once

#include <gio/gio.h>

typedef enum
{
  TEST_FILE_PASSES,
  TEST_FILE_WAITS,              /* each call, until its GCancellable is cancelled */
  TEST_FILE_IS_DEAF,            /* the same, and goes on as if it were not */
  TEST_FILE_IS_SLOW,            /* each call takes a moment */
  TEST_FILE_BREAKS_INSIDE,      /* a folder, once, behind the first of what is in it */
  TEST_FILE_WAITS_INSIDE,       /* the same, until its GCancellable is cancelled, and goes on */
  TEST_FILE_WAITS_AT_END,       /* where it is closed, until test_file_let_close () */
  TEST_FILE_TELLS_LATE          /* how far copying is: by another thread, right before the end */
} TestFileMode;

GFile *test_file_new     (GFile        *real,
                          gboolean      is_native,
                          TestFileMode  mode);

/* How many calls such files got in this process, in any thread; to close folders, too. */
guint  test_file_n_calls (void);
guint  test_file_n_closed (void);
void   test_file_let_close (void);

/* Replaces copying and moving of the real file. */
typedef gboolean (*TestFileCopyFunc) (GFileProgressCallback   progress,
                                      gpointer                progress_data,
                                      GCancellable           *cancellable,
                                      gpointer                data,
                                      GError                **error);
void   test_file_set_copy (GFile             *file,
                           TestFileCopyFunc   func,
                           gpointer           data);
