/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cases that faults.c runs with --case, each in a process of its own. */

#pragma once

/* The status of a case that hit its guard, and of a case that is not possible here. */
#define CAUGHT 42
#define SKIPPED 77

/* Returns the process's status. */
int work (const char *name);
