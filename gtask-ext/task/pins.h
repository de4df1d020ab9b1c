/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pin keeps an object alive while its home works with it, as a reference does.
 * The first pin takes a reference, for other threads may drop theirs meanwhile;
 * further pins only count, and cost nothing. */

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

static inline void
gtx_pins_drop (GtxPins  *self,
               gpointer  object)
{
  g_assert (self->n > 0);
  if (--self->n == 0)
    g_object_unref (object);
}
