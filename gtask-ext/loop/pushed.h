/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main contexts that a fiber, or a function in a thread, has pushed as thread-default. */

#pragma once

#include <glib.h>

/* Pops the main contexts above @expected, which was the thread-default one before.  Returns them,
 * the lowest first; the thread keeps them acquired. */
GSList   *gtx_pushed_take_off (GMainContext *expected);
/* Pushes @contexts again, and takes the list. */
void      gtx_pushed_put_back (GSList       *contexts);
/* Releases @contexts, which are not pushed again, and takes the list. */
void      gtx_pushed_let_go   (GSList       *contexts);

/* For a thread that had no main context pushed, and does not have the default one acquired: whether
 * a main context is pushed.  In the child of a fork () the default one does not count. */
gboolean  gtx_pushed_is_any   (void);
/* Pops all main contexts of such a thread. */
void      gtx_pushed_pop_all  (void);

/* How the g_critical () ends for a task or a function that left main contexts pushed, as in "A task
 * ended ...". */
#define GTX_PUSHED_LEFT                                                        \
  "before it popped the main context that it had pushed as thread-default; gtask-ext pops it now, " \
  "but the code must pop it before"
