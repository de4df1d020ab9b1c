/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pin keeps an object while its home works with it, as a reference does.  The
 * first is one, for other threads may let go of theirs meanwhile; the others
 * cost nothing, where g_object_ref() takes locks. */

#pragma once

#include <glib-object.h>

/* Invariant: touched in the home thread only. */
typedef struct
{
  guint n;
} GtxPins;

static inline void
gtx_pins_add (GtxPins  *self,
              gpointer  object)
{
  if (self->n++ == 0)
    g_object_ref (object);
}

/* The first pin of an object that nobody else has seen yet, so that there is neither
 * anybody to tell that there are two references now, which g_object_ref () takes a
 * lock to find out, nor another thread that counts them. */
static inline void
gtx_pins_begin (GtxPins  *self,
                gpointer  object)
{
  g_assert (self->n == 0);
  self->n = 1;
  ((GObject *) object)->ref_count++;
}

static inline void
gtx_pins_drop (GtxPins  *self,
               gpointer  object)
{
  g_assert (self->n > 0);
  if (--self->n == 0)
    g_object_unref (object);
}
