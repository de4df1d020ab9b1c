/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads for functions that block: some, and more if their jobs wait for one another. */

#pragma once

#include "fiber/handle.h"

/* Runs @job in a thread, as soon as one is free.  FALSE with @error set if there is no thread and
 * none can be started: @job is not run then. */
gboolean gtx_thread_pool_push         (GtxHandle  *job,
                                       GError    **error);

/* Takes back @job, which was pushed and has not returned: FALSE if a thread has begun it. */
gboolean gtx_thread_pool_withdraw     (GtxHandle  *job);

/* For tests: how long jobs are in line while none begins until one more thread is started, and
 * how long a thread waits for a job until it ends, both in microseconds; and how many threads
 * there are. */
void     gtx_thread_pool_set_patience (gint64      of_line,
                                       gint64      of_thread);
guint    gtx_thread_pool_n_threads    (void);

/* How many threads of the process are those of the pool, with its watcher. */
guint    gtx_thread_pool_n_of_process (void);
