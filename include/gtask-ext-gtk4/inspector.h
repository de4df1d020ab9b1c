/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API void gtx_inspector_add_page (void);

G_END_DECLS
