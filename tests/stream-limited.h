/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests in real time that end if they take too long. */

#pragma once

#include "stream-ends.h"

#include <unistd.h>

/* The alarm ends a thread or a main loop that runs for ever. */
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
