/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* A GTX_ERROR_GROUP that holds copies of @errors. */
GError *gtx_error_new_group (GPtrArray *errors);
