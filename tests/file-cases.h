/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each function of file.h beside GIO's that blocks, on the files of a small tree. */

#pragma once

#include <gio/gio.h>

/* Does it to @file by the library's function (@ours) or by GIO's.  Returns what came of it as
 * a text; NULL with @error set. */
typedef char *(*FileCaseFunc) (GFile     *file,
                               gboolean   ours,
                               GError   **error);

typedef struct
{
  const char *name;
  FileCaseFunc run;
  gboolean always_in_thread;    /* GIO has no operation for it */
  gboolean stops_late;          /* where its GCancellable is cancelled behind a call that is deaf to it */
} FileCase;

extern const FileCase file_cases[];
extern const guint n_file_cases;

/* The names below it that a case is tried on. */
extern const char *const file_case_names[];

/* A home, and so a trash, of the test's own, for who has not asked for them yet.  GLib has an
 * option for that, which leaks. */
GFile *file_home_new     (void);

/* A new folder, and what is in it: made anew at the same place by the second. */
GFile *file_tree_new     (void);
void   file_tree_restore (GFile *tree);
/* Everything in it, as a text. */
char  *file_tree_print   (GFile *tree);
/* Takes @tree, or a home, with all that is in it. */
void   file_tree_remove  (GFile *tree);
