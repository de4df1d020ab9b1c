/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GAction that runs a coroutine as a task of an object. */

#include "gtask-ext/command.h"

#include "scope/scope-private.h"
#include "task/task-private.h"

#include "gtask-ext/error.h"
#include "gtask-ext/sleep.h"

/* Invariants:
 * - An activation is in the queue, or has a task and is in the list; each one that is in the list
 *   holds a reference to the command.
 * - Those that wait are in the queue, or in the list and their coroutine was not called yet.
 * - While an activation is in the queue, as many tasks as the mode allows are in the list. */
struct _GtxCommand
{
  GObject parent_instance;
  char *name;
  GVariantType *parameter_type;
  const char *function;
  GtxCommandFunc func;
  GtxScope *scope;
  GWeakRef object;

  GtxCommandMode mode;
  guint limit;                  /* for GTX_COMMAND_PARALLEL; 0: none */
  double delay;
  gboolean enabled;

  GQueue queue;                 /* parameters, as GVariant; NULL where there is none */
  GtxHandleList started;        /* activations that have a task */
  guint n_started;
  guint n_running;              /* of these, those whose coroutine was called */
  GError *last_error;
};

typedef struct
{
  GtxHandle link;               /* in the command's list */
  GtxCommand *command;
  GObject *object;
  GVariant *parameter;
  GtxTask *task;
  gboolean is_running;
  gboolean was_cancelled;       /* by the command: it cleans up undisturbed */
} Activation;

enum
{
  PROP_0,
  PROP_NAME,
  PROP_PARAMETER_TYPE,
  PROP_ENABLED,
  PROP_STATE_TYPE,
  PROP_STATE,
  PROP_RUNNING,
  PROP_N_WAITING,
  PROP_LAST_ERROR,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void gtx_command_init_action (GActionInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (GtxCommand, gtx_command, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ACTION, gtx_command_init_action))

/* ---- Activations ---- */

static guint
count_waiting (const GtxCommand *self)
{
  return self->queue.length + self->n_started - self->n_running;
}

/* Notifies what differs from what it was. */
static void
notify_changes (GtxCommand *self,
                gboolean    was_running,
                guint       n_waiting)
{
  if (was_running != (self->n_running > 0))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING]);
  if (n_waiting != count_waiting (self))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_WAITING]);
}

static void
unlink_activation (Activation *self)
{
  gtx_handle_unlink (&self->link);
  self->command->n_started--;
  if (self->is_running)
    self->command->n_running--;
}

static void
activation_free (gpointer data)
{
  Activation *self = data;

  /* The main context is gone. */
  if (gtx_handle_is_linked (&self->link))
    unlink_activation (self);
  g_clear_pointer (&self->parameter, g_variant_unref);
  g_object_unref (self->object);
  g_object_unref (self->command);
  g_free (self);
}

static gboolean
run_activation (Activation  *self,
                GError     **error)
{
  GtxCommand *command = self->command;

  if (command->delay > 0 && !gtx_sleep (command->delay, error))
    return FALSE;
  self->is_running = TRUE;
  command->n_running++;
  notify_changes (command, command->n_running > 1, count_waiting (command) + 1);
  return command->func (self->object, self->parameter, error);
}

static void
parameter_free (gpointer parameter)
{
  g_clear_pointer ((GVariant **) &parameter, g_variant_unref);
}

static void
clear_queue (GtxCommand *self)
{
  g_queue_clear_full (&self->queue, parameter_free);
}

static void
set_last_error (GtxCommand   *self,
                const GError *error)
{
  if (error == NULL && self->last_error == NULL)
    return;
  g_clear_error (&self->last_error);
  if (error)
    self->last_error = g_error_copy (error);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LAST_ERROR]);
}

static void start_waiting (GtxCommand *self);

