/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of examples/gtk share: folders, a window that the test drives, and the
 * contents of the window. */

#pragma once

#include "checksum-application.h"
#include "checksum-window.h"
#include "fixture.h"

/* Iterates the main loop until @condition is true.  The test's timeout is the limit. */
#define iterate_until(condition)                                               \
  G_STMT_START {                                                               \
    while (!(condition))                                                       \
      g_main_context_iteration (NULL, TRUE);                                   \
  } G_STMT_END

extern GtkApplication *application;

/* Each test program defines this function. */
void            add_tests           (void);

/* ---- Folders ---- */

char           *make_folder         (void);
void            write_file          (const char     *folder,
                                     const char     *name,
                                     gsize           size,
                                     guint32         seed);
void            write_files         (const char     *folder,
                                     const char     *prefix,
                                     guint           n,
                                     gsize           size,
                                     guint32         seed);
char           *make_subfolder      (const char     *folder,
                                     const char     *name);
char           *run_in              (const char     *folder,
                                     const char     *command,
                                     int            *status);
void            remove_folder       (char           *folder);

/* The folder has files that cannot be read to their end in the time of a test. */
char           *make_endless_folder (void);
gboolean        reads_endless_file  (ChecksumWindow *window);

/* ---- Windows ---- */

ChecksumWindow *open_window         (void);
void            check               (ChecksumWindow *window,
                                     const char     *path);
void            activate            (ChecksumWindow *window,
                                     const char     *action);
gboolean        is_running          (ChecksumWindow *window);
gboolean        is_over             (ChecksumWindow *window);
guint           count_done          (ChecksumWindow *window);
char           *get_status          (GListModel     *files,
                                     guint           index);
gpointer        get_part            (ChecksumWindow *window,
                                     const char     *name);
gboolean        no_tasks            (void);
/* After this no task, job or window is left. */
void            close_window        (ChecksumWindow *window);

/* ---- Dialogs ---- */

GtkDialog      *find_dialog         (GType           type);
void            settle              (GtkDialog      *dialog);
GtkDialog      *wait_for_chooser    (void);
gboolean        has_message         (ChecksumWindow *window,
                                     const char     *prefix);
