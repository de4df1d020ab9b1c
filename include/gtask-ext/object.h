/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/task.h>

G_BEGIN_DECLS

GTX_API GArray   *gtx_await_signal (gpointer      object,
                                    const char   *detailed_signal,
                                    GError      **error);
GTX_API gboolean  gtx_await_notify (gpointer      object,
                                    const char   *property,
                                    GError      **error);
GTX_API void      gtx_task_bind    (GtxTask      *self,
                                    gpointer      object);

G_END_DECLS
