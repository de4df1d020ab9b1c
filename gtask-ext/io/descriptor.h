/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that tasks wait for. */

#pragma once

#include "task/task-private.h"

/* Comes where the deadline was first; no condition of poll () has that bit. */
#define GTX_IO_TIMED_OUT ((GIOCondition) (1u << 16))

typedef struct
{
  int fd;
  GSocket *socket;              /* that has it, and may be closed; or NULL */
  guint64 stream;               /* see GtxPollWait */
  GIOCondition condition;
  gint64 deadline;              /* of the scheduler's clock, or GTX_NEVER */
  gboolean stands;              /* a request, see GtxWaiter */
  const char *what;             /* for a person: what is waited for, and its number */
  int number;
} GtxDescriptorWait;

/* Suspends @task until a descriptor is ready: what is the case of the condition, and of G_IO_ERR
 * and G_IO_HUP; G_IO_NVAL if it is not open, or was closed meanwhile; GTX_IO_TIMED_OUT; 0 with
 * @error set if the task was cancelled. */
GIOCondition gtx_descriptor_wait (GtxTask                 *task,
                                  const GtxDescriptorWait *wanted,
                                  GError                 **error);
