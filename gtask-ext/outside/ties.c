/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/ties.h"

#include "task/references.h"

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
  GtxTies *self = data;

  g_weak_ref_clear (&self->object);
  g_mutex_clear (&self->mutex);
}

void
gtx_ties_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, ties_clear);
}

static gpointer
ties_ref (gpointer self,
          gpointer unused)
{
  return self ? g_atomic_rc_box_acquire (self) : NULL;
}

static GtxTies *
ties_new (void)
{
  GtxTies *self = g_atomic_rc_box_new0 (GtxTies);

  g_mutex_init (&self->mutex);
  g_weak_ref_init (&self->object, NULL);
  gtx_handle_list_init (&self->listeners);
  gtx_handle_list_init (&self->bonds);
  return self;
}

GtxTies *
gtx_ties_of (GObject *object)
{
  GtxTies *self = g_object_dup_qdata (object, ties_quark (), ties_ref, NULL);

  while (self == NULL)
    {
      GtxTies *made = ties_new ();

      if (!g_object_replace_qdata (object, ties_quark (), NULL, made, gtx_ties_unref, NULL))
        gtx_ties_unref (made);
      self = g_object_dup_qdata (object, ties_quark (), ties_ref, NULL);
    }
  return self;
}

void
gtx_ties_lock (GtxTies    *self,
           GObject *object)
{
  g_object_ref (object);
  g_mutex_lock (&self->mutex);
}

void
gtx_ties_unlock (GtxTies    *self,
             GObject *object)
{
  g_mutex_unlock (&self->mutex);
  g_object_unref (object);
}

void
gtx_ties_watch (GtxTies    *self,
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

void
gtx_ties_watch_end (GtxTies *self,
                    GObject *object)
{
  gtx_ties_lock (self, object);
  if (!self->is_disposed)
    gtx_ties_watch (self, object);
  gtx_ties_unlock (self, object);
}

GObject *
gtx_ties_get_object (GtxTies *self)
{
  GObject *object = g_weak_ref_get (&self->object);
  gboolean is_disposed;

  g_mutex_lock (&self->mutex);
  is_disposed = self->is_disposed;
  g_mutex_unlock (&self->mutex);
  if (is_disposed)
    g_clear_object (&object);
  return object;
}

/* ---- The object that a task belongs to ---- */

static GtxTaskLocal owner = GTX_TASK_LOCAL_INIT (gtx_ties_unref);

void
gtx_ties_own (GtxTies *self,
              GtxTask *task)
{
  gtx_task_locals_bind (task, &owner, g_atomic_rc_box_acquire (self));
}

gboolean
gtx_ties_are_of_current_owner (GtxTies *self)
{
  return gtx_task_local_get (&owner) == self;
}

gboolean
gtx_ties_current_owner_is_gone (void)
{
  GtxTies *ties = gtx_task_local_get (&owner);
  g_autoptr (GObject) object = ties ? gtx_ties_get_object (ties) : NULL;

  return ties && object == NULL;
}

/* ---- Bonds ---- */

gboolean
gtx_bond_tie (GtxBond *self,
              GObject *object)
{
  GtxTies *ties = self->ties;
  gboolean is_tied;

  gtx_ties_lock (ties, object);
  is_tied = !ties->is_disposed && !self->is_taken;
  if (is_tied)
    {
      gtx_ties_watch (ties, object);
      gtx_handle_list_append (&ties->bonds, &self->link);
    }
  gtx_ties_unlock (ties, object);
  return is_tied;
}

gboolean
gtx_bond_untie (GtxBond *self)
{
  gboolean is_tied;

  g_mutex_lock (&self->ties->mutex);
  is_tied = !self->is_taken && gtx_handle_is_linked (&self->link);
  self->is_taken = TRUE;
  if (is_tied)
    gtx_handle_unlink (&self->link);
  g_mutex_unlock (&self->ties->mutex);
  return is_tied;
}

gboolean
gtx_bond_is_whole (GtxBond *self)
{
  gboolean is_whole;

  g_mutex_lock (&self->ties->mutex);
  is_whole = !self->is_taken;
  g_mutex_unlock (&self->ties->mutex);
  return is_whole;
}

static void
cut_bonds (GtxHandleList *bonds)
{
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (bonds)))
    {
      GtxBond *bond = GTX_CONTAINER_OF (link, GtxBond, link);

      bond->cut (bond);
    }
}

/* ---- The end of an object ---- */

/* Takes everything out of the lists; returns the listeners. */
static GSList *
take_all (GtxTies       *self,
          GPtrArray     *emissions,
          GtxHandleList *bonds)
{
  GSList *listeners = NULL;
  GtxHandle *link;

  while ((link = gtx_handle_list_pop (&self->listeners)))
    {
      GtxListener *listener = GTX_CONTAINER_OF (link, GtxListener, link);

      while (!gtx_handle_list_is_empty (&listener->emissions))
        gtx_emission_lose_object (GTX_CONTAINER_OF (listener->emissions.ring.next, GtxEmission, link), emissions);
      listeners = g_slist_prepend (listeners, listener);
    }
  for (link = self->bonds.ring.next; link != &self->bonds.ring; link = link->next)
    GTX_CONTAINER_OF (link, GtxBond, link)->is_taken = TRUE;
  gtx_handle_list_splice (bonds, &self->bonds);
  return listeners;
}

static void
on_disposed (gpointer  data,
             GObject  *object)
{
  GtxTies *self = data;
  g_autoptr (GPtrArray) emissions = g_ptr_array_new ();
  GtxHandleList bonds;
  GSList *listeners;

  gtx_handle_list_init (&bonds);
  g_mutex_lock (&self->mutex);
  self->is_watched = FALSE;
  /* An object that is kept alive while its last reference goes counts as new. */
  self->is_disposed = gtx_n_references (object) > 1;
  listeners = take_all (self, emissions, &bonds);
  g_mutex_unlock (&self->mutex);

  cut_bonds (&bonds);
  gtx_emissions_tell (emissions);
  for (GSList *l = listeners; l; l = l->next)
    gtx_listener_disconnect (l->data, object);
  g_slist_free (listeners);
}
