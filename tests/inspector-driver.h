/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens GTK's inspector with the page of the tasks, and finds the parts of the page. */

#pragma once

#include "fixture.h"

#include "gtk4-driver.h"

/* Opens the inspector, shows the page, and returns it when it is mapped.  Borrowed. */
GtkWidget          *open_page     (void);
/* Shows another page of the inspector instead, or this one again. */
void                show_page     (GtkWidget  *page,
                                   gboolean    show);
/* Waits for the next update. */
void                await_update  (GtkWidget  *page);
double              get_update_time (GtkWidget *page);

/* Returns the first part of that type, which is below @widget, or NULL. */
gpointer            find_part     (GtkWidget  *widget,
                                   const char *type_name);
/* Writes the texts of all labels below @widget that are shown, a line each. */
char               *print_labels  (GtkWidget  *widget);
/* Whether the details show calls, and not why there are none. */
gboolean            can_show_frames (GtkWidget *page);
GtkSingleSelection *get_rows      (GtkWidget  *page);
/* Names the visible page of the page's own stack. */
const char         *get_view      (GtkWidget  *page);
/* Writes the rows as "NAME" with two spaces in front for each level, and a line for each. */
char               *print_rows    (GtkWidget  *page);
void                search_for    (GtkWidget  *page,
                                   const char *words);
/* Returns the position of the row of @task; the test fails if there is none. */
guint               find_row      (GtkWidget  *page,
                                   GtxTask    *task);
