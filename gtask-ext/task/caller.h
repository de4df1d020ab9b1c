/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes the place of a call, for a person. */

#pragma once

#include <glib.h>

/* Returns @at, @file and @line, as in "started at main.c:12".  If @line is 0 the library made the
 * call itself, in the function that @file names: returns @of and that, as in "of gtx_file_copy()". */
char *gtx_caller_describe (const char *at,
                           const char *of,
                           const char *file,
                           int         line);
