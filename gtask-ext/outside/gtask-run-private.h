/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "loop/scheduler.h"

/* Whether a GTask of @scheduler's context, whose coroutine has ended, is still to call back. */
gboolean gtx_gtask_runs_are_returning (GtxScheduler *scheduler);
