/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "pins.h"

gboolean
gtx_pins_keep (GtxPins      *self,
               GtxScheduler *home,
               GObject      *object)
{
  if (home && !gtx_scheduler_is_local (home))
    {
      g_object_ref (object);
      if (gtx_scheduler_post (home, g_object_unref, object))
        return TRUE;
      g_object_unref (object);
    }
  if (self->n == 0)
    return FALSE;
  if (!self->kept)
    g_object_ref (object);
  self->kept = TRUE;
  return TRUE;
}

/* What GObject's own dispose() takes off an object (handlers, weak references)
 * g_object_unref() takes off as well, so that it would be looked for twice. */
void
gtx_dispose (GObject *object)
{
  if (g_atomic_int_get (&object->ref_count) > 1)
    ((GObjectClass *) g_type_class_peek (G_TYPE_OBJECT))->dispose (object);
}
