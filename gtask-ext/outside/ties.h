/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ties an object to the tasks that wait for its signals, or end with it, and to callbacks. */

#pragma once

#include "outside/emission.h"

typedef struct _GtxTies GtxTies;
typedef struct _GtxListener GtxListener;
typedef struct _GtxBond GtxBond;

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
struct _GtxTies
{
  GMutex mutex;
  GWeakRef object;
  GtxHandleList listeners;
  GtxHandleList bonds;
  gboolean is_watched;          /* on_disposed () will be called */
  gboolean is_disposed;         /* on_disposed () was called, and the object was to live on */
};

/* Hears a signal for all tasks that wait for it, in the order in which they came.  A listener is
 * the closure itself, which keeps the ties.  It is in their list, and connected, while a task
 * waits. */
struct _GtxListener
{
  GClosure closure;
  GtxHandle link;
  guint signal_id;
  GQuark detail;                /* 0: hears all details */
  gulong handler;
  GtxHandleList emissions;
};

/* An emission that is listened for, or each one in turn.  What listens holds a reference, and so do
 * the list that the emission is in, or the code that took it out, and each message to the home.
 *
 * Invariants:
 * - The arguments and is_gone are touched under the lock.
 * - told and owner are touched in the home thread only, and NULL when nothing listens any more. */
struct _GtxEmission
{
  GtxHandle link;
  GtxTies *ties;
  GtxListener *listener;        /* NULL: the emission was taken out of its list */
  GQuark detail;
  gboolean stays;               /* in the list, for the next emission */
  GtxScheduler *home;
  GtxEmissionTold told;
  gpointer owner;
  GQueue arguments;             /* of GArrays of GValue: what was emitted and not taken */
  gboolean is_gone;
};

/* What ends with the object: the first field of its owner, which is kept by the list or by the code
 * that took the bond out. */
struct _GtxBond
{
  GtxHandle link;
  GtxTies *ties;
  gboolean is_taken;            /* it has ended, or the object has */
  void (*cut) (GtxBond *self);  /* called without the lock when the object has ended; drops the reference */
};

/* Returns a new reference. */
GtxTies *gtx_ties_of     (GObject  *object);
void     gtx_ties_unref  (gpointer  self);

/* Locks the ties, in order to add something.  Taking the second reference of an object, or
 * dropping it, may call the program (see g_object_add_toggle_ref()), which must not happen under
 * the lock: with the reference that is taken here, no reference that is taken under the lock is
 * the second one. */
void     gtx_ties_lock   (GtxTies  *self,
                          GObject  *object);
void     gtx_ties_unlock (GtxTies  *self,
                          GObject  *object);
/* Called under the lock: the end of the object will be noticed. */
void     gtx_ties_watch  (GtxTies  *self,
                          GObject  *object);

/* Makes the end of the object noticed even if it has no tasks yet. */
void     gtx_ties_watch_end (GtxTies *self,
                             GObject *object);
/* Returns a new reference to the object, whose end is watched; NULL if the object is disposed. */
GObject *gtx_ties_get_object (GtxTies *self);

/* ---- The object that a task belongs to ---- */

/* Says that @task, which was started and has not begun, belongs to the object, and with it all
 * tasks that it will start. */
void     gtx_ties_own     (GtxTies  *self,
                           GtxTask  *task);
/* Whether the current task belongs to the object. */
gboolean gtx_ties_are_of_current_owner (GtxTies *self);
/* Whether the current task belongs to an object that is disposed, or gone. */
gboolean gtx_ties_current_owner_is_gone (void);

/* ---- emission.c: for the end of the object ---- */

/* Called under the lock: takes @self out of its list, and adds it to @taken. */
void     gtx_emission_lose_object (GtxEmission  *self,
                                  GPtrArray     *taken);
/* Called without the lock: tells the emissions, whose references it takes. */
void     gtx_emissions_tell      (GPtrArray     *taken);
void     gtx_listener_disconnect (GtxListener   *self,
                                  GObject       *object);

/* ---- bound.c ---- */

/* Called in the home when the object is gone and the task is not done.  TRUE: the task is not to be
 * cancelled. */
typedef gboolean (*GtxSpares) (gpointer data);

/* Does as gtx_task_bind (), for a task that is not done, unless @spares (NULL: never) returns TRUE.
 * @data: for @spares; valid until the task's done callbacks are freed. */
void     gtx_ties_bind           (GtxTask       *task,
                                  GObject       *object,
                                  GtxSpares      spares,
                                  gpointer       data);

/* ---- Bonds ---- */

/* Ties @self, whose ties and cut are set, to @object.  FALSE if the object is disposed, or the bond was
 * taken; TRUE: the list has a reference of the caller's. */
gboolean gtx_bond_tie            (GtxBond       *self,
                                  GObject       *object);
/* Takes the bond when its owner ends.  TRUE: it was tied, and the caller drops the list's reference. */
gboolean gtx_bond_untie          (GtxBond       *self);
/* Whether neither its owner nor the object has ended. */
gboolean gtx_bond_is_whole       (GtxBond       *self);
