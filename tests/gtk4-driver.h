/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of windows share. */

#pragma once

#include <gtask-ext-gtk4.h>

/* For the main loop to go round until something is so: the test's timeout
 * is the limit. */
#define iterate_until(condition)                                               \
  G_STMT_START {                                                               \
    while (!(condition))                                                       \
      g_main_context_iteration (NULL, TRUE);                                   \
  } G_STMT_END

/* Each program's own. */
void            add_tests           (void);

gboolean        no_tasks            (void);
/* For what is ready to run: no more than what GTK and tasks do in some turns. */
void            iterate             (void);

/* A window that is shown. */
GtkWindow      *show_window         (void);

/* ---- Dialogs ---- */

GtkDialog      *find_dialog         (GType           type);
/* Waits until an event of the dialog can come: see the source. */
void            settle              (GtkWindow      *dialog);
GtkDialog      *wait_for_dialog     (GType           type);
/* Waits until a file chooser has read its folder. */
GtkDialog      *wait_for_chooser    (void);
