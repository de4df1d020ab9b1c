/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GAction that runs a coroutine as a task of an object. */

#include "gtask-ext/command.h"

#include "scope/activations.h"
#include "scope/scope-private.h"

struct _GtxCommand
{
  GObject parent_instance;
  char *name;
  GVariantType *parameter_type;
  gboolean enabled;
  GtxActivations activations;
};

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

/* ---- The action ---- */

/* Returns FALSE after a g_critical () that names @function. */
static gboolean
is_usable (GtxCommand *self,
           const char *function)
{
  if (self->activations.scope)
    return !gtx_scope_is_foreign (self->activations.scope, function);
  g_critical ("A command that g_object_new() made has no coroutine; make it with gtx_command_new()");
  return FALSE;
}

static void
gtx_command_activate (GAction  *action,
                      GVariant *parameter)
{
  GtxCommand *self = (GtxCommand *) action;
  g_autoptr (GVariant) sunk = parameter ? g_variant_ref_sink (parameter) : NULL;

  if (self->parameter_type == NULL)
    g_return_if_fail (parameter == NULL);
  else
    g_return_if_fail (parameter != NULL && g_variant_is_of_type (parameter, self->parameter_type));
  if (is_usable (self, "g_action_activate") && self->enabled)
    gtx_activations_add (&self->activations, sunk);
}

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
    case PROP_RUNNING: g_value_set_boolean (value, self->activations.n_running > 0); break;
    case PROP_N_WAITING: g_value_set_uint (value, gtx_activations_count_waiting (&self->activations)); break;
    case PROP_LAST_ERROR: g_value_set_boxed (value, self->activations.last_error); break;
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

  gtx_activations_clear (&self->activations);
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
   * The error of the task that ended last without being cancelled; %NULL if that succeeded.  It
   * stays while the next task runs.
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
  gtx_activations_init (&self->activations, G_OBJECT (self));
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
  self->activations.function = function;
  self->activations.func = func;
  self->activations.scope = g_object_ref (gtx_object_get_scope (object));
  return self;
}

/* ---- Signals ---- */

/* The closure has no callback, so that it does not change a signal's return value. */
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

/* ---- Settings and state ---- */

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
  self->activations.mode = mode;
  gtx_activations_start (&self->activations);
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
  self->activations.limit = limit;
  gtx_activations_start (&self->activations);
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

  self->activations.delay = seconds;
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
 * Drops the activations that wait, and cancels those that run, as gtx_scope_cancel() does.
 *
 * It only makes requests, and runs no task.  Never suspends.
 *
 * Since: 0.1
 */
void
gtx_command_cancel (GtxCommand *self)
{
  g_return_if_fail (GTX_IS_COMMAND (self));

  if (is_usable (self, G_STRFUNC))
    gtx_activations_cancel (&self->activations);
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

  return self->activations.n_running > 0;
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

  return gtx_activations_count_waiting (&self->activations);
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

  return self->activations.last_error;
}
