/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests in real time that are ended when they take too long. */

#pragma once

#include "stream-ends.h"

#include <unistd.h>

/* What runs for ever is ended so, be it a thread or the main loop. */
#define SECONDS (RUNNING_ON_VALGRIND || UNDER_EMULATOR || UNDER_TSAN ? 100 : 20)

static inline void
run_limited (gconstpointer coroutine)
{
  alarm (SECONDS);
  run_real_coroutine (coroutine);
  alarm (0);
}

#define add_limited(path, coroutine)                                           \
  add_run_ ((path), (coroutine), run_limited)
