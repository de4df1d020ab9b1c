/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/task-private.h"

/* Suspends @task until @awaited, which is not done and belongs to another main context, is done, or
 * that main context is gone: FALSE with @error set if the task was cancelled. */
gboolean gtx_await_elsewhere (GtxTask    *task,
                              GtxFuture  *awaited,
                              GError    **error);
