/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/task-private.h"

/* Whether one of the task's timeouts expires in this round or the next, before the main loop
 * turns. */
gboolean gtx_task_is_out_of_time (GtxTask *self);
