/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports the fiber whose stack has overflowed, before the process dies of it. */

#pragma once

#include <glib.h>

/* Called in a signal handler, with the fiber's data: it may call only functions that are
 * async-signal-safe. */
typedef void (*GtxOverflowFunc) (gpointer data,
                                 gsize    stack_size);

/* Installs the signal handler, once a process.  It passes every fault on to the handler that was
 * there before, an overflow as well. */
void gtx_overflow_watch        (GtxOverflowFunc func);

/* Gives the thread an alternate signal stack, since a handler cannot run on a full stack.  To be
 * called in each thread that runs fibers. */
void gtx_overflow_watch_thread (void);
