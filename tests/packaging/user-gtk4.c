/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gtask-ext-gtk4.h>

int
main (void)
{
  g_print ("%s\n", g_type_name (GTX_TYPE_PROGRESS));
  return 0;
}
