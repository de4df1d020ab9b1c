/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* A GTX_ERROR_GROUP that holds copies of @errors.  Its text begins with @heading. */
GError *gtx_error_new_group (GPtrArray  *errors,
                             const char *heading);

void    gtx_set_cancelled_error  (GError **error);
/* Frees a G_IO_ERROR_CANCELLED, or keeps it to be set again. */
void    gtx_take_cancelled_error (GError  *error);
