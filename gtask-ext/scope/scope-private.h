/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/scope.h"

/* Whether the thread-default main context is not the scope's; a g_critical () then names
 * @function. */
gboolean gtx_scope_is_foreign (GtxScope   *self,
                               const char *function);
