/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API gboolean gtx_sleep (double   seconds,
                            GError **error);

G_END_DECLS
