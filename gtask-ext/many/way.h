/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way to a future that may be freed meanwhile.  All code that needs a way to the same future shares
 * one, because GObject looks for a weak reference among all that an object has. */

#pragma once

#include "task/future-private.h"

typedef struct _GtxWay GtxWay;

/* Returns a new reference. */
GtxWay    *gtx_way_to    (GtxFuture *future);
void       gtx_way_unref (gpointer   self);
/* Returns a new reference to the future; NULL if it is gone. */
GtxFuture *gtx_way_go    (GtxWay    *self);
