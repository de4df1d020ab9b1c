/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals of objects that tasks wait for. */

#include "gtask-ext/object.h"

#include "outside/locations.h"
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
  GtxEmissionWait wait = { task, NULL };
  GtxEmission *emission = gtx_emission_listen (task->parent_instance.home, object, signal_id, detail, FALSE,
                                               gtx_emission_wake, &wait);
  GtxEmissionOutcome outcome;

  if (emission == NULL)
    return GTX_EMISSION_GONE;
  outcome = gtx_emission_wait (emission, &wait, &signal_kind, arguments, error);
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
    g_propagate_error (error, gtx_emission_gone_error_new ());
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

/* ---- What a task waits for ---- */

static gboolean
await_arguments (GObject        *object,
                 const char     *detailed_signal,
                 GtxLocations   *locations,
                 GError        **error)
{
  GtxTask *task = gtx_task_begin_await ("gtx_await_signal", error);
  g_autoptr (GArray) arguments = NULL;
  GtxEmissionOutcome outcome;
  guint signal_id;
  GQuark detail;

  if (task == NULL || !gtx_emission_find (object, detailed_signal, &signal_id, &detail, error) ||
      !gtx_locations_fit (locations, signal_id, error))
    return FALSE;
  outcome = await_emission (task, object, signal_id, detail, &arguments, error);
  if (!gtx_emission_propagate (task, outcome, error))
    return FALSE;
  gtx_locations_fill (locations, arguments);
  return TRUE;
}

/**
 * gtx_await_signal_to: (skip)
 *
 * The function behind gtx_await_signal(); %GTX_LAST_LOCATION_ ends the locations.
 */
gboolean
gtx_await_signal_to (gpointer      object,
                     const char   *detailed_signal,
                     GError      **error,
                     ...)
{
  g_auto (GtxLocations) locations = GTX_LOCATIONS_INIT;
  va_list arguments;

  g_return_val_if_fail (G_IS_OBJECT (object), FALSE);
  g_return_val_if_fail (detailed_signal != NULL, FALSE);

  va_start (arguments, error);
  gtx_locations_collect (&locations, arguments);
  va_end (arguments);
  return await_arguments (object, detailed_signal, &locations, error);
}

/**
 * gtx_await_notify:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @property: the name of a property
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a property of @object is notified.
 *
 * Get the property first, and wait in a loop until it has the wanted value.  Sets
 * the errors that gtx_await_signal() sets.
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
  return gtx_await_signal (object, signal, error);
}
