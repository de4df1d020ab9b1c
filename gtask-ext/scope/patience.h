/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to tasks that may have been cancelled before. */

#pragma once

#include <glib.h>

/* How long a task may clean up before it is cancelled again, and before it is told of, in seconds. */
#define GTX_PATIENCE 2.0

/* Cancels @tasks, to which the caller has references.  A task that was cancelled before may clean up,
 * which another request would cut short, or may have taken the request for less than its end.  Nothing
 * tells which: such a task is cancelled when this time is over. */
void gtx_cancel_patiently (GPtrArray *tasks);
