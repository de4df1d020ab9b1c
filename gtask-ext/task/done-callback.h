/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "task/future-private.h"

typedef struct _GtxDoneCallback GtxDoneCallback;

/* Whether @future is a future that is not being freed; else a g_critical names @function. */
gboolean gtx_future_may_call_back (gpointer          future,
                                   const char       *function);

/* gtx_future_add_done_callback () for the library's own callbacks, which keep no task-local values
 * alive and see those of the thread.  A caller that may take the callback back passes @callback:
 * *@callback is set before anything else happens. */
void gtx_future_call_back       (GtxFuture        *self,
                                 GtxDoneFunc       func,
                                 gpointer          data,
                                 GDestroyNotify    data_free,
                                 GtxDoneCallback **callback);
/* The same with the task-local values of the calling code, for the program's callbacks. */
void gtx_future_call_back_with_locals (GtxFuture        *self,
                                       GtxDoneFunc       func,
                                       gpointer          data,
                                       GDestroyNotify    data_free,
                                       GtxDoneCallback **callback);
/* Takes back @callback without a search; no other callback may have the same function and
 * data.  To be called in the home thread, while @self is not done. */
void gtx_future_take_back       (GtxFuture        *self,
                                 GtxDoneCallback  *callback);

/* Pins @self, which is done, for each of its done callbacks until that was called. */
void gtx_done_callbacks_pin     (GtxFuture        *self);
/* Removes callbacks that will never be called, and frees their data in the home. */
void gtx_future_drop_callbacks  (GtxFuture        *self);
