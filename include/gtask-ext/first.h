/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API gpointer gtx_race (GPtrArray  *futures,
                           GError    **error);
GTX_API gpointer gtx_any  (GPtrArray  *futures,
                           GError    **error);

G_END_DECLS
