/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a scenario: each statement on this library. */

#pragma once

#include "program.h"

/* A coroutine: the main task's.  To be run in virtual time; trace_to() is
 * called before. */
gboolean run_scenario   (GPtrArray *program, GError **error);

/* Drops the objects that a run has left.  Returns how many calls of coroutines were never
 * freed. */
guint    clear_scenario (void);
