/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects: their signals, and tasks that end with them. */

#include "config.h"

#include "gtask-ext/object.h"

#include "handover.h"

#include "gtask-ext/error.h"

/* ---- Signals ---- */

/* An emission that is waited for; arguments and gone are written by whoever
 * claimed the handover, and read once the task was woken. */
typedef struct
{
  GtxHandover *handover;
  GArray *arguments;            /* of GValue; NULL until it was emitted */
  gboolean gone;                /* the object was disposed first */
  gint disposed;                /* the object was disposed: atomic */
} Emission;

static void
emission_clear (gpointer data)
{
  Emission *emission = data;

  g_clear_pointer (&emission->arguments, g_array_unref);
  gtx_handover_unref (emission->handover);
}

static void
emission_unref (gpointer  data,
                GClosure *closure)
{
  (void) closure;
  g_atomic_rc_box_release_full (data, emission_clear);
}

static GArray *
copy_arguments (const GValue *parameters,
                guint         n_parameters)
{
  GArray *arguments = g_array_sized_new (FALSE, TRUE, sizeof (GValue), n_parameters);

  g_array_set_clear_func (arguments, (GDestroyNotify) g_value_unset);
  g_array_set_size (arguments, n_parameters);
  for (guint i = 0; i < n_parameters; i++)
    {
      GValue *argument = &g_array_index (arguments, GValue, i);

      g_value_init (argument, G_VALUE_TYPE (&parameters[i]));
      g_value_copy (&parameters[i], argument);
    }
  return arguments;
}

/* The emitter is in the middle of something: the task only gets ready. */
static void
on_emitted (GClosure     *closure,
            GValue       *return_value,
            guint         n_parameters,
            const GValue *parameters,
            gpointer      hint,
            gpointer      marshal_data)
{
  Emission *emission = closure->data;

  (void) return_value;
  (void) hint;
  (void) marshal_data;
  if (!gtx_handover_claim (emission->handover))
    return;
  emission->arguments = copy_arguments (parameters + 1, n_parameters - 1);
  gtx_handover_wake (emission->handover);
}

static void
on_gone (gpointer  data,
         GObject  *object)
{
  Emission *emission = data;

  (void) object;
  g_atomic_int_set (&emission->disposed, TRUE);
  if (gtx_handover_claim (emission->handover))
    {
      emission->gone = TRUE;
      gtx_handover_wake (emission->handover);
    }
  emission_unref (emission, NULL);
}

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  (void) waiter;
  g_string_append (text, "a signal of an object");
}

static const GtxWaiterKind signal_kind = { gtx_waiter_cancel, describe, NULL };

/* The object may be gone; one that was disposed has let go of both. */
static void
stop_listening (Emission *emission,
                GWeakRef *reference,
                gulong    handler)
{
  GObject *object = g_weak_ref_get (reference);

  if (object && !g_atomic_int_get (&emission->disposed))
    {
      g_signal_handler_disconnect (object, handler);
      g_object_weak_unref (object, on_gone, emission);
      emission_unref (emission, NULL);
    }
  g_clear_object (&object);
  g_weak_ref_clear (reference);
}

