/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The code that the tests of the library's internals share. */

#pragma once

#include "fiber/guard.h"

#include <sys/mman.h>

/* If guards are no marks, the library uses half of the system's mappings for them: two for each
 * guard. */
static inline gboolean
guards_take_mappings (void)
{
  gsize size = gtx_guard_size ();
  void *page = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gboolean take = FALSE;

  g_assert_true (page != MAP_FAILED);
  g_assert_true (gtx_guard_install (page, &take));
  munmap (page, size);
  if (take)
    gtx_guard_forget_mappings ();
  return take;
}
