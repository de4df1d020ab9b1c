/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a caller wants the arguments of a signal's emission. */

#pragma once

#include <gio/gio.h>

/* Of as many arguments as the caller named; NULL for those that it does not want. */
typedef struct
{
  gpointer *each;
  guint length;
} GtxLocations;

#define GTX_LOCATIONS_INIT { NULL, 0 }

/* Takes locations up to GTX_LAST_LOCATION_. */
void     gtx_locations_collect (GtxLocations  *self,
                                va_list        arguments);
/* Whether the signal has as many arguments; FALSE with GTX_ERROR_INVALID_ARGUMENT set. */
gboolean gtx_locations_fit     (GtxLocations  *self,
                                guint          signal_id,
                                GError       **error);
/* Copies @values, an array of GValue, to the locations. */
void     gtx_locations_fill    (GtxLocations  *self,
                                GArray        *values);
void     gtx_locations_clear   (GtxLocations  *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GtxLocations, gtx_locations_clear)
