/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libFuzzer calls, for programs at the border. */

#include "border/run-border.h"
#include "decode.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = decode (&border_language, data, size);

  run_border (text, SHORT_MOMENT);
  return 0;
}
