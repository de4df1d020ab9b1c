/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* A GTX_ERROR_GROUP that holds copies of @errors.  Its text begins with @heading. */
GError *gtx_error_new_group (GPtrArray  *errors,
                             const char *heading);

void    gtx_set_cancelled_error  (GError **error);
/* The same, with a reason in the message; NULL: no reason. */
void    gtx_set_cancelled_error_for (GError     **error,
                                     const char  *reason);
/* Whether @error, which may be NULL, was made with a reason. */
gboolean gtx_error_tells_reason  (const GError *error);
/* Frees a G_IO_ERROR_CANCELLED, or keeps it to be set again. */
void    gtx_take_cancelled_error (GError  *error);
