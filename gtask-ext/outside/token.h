/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a callback is given for its data: it is good once.  A library that calls back
 * twice, or when nobody waits any more, finds nobody. */

#pragma once

#include <glib.h>

typedef struct _GtxToken GtxToken;

/* @owner: what a callback is for; it may be told later, but before the callback. */
GtxToken *gtx_token_new   (gpointer     owner);
void      gtx_token_set_owner (GtxToken *self,
                           gpointer     owner);

/* Callbacks to come find nobody. */
void      gtx_token_free  (GtxToken    *self);

/* The data of the next callback, for what is started at @line of @file, which may be NULL, as
 * for gtx_caller_describe (). */
gpointer  gtx_token_arm   (GtxToken    *self,
                           const char  *file,
                           int          line);

/* Of any thread: the owner, for the first callback with @data; for any other NULL and a
 * g_critical. */
gpointer  gtx_token_claim (gpointer     data);
