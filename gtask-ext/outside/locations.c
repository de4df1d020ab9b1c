/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "outside/locations.h"

#include "gtask-ext/error.h"
#include "gtask-ext/object.h"

#include <gobject/gvaluecollector.h>

void
gtx_locations_collect (GtxLocations *self,
                       va_list       arguments)
{
  gpointer location;

  while ((location = va_arg (arguments, gpointer)) != GTX_LAST_LOCATION_)
    {
      self->each = g_renew (gpointer, self->each, self->length + 1);
      self->each[self->length++] = location;
    }
}

gboolean
gtx_locations_fit (GtxLocations  *self,
                   guint          signal_id,
                   GError       **error)
{
  GSignalQuery query;

  if (self->length == 0)
    return TRUE;
  g_signal_query (signal_id, &query);
  if (self->length <= query.n_params)
    return TRUE;
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "Signal \"%s\" of %s has %u arguments, and not %u",
               query.signal_name, g_type_name (query.itype), query.n_params, self->length);
  return FALSE;
}

/* Types of GObject have one location each. */
static void
fill (gpointer      location,
      const GValue *value)
{
  GTypeCValue collected = { .v_pointer = location };

  g_free (g_type_value_table_peek (G_VALUE_TYPE (value))->lcopy_value (value, 1, &collected, 0));
}

void
gtx_locations_fill (GtxLocations *self,
                    GArray       *values)
{
  for (guint i = 0; i < self->length; i++)
    if (self->each[i])
      fill (self->each[i], &g_array_index (values, GValue, i));
}

void
gtx_locations_clear (GtxLocations *self)
{
  g_clear_pointer (&self->each, g_free);
}
