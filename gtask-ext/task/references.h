/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many references an object has.  GObject has no function that tells it, and its field is
 * private: this is the only place that reads the field. */

#pragma once

#include <glib-object.h>

static inline int
gtx_n_references (gconstpointer object)
{
  return g_atomic_int_get ((gint *) (gpointer) &((const GObject *) object)->ref_count);
}

/* Ends the program where a newer GObject uses the field for something else. */
static inline void
gtx_check_references (void)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  int before = gtx_n_references (object);

  g_object_ref (object);
  if (before != 1 || gtx_n_references (object) != 2)
    g_error ("gtask-ext does not know how this version of GObject counts references");
  g_object_unref (object);
  g_object_unref (object);
}
