/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/future-private.h"

typedef struct _GtxDoneCallback GtxDoneCallback;

/* gtx_future_add_done_callback () for who wants it back: *@callback is set before
 * anything else happens. */
void gtx_future_call_back       (GtxFuture        *self,
                                 GtxDoneFunc       func,
                                 gpointer          data,
                                 GDestroyNotify    data_free,
                                 GtxDoneCallback **callback);
/* In the home thread, while @self is not done: whose function and data no other
 * has is taken back without looking for it. */
void gtx_future_take_back       (GtxFuture        *self,
                                 GtxDoneCallback  *callback);

/* @self is done: its callbacks keep it until they were called. */
void gtx_done_callbacks_pin     (GtxFuture        *self);
/* For a future that never ends: its callbacks are taken off, and what they have is freed at home. */
void gtx_future_drop_callbacks  (GtxFuture        *self);
