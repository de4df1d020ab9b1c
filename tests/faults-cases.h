/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What faults.c runs with --case, in a process of its own. */

#pragma once

/* The statuses of a case that met its guard, and of one that cannot be had. */
#define CAUGHT 42
#define SKIPPED 77

/* Returns the process's status. */
int work (const char *name);
