/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define GTX_TYPE_PROGRESS (gtx_progress_get_type ())

/**
 * GtxProgress:
 *
 * How far some work has come: a thread or a task reports it as often as it likes, and a widget
 * hears of it at most once a frame.
 *
 * |[<!-- language="C" -->
 * g_autoptr (GtxProgress) progress = gtx_progress_new (self->bar);
 *
 * g_object_bind_property (progress, "value", self->bar, "fraction", G_BINDING_DEFAULT);
 * return gtx_to_thread (convert, progress, error);
 * ]|
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxProgress, gtx_progress, GTX, PROGRESS, GObject)

GTX_API GtxProgress *gtx_progress_new       (gpointer     widget) G_GNUC_WARN_UNUSED_RESULT;
GTX_API void         gtx_progress_report    (GtxProgress *self,
                                             double       value);
GTX_API double       gtx_progress_get_value (GtxProgress *self);

G_END_DECLS
