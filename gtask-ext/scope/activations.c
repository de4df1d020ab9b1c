/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The activations of a command: which of them start, which wait, and how the last one ended. */

#include "scope/activations.h"

#include "scope/patience.h"
#include "scope/scope-private.h"

#include "task/done-callback.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"
#include "gtask-ext/sleep.h"

typedef struct
{
  GtxCandidate candidate;
  GtxActivations *owner;
  GObject *object;
  GVariant *parameter;
  gboolean is_started;          /* among the n_started of @owner */
  gboolean is_running;
} Activation;

void
gtx_activations_init (GtxActivations *self,
                      GObject        *command)
{
  self->command = command;
  g_queue_init (&self->queue);
  gtx_handle_list_init (&self->candidates);
}

static void
parameter_free (gpointer parameter)
{
  g_clear_pointer ((GVariant **) &parameter, g_variant_unref);
}

static void
clear_queue (GtxActivations *self)
{
  g_queue_clear_full (&self->queue, parameter_free);
}

void
gtx_activations_clear (GtxActivations *self)
{
  clear_queue (self);
  g_clear_error (&self->last_error);
  g_clear_object (&self->scope);
}

/* ---- Notifications ---- */

guint
gtx_activations_count_waiting (const GtxActivations *self)
{
  return self->queue.length + self->n_started - self->n_running;
}

/* @was_running and @n_waiting are the state before the change. */
static void
notify_changes (GtxActivations *self,
                gboolean        was_running,
                guint           n_waiting)
{
  if (was_running != (self->n_running > 0))
    g_object_notify (self->command, "running");
  if (n_waiting != gtx_activations_count_waiting (self))
    g_object_notify (self->command, "n-waiting");
}

static void
set_last_error (GtxActivations *self,
                const GError   *error)
{
  if (error == NULL && self->last_error == NULL)
    return;
  g_clear_error (&self->last_error);
  if (error)
    self->last_error = g_error_copy (error);
  g_object_notify (self->command, "last-error");
}

/* ---- One activation ---- */

static void
unlink_activation (Activation *self)
{
  if (gtx_handle_is_linked (&self->candidate.link))
    gtx_handle_unlink (&self->candidate.link);
  self->is_started = FALSE;
  self->owner->n_started--;
  if (self->is_running)
    self->owner->n_running--;
}

static void
activation_free (gpointer data)
{
  Activation *self = data;

  /* on_task_done () was not called if the main context is gone. */
  if (self->is_started)
    unlink_activation (self);
  g_clear_pointer (&self->parameter, g_variant_unref);
  g_object_unref (self->object);
  g_object_unref (self->owner->command);
  g_free (self);
}

static gboolean
run_activation (Activation  *self,
                GError     **error)
{
  GtxActivations *owner = self->owner;

  if (owner->delay > 0 && !gtx_sleep (owner->delay, error))
    return FALSE;
  self->is_running = TRUE;
  owner->n_running++;
  notify_changes (owner, owner->n_running > 1, gtx_activations_count_waiting (owner) + 1);
  return owner->func (self->object, self->parameter, error);
}

static void start_waiting (GtxActivations *self);

static void
on_task_done (gpointer task,
              gpointer data)
{
  Activation *activation = data;
  GtxActivations *self = activation->owner;
  GObject *command = g_object_ref (self->command);
  GtxFuture *future = task;
  gboolean was_running = self->n_running > 0;
  guint n_waiting = gtx_activations_count_waiting (self);

  unlink_activation (activation);
  if (gtx_future_state (future) == GTX_FUTURE_FINISHED && !gtx_error_is_cancelled (future->error))
    set_last_error (self, future->error);
  start_waiting (self);
  notify_changes (self, was_running, n_waiting);
  g_object_unref (command);
}

static void
start (GtxActivations *self,
       GObject        *object,
       GVariant       *parameter)
{
  Activation *activation = g_new0 (Activation, 1);
  GtxTask *task;

  g_object_ref (self->command);
  activation->owner = self;
  activation->object = g_object_ref (object);
  activation->parameter = parameter;
  activation->is_started = TRUE;
  self->n_started++;
  /* The scope notifies while it starts the task.  A handler may cancel the command, which needs the
   * task, or let the main loop turn until the task has ended.  The command hears of the end before
   * the scope does, whose handlers may activate it again. */
  task = gtx_task_new_named (self->function, (GtxCoroutine) run_activation, activation, NULL);
  activation->candidate.task = task;
  gtx_handle_list_append (&self->candidates, &activation->candidate.link);
  gtx_future_call_back (&task->parent_instance, on_task_done, activation, activation_free, NULL);
  gtx_scope_start (self->scope, task);
}

/* ---- All activations ---- */

static guint
most_started (const GtxActivations *self)
{
  if (self->mode != GTX_COMMAND_PARALLEL)
    return 1;
  return self->limit > 0 ? self->limit : G_MAXUINT;
}

static void
start_waiting (GtxActivations *self)
{
  g_autoptr (GObject) object = gtx_scope_dup_object (self->scope);

  if (object == NULL || gtx_scope_is_closed (self->scope))
    clear_queue (self);
  while (self->queue.length > 0 && self->n_started < most_started (self))
    start (self, object, g_queue_pop_head (&self->queue));
}

void
gtx_activations_start (GtxActivations *self)
{
  guint n_waiting = gtx_activations_count_waiting (self);

  start_waiting (self);
  notify_changes (self, self->n_running > 0, n_waiting);
}

static void
cancel_started (GtxActivations *self,
                const char     *function)
{
  gtx_cancel_patiently (&self->candidates, gtx_scope_get_home (self->scope), function);
}

void
gtx_activations_add (GtxActivations *self,
                     GVariant       *parameter)
{
  guint n_waiting = gtx_activations_count_waiting (self);

  if (self->mode == GTX_COMMAND_DROP && self->n_started > 0)
    return;
  if (self->mode == GTX_COMMAND_RESTART || self->mode == GTX_COMMAND_KEEP_LATEST)
    clear_queue (self);
  g_queue_push_tail (&self->queue, parameter ? g_variant_ref (parameter) : NULL);
  if (self->mode == GTX_COMMAND_RESTART)
    cancel_started (self, "g_action_activate");
  start_waiting (self);
  notify_changes (self, self->n_running > 0, n_waiting);
}

void
gtx_activations_cancel (GtxActivations *self)
{
  guint n_waiting = gtx_activations_count_waiting (self);

  clear_queue (self);
  cancel_started (self, "gtx_command_cancel");
  notify_changes (self, self->n_running > 0, n_waiting);
}
