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

  g_queue_clear_full (&self->arguments, (GDestroyNotify) g_array_unref);
  gtx_scheduler_unref (self->home);
  gtx_ties_unref (self->ties);
}

static void
emission_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, emission_clear);
}

/* Takes it out of its list, which gives its reference to @taken.  One that stays, and happened, is
 * in the list all the same, and @taken has another reference. */
static void
emission_take (GtxEmission *self,
               gboolean     stays,
               GPtrArray   *taken)
{
  if (stays)
    g_atomic_rc_box_acquire (self);
  else
    {
      gtx_handle_unlink (&self->link);
      self->listener = NULL;
    }
  g_ptr_array_add (taken, self);
}

void
gtx_emission_lose_object (GtxEmission *self,
                          GPtrArray   *taken)
{
  self->is_gone = TRUE;
  emission_take (self, FALSE, taken);
}

static void
tell_at_home (gpointer data)
{
  GtxEmission *self = data;

  if (self->told)
    self->told (self->owner);
  emission_unref (self);
}

/* Called without the lock. */
void
gtx_emissions_tell (GPtrArray *taken)
{
  for (guint i = 0; i < taken->len; i++)
    {
      GtxEmission *self = taken->pdata[i];

      if (gtx_scheduler_is_local (self->home))
        tell_at_home (self);
      else if (!gtx_scheduler_post (self->home, tell_at_home, self))
        emission_unref (self);
    }
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

/* Called under the lock. */
static void
take_emissions (GtxListener  *listener,
                GQuark        detail,
                guint         n_parameters,
                const GValue *parameters,
                GPtrArray    *taken)
{
  GtxHandle *next;

  for (GtxHandle *link = listener->emissions.ring.next; link != &listener->emissions.ring; link = next)
    {
      GtxEmission *emission = GTX_CONTAINER_OF (link, GtxEmission, link);

      next = link->next;
      if (emission->detail != 0 && emission->detail != detail)
        continue;
      g_queue_push_tail (&emission->arguments, copy_arguments (parameters, n_parameters));
      emission_take (emission, emission->stays, taken);
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
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  gboolean is_idle;

  g_mutex_lock (&ties->mutex);
  take_emissions (self, ((GSignalInvocationHint *) hint)->detail, n_parameters - 1, parameters + 1, taken);
  is_idle = listener_take_idle (self);
  g_mutex_unlock (&ties->mutex);

  gtx_emissions_tell (taken);
  if (is_idle)
    gtx_listener_disconnect (self, g_value_peek_pointer (&parameters[0]));
}

gboolean
gtx_emission_find (GObject     *object,
                   const char  *detailed_signal,
                   guint       *signal_id,
                   GQuark      *detail,
                   GError     **error)
{
  if (g_signal_parse_name (detailed_signal, G_OBJECT_TYPE (object), signal_id, detail, TRUE))
    return TRUE;
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%s has no signal \"%s\"",
               G_OBJECT_TYPE_NAME (object), detailed_signal);
  return FALSE;
}

GtxEmission *
gtx_emission_listen (GtxScheduler    *home,
                     GObject         *object,
                     guint            signal_id,
                     GQuark           detail,
                     gboolean         stays,
                     GtxEmissionTold  told,
                     gpointer         owner)
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
      self->stays = stays;
      self->home = gtx_scheduler_ref (home);
      self->told = told;
      self->owner = owner;
      g_queue_init (&self->arguments);
      gtx_handle_list_append (&self->listener->emissions, &g_atomic_rc_box_acquire (self)->link);
    }
  gtx_ties_unlock (ties, object);
  gtx_ties_unref (ties);
  return self;
}

GArray *
gtx_emission_take_arguments (GtxEmission *self)
{
  GArray *arguments;

  g_mutex_lock (&self->ties->mutex);
  arguments = g_queue_pop_head (&self->arguments);
  g_mutex_unlock (&self->ties->mutex);
  return arguments;
}

gboolean
gtx_emission_is_gone (GtxEmission *self)
{
  gboolean is_gone;

  g_mutex_lock (&self->ties->mutex);
  is_gone = self->is_gone;
  g_mutex_unlock (&self->ties->mutex);
  return is_gone;
}

/* ---- A task that waits ---- */

void
gtx_emission_wake (gpointer data)
{
  GtxEmissionWait *wait = data;

  if (wait->waiter)
    gtx_waiter_wake (wait->waiter);
}

static gboolean
suspend (GtxEmission          *self,
         GtxEmissionWait      *wait,
         const GtxWaiterKind  *kind,
         GError              **error)
{
  GtxWaiter waiter;
  gboolean woken;

  gtx_waiter_init (&waiter, wait->task, kind);
  wait->waiter = &waiter;
  gtx_scheduler_open (self->home);
  woken = gtx_waiter_wait (&waiter, error);
  gtx_scheduler_close (self->home);
  wait->waiter = NULL;
  return woken;
}

/* The object may go right after an emission. */
GtxEmissionOutcome
gtx_emission_wait (GtxEmission          *self,
                   GtxEmissionWait      *wait,
                   const GtxWaiterKind  *kind,
                   GArray              **arguments,
                   GError              **error)
{
  while ((*arguments = gtx_emission_take_arguments (self)) == NULL)
    {
      if (gtx_emission_is_gone (self))
        return GTX_EMISSION_GONE;
      if (!suspend (self, wait, kind, error))
        return GTX_EMISSION_CANCELLED;
    }
  return GTX_EMISSION_EMITTED;
}

/* ---- The end ---- */

GError *
gtx_emission_gone_error_new (void)
{
  return g_error_new_literal (GTX_ERROR, GTX_ERROR_OBJECT_GONE, "The object whose signal was awaited is gone");
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

  self->told = NULL;
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
