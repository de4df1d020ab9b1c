/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a scenario ends: as asyncio's run() does, and without what gtx_run() does
 * beyond it. */

#pragma once

#include <glib.h>

/* Main is done: @how is the last line, and is taken over. */
void  begin_to_end (char *how);

/* How many tasks are ours and not the scenario's. */
guint n_own_tasks  (void);
