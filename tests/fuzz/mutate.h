/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does the work of libFuzzer without its counters, which ThreadSanitizer reports as a
 * race. */

#pragma once

#include "inputs.h"

/* Runs changed copies of the files for some seconds.  The file @current has the copy that runs.
 * Returns FALSE if a file cannot be read or written. */
gboolean mutate_files (char **files, guint seconds, const char *current, RunBytes run, GError **error);
