/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a scenario: like that of asyncio's run(), without the additional steps of
 * gtx_run(). */

#pragma once

#include <glib.h>

/* Call this when main is done.  @how is the last line, and is taken. */
void  begin_to_end (char *how);

/* Returns the number of tasks that are the test's own. */
guint n_own_tasks  (void);
