/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a scenario ends: as with asyncio's run(), without the additional steps of
 * gtx_run(). */

#pragma once

#include <glib.h>

/* Main is done: @how is the last line, and is taken over. */
void  begin_to_end (char *how);

/* How many tasks are ours and not the scenario's. */
guint n_own_tasks  (void);
