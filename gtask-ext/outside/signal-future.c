/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An emission of a signal as a future: no task waits for it, so it needs no stack. */

#include "gtask-ext/emissions.h"

#include "outside/ties.h"

/* Invariant: the emission is left when the future is done or dropped, in its home. */
typedef struct
{
  GtxFuture parent_instance;
  struct Listening *listening;
} GtxSignalFuture;

typedef GtxFutureClass GtxSignalFutureClass;

/* What listens, in the home; the future may be dropped in any thread. */
typedef struct Listening
{
  GWeakRef future;
  GtxEmission *emission;
} Listening;

static GType gtx_signal_future_get_type (void);

G_DEFINE_TYPE (GtxSignalFuture, gtx_signal_future, GTX_TYPE_FUTURE)

static void
listening_free (gpointer data)
{
  Listening *self = data;

  g_clear_pointer (&self->emission, gtx_emission_leave);
  g_weak_ref_clear (&self->future);
  g_free (self);
}

static void
on_told (gpointer data)
{
  Listening *self = data;
  GtxFuture *future = g_weak_ref_get (&self->future);
  GArray *arguments = gtx_emission_take_arguments (self->emission);

  if (future == NULL)
    g_clear_pointer (&arguments, g_array_unref);
  else if (arguments == NULL)
    gtx_future_fail_quietly (future, gtx_emission_gone_error_new ());
  else if (!gtx_future_finish (future, arguments, (GDestroyNotify) g_array_unref, NULL))
    g_array_unref (arguments);
  g_clear_object (&future);
}

static gboolean
gtx_signal_future_cancel (GtxFuture *future)
{
  Listening *listening = ((GtxSignalFuture *) future)->listening;

  if (!gtx_future_finish_cancelled (future))
    return FALSE;
  g_clear_pointer (&listening->emission, gtx_emission_leave);
  return TRUE;
}

static void
gtx_signal_future_finalize (GObject *object)
{
  GtxSignalFuture *self = (GtxSignalFuture *) object;

  gtx_future_free_at_home (&self->parent_instance, self->listening, listening_free);
  G_OBJECT_CLASS (gtx_signal_future_parent_class)->finalize (object);
}

static void
gtx_signal_future_class_init (GtxSignalFutureClass *class)
{
  G_OBJECT_CLASS (class)->finalize = gtx_signal_future_finalize;
  class->cancel = gtx_signal_future_cancel;
}

static void
gtx_signal_future_init (GtxSignalFuture *self)
{
  self->listening = g_new0 (Listening, 1);
  g_weak_ref_init (&self->listening->future, self);
}

static void
listen (GtxSignalFuture *self,
        GObject         *object,
        const char      *detailed_signal)
{
  GtxFuture *future = &self->parent_instance;
  GError *error = NULL;
  guint signal_id;
  GQuark detail;

  if (!gtx_emission_find (object, detailed_signal, &signal_id, &detail, &error))
    {
      gtx_future_finish (future, NULL, NULL, error);
      return;
    }
  self->listening->emission = gtx_emission_listen (future->home, object, signal_id, detail, FALSE,
                                                   on_told, self->listening);
  if (self->listening->emission == NULL)
    gtx_future_fail_quietly (future, gtx_emission_gone_error_new ());
}

/**
 * gtx_signal_future:
 * @object: (type GObject.Object): an object; no reference of it is kept
 * @detailed_signal: the name of a signal, with its detail if there is one
 *
 * Makes a future of the next emission of a signal, to wait for several signals at once with
 * gtx_wait(), or for one with gtx_wait_for() and a time limit.
 *
 * Its result is a #GArray of #GValue, the arguments after the object itself; an emission from now
 * on is not missed.  It fails with %GTX_ERROR_OBJECT_GONE when the object is disposed, and with
 * %GTX_ERROR_INVALID_ARGUMENT if @object has no such signal.  Cancelling the future, or dropping
 * it, stops the listening.  Any thread may emit the signal, and drop the future.  Never suspends;
 * to be called in the thread that runs the thread-default main context.
 *
 * Returns: (transfer full): a new #GtxFuture
 *
 * Since: 0.1
 */
GtxFuture *
gtx_signal_future (gpointer    object,
                   const char *detailed_signal)
{
  GtxScheduler *home = gtx_scheduler_get ();
  GtxSignalFuture *self;
  GtxVisit visit;

  g_return_val_if_fail (G_IS_OBJECT (object), NULL);
  g_return_val_if_fail (detailed_signal != NULL, NULL);

  visit = gtx_scheduler_enter_home (home, G_STRFUNC);
  if (visit == GTX_ELSEWHERE)
    return NULL;
  self = g_object_new (gtx_signal_future_get_type (), NULL);
  listen (self, object, detailed_signal);
  gtx_scheduler_leave (home, visit);
  return &self->parent_instance;
}