static void
on_task_done (gpointer task,
              gpointer data)
{
  Activation *activation = data;
  GtxCommand *self = g_object_ref (activation->command);
  GtxFuture *future = &activation->task->parent_instance;
  gboolean was_running = self->n_running > 0;
  guint n_waiting = count_waiting (self);

  unlink_activation (activation);
  if (gtx_future_state (future) == GTX_FUTURE_FINISHED && !gtx_error_is_cancelled (future->error))
    set_last_error (self, future->error);
  start_waiting (self);
  notify_changes (self, was_running, n_waiting);
  g_object_unref (self);
}

static void
start (GtxCommand *self,
       GObject    *object,
       GVariant   *parameter)
{
  Activation *activation = g_new0 (Activation, 1);

  activation->command = g_object_ref (self);
  activation->object = g_object_ref (object);
  activation->parameter = parameter;
  gtx_handle_list_append (&self->started, &activation->link);
  self->n_started++;
  /* A handler of the scope's notifications may cancel it already. */
  activation->task = gtx_task_new_named (self->function, (GtxCoroutine) run_activation, activation, NULL);
  gtx_scope_start (self->scope, activation->task);
  gtx_future_add_done_callback (activation->task, on_task_done, activation, activation_free);
}

static guint
most_started (const GtxCommand *self)
{
  if (self->mode != GTX_COMMAND_PARALLEL)
    return 1;
  return self->limit > 0 ? self->limit : G_MAXUINT;
}

static void
start_waiting (GtxCommand *self)
{
  g_autoptr (GObject) object = g_weak_ref_get (&self->object);

  if (object == NULL || gtx_scope_is_closed (self->scope))
    clear_queue (self);
  while (self->queue.length > 0 && self->n_started < most_started (self))
    start (self, object, g_queue_pop_head (&self->queue));
}

/* For when more may start than before. */
static void
start_and_notify (GtxCommand *self)
{
  guint n_waiting = count_waiting (self);

  start_waiting (self);
  notify_changes (self, self->n_running > 0, n_waiting);
}

/* Each once, however often the command is activated while they clean up. */
static void
cancel_started (GtxCommand *self)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (GtxHandle *link = self->started.ring.next; link != &self->started.ring; link = link->next)
    {
      Activation *activation = GTX_CONTAINER_OF (link, Activation, link);

      if (!activation->was_cancelled)
        g_ptr_array_add (tasks, g_object_ref (activation->task));
      activation->was_cancelled = TRUE;
    }
  for (guint i = 0; i < tasks->len; i++)
    gtx_cancel (tasks->pdata[i]);
}

/* FALSE after a g_critical () that names @function. */
static gboolean
is_usable (GtxCommand *self,
           const char *function)
{
  if (self->scope)
    return !gtx_scope_is_foreign (self->scope, function);
  g_critical ("A command that g_object_new() made has no coroutine; make it with gtx_command_new()");
  return FALSE;
}

static void
gtx_command_activate (GAction  *action,
                      GVariant *parameter)
{
  GtxCommand *self = (GtxCommand *) action;
  g_autoptr (GVariant) sunk = parameter ? g_variant_ref_sink (parameter) : NULL;
  guint n_waiting = count_waiting (self);

  if (self->parameter_type == NULL)
    g_return_if_fail (parameter == NULL);
  else
    g_return_if_fail (parameter != NULL && g_variant_is_of_type (parameter, self->parameter_type));
  if (!is_usable (self, "g_action_activate"))
    return;
  if (!self->enabled || (self->mode == GTX_COMMAND_DROP && self->n_started > 0))
    return;

  if (self->mode == GTX_COMMAND_RESTART || self->mode == GTX_COMMAND_KEEP_LATEST)
    clear_queue (self);
  g_queue_push_tail (&self->queue, g_steal_pointer (&sunk));
  if (self->mode == GTX_COMMAND_RESTART)
    cancel_started (self);
  start_waiting (self);
  notify_changes (self, self->n_running > 0, n_waiting);
}

/* ---- The action ---- */

