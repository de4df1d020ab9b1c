/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether handlers are being told that a GCancellable was cancelled: they are in the
 * middle of their work, and no task goes on on top of them. */

#pragma once

#include <glib.h>

/* Begins to watch, once for the process.  To be called before gtx_told_in_this_turn (). */
void     gtx_told_watch        (void);

/* Whether the current callback of the main loop has cancelled a GCancellable, or there is no such
 * callback. */
gboolean gtx_told_in_this_turn (void);
