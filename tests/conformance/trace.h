/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trace that a scenario prints, and its errors' names. */

#pragma once

#include <gtask-ext.h>

#include <stdio.h>

/* How a statement ends. */
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

/* Lines go to @file from now on; @at_end is called after the last one.  If @at_end
 * returns, code that still runs is not traced. */
void     trace_to    (FILE *file, void (*at_end) (void));

/* A line of the current task. */
void     trace       (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* The line of a statement and the number that @future came to, if it did. */
Flow     trace_value (const char *line, gpointer future, gboolean succeeded);
/* The last line. */
void     end         (const char *how);

/* Fails with an error of a kind that is the scenario's own. */
Flow     fail_with   (const char *kind, GError **error);

char    *kind_of     (const GError *error);
gboolean is_taken_by (const GError *error, const char *handled);

/* Whether the kind is `error:NAME`. */
gboolean is_raised   (const GError *error);
