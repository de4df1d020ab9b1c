/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes that the tests run, and the output when a test fails. */

#pragma once

#include <glib.h>

typedef void (*RunBytes) (const guint8 *data, gsize size);

/* Each line of base64 in a file beside this one. */
void each_kept   (const char *file, RunBytes run);
/* Always the same ones. */
void each_random (guint n, RunBytes run);

/* Where a program is run that breaks the library, @show prints it. */
void show_when_broken (void (*show) (void));

/* fuzz-border.c */
void add_border_tests (void);
