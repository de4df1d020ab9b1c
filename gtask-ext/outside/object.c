/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals of objects that tasks wait for. */

#include "gtask-ext/object.h"

#include "outside/ties.h"
#include "task/error-private.h"

#include "gtask-ext/error.h"

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append (text, "a signal of an object");
}

static const GtxWaiterKind signal_kind = { "signal", gtx_waiter_cancel, describe, NULL, NULL };

static GtxEmissionOutcome
await_emission (GtxTask  *task,
                GObject  *object,
                guint     signal_id,
                GQuark    detail,
                GArray  **arguments,
                GError  **error)
{
  GtxEmission *emission = gtx_emission_listen (task, object, signal_id, detail);
  GtxEmissionOutcome outcome;

  if (emission == NULL)
    return GTX_EMISSION_GONE;
  outcome = gtx_emission_wait (emission, &signal_kind, error);
  if (outcome == GTX_EMISSION_EMITTED)
    *arguments = gtx_emission_take_arguments (emission);
  gtx_emission_leave (emission);
  return outcome;
}

/* A window and its dialog are disposed in one go, and a task of the window that awaits the dialog,
 * or a child in a group of that task, has to see one error, whichever went first. */
static void
set_gone_error (GtxTask  *task,
                GError  **error)
{
  gtx_task_take_up_request (task);
  if (task->must_cancel)
    gtx_task_deliver_request (task, error);
  else if (gtx_ties_current_owner_is_gone ())
    gtx_set_cancelled_error (error);
  else
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_OBJECT_GONE,
                         "The object whose signal was awaited is gone");
}

gboolean
gtx_emission_propagate (GtxTask             *task,
                        GtxEmissionOutcome   outcome,
                        GError             **error)
{
  if (outcome == GTX_EMISSION_GONE)
    set_gone_error (task, error);
  return outcome == GTX_EMISSION_EMITTED;
}

/**
 * gtx_await_signal:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @detailed_signal: the name of a signal, with its detail if there is one:
 *   `clicked`, `notify::title`
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until @object emits a signal, and returns the
 * arguments of the emission.
 *
 * An emission only makes the tasks ready; they go on in the order in which they came,
 * after the handlers that are connected.  A handler that stops the emission hides it from
 * the tasks if it was connected before any of them waited.  If the signal returns a
 * value, the tasks count as a handler that returns none.  An emission between two calls
 * is not seen, nor is one that had begun before this call.
 *
 * Sets %GTX_ERROR_OBJECT_GONE when @object is disposed, or has been disposed since a task
 * first waited for it or was bound to it, but %G_IO_ERROR_CANCELLED when the task is
 * cancelled, or belongs to an object that is disposed (see gtx_object_create_task());
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * @object has no such signal.  Any thread may emit the signal, and drop the last
 * reference to @object; g_object_run_dispose() must not be called while another thread
 * emits the signal, since GObject loses count of the handlers then.
 *
 * Returns: (transfer full) (nullable) (element-type GValue): the arguments
 *   after the object itself, or %NULL with @error set
 *
 * Since: 0.1
 */
GArray *
gtx_await_signal (gpointer      object,
                  const char   *detailed_signal,
                  GError      **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  GtxEmissionOutcome outcome;
  GArray *arguments = NULL;
  guint signal_id;
  GQuark detail;

  g_return_val_if_fail (G_IS_OBJECT (object), NULL);
  g_return_val_if_fail (detailed_signal != NULL, NULL);
  if (task == NULL)
    return NULL;
  if (!g_signal_parse_name (detailed_signal, G_OBJECT_TYPE (object), &signal_id, &detail, TRUE))
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%s has no signal \"%s\"",
                   G_OBJECT_TYPE_NAME (object), detailed_signal);
      return NULL;
    }
  outcome = await_emission (task, object, signal_id, detail, &arguments, error);
  return gtx_emission_propagate (task, outcome, error) ? arguments : NULL;
}

/**
 * gtx_await_notify:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @property: the name of a property
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a property of @object is notified.
 *
 * Ask for the property first, and wait in a loop for the value that is
 * wanted.  Sets the errors that gtx_await_signal() sets.
 *
 * Returns: %TRUE when the property was notified, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_notify (gpointer      object,
                  const char   *property,
                  GError      **error)
{
  g_autofree char *signal = NULL;
  g_autoptr (GArray) arguments = NULL;
  GParamSpec *found;

  g_return_val_if_fail (G_IS_OBJECT (object), FALSE);
  g_return_val_if_fail (property != NULL, FALSE);

  found = g_object_class_find_property (G_OBJECT_GET_CLASS (object), property);
  if (found == NULL)
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%s has no property \"%s\"",
                   G_OBJECT_TYPE_NAME (object), property);
      return FALSE;
    }
  /* The name of the property has dashes where @property has underscores. */
  signal = g_strconcat ("notify::", g_param_spec_get_name (found), NULL);
  arguments = gtx_await_signal (object, signal, error);
  return arguments != NULL;
}
