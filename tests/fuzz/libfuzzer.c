/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libFuzzer calls, which has the main(). */

#include "execute.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  free (execute_scenario (data, size));
  return 0;
}
