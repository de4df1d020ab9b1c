/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An emission of an object's signal, in any thread, and a task that waits for it. */

#pragma once

#include "task/task-private.h"

typedef struct _GtxEmission GtxEmission;

typedef enum
{
  GTX_EMISSION_EMITTED,
  GTX_EMISSION_GONE,            /* the object was disposed of first */
  GTX_EMISSION_CANCELLED        /* the task was */
} GtxEmissionOutcome;

/* From now on no emission is missed; NULL: the object is gone. */
GtxEmission        *gtx_emission_listen    (GtxTask              *task,
                                            GObject              *object,
                                            guint                 signal_id,
                                            GQuark                detail);
/* Suspends the task until then.  The object may go meanwhile.  GTX_EMISSION_CANCELLED with @error set. */
GtxEmissionOutcome  gtx_emission_wait      (GtxEmission          *self,
                                            const GtxWaiterKind  *kind,
                                            GError              **error);
/* What it was emitted with, after the object itself. */
GArray             *gtx_emission_take_arguments (GtxEmission     *self);
/* No more of that. */
void                gtx_emission_leave     (GtxEmission          *self);

/* FALSE with @error set, unless it was emitted; where the task was cancelled it is set already. */
gboolean            gtx_emission_propagate (GtxEmissionOutcome    outcome,
                                            GError              **error);
