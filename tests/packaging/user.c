/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gtask-ext.h>

static gboolean
greet (const char *whom, GError **error)
{
  if (!gtx_sleep (0.001, error))
    return FALSE;
  g_print ("Hello, %s\n", whom);
  return TRUE;
}

int
main (void)
{
  return gtx_run (greet, "world", NULL) ? 0 : 1;
}
