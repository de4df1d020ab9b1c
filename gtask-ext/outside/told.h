/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is being told that a GCancellable was cancelled is in the middle of that: nobody
 * else runs on top of it. */

#pragma once

#include <glib.h>

/* Once for the process, before anybody asks. */
void     gtx_told_watch        (void);

/* Whether this callback of the main loop, which may have called what asks, has cancelled
 * a GCancellable; or there is no such callback. */
gboolean gtx_told_in_this_turn (void);
