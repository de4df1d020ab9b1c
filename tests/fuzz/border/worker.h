/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does work later, or in another thread. */

#pragma once

#include "books.h"

/* The home whose thread this is; NULL: none. */
Home *home_here    (void);
void  home_set     (Home *home);

/* A stretch of time of a program, in microseconds. */
extern guint moment;

/* In the thread of @home, from its main loop. */
void  do_in_loop   (Home *home, guint moments, GSourceFunc func, gpointer data);
/* Until that is done, and nothing else is ready; of the home's thread. */
void  drain_loop   (Home *home);
/* In another thread. */
void  do_in_thread (void (*func) (gpointer data), gpointer data);

/* Waits for all of these threads. */
void  join_threads (void);
