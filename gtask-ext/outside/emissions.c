/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All emissions of a signal, one after the other. */

#include "gtask-ext/emissions.h"

#include "outside/locations.h"
#include "outside/ties.h"

#include "gtask-ext/error.h"

struct _GtxEmissions
{
  GObject parent_instance;
  GtxScheduler *home;
  GtxEmission *emission;        /* NULL: the object was gone before */
  guint signal_id;
  GtxEmissionWait wait;
};

G_DEFINE_FINAL_TYPE (GtxEmissions, gtx_emissions, G_TYPE_OBJECT)

static void
gtx_emissions_finalize (GObject *object)
{
  GtxEmissions *self = (GtxEmissions *) object;

  g_clear_pointer (&self->emission, gtx_emission_leave);
  gtx_scheduler_unref (self->home);
  G_OBJECT_CLASS (gtx_emissions_parent_class)->finalize (object);
}

static void
gtx_emissions_class_init (GtxEmissionsClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_emissions_finalize;
}

static void
gtx_emissions_init (GtxEmissions *self)
{
  self->home = gtx_scheduler_ref (gtx_scheduler_get ());
}

/**
 * gtx_emissions_new:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @detailed_signal: the name of a signal, with its detail if there is one
 * @error: return location for a #GError, or %NULL
 *
 * Begins to listen for a signal.
 *
 * Emissions from now on are kept until gtx_emissions_next() takes them.  Any thread may emit the
 * signal.  If the signal returns a value, this counts as a handler that returns none.  Sets
 * %GTX_ERROR_INVALID_ARGUMENT if @object has no such signal.  Never suspends; to be called in the
 * thread of the tasks that use it.
 *
 * Returns: (transfer full) (nullable): a new #GtxEmissions, or %NULL with @error set
 *
 * Since: 0.1
 */
GtxEmissions *
gtx_emissions_new (gpointer      object,
                   const char   *detailed_signal,
                   GError      **error)
{
  GtxEmissions *self;
  guint signal_id;
  GQuark detail;

  g_return_val_if_fail (G_IS_OBJECT (object), NULL);
  g_return_val_if_fail (detailed_signal != NULL, NULL);

  if (!gtx_emission_find (object, detailed_signal, &signal_id, &detail, error))
    return NULL;
  self = g_object_new (GTX_TYPE_EMISSIONS, NULL);
  self->signal_id = signal_id;
  self->emission = gtx_emission_listen (self->home, object, signal_id, detail, TRUE,
                                        gtx_emission_wake, &self->wait);
  return self;
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  g_string_append (text, "the next signal of an object");
}

static const GtxWaiterKind next_kind = { "next signal", gtx_waiter_cancel, describe, NULL, NULL };

/* Returns why @task cannot wait; NULL: it can. */
static const char *
why_not (const GtxEmissions *self,
         const GtxTask      *task)
{
  if (task->parent_instance.home != self->home)
    return "The emissions belong to another main context";
  if (self->wait.waiter)
    return "Another task waits for the next emission";
  return NULL;
}

static GtxEmissionOutcome
wait_for_next (GtxEmissions  *self,
               GtxTask       *task,
               GArray       **arguments,
               GError       **error)
{
  GtxEmissionOutcome outcome;

  if (self->emission == NULL)
    return GTX_EMISSION_GONE;
  g_object_ref (self);
  self->wait.task = task;
  outcome = gtx_emission_wait (self->emission, &self->wait, &next_kind, arguments, error);
  g_object_unref (self);
  return outcome;
}

static gboolean
take_next (GtxEmissions  *self,
           GtxLocations  *locations,
           GError       **error)
{
  GtxTask *task = gtx_task_begin_await ("gtx_emissions_next", error);
  g_autoptr (GArray) arguments = NULL;
  GtxEmissionOutcome outcome;
  const char *why;

  if (task == NULL || !gtx_locations_fit (locations, self->signal_id, error))
    return FALSE;
  why = why_not (self, task);
  if (why)
    {
      g_set_error_literal (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, why);
      return FALSE;
    }
  outcome = wait_for_next (self, task, &arguments, error);
  if (!gtx_emission_propagate (task, outcome, error))
    return FALSE;
  gtx_locations_fill (locations, arguments);
  return TRUE;
}

/**
 * gtx_emissions_next_to: (skip)
 *
 * The function behind gtx_emissions_next(); %GTX_LAST_LOCATION_ ends the locations.
 */
gboolean
gtx_emissions_next_to (GtxEmissions  *self,
                       GError       **error,
                       ...)
{
  g_auto (GtxLocations) locations = GTX_LOCATIONS_INIT;
  va_list arguments;

  g_return_val_if_fail (GTX_IS_EMISSIONS (self), FALSE);

  va_start (arguments, error);
  gtx_locations_collect (&locations, arguments);
  va_end (arguments);
  return take_next (self, &locations, error);
}
