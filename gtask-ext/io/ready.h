/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that are tried, and wait where they would block. */

#pragma once

#include "task-private.h"

/* Before each try, and before whatever blocks so briefly that no thread is worth it: a
 * request that stands is delivered, and who has had its time lets others run.  FALSE with
 * @error set if the task was cancelled. */
gboolean gtx_ready_begin_try        (GtxTask        *task,
                                     GError        **error);

/* These suspend until it is worth to try again: FALSE with @error set if the task was
 * cancelled, or the socket's time is over. */
gboolean gtx_ready_await_socket     (GtxTask        *task,
                                     GSocket        *socket,
                                     GIOCondition    condition,
                                     GError        **error);
gboolean gtx_ready_await_descriptor (GtxTask        *task,
                                     int             fd,
                                     GIOCondition    condition,
                                     GError        **error);
/* @source, which is taken, is a pollable stream's. */
gboolean gtx_ready_await_source     (GtxTask        *task,
                                     GSource        *source,
                                     GError        **error);

/* Whether the error of a try says so, which is cleared then. */
gboolean gtx_ready_would_block      (GError        **failure);
