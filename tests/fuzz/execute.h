/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs bytes as a scenario. */

#pragma once

#include <glib.h>

/* On the thread-default main context.  Returns the trace, to be freed with
 * free().  Aborts, and says why, where the library complains of what is no
 * mistake of the scenario's, leaves something behind, or does not end. */
char *execute_scenario (const guint8 *data, gsize size);
