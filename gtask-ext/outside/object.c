/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals of objects that tasks wait for, and tasks that end with an object. */

#include "gtask-ext/object.h"

#include "outside/emission.h"
#include "task/references.h"

#include "gtask-ext/error.h"

/* ---- The ties between an object and tasks ---- */

/* What ties an object to tasks.  The object keeps one of these from the first task on, however many
 * tasks there are.
 *
 * Invariants:
 * - An object emits, is disposed of and loses its tasks in any thread.  Only the code that takes a
 *   link out of one of the lists, under the lock, wakes, cancels or frees the owner of the link.
 * - A task that leaves does not touch the object, which may be gone, except that the last one
 *   disconnects the handler.
 * - The weak reference stays until the object is disposed of: if another thread disposes of the
 *   object meanwhile, nobody can tell whether the weak reference could be taken back. */
typedef struct
{
  GMutex mutex;
  GWeakRef object;
  GtxHandleList listeners;
  GtxHandleList bonds;
  gboolean is_watched;          /* on_disposed () will be called */
  gboolean is_disposed;         /* on_disposed () was called, and the object was to live on */
} Ties;

/* Hears a signal for all tasks that wait for it, in the order in which they came.  A listener is
 * the closure itself, which keeps the ties.  It is in their list, and connected, while a task
 * waits. */
typedef struct
{
  GClosure closure;
  GtxHandle link;
  guint signal_id;
  GQuark detail;                /* 0: hears all details */
  gulong handler;
  GtxHandleList emissions;
} Listener;

/* What a task waits for.  The task holds a reference, and so does the list that the emission is
 * in, or the code that took it out and records the arguments. */
struct _GtxEmission
{
  GtxHandle link;
  Ties *ties;
  Listener *listener;           /* NULL: the emission was taken out of its list */
  GQuark detail;
  GtxTask *task;
  GtxScheduler *home;
  GtxWaiter *waiter;            /* touched in the home thread only; NULL: the task does not wait */
  GArray *arguments;            /* of GValue */
  gboolean is_gone;
};

/* A task that is bound to the object.  Its done callback holds a reference, and so does the list,
 * or the code that took the bond out. */
typedef struct
{
  GtxHandle link;
  Ties *ties;
  GtxTask *task;
  gboolean is_taken;
} Bond;

/* Not by G_DEFINE_QUARK (), which reads and writes its variable without atomic operations. */
static GQuark
ties_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark, g_quark_from_static_string ("gtask-ext-ties"));
  return (GQuark) quark;
}

static void on_disposed (gpointer data, GObject *object);

static void
ties_clear (gpointer data)
{
  Ties *self = data;

  g_weak_ref_clear (&self->object);
  g_mutex_clear (&self->mutex);
}

static void
ties_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, ties_clear);
}

static gpointer
ties_ref (gpointer self,
          gpointer unused)
{
  return self ? g_atomic_rc_box_acquire (self) : NULL;
}

static Ties *
ties_new (void)
{
  Ties *self = g_atomic_rc_box_new0 (Ties);

  g_mutex_init (&self->mutex);
  g_weak_ref_init (&self->object, NULL);
  gtx_handle_list_init (&self->listeners);
  gtx_handle_list_init (&self->bonds);
  return self;
}

/* Returns a new reference. */
static Ties *
ties_of (GObject *object)
{
  Ties *self = g_object_dup_qdata (object, ties_quark (), ties_ref, NULL);

  while (self == NULL)
    {
      Ties *made = ties_new ();

      if (!g_object_replace_qdata (object, ties_quark (), NULL, made, ties_unref, NULL))
        ties_unref (made);
      self = g_object_dup_qdata (object, ties_quark (), ties_ref, NULL);
    }
  return self;
}

/* Locks the ties, in order to add something.  Taking the second reference of an object, or
 * dropping it, may call the program (see g_object_add_toggle_ref()), which must not happen under
 * the lock: with the reference that is taken here, no reference that is taken under the lock is
 * the second one. */
static void
ties_lock (Ties    *self,
           GObject *object)
{
  g_object_ref (object);
  g_mutex_lock (&self->mutex);
}

static void
ties_unlock (Ties    *self,
             GObject *object)
{
  g_mutex_unlock (&self->mutex);
  g_object_unref (object);
}

/* Called under the lock, as is every function here that does not say otherwise. */
static void
ties_watch (Ties    *self,
            GObject *object)
{
  GObject *known = g_weak_ref_get (&self->object);

  /* An object that was kept alive by its dispose () is lost to the GWeakRef, and on_disposed ()
   * was not called for it. */
  if (known == NULL)
    g_weak_ref_set (&self->object, object);
  g_clear_object (&known);
  if (self->is_watched)
    return;
  self->is_watched = TRUE;
  g_object_weak_ref (object, on_disposed, self);
}

