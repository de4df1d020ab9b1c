/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads for what blocks: some, and more where those wait for one another. */

#pragma once

#include "fiber/handle.h"

/* Runs @job in a thread, as soon as one is free.  FALSE with @error set where there is
 * none and none can be had: @job is not run then. */
gboolean gtx_thread_pool_push         (GtxHandle  *job,
                                       GError    **error);

/* Takes @job back, which was pushed and has not returned: FALSE where a thread has it. */
gboolean gtx_thread_pool_withdraw     (GtxHandle  *job);

/* The seams for tests: how long those in line wait while no job begins until there is
 * one thread more, and how long a thread waits for a job until it ends, both in
 * microseconds; and how many threads there are. */
void     gtx_thread_pool_set_patience (gint64      of_line,
                                       gint64      of_thread);
guint    gtx_thread_pool_n_threads    (void);

/* Threads of the process that are the pool's. */
guint    gtx_thread_pool_n_of_process (void);
