/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/scope.h>

#include <gtk/gtk.h>

G_BEGIN_DECLS

GTX_API GtxScope *gtx_widget_attach (gpointer widget);

G_END_DECLS
