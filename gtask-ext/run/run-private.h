/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "gtask-ext/run.h"

#include "loop/scheduler.h"

/* Whether a new run may begin in the calling thread on @scheduler's context: TRUE, with @context
 * acquired, or FALSE with @error set. */
gboolean gtx_run_may_begin (GtxScheduler  *scheduler,
                            GMainContext  *context,
                            GError       **error);

/* Runs a coroutine, which SIGINT cancels if @is_interruptible, and then ends what is left, after
 * gtx_run_may_begin () has returned TRUE.  Releases @context. */
gboolean gtx_run_on        (GtxScheduler  *scheduler,
                            GMainContext  *context,
                            gboolean       is_interruptible,
                            const char    *name,
                            GtxCoroutine   coroutine,
                            gpointer       data,
                            GError       **error);
