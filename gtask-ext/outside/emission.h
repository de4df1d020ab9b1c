/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An emission of an object's signal, in any thread, and a task that waits for it. */

#pragma once

#include "task/task-private.h"

typedef struct _GtxEmission GtxEmission;

typedef enum
{
  GTX_EMISSION_EMITTED,
  GTX_EMISSION_GONE,            /* the object was disposed of first */
  GTX_EMISSION_CANCELLED        /* the task was cancelled first */
} GtxEmissionOutcome;

/* Begins to listen: from now on no emission is missed.  NULL: the object is gone. */
GtxEmission        *gtx_emission_listen    (GtxTask              *task,
                                            GObject              *object,
                                            guint                 signal_id,
                                            GQuark                detail);
/* Suspends the task until the signal is emitted, or the object is gone.  GTX_EMISSION_CANCELLED
 * with @error set if the task is cancelled. */
GtxEmissionOutcome  gtx_emission_wait      (GtxEmission          *self,
                                            const GtxWaiterKind  *kind,
                                            GError              **error);
/* The arguments of the emission, after the object itself. */
GArray             *gtx_emission_take_arguments (GtxEmission     *self);
/* Stops listening.  Takes @self. */
void                gtx_emission_leave     (GtxEmission          *self);

/* FALSE with @error set, unless the signal was emitted; after GTX_EMISSION_CANCELLED @error is
 * set already.  If the object is gone, and @task ends because its owner does, @error says that
 * the task was cancelled. */
gboolean            gtx_emission_propagate (GtxTask              *task,
                                            GtxEmissionOutcome    outcome,
                                            GError              **error);
