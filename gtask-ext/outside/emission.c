/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/ties.h"

#include "gtask-ext/error.h"

/* ---- Listeners ---- */

static void on_emitted (GClosure *closure, GValue *return_value, guint n_parameters,
                        const GValue *parameters, gpointer hint, gpointer marshal_data);

static void
listener_finalize (gpointer  ties,
                   GClosure *closure)
{
  gtx_ties_unref (ties);
}

static void
listener_connect (GtxListener *self,
                  GObject  *object)
{
  self->handler = g_signal_connect_closure_by_id (object, self->signal_id, self->detail,
                                                  &self->closure, FALSE);
}

static GtxListener *
listener_new (GtxTies    *ties,
              GObject *object,
              guint    signal_id,
              GQuark   detail)
{
  GClosure *closure = g_closure_new_simple (sizeof (GtxListener), g_atomic_rc_box_acquire (ties));
  GtxListener *self = (GtxListener *) (void *) closure;

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
void
gtx_listener_disconnect (GtxListener *self,
                     GObject  *object)
{
  g_signal_handlers_disconnect_matched (object, G_SIGNAL_MATCH_ID | G_SIGNAL_MATCH_CLOSURE,
                                        self->signal_id, 0, &self->closure, NULL, NULL);
  g_closure_unref (&self->closure);
}

/* Takes the listener out of the list if no task waits for it any more: TRUE, and the caller
 * disconnects it. */
static gboolean
listener_take_idle (GtxListener *self)
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
static GtxListener *
find_listener (GtxTies   *ties,
               guint   signal_id,
               GQuark  detail)
{
  for (GtxHandle *link = ties->listeners.ring.previous; link != &ties->listeners.ring; link = link->previous)
    {
      GtxListener *listener = GTX_CONTAINER_OF (link, GtxListener, link);

      if (listener->signal_id == signal_id && listener->detail == detail)
        return listener;
    }
  return NULL;
}

/* A task does not hear an emission that has begun before it waits.  GObject calls no handler that
 * was connected during an emission, and does not tell which were connected before: so while the
 * object emits a signal, a task that begins to wait gets a listener of its own. */
static GtxListener *
listener_for (GtxTies    *ties,
              GObject *object,
              guint    signal_id,
              GQuark   detail)
{
  GtxListener *self = NULL;

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
  gtx_ties_unref (self->ties);
}

static void
emission_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, emission_clear);
}

void
gtx_emission_take (GtxEmission   *self,
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
void
gtx_emission_happened (GtxEmission *self)
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
take_emissions (GtxListener      *listener,
                GQuark         detail,
                GtxHandleList *taken)
{
  GtxHandle *next;

  for (GtxHandle *link = listener->emissions.ring.next; link != &listener->emissions.ring; link = next)
    {
      GtxEmission *emission = GTX_CONTAINER_OF (link, GtxEmission, link);

      next = link->next;
      if (emission->detail == 0 || emission->detail == detail)
        gtx_emission_take (emission, taken);
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
  GtxListener *self = (GtxListener *) (void *) closure;
  GtxTies *ties = closure->data;
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
      gtx_emission_happened (emission);
    }
  if (is_idle)
    gtx_listener_disconnect (self, g_value_peek_pointer (&parameters[0]));
}

GtxEmission *
gtx_emission_listen (GtxTask *task,
                     GObject *object,
                     guint    signal_id,
                     GQuark   detail)
{
  GtxTies *ties = gtx_ties_of (object);
  GtxEmission *self = NULL;

  gtx_ties_lock (ties, object);
  if (!ties->is_disposed)
    {
      gtx_ties_watch (ties, object);
      self = g_atomic_rc_box_new0 (GtxEmission);
      self->ties = g_atomic_rc_box_acquire (ties);
      self->listener = listener_for (ties, object, signal_id, detail_to_connect (signal_id, detail));
      self->detail = detail;
      self->task = task;
      self->home = gtx_scheduler_ref (task->parent_instance.home);
      gtx_handle_list_append (&self->listener->emissions, &g_atomic_rc_box_acquire (self)->link);
    }
  gtx_ties_unlock (ties, object);
  gtx_ties_unref (ties);
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
disconnect_if_there (GtxListener *listener,
                     GtxTies     *ties)
{
  GObject *object = g_weak_ref_get (&ties->object);

  if (object)
    {
      gtx_listener_disconnect (listener, object);
      g_object_unref (object);
    }
  else
    g_closure_unref (&listener->closure);
}

void
gtx_emission_leave (GtxEmission *self)
{
  GtxListener *listener;
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
