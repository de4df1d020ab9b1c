/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main contexts that a fiber, or a function in a thread, has pushed as thread-default. */

#pragma once

#include <glib.h>

/* Pops those above @expected, which was the thread-default one before: the lowest
 * comes first.  They stay the thread's. */
GSList   *gtx_pushed_take_off (GMainContext *expected);
/* Pushes them again.  Takes @contexts. */
void      gtx_pushed_put_back (GSList       *contexts);
/* They will not be pushed again.  Takes @contexts. */
void      gtx_pushed_let_go   (GSList       *contexts);

/* For a thread that had pushed nothing, and has not the default main context of its own: whether
 * something is pushed; in the child of a fork () the default one is not told of. */
gboolean  gtx_pushed_is_any   (void);
/* Pops it all. */
void      gtx_pushed_pop_all  (void);

/* How the g_critical () ends that tells who left some, as in "A task ended ...". */
#define GTX_PUSHED_LEFT                                                        \
  "before it popped the main context that it has pushed as thread-default, which is popped for it: pop it before"
