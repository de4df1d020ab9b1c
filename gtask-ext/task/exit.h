/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* Warns, when the process exits, of tasks that have not ended.  Any call after the first does
 * nothing. */
void gtx_exit_watch (void);
