/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program of FORMAT.md. */

#pragma once

#include <glib.h>

/* Poll() has a grain of a millisecond: only moments so long keep their order, and
 * what is in no hurry takes them. */
#define LONG_MOMENT 1000
#define SHORT_MOMENT 300

/* On the thread-default main context, in real time, of which a moment has so many
 * microseconds.  Aborts, and says why, where
 * what comes out is not what may, something is left behind, or it does not end. */
void run_border (const char *text, guint microseconds);

/* Whether each statement is written to standard error. */
extern gboolean border_is_traced;
