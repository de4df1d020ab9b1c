/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a scenario: each statement calls the library. */

#pragma once

#include "program.h"

/* The coroutine of the main task.  It runs in virtual time, after a call of trace_to(). */
gboolean run_scenario   (GPtrArray *program, GError **error);

/* Drops the objects that a run has left.  Returns how many calls of coroutines were not freed. */
guint    clear_scenario (void);
