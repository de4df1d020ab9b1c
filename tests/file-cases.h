/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares each function of file.h with GIO's blocking function, on the files of a small
 * tree. */

#pragma once

#include <gio/gio.h>

/* Runs the case on @file with the library's function (@ours) or with GIO's.  Returns the
 * outcome as a text; NULL with @error set. */
typedef char *(*FileCaseFunc) (GFile     *file,
                               gboolean   ours,
                               GError   **error);

typedef struct
{
  const char *name;
  FileCaseFunc run;
  gboolean always_in_thread;    /* GIO has no operation for it */
  gboolean stops_late;          /* a request during a deaf call cancels the function */
} FileCase;

extern const FileCase file_cases[];
extern const guint n_file_cases;

/* The names in the tree that a case is tried on. */
extern const char *const file_case_names[];

/* Sets a home folder of the test's own, and so a trash, if GLib has not read the home folder yet.
 * GLib has an option for that, but it leaks memory. */
GFile *file_home_new     (void);

/* Makes a new folder with contents; the second function makes it again at the same
 * place. */
GFile *file_tree_new     (void);
void   file_tree_restore (GFile *tree);
/* Returns the contents of the tree as a text. */
char  *file_tree_print   (GFile *tree);
/* Takes @tree or a home folder, and removes it with its contents. */
void   file_tree_remove  (GFile *tree);
