/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose stack has overflowed, told before the process dies of it. */

#pragma once

#include <glib.h>

/* Called in a handler of signals, with the fiber's data: it may do what is
 * async-signal-safe, and nothing else. */
typedef void (*GtxOverflowFunc) (gpointer data,
                                 gsize    stack_size);

/* Once a process.  Any other fault goes to whoever was there before, and an
 * overflow as well. */
void gtx_overflow_watch        (GtxOverflowFunc func);

/* In each thread that runs fibers: a handler cannot run on a full stack. */
void gtx_overflow_watch_thread (void);