/* ---- Listeners ---- */

static void on_emitted (GClosure *closure, GValue *return_value, guint n_parameters,
                        const GValue *parameters, gpointer hint, gpointer marshal_data);

static void
listener_finalize (gpointer  ties,
                   GClosure *closure)
{
  ties_unref (ties);
}

static void
listener_connect (Listener *self,
                  GObject  *object)
{
  self->handler = g_signal_connect_closure_by_id (object, self->signal_id, self->detail,
                                                  &self->closure, FALSE);
}

static Listener *
listener_new (Ties    *ties,
              GObject *object,
              guint    signal_id,
              GQuark   detail)
{
  GClosure *closure = g_closure_new_simple (sizeof (Listener), g_atomic_rc_box_acquire (ties));
  Listener *self = (Listener *) (void *) closure;

  g_closure_ref (closure);
  g_closure_sink (closure);
  g_closure_add_finalize_notifier (closure, ties, listener_finalize);
  g_closure_set_marshal (closure, on_emitted);
  self->signal_id = signal_id;
  self->detail = detail;
  gtx_handle_list_init (&self->emissions);
  gtx_handle_list_append (&ties->listeners, &self->link);
  listener_connect (self, object);
  return self;
}

/* Called without the lock.  Takes a listener that is in no list.  Unlike
 * g_signal_handler_disconnect() this finds and disconnects the handler in one step, and does not
 * complain if another thread has disposed of the object. */
static void
listener_disconnect (Listener *self,
                     GObject  *object)
{
  g_signal_handlers_disconnect_matched (object, G_SIGNAL_MATCH_ID | G_SIGNAL_MATCH_CLOSURE,
                                        self->signal_id, 0, &self->closure, NULL, NULL);
  g_closure_unref (&self->closure);
}

/* Takes the listener out of the list if no task waits for it any more: TRUE, and the caller
 * disconnects it. */
static gboolean
listener_take_idle (Listener *self)
{
  if (!gtx_handle_is_linked (&self->link) || !gtx_handle_list_is_empty (&self->emissions))
    return FALSE;
  gtx_handle_unlink (&self->link);
  return TRUE;
}

/* Returns the detail to connect to, or 0 to hear all details: with a handler for each of many
 * details, GObject would search all of them.  But a handler that hears all details must not be
 * connected if the signal returns a value, since it would take part in that. */
static GQuark
detail_to_connect (guint  signal_id,
                   GQuark detail)
{
  GSignalQuery query;

  if (detail == 0)
    return 0;
  g_signal_query (signal_id, &query);
  return query.return_type == G_TYPE_NONE ? 0 : detail;
}

/* Returns the listener that was added last, so that tasks go on in order. */
static Listener *
find_listener (Ties   *ties,
               guint   signal_id,
               GQuark  detail)
{
  for (GtxHandle *link = ties->listeners.ring.previous; link != &ties->listeners.ring; link = link->previous)
    {
      Listener *listener = GTX_CONTAINER_OF (link, Listener, link);

      if (listener->signal_id == signal_id && listener->detail == detail)
        return listener;
    }
  return NULL;
}

/* A task does not hear an emission that has begun before it waits.  GObject calls no handler that
 * was connected during an emission, and does not tell which were connected before: so while the
 * object emits a signal, a task that begins to wait gets a listener of its own. */
static Listener *
listener_for (Ties    *ties,
              GObject *object,
              guint    signal_id,
              GQuark   detail)
{
  Listener *self = NULL;

  if (g_signal_get_invocation_hint (object) == NULL)
    self = find_listener (ties, signal_id, detail);
  if (self == NULL)
    return listener_new (ties, object, signal_id, detail);
  /* The program has disconnected all handlers of the signal. */
  if (!g_signal_handler_is_connected (object, self->handler))
    listener_connect (self, object);
  return self;
}

/* ---- Emissions ---- */

static void
emission_clear (gpointer data)
{
  GtxEmission *self = data;

  if (self->arguments)
    g_array_unref (self->arguments);
  gtx_scheduler_unref (self->home);
  ties_unref (self->ties);
}

static void
emission_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, emission_clear);
}

static void
emission_take (GtxEmission   *self,
               GtxHandleList *taken)
{
  gtx_handle_unlink (&self->link);
  self->listener = NULL;
  gtx_handle_list_append (taken, &self->link);
}

static void
wake_at_home (gpointer data)
{
  GtxEmission *self = data;

  if (self->waiter)
    gtx_waiter_wake (self->waiter);
  emission_unref (self);
}

