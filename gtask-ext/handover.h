/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Something that happens elsewhere, in any thread, and a task that waits for
 * it: the two may go in either order. */

#pragma once

#include "task-private.h"

/* Shared, and counted: what is to be waited for holds a reference, and calls
 * gtx_handover_wake () once it happened.  The waiter is of the home thread, and
 * NULL when nobody waits. */
typedef struct
{
  GtxScheduler *home;
  GtxWaiter *waiter;
  gint happened;
} GtxHandover;

GtxHandover *gtx_handover_new   (GtxTask             *task);
GtxHandover *gtx_handover_ref   (GtxHandover         *self);
void         gtx_handover_unref (GtxHandover         *self);

/* Of any thread: TRUE for the first only, which may write down what happened
 * before it calls gtx_handover_wake (). */
gboolean     gtx_handover_claim (GtxHandover         *self);
void         gtx_handover_wake  (GtxHandover         *self);

/* Suspends @task until then: FALSE if the task was cancelled instead. */
gboolean     gtx_handover_wait  (GtxHandover         *self,
                                 GtxTask             *task,
                                 const GtxWaiterKind *kind);

/* For g_signal_connect_data () and g_cclosure_new (). */
void         gtx_handover_unref_closure (gpointer     self,
                                         GClosure    *closure);
