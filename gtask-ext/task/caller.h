/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who called, for a person. */

#pragma once

#include <glib.h>

/* @at and @line of @file, as in "started at main.c:12".  Where @line is 0 the library called
 * itself, in the function whose name @file is: @of and that, as in "of gtx_file_copy()". */
char *gtx_caller_describe (const char *at,
                           const char *of,
                           const char *file,
                           int         line);
