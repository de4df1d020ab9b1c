/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that tasks wait for. */

#pragma once

#include "task-private.h"

/* Comes where the deadline was first; no condition of poll () has that bit. */
#define GTX_IO_TIMED_OUT ((GIOCondition) (1u << 16))

/* Suspends @task until @fd is ready: what is the case of @condition, and of G_IO_ERR and
 * G_IO_HUP; G_IO_NVAL if it is not open, or was closed meanwhile; GTX_IO_TIMED_OUT; 0 if
 * the task was cancelled: then the request is delivered, or left standing.  @deadline is of the scheduler's clock, or GTX_NEVER.  @what and
 * @number tell a person what is waited for. */
GIOCondition gtx_descriptor_wait (GtxTask      *task,
                                  int           fd,
                                  GIOCondition  condition,
                                  gboolean      delivers,
                                  gint64        deadline,
                                  const char   *what,
                                  int           number);