/* Called without the lock.  Takes an emission that was taken out of its list. */
static void
emission_happened (GtxEmission *self)
{
  if (gtx_scheduler_is_local (self->home))
    wake_at_home (self);
  else if (!gtx_scheduler_post (self->home, wake_at_home, self))
    emission_unref (self);
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

static void
take_emissions (Listener      *listener,
                GQuark         detail,
                GtxHandleList *taken)
{
  GtxHandle *next;

  for (GtxHandle *link = listener->emissions.ring.next; link != &listener->emissions.ring; link = next)
    {
      GtxEmission *emission = GTX_CONTAINER_OF (link, GtxEmission, link);

      next = link->next;
      if (emission->detail == 0 || emission->detail == detail)
        emission_take (emission, taken);
    }
}

/* Tasks only become ready: the emitter is in the middle of its own work. */
static void
on_emitted (GClosure     *closure,
            GValue       *return_value,
            guint         n_parameters,
            const GValue *parameters,
            gpointer      hint,
            gpointer      marshal_data)
{
  Listener *self = (Listener *) (void *) closure;
  Ties *ties = closure->data;
  GtxHandleList taken;
  GtxHandle *link;
  gboolean is_idle;

  gtx_handle_list_init (&taken);
  g_mutex_lock (&ties->mutex);
  take_emissions (self, ((GSignalInvocationHint *) hint)->detail, &taken);
  is_idle = listener_take_idle (self);
  g_mutex_unlock (&ties->mutex);

  while ((link = gtx_handle_list_pop (&taken)))
    {
      GtxEmission *emission = GTX_CONTAINER_OF (link, GtxEmission, link);

      emission->arguments = copy_arguments (parameters + 1, n_parameters - 1);
      emission_happened (emission);
    }
  if (is_idle)
    listener_disconnect (self, g_value_peek_pointer (&parameters[0]));
}

GtxEmission *
gtx_emission_listen (GtxTask *task,
                     GObject *object,
                     guint    signal_id,
                     GQuark   detail)
{
  Ties *ties = ties_of (object);
  GtxEmission *self = NULL;

  ties_lock (ties, object);
  if (!ties->is_disposed)
    {
      ties_watch (ties, object);
      self = g_atomic_rc_box_new0 (GtxEmission);
      self->ties = g_atomic_rc_box_acquire (ties);
      self->listener = listener_for (ties, object, signal_id, detail_to_connect (signal_id, detail));
      self->detail = detail;
      self->task = task;
      self->home = gtx_scheduler_ref (task->parent_instance.home);
      gtx_handle_list_append (&self->listener->emissions, &g_atomic_rc_box_acquire (self)->link);
    }
  ties_unlock (ties, object);
  ties_unref (ties);
  return self;
}

GtxEmissionOutcome
gtx_emission_wait (GtxEmission         *self,
                   const GtxWaiterKind *kind,
                   GError             **error)
{
  GtxWaiter waiter;
  gboolean woken;

  gtx_waiter_init (&waiter, self->task, kind);
  self->waiter = &waiter;
  gtx_scheduler_open (self->home);
  woken = gtx_waiter_wait (&waiter, error);
  gtx_scheduler_close (self->home);
  self->waiter = NULL;
  if (!woken)
    return GTX_EMISSION_CANCELLED;
  return self->is_gone ? GTX_EMISSION_GONE : GTX_EMISSION_EMITTED;
}

GArray *
gtx_emission_take_arguments (GtxEmission *self)
{
  return g_steal_pointer (&self->arguments);
}

/* Called without the lock: dropping the reference may free the object. */
static void
disconnect_if_there (Listener *listener,
                     Ties     *ties)
{
  GObject *object = g_weak_ref_get (&ties->object);

  if (object)
    {
      listener_disconnect (listener, object);
      g_object_unref (object);
    }
  else
    g_closure_unref (&listener->closure);
}

void
gtx_emission_leave (GtxEmission *self)
{
  Listener *listener;
  gboolean is_idle = FALSE;

  g_mutex_lock (&self->ties->mutex);
  listener = g_steal_pointer (&self->listener);
  if (listener)
    {
      gtx_handle_unlink (&self->link);
      is_idle = listener_take_idle (listener);
    }
  g_mutex_unlock (&self->ties->mutex);

  if (is_idle)
    disconnect_if_there (listener, self->ties);
  if (listener)
    emission_unref (self);
  emission_unref (self);
}

/* ---- Awaiting a signal ---- */

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

gboolean
gtx_emission_propagate (GtxEmissionOutcome   outcome,
                        GError             **error)
{
  if (outcome == GTX_EMISSION_GONE)
    g_set_error_literal (error, GTX_ERROR, GTX_ERROR_OBJECT_GONE,
                         "The object whose signal was awaited is gone");
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
 * first waited for it or was bound to it, %G_IO_ERROR_CANCELLED when the task is
 * cancelled, %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
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
  return gtx_emission_propagate (outcome, error) ? arguments : NULL;
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

/* ---- Tasks that are bound to an object ---- */

static void
bond_clear (gpointer data)
{
  Bond *self = data;

  g_object_unref (self->task);
  ties_unref (self->ties);
}

static void
bond_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, bond_clear);
}