static GArray *
await_emission (GtxTask  *task,
                GObject  *object,
                guint     signal_id,
                GQuark    detail,
                GError  **error)
{
  Emission *emission = g_atomic_rc_box_new0 (Emission);
  GClosure *closure = g_closure_new_simple (sizeof (GClosure), g_atomic_rc_box_acquire (emission));
  GArray *arguments = NULL;
  GWeakRef reference;
  gboolean woken;
  gulong handler;

  emission->handover = gtx_handover_new (task);
  g_closure_add_finalize_notifier (closure, emission, emission_unref);
  g_closure_set_marshal (closure, on_emitted);
  g_weak_ref_init (&reference, object);
  g_object_weak_ref (object, on_gone, g_atomic_rc_box_acquire (emission));
  handler = g_signal_connect_closure_by_id (object, signal_id, detail, closure, FALSE);

  woken = gtx_handover_wait (emission->handover, task, &signal_kind);

  stop_listening (emission, &reference, handler);
  if (!woken)
    gtx_set_cancelled_error (error);
  else if (emission->gone)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_OBJECT_GONE,
                         "The object whose signal was awaited is gone");
  else
    arguments = g_steal_pointer (&emission->arguments);
  emission_unref (emission, NULL);
  return arguments;
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
 * Handlers that were connected before run before the task does, which only
 * gets ready; a signal that wants a value is given none.  What is emitted
 * between two calls is not seen.  Sets %GTX_ERROR_OBJECT_GONE when @object is
 * disposed, %G_IO_ERROR_CANCELLED when the task is cancelled,
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * @object has no such signal.  The signal may be emitted in any thread.
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
  guint signal_id;
  GQuark detail;

  g_return_val_if_fail (G_IS_OBJECT (object), NULL);
  g_return_val_if_fail (detailed_signal != NULL, NULL);
  if (task == NULL)
    return NULL;
  if (g_signal_parse_name (detailed_signal, G_OBJECT_TYPE (object), &signal_id, &detail, TRUE))
    return await_emission (task, object, signal_id, detail, error);
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%s has no signal \"%s\"",
               G_OBJECT_TYPE_NAME (object), detailed_signal);
  return NULL;
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
 * Returns: %TRUE when it was notified, %FALSE with @error set
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

  g_return_val_if_fail (G_IS_OBJECT (object), FALSE);
  g_return_val_if_fail (property != NULL, FALSE);

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (object), property) == NULL)
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%s has no property \"%s\"",
                   G_OBJECT_TYPE_NAME (object), property);
      return FALSE;
    }
  signal = g_strconcat ("notify::", property, NULL);
  arguments = gtx_await_signal (object, signal, error);
  return arguments != NULL;
}

/* ---- Bound to an object ---- */

/* Held by the task's callback and by the object's. */
typedef struct
{
  GtxTask *task;
  GWeakRef object;
  gint is_over;                 /* the object was disposed */
} Bond;

static void
bond_clear (gpointer data)
{
  Bond *bond = data;

  g_weak_ref_clear (&bond->object);
  g_object_unref (bond->task);
}

static void
bond_unref (gpointer bond)
{
  g_atomic_rc_box_release_full (bond, bond_clear);
}

static void
on_disposed (gpointer  data,
             GObject  *object)
{
  Bond *bond = data;

  (void) object;
  g_atomic_int_set (&bond->is_over, TRUE);
  gtx_cancel (bond->task);
  bond_unref (bond);
}

static void
on_bound_done (gpointer task,
               gpointer data)
{
  Bond *bond = data;
  GObject *object = g_weak_ref_get (&bond->object);

  (void) task;
  if (object && !g_atomic_int_get (&bond->is_over))
    {
      g_object_weak_unref (object, on_disposed, bond);
      bond_unref (bond);
    }
  g_clear_object (&object);
}

/**
 * gtx_task_bind:
 * @self: a #GtxTask
 * @object: (type GObject.Object): an object
 *
 * Cancels the task when @object is disposed: what a window's tasks are bound
 * to the window for.
 *
 * No reference of @object is kept.  The coroutine should keep one of what it
 * uses, or take care after each await.  Never suspends; may be called in any
 * thread that has references of both.
 *
 * Mind that GTK 4 disposes of a closed window only when the last reference goes:
 * a task that has one of its own waits on.  Such a window calls
 * g_object_run_dispose() on itself when it is closed.
 *
 * Since: 0.1
 */
void
gtx_task_bind (GtxTask  *self,
               gpointer  object)
{
  Bond *bond;

  g_return_if_fail (GTX_IS_TASK (self));
  g_return_if_fail (G_IS_OBJECT (object));

  bond = g_atomic_rc_box_new0 (Bond);
  bond->task = g_object_ref (self);
  g_weak_ref_init (&bond->object, object);
  g_object_weak_ref (object, on_disposed, g_atomic_rc_box_acquire (bond));
  gtx_future_add_done_callback (self, on_bound_done, bond, bond_unref);
}
