/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does work later, or in another thread. */

#pragma once

#include "books.h"

/* Returns the home of this thread, or NULL. */
Home *home_here    (void);
void  home_set     (Home *home);

/* The unit of time of a program, in microseconds. */
extern guint moment;

/* Calls @func in the thread of @home, from its main loop. */
void  do_in_loop   (Home *home, guint moments, GSourceFunc func, gpointer data);
/* Runs the home's main loop until all of this is done and nothing else is ready.  Call it in the
 * home's thread. */
void  drain_loop   (Home *home);
/* Calls @func in another thread. */
void  do_in_thread (void (*func) (gpointer data), gpointer data);

/* Waits for all of these threads. */
void  join_threads (void);