static void
on_bound_done (gpointer task,
               gpointer data)
{
  Bond *self = data;
  gboolean is_mine;

  g_mutex_lock (&self->ties->mutex);
  is_mine = !self->is_taken;
  self->is_taken = TRUE;
  if (is_mine)
    gtx_handle_unlink (&self->link);
  g_mutex_unlock (&self->ties->mutex);
  if (is_mine)
    bond_unref (self);
}

/* NULL: the object is disposed of already. */
static Bond *
bond_new (GtxTask *task,
          GObject *object)
{
  Ties *ties = ties_of (object);
  Bond *self = g_atomic_rc_box_new0 (Bond);
  gboolean is_disposed;

  self->ties = ties;
  self->task = g_object_ref (task);
  ties_lock (ties, object);
  is_disposed = ties->is_disposed;
  if (!is_disposed)
    {
      ties_watch (ties, object);
      gtx_handle_list_append (&ties->bonds, &g_atomic_rc_box_acquire (self)->link);
    }
  ties_unlock (ties, object);
  if (is_disposed)
    g_clear_pointer (&self, bond_unref);
  return self;
}

/**
 * gtx_task_bind:
 * @self: a #GtxTask
 * @object: (type GObject.Object): an object
 *
 * Cancels the task when @object is disposed; for example, the tasks of a window are bound
 * to the window.  A task whose coroutine has returned is not cancelled any more.
 *
 * No reference to @object is kept.  The coroutine should keep a reference to what it
 * uses, or check after each await.  If a task waited for @object or was bound to it
 * before, and @object has been disposed since, @self is cancelled at once.  Never
 * suspends; may be called in any thread that holds references to both, and any thread may
 * dispose of @object.
 *
 * Note that GTK 4 disposes of a closed window only when the last reference goes: a task
 * that holds one itself waits on.  Such a window calls g_object_run_dispose() on itself
 * when it is closed.
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

  if (gtx_future_done (&self->parent_instance))
    return;
  bond = bond_new (self, object);
  if (bond)
    gtx_future_add_done_callback (self, on_bound_done, bond, bond_unref);
  else
    gtx_cancel (self);
}

/* ---- The end of an object ---- */

/* Takes everything out of the lists; returns the listeners. */
static GSList *
take_all (Ties          *self,
          GtxHandleList *emissions,
          GtxHandleList *bonds)
{
  GSList *listeners = NULL;
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (&self->listeners)))
    {
      Listener *listener = GTX_CONTAINER_OF (link, Listener, link);

      while (!gtx_handle_list_is_empty (&listener->emissions))
        emission_take (GTX_CONTAINER_OF (listener->emissions.ring.next, GtxEmission, link), emissions);
      listeners = g_slist_prepend (listeners, listener);
    }
  for (link = self->bonds.ring.next; link != &self->bonds.ring; link = link->next)
    GTX_CONTAINER_OF (link, Bond, link)->is_taken = TRUE;
  gtx_handle_list_splice (bonds, &self->bonds);
  return listeners;
}

/* A task whose coroutine has returned is not cancelled: the object may go with what the task
 * drops at its end, and the outcome stays. */
static gboolean
has_returned (GtxTask *task)
{
  return gtx_scheduler_is_local (task->parent_instance.home) && task->has_returned;
}

static void
cancel_bound (GtxHandleList *bonds)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (bonds)))
    {
      Bond *bond = GTX_CONTAINER_OF (link, Bond, link);

      if (!has_returned (bond->task))
        gtx_cancel (bond->task);
      if (bond->task == gtx_task_current ())
        bond->task->is_its_own = bond->task->n_standing == 1;
      bond_unref (bond);
    }
}

static void
tell_gone (GtxHandleList *emissions)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (emissions)))
    {
      GtxEmission *emission = GTX_CONTAINER_OF (link, GtxEmission, link);

      emission->is_gone = TRUE;
      emission_happened (emission);
    }
}

static void
on_disposed (gpointer  data,
             GObject  *object)
{
  Ties *self = data;
  GtxHandleList emissions;
  GtxHandleList bonds;
  GSList *listeners;

  gtx_handle_list_init (&emissions);
  gtx_handle_list_init (&bonds);
  g_mutex_lock (&self->mutex);
  self->is_watched = FALSE;
  /* An object that is kept alive while its last reference goes counts as new. */
  self->is_disposed = gtx_n_references (object) > 1;
  listeners = take_all (self, &emissions, &bonds);
  g_mutex_unlock (&self->mutex);

  cancel_bound (&bonds);
  tell_gone (&emissions);
  for (GSList *l = listeners; l; l = l->next)
    listener_disconnect (l->data, object);
  g_slist_free (listeners);
}
