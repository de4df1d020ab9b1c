/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Emissions of an object's signal, in any thread, and what listens for them in the home thread. */

#pragma once

#include "task/task-private.h"

typedef struct _GtxEmission GtxEmission;

/* Called in the home thread when the signal was emitted, or when the object is gone. */
typedef void (*GtxEmissionTold) (gpointer owner);

typedef enum
{
  GTX_EMISSION_EMITTED,
  GTX_EMISSION_GONE,            /* the object was disposed of first */
  GTX_EMISSION_CANCELLED        /* the task was cancelled first */
} GtxEmissionOutcome;

/* FALSE with GTX_ERROR_INVALID_ARGUMENT set: @object has no such signal. */
gboolean            gtx_emission_find      (GObject              *object,
                                            const char           *detailed_signal,
                                            guint                *signal_id,
                                            GQuark               *detail,
                                            GError              **error);

/* Begins to listen, for one emission or for all: from now on none is missed.  NULL: the object is
 * gone. */
GtxEmission        *gtx_emission_listen    (GtxScheduler         *home,
                                            GObject              *object,
                                            guint                 signal_id,
                                            GQuark                detail,
                                            gboolean              stays,
                                            GtxEmissionTold       told,
                                            gpointer              owner);
/* Takes the arguments, after the object itself, of the first emission that was not taken; NULL:
 * there is none. */
GArray             *gtx_emission_take_arguments (GtxEmission     *self);
/* Whether the object is gone. */
gboolean            gtx_emission_is_gone   (GtxEmission          *self);
/* Stops listening.  Takes @self; to be called in the home thread. */
void                gtx_emission_leave     (GtxEmission          *self);

/* What a task that waits for an emission gives to gtx_emission_listen (): as @told, and as @owner
 * this structure. */
typedef struct
{
  GtxTask *task;
  GtxWaiter *waiter;            /* NULL: the task does not wait */
} GtxEmissionWait;

void                gtx_emission_wake      (gpointer              wait);
/* Suspends the task until the signal was emitted, or the object is gone; *@arguments: those of the
 * emission.  GTX_EMISSION_CANCELLED with @error set if the task is cancelled. */
GtxEmissionOutcome  gtx_emission_wait      (GtxEmission          *self,
                                            GtxEmissionWait      *wait,
                                            const GtxWaiterKind  *kind,
                                            GArray              **arguments,
                                            GError              **error);

/* The error of a wait for a signal of an object that is gone. */
GError             *gtx_emission_gone_error_new (void);
/* FALSE with @error set, unless the signal was emitted; after GTX_EMISSION_CANCELLED @error is
 * set already.  If the object is gone, and @task ends because its owner does, @error says that
 * the task was cancelled. */
gboolean            gtx_emission_propagate (GtxTask              *task,
                                            GtxEmissionOutcome    outcome,
                                            GError              **error);
