/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of the tree, whose cells show numbers that change. */

#pragma once

#include <gtk/gtk.h>

typedef struct _GtxInspectorColumns GtxInspectorColumns;

/* Adds the columns to @view, whose items are GtkTreeListRows of GtxInspectorNodes.  To be freed when
 * the view has no model any more. */
GtxInspectorColumns *gtx_inspector_columns_new    (GtkColumnView       *view);
void                 gtx_inspector_columns_free   (GtxInspectorColumns *self);

/* Measuring begins now. */
void                 gtx_inspector_columns_begin  (GtxInspectorColumns *self);
/* Shows the columns for which there is room in a view of this width. */
void                 gtx_inspector_columns_fit    (GtxInspectorColumns *self,
                                                   int                  width);
/* Shows in the cells of the rows that the view has now what their tasks do. */
void                 gtx_inspector_columns_update (GtxInspectorColumns *self);

/* Formats of numbers for a person, also used outside of the columns.  "" if @seconds is negative. */
char *gtx_inspector_format_duration (double seconds) G_GNUC_WARN_UNUSED_RESULT;
char *gtx_inspector_format_processor_time (double seconds) G_GNUC_WARN_UNUSED_RESULT;
