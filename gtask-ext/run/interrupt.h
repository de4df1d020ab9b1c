/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/task-private.h"

/* While one is begun, the first SIGINT cancels @task, and the second one ends the program. */
typedef struct
{
  GtxTask *task;
  gboolean is_begun;            /* SIGINT is this run's business */
  GSource *source;              /* NULL: the main context is the default one, and needs none */
  gboolean has_asked;           /* the signal came, and the task was cancelled for it */
} GtxInterrupt;

/* Does nothing in other threads than the main one, or if SIGINT has another disposition than the
 * default. */
void     gtx_interrupt_begin (GtxInterrupt *self,
                              GMainContext *context,
                              GtxTask      *task);
/* Returns whether SIGINT came meanwhile. */
gboolean gtx_interrupt_end   (GtxInterrupt *self);
