/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that tasks wait for. */

#pragma once

#include "task/task-private.h"

/* Returned if the deadline came first; no condition of poll () has that bit. */
#define GTX_IO_TIMED_OUT ((GIOCondition) (1u << 16))

typedef struct
{
  int fd;
  GSocket *socket;              /* the socket that has @fd, and may be closed; or NULL */
  guint64 stream;               /* see GtxPollWait */
  GIOCondition condition;
  gint64 deadline;              /* of the scheduler's clock, or GTX_NEVER */
  gboolean stands;              /* a request to cancel stands, see GtxWaiter */
  const char *what;             /* for a person: what is waited for, and its number */
  int number;
} GtxDescriptorWait;

/* Suspends @task until a descriptor is ready.  Returns the conditions that are met, G_IO_ERR and
 * G_IO_HUP included; G_IO_NVAL if the descriptor is not open, or was closed meanwhile;
 * GTX_IO_TIMED_OUT; 0 with @error set if the task was cancelled. */
GIOCondition gtx_descriptor_wait (GtxTask                 *task,
                                  const GtxDescriptorWait *wanted,
                                  GError                 **error);
