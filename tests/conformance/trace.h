/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trace that a scenario prints, and its errors' names. */

#pragma once

#include <gtask-ext.h>

#include <stdio.h>

/* The end of a statement. */
typedef enum
{
  GO_ON,
  RETURN,
  FAIL
} Flow;

static inline Flow
flow (gboolean succeeded)
{
  return succeeded ? GO_ON : FAIL;
}

/* Writes lines to @file from now on, and calls @at_end after the last one.  If @at_end returns, the
 * code that still runs is not traced. */
void     trace_to    (FILE *file, void (*at_end) (void));

/* Writes a line of the current task. */
void     trace       (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Writes the line of a statement, with the number that is the result of @future if it succeeded. */
Flow     trace_value (const char *line, gpointer future, gboolean succeeded);
/* Writes the last line. */
void     end         (const char *how);

/* Fails with an error of the given kind, which the scenario raises. */
Flow     fail_with   (const char *kind, GError **error);

char    *kind_of     (const GError *error);
gboolean is_taken_by (const GError *error, const char *handled);

/* Returns whether the kind is `error:NAME`. */
gboolean is_raised   (const GError *error);
