/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/macros.h>

G_BEGIN_DECLS

GTX_API void gtx_print_tasks     (void);
GTX_API void gtx_print_stack_use (void);

G_END_DECLS
