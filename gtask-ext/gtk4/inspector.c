/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of GTK's inspector that shows the tasks. */

#include <gtask-ext-gtk4/inspector.h>

#include "gtk4/inspector-page.h"

/* GTK looks for the inspector's pages here. */
#define EXTENSION_POINT "gtk-inspector-page"

/**
 * gtx_inspector_add_page:
 *
 * Adds the page “Tasks” to GTK's inspector.
 *
 * The page shows the tasks of the main context as a live tree, below each task those that
 * it waits for, with what each one waits for and since when, its processor time and its
 * stack.  It finds tasks by their names and states, shows the calls of one, and cancels
 * it.  While the page is open, gtx_measure_tasks() is in force.
 *
 * To be called after gtk_init(), before the inspector is first opened; a second call does
 * nothing.  Never suspends; to be called in GTK's thread.
 *
 * Since: 0.1
 */
void
gtx_inspector_add_page (void)
{
  g_return_if_fail (gtk_is_initialized ());

  /* GTK may have been built without an inspector. */
  if (g_io_extension_point_lookup (EXTENSION_POINT))
    g_io_extension_point_implement (EXTENSION_POINT, GTX_TYPE_INSPECTOR_PAGE, "gtask-ext-tasks", 0);
}
