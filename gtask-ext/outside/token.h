/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a callback is given for its data: it is good for one call.  A library that calls
 * back twice, or after the wait has ended, finds no owner. */

#pragma once

#include <glib.h>

typedef struct _GtxToken GtxToken;

/* @owner: what the callback is for; it may be set later, but before the callback. */
GtxToken *gtx_token_new   (gpointer     owner);
void      gtx_token_set_owner (GtxToken *self,
                           gpointer     owner);

/* Frees the token: callbacks that are still to come find no owner. */
void      gtx_token_free  (GtxToken    *self);

/* Returns the data for the next callback, of an operation that is started at @line of @file, as
 * for gtx_caller_describe (); @file may be NULL. */
gpointer  gtx_token_arm   (GtxToken    *self,
                           const char  *file,
                           int          line);

/* Returns the owner for the first callback with @data; NULL, and a g_critical (), for any other.
 * May be called in any thread. */
gpointer  gtx_token_claim (gpointer     data);
