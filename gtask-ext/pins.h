/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pin keeps an object while its home works with it, as a reference does, and
 * costs next to nothing: g_object_ref() takes a lock where an object has only
 * one reference. */

#pragma once

#include "runtime/scheduler.h"

#include <glib-object.h>

/* Invariants: touched in the home thread only; where nobody else has a
 * reference, one is kept for all pins. */
typedef struct
{
  guint n;
  gboolean kept;
} GtxPins;

static inline void
gtx_pins_add (GtxPins *self)
{
  self->n++;
}

static inline void
gtx_pins_drop (GtxPins  *self,
               gpointer  object)
{
  g_assert (self->n > 0);
  if (--self->n > 0 || !self->kept)
    return;
  self->kept = FALSE;
  g_object_unref (object);
}

/* For GObjectClass.dispose(), first of all: whether @object lives on, be it
 * only until @home drops it.  @home: NULL where nothing was ever pinned. */
gboolean gtx_pins_keep (GtxPins      *self,
                        GtxScheduler *home,
                        GObject      *object);

/* GObjectClass.dispose() where nothing is left to let go of. */
void     gtx_dispose   (GObject      *object);
