/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of examples/gtk share: folders, a window that is driven, and what it shows. */

#pragma once

#include "checksum-application.h"
#include "checksum-window.h"
#include "fixture.h"
#include "gtk4-driver.h"

extern GtkApplication *application;

/* To be called by each program's add_tests (). */
void            make_application    (void);

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

/* With files that are not read to their end in the time of a test. */
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
/* Nothing is left of it: no task, no job, no window. */
void            close_window        (ChecksumWindow *window);

/* ---- Dialogs ---- */

gboolean        has_message         (ChecksumWindow *window,
                                     const char     *prefix);