static const char *
gtx_command_get_name (GAction *action)
{
  return ((GtxCommand *) action)->name;
}

static const GVariantType *
gtx_command_get_parameter_type (GAction *action)
{
  return ((GtxCommand *) action)->parameter_type;
}

static const GVariantType *
gtx_command_get_state_type (GAction *action)
{
  return NULL;
}

static GVariant *
gtx_command_get_state (GAction *action)
{
  return NULL;
}

static gboolean
gtx_command_get_enabled (GAction *action)
{
  return ((GtxCommand *) action)->enabled;
}

static void
gtx_command_change_state (GAction  *action,
                          GVariant *value)
{
  g_critical ("A command has no state that could be changed");
}

static void
gtx_command_init_action (GActionInterface *interface)
{
  interface->get_name = gtx_command_get_name;
  interface->get_parameter_type = gtx_command_get_parameter_type;
  interface->get_state_type = gtx_command_get_state_type;
  interface->get_state_hint = gtx_command_get_state;
  interface->get_state = gtx_command_get_state;
  interface->get_enabled = gtx_command_get_enabled;
  interface->change_state = gtx_command_change_state;
  interface->activate = gtx_command_activate;
}

/* ---- The object ---- */

static void
gtx_command_get_property (GObject    *object,
                          guint       id,
                          GValue     *value,
                          GParamSpec *pspec)
{
  GtxCommand *self = (GtxCommand *) object;

  switch (id)
    {
    case PROP_NAME: g_value_set_string (value, self->name); break;
    case PROP_PARAMETER_TYPE: g_value_set_boxed (value, self->parameter_type); break;
    case PROP_ENABLED: g_value_set_boolean (value, self->enabled); break;
    case PROP_STATE_TYPE: g_value_set_boxed (value, NULL); break;
    case PROP_STATE: g_value_set_variant (value, NULL); break;
    case PROP_RUNNING: g_value_set_boolean (value, self->n_running > 0); break;
    case PROP_N_WAITING: g_value_set_uint (value, count_waiting (self)); break;
    case PROP_LAST_ERROR: g_value_set_boxed (value, self->last_error); break;
    default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
gtx_command_set_property (GObject      *object,
                          guint         id,
                          const GValue *value,
                          GParamSpec   *pspec)
{
  GtxCommand *self = (GtxCommand *) object;

  if (id == PROP_ENABLED)
    gtx_command_set_enabled (self, g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gtx_command_finalize (GObject *object)
{
  GtxCommand *self = (GtxCommand *) object;

  clear_queue (self);
  g_clear_error (&self->last_error);
  g_weak_ref_clear (&self->object);
  g_clear_object (&self->scope);
  g_clear_pointer (&self->parameter_type, g_variant_type_free);
  g_free (self->name);
  G_OBJECT_CLASS (gtx_command_parent_class)->finalize (object);
}

static void
gtx_command_class_init (GtxCommandClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = gtx_command_get_property;
  object_class->set_property = gtx_command_set_property;
  object_class->finalize = gtx_command_finalize;
  g_object_class_override_property (object_class, PROP_NAME, "name");
  g_object_class_override_property (object_class, PROP_PARAMETER_TYPE, "parameter-type");
  g_object_class_override_property (object_class, PROP_STATE_TYPE, "state-type");
  g_object_class_override_property (object_class, PROP_STATE, "state");

  /**
   * GtxCommand:enabled:
   *
   * Whether the command can be activated.
   *
   * Since: 0.1
   */
  properties[PROP_ENABLED] =
    g_param_spec_boolean ("enabled", NULL, NULL, TRUE,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property (object_class, PROP_ENABLED, properties[PROP_ENABLED]);
  /**
   * GtxCommand:running:
   *
   * Whether the coroutine runs; not while the command waits for its delay.
   *
   * Since: 0.1
   */
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  /**
   * GtxCommand:n-waiting:
   *
   * How many activations wait to run.
   *
   * Since: 0.1
   */
  properties[PROP_N_WAITING] = g_param_spec_uint ("n-waiting", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * GtxCommand:last-error:
   *
   * The error of the task that ended last without being cancelled; %NULL if that succeeded.
   *
   * Since: 0.1
   */
  properties[PROP_LAST_ERROR] = g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, flags);
  for (guint id = PROP_RUNNING; id < N_PROPERTIES; id++)
    g_object_class_install_property (object_class, id, properties[id]);
}

static void
gtx_command_init (GtxCommand *self)
{
  self->enabled = TRUE;
  g_queue_init (&self->queue);
  g_weak_ref_init (&self->object, NULL);
  gtx_handle_list_init (&self->started);
}

/**
 * gtx_command_new_named: (skip)
 *
 * The function behind gtx_command_new(), with the name of its coroutine as an argument, static or
 * interned.
 */
GtxCommand *
gtx_command_new_named (const char         *name,
                       const GVariantType *parameter_type,
                       const char         *function,
                       GtxCommandFunc      func,
                       gpointer            object)
{
  GtxCommand *self;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (G_IS_OBJECT (object), NULL);

  self = g_object_new (GTX_TYPE_COMMAND, NULL);
  self->name = g_strdup (name);
  self->parameter_type = parameter_type ? g_variant_type_copy (parameter_type) : NULL;
  self->function = function;
  self->func = func;
  self->scope = g_object_ref (gtx_object_get_scope (object));
  g_weak_ref_set (&self->object, object);
  return self;
}

/* ---- Signals ---- */

/* A closure without a callback, so that a signal's return value stays what it is. */
static void
on_emitted (GClosure     *closure,
            GValue       *return_value,
            guint         n_parameters,
            const GValue *parameters,
            gpointer      hint,
            gpointer      marshal_data)
{
  gtx_command_activate (closure->data, NULL);
}

static void
drop_command (gpointer  command,
              GClosure *closure)
{
  g_object_unref (command);
}

/**
 * gtx_command_connect:
 * @self: a #GtxCommand that takes no parameter
 * @instance: (type GObject.Object): an object, such as a button
 * @detailed_signal: the name of one of its signals, with its detail if there is one
 *
 * Activates the command at each emission of a signal.
 *
 * The connection keeps the command.  If the signal returns a value, the command returns 0, %FALSE
 * or %NULL.  It is a programmer's mistake if @instance has no such signal.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_connect (GtxCommand *self,
                     gpointer    instance,
                     const char *detailed_signal)
{
  GClosure *closure;

  g_return_if_fail (GTX_IS_COMMAND (self));
  g_return_if_fail (G_IS_OBJECT (instance));
  g_return_if_fail (detailed_signal != NULL);
  g_return_if_fail (self->parameter_type == NULL);

  closure = g_closure_new_simple (sizeof (GClosure), g_object_ref (self));
  g_closure_add_finalize_notifier (closure, self, drop_command);
  g_closure_set_marshal (closure, on_emitted);
  g_signal_connect_closure (instance, detailed_signal, closure, FALSE);
}

/**
 * gtx_signal_connect_command_named: (skip)
 *
 * The function behind gtx_signal_connect_command().
 */
GtxCommand *
gtx_signal_connect_command_named (gpointer        instance,
                                  const char     *detailed_signal,
                                  const char     *function,
                                  GtxCommandFunc  func,
                                  gpointer        object)
{
  GtxCommand *self = gtx_command_new_named (detailed_signal, NULL, function, func, object);

  g_return_val_if_fail (self != NULL, NULL);
  gtx_command_connect (self, instance, detailed_signal);
  g_object_unref (self);
  return self;
}

/* ---- What it does ---- */

/**
 * gtx_command_set_mode:
 * @self: a #GtxCommand
 * @mode: what an activation does while the command runs
 *
 * Sets what happens when the command is activated while it runs, or waits to run.  Activations that
 * were made before keep their places.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_set_mode (GtxCommand     *self,
                      GtxCommandMode  mode)
{
  g_return_if_fail (GTX_IS_COMMAND (self));
  g_return_if_fail (mode <= GTX_COMMAND_PARALLEL);

  if (!is_usable (self, G_STRFUNC))
    return;
  self->mode = mode;
  start_and_notify (self);
}

/**
 * gtx_command_set_limit:
 * @self: a #GtxCommand
 * @limit: how many activations may run at once; 0 for no limit
 *
 * Limits how many activations %GTX_COMMAND_PARALLEL runs at once; the others wait.  Never
 * suspends.
 *
 * Since: 0.1
 */
void
gtx_command_set_limit (GtxCommand *self,
                       guint       limit)
{
  g_return_if_fail (GTX_IS_COMMAND (self));

  if (!is_usable (self, G_STRFUNC))
    return;
  self->limit = limit;
  start_and_notify (self);
}

/**
 * gtx_command_set_delay:
 * @self: a #GtxCommand
 * @seconds: how long to wait, in seconds, 0 or more
 *
 * Lets each activation wait before its coroutine is called.
 *
 * With %GTX_COMMAND_RESTART an activation takes the place of one that still waits, and waits anew:
 * a search as you type begins when the user pauses.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_set_delay (GtxCommand *self,
                       double      seconds)
{
  g_return_if_fail (GTX_IS_COMMAND (self));
  g_return_if_fail (seconds >= 0);

  self->delay = seconds;
}

/**
 * gtx_command_set_enabled:
 * @self: a #GtxCommand
 * @enabled: whether the command can be activated
 *
 * Enables or disables the action.  What runs, or waits, goes on.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_set_enabled (GtxCommand *self,
                         gboolean    enabled)
{
  g_return_if_fail (GTX_IS_COMMAND (self));

  if (self->enabled == !!enabled)
    return;
  self->enabled = !!enabled;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ENABLED]);
}

/**
 * gtx_command_cancel:
 * @self: a #GtxCommand
 *
 * Drops the activations that wait, and cancels those that run, each once.
 *
 * It only makes requests, and runs no task.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_cancel (GtxCommand *self)
{
  guint n_waiting;

  g_return_if_fail (GTX_IS_COMMAND (self));

  if (!is_usable (self, G_STRFUNC))
    return;
  n_waiting = count_waiting (self);
  clear_queue (self);
  cancel_started (self);
  notify_changes (self, self->n_running > 0, n_waiting);
}

/**
 * gtx_command_is_running:
 * @self: a #GtxCommand
 *
 * Tells whether the coroutine runs: #GtxCommand:running.  Never suspends.
 *
 * Returns: %TRUE if it runs
 *
 * Since: 0.1
 */
gboolean
gtx_command_is_running (GtxCommand *self)
{
  g_return_val_if_fail (GTX_IS_COMMAND (self), FALSE);

  return self->n_running > 0;
}

/**
 * gtx_command_get_n_waiting:
 * @self: a #GtxCommand
 *
 * Returns how many activations wait to run: #GtxCommand:n-waiting.  Never suspends.
 *
 * Returns: the number of activations
 *
 * Since: 0.1
 */
guint
gtx_command_get_n_waiting (GtxCommand *self)
{
  g_return_val_if_fail (GTX_IS_COMMAND (self), 0);

  return count_waiting (self);
}

/**
 * gtx_command_get_last_error:
 * @self: a #GtxCommand
 *
 * Lends the error of the task that ended last: #GtxCommand:last-error.  Never suspends.
 *
 * Returns: (transfer none) (nullable): the error, valid until the next task ends
 *
 * Since: 0.1
 */
const GError *
gtx_command_get_last_error (GtxCommand *self)
{
  g_return_val_if_fail (GTX_IS_COMMAND (self), NULL);

  return self->last_error;
}
