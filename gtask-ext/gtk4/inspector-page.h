/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page itself: the tree, the search, the button that cancels, and the details. */

#pragma once

#include <gtk/gtk.h>

#define GTX_TYPE_INSPECTOR_PAGE (gtx_inspector_page_get_type ())

G_DECLARE_FINAL_TYPE (GtxInspectorPage, gtx_inspector_page, GTX, INSPECTOR_PAGE, GtkWidget)
