/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions that libFuzzer calls, for programs at the border. */

#include "border/run-border.h"
#include "decode.h"
#include "outside/thread-pool.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* LeakSanitizer checks after each program.  It reports memory that an ending thread has not freed
 * yet, so the threads of the pools do not end. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
  gtx_thread_pool_set_patience (100000, G_TIME_SPAN_DAY);
  g_thread_pool_set_max_idle_time (0);
  g_thread_pool_set_max_unused_threads (-1);
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = decode (&border_language, data, size);

  run_border (text, SHORT_MOMENT);
  return 0;
}
