/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The activations of a command: which of them start, which wait, and how the last one ended. */

#pragma once

#include "fiber/handle.h"

#include "gtask-ext/command.h"
#include "gtask-ext/scope.h"

/* Invariants:
 * - An activation is in the queue, or has a task and is started.  Each one that is started holds a
 *   reference to the command.
 * - An activation waits while it is in the queue, or is started and its coroutine was not called
 *   yet.
 * - While an activation is in the queue, as many are started as the mode allows. */
typedef struct
{
  GObject *command;             /* notifies "running", "n-waiting" and "last-error" */
  const char *function;         /* the name of the coroutine */
  GtxCommandFunc func;
  GtxScope *scope;

  GtxCommandMode mode;
  guint limit;                  /* for GTX_COMMAND_PARALLEL; 0: none */
  double delay;

  GQueue queue;                 /* parameters, as GVariant; NULL where there is none */
  GtxHandleList candidates;     /* the activations with tasks that the next request is made to */
  guint n_started;              /* activations that have a task */
  guint n_running;              /* of these, those whose coroutine was called */
  GError *last_error;
} GtxActivations;

void gtx_activations_init (GtxActivations *self,
                           GObject        *command);

void gtx_activations_clear (GtxActivations *self);

guint gtx_activations_count_waiting (const GtxActivations *self);

/* Starts, queues or drops an activation, as the mode says.  @parameter may be NULL. */
void gtx_activations_add (GtxActivations *self,
                          GVariant       *parameter);

/* Starts waiting activations after the mode or the limit has changed. */
void gtx_activations_start (GtxActivations *self);

/* Drops the queue, and cancels each task: see patience.h. */
void gtx_activations_cancel (GtxActivations *self);
