/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/pool.h"

#include "pool/worker.h"

/* Returns @pool, or the default one if it is NULL. */
GtxPool    *gtx_pool_or_default  (GtxPool   *pool);
/* Returns the threads, or NULL with @error set if there are none. */
GtxWorkers *gtx_pool_get_workers (GtxPool   *self,
                                  GError   **error);
