/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "task/caller.h"

char *
gtx_caller_describe (const char *at,
                     const char *of,
                     const char *file,
                     int         line)
{
  if (line > 0)
    return g_strdup_printf ("%s %s:%d", at, file, line);
  return g_strdup_printf ("%s %s()", of, file);
}
