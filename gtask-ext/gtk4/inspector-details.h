/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pane of the page that tells of one task. */

#pragma once

#include <gtask-ext/task.h>

#include <gtk/gtk.h>

#define GTX_TYPE_INSPECTOR_DETAILS (gtx_inspector_details_get_type ())

G_DECLARE_FINAL_TYPE (GtxInspectorDetails, gtx_inspector_details, GTX, INSPECTOR_DETAILS, GtkWidget)

/* Shows what there is to tell of @task at this moment; NULL: no task is selected. */
void gtx_inspector_details_show (GtxInspectorDetails *self,
                                 GtxTask             *task);
