/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtask-ext/checks.h>
#include <gtask-ext/macros.h>

G_BEGIN_DECLS

#define GTX_TYPE_COMMAND (gtx_command_get_type ())

/**
 * GtxCommand:
 *
 * A #GAction that runs a coroutine, as a task of an object, when it is activated.
 *
 * |[<!-- language="C" -->
 * static gboolean
 * reload (MyWindow *self, GVariant *parameter, GError **error)
 * {
 *   ...
 * }
 *
 * command = gtx_command_new ("reload", NULL, reload, self);
 * g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (command));
 * g_object_bind_property (command, "running", spinner, "spinning", G_BINDING_DEFAULT);
 * ]|
 *
 * gtx_command_set_mode() says what happens when it is activated while it runs, and
 * gtx_command_set_delay() lets it wait for a last keystroke.  The tasks belong to the scope of the
 * object (see gtx_object_get_scope()): they end with it, and their errors are told by
 * #GtxScope::failed.  The command keeps no reference to the object; a task does while it runs.
 *
 * A command is used in the thread of its object's scope.
 *
 * Since: 0.1
 */
GTX_API
G_DECLARE_FINAL_TYPE (GtxCommand, gtx_command, GTX, COMMAND, GObject)

/**
 * GtxCommandMode:
 * @GTX_COMMAND_DROP: an activation while the command runs is ignored
 * @GTX_COMMAND_RESTART: cancels what runs, waits for its end, and runs the latest activation
 * @GTX_COMMAND_QUEUE: runs one activation after the other
 * @GTX_COMMAND_KEEP_LATEST: lets what runs end, and then runs the latest activation; those in
 *   between are dropped
 * @GTX_COMMAND_PARALLEL: runs activations side by side, as many as gtx_command_set_limit() allows,
 *   and queues the others
 *
 * What a command does when it is activated while it runs, or waits to run.
 *
 * Since: 0.1
 */
typedef enum
{
  GTX_COMMAND_DROP,
  GTX_COMMAND_RESTART,
  GTX_COMMAND_QUEUE,
  GTX_COMMAND_KEEP_LATEST,
  GTX_COMMAND_PARALLEL
} GtxCommandMode;

/**
 * GtxCommandFunc:
 * @object: the object that the command was made for
 * @parameter: (nullable): what the command was activated with
 * @error: where the coroutine sets its error
 *
 * The coroutine of a command.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
typedef gboolean (*GtxCommandFunc) (gpointer    object,
                                    GVariant   *parameter,
                                    GError    **error);

/**
 * gtx_command_new:
 * @name: the action's name
 * @parameter_type: (nullable): the type of the action's parameter; %NULL: it takes none
 * @func: a coroutine, `gboolean f (U *object, GVariant *parameter, GError **error)`
 * @object: (type GObject.Object): the object that it works on, a `U *`
 *
 * Makes a command, whose mode is %GTX_COMMAND_DROP.  Never suspends; to be called in the thread
 * of the object's scope.
 *
 * Returns: (transfer full): a new #GtxCommand
 *
 * Since: 0.1
 */
#define gtx_command_new(name, parameter_type, func, object)                    \
  gtx_command_new_named ((name), (parameter_type), #func, (GtxCommandFunc) (func), \
                         GTX_COMMAND_FUNC_DATA_ (func, object))

/**
 * gtx_signal_connect_command:
 * @instance: (type GObject.Object): an object, such as a button
 * @detailed_signal: the name of one of its signals, with its detail if there is one
 * @func: a coroutine, `gboolean f (U *object, GVariant *parameter, GError **error)`
 * @object: (type GObject.Object): the object that it works on, a `U *`
 *
 * Makes a command that each emission of a signal activates, without a parameter.
 *
 * The command lives as long as the connection.  If the signal returns a value, the command
 * returns 0, %FALSE or %NULL.  It is a programmer's mistake if @instance has no such signal.  Never
 * suspends; to be called in the thread of the object's scope.
 *
 * Returns: (transfer none): the command, whose mode is %GTX_COMMAND_DROP
 *
 * Since: 0.1
 */
#define gtx_signal_connect_command(instance, detailed_signal, func, object)    \
  gtx_signal_connect_command_named ((instance), (detailed_signal), #func, (GtxCommandFunc) (func), \
                                    GTX_COMMAND_FUNC_DATA_ (func, object))

GTX_API GtxCommand   *gtx_command_new_named       (const char         *name,
                                                   const GVariantType *parameter_type,
                                                   const char         *function,
                                                   GtxCommandFunc      func,
                                                   gpointer            object) G_GNUC_WARN_UNUSED_RESULT;
GTX_API GtxCommand   *gtx_signal_connect_command_named (gpointer       instance,
                                                   const char         *detailed_signal,
                                                   const char         *function,
                                                   GtxCommandFunc      func,
                                                   gpointer            object);
GTX_API void          gtx_command_connect         (GtxCommand         *self,
                                                   gpointer            instance,
                                                   const char         *detailed_signal);
GTX_API void          gtx_command_set_mode        (GtxCommand         *self,
                                                   GtxCommandMode      mode);
GTX_API void          gtx_command_set_limit       (GtxCommand         *self,
                                                   guint               limit);
GTX_API void          gtx_command_set_delay       (GtxCommand         *self,
                                                   double              seconds);
GTX_API void          gtx_command_set_enabled     (GtxCommand         *self,
                                                   gboolean            enabled);
GTX_API void          gtx_command_cancel          (GtxCommand         *self);
GTX_API gboolean      gtx_command_is_running      (GtxCommand         *self);
GTX_API guint         gtx_command_get_n_waiting   (GtxCommand         *self);
GTX_API const GError *gtx_command_get_last_error  (GtxCommand         *self);

G_END_DECLS
