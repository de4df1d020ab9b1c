/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that tasks wait for. */

#pragma once

#include "task-private.h"

/* Suspends @task until @fd is ready: what is the case of @condition, and of
 * G_IO_ERR and G_IO_HUP; G_IO_NVAL if it was closed meanwhile; 0 if the task was
 * cancelled.  @what and @number tell a person what is waited for. */
GIOCondition gtx_fd_wait (GtxTask      *task,
                          int           fd,
                          GIOCondition  condition,
                          const char   *what,
                          int           number);
