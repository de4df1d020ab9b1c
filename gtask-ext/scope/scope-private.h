/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/scope.h"

#include "loop/scheduler.h"

/* Whether the thread-default main context is not the scope's; a g_critical () then names
 * @function. */
gboolean gtx_scope_is_foreign (GtxScope   *self,
                               const char *function);

GtxScheduler *gtx_scope_get_home   (GtxScope *self);
/* NULL: it has none, or the object is disposed. */
GObject      *gtx_scope_dup_object (GtxScope *self);
