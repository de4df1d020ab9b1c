/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the scenario that bytes make. */

#pragma once

#include <glib.h>

/* Runs on the thread-default main context.  Returns the trace, to be freed with free().  Aborts
 * with a message if the library reports anything but a mistake of the scenario's, if anything is
 * left behind, or if the scenario does not end. */
char *execute_scenario (const guint8 *data, gsize size);
