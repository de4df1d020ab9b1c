/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes that the tests run, and the output of a failed test. */

#pragma once

#include <glib.h>

typedef void (*RunBytes) (const guint8 *data, gsize size);

/* Runs each line of base64 in a file of this folder. */
void each_kept   (const char *file, RunBytes run);
/* Runs random bytes, which are the same each time. */
void each_random (guint n, RunBytes run);

/* If a program breaks the library, @show prints the program. */
void show_when_broken (void (*show) (void));

/* This function is in fuzz-border.c. */
void add_border_tests (void);
