/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program of the language of FORMAT.md. */

#pragma once

#include <glib.h>

/* Poll() counts in milliseconds, so only long moments keep their order.  Runs that have time use
 * them. */
#define LONG_MOMENT 1000
#define SHORT_MOMENT 300

/* Runs on the thread-default main context, in real time.  A moment has the given number of
 * microseconds.  Aborts with a message if the model does not permit an outcome, if anything is left
 * behind, or if the program does not end. */
void run_border (const char *text, guint microseconds);

/* Whether each statement is written to standard error. */
extern gboolean border_is_traced;
