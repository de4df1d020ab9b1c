/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fiber/guard.h"

#include "fiber/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Since Linux 6.13 a guard can be a mark in the page table, which takes no mapping. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Each page that mprotect () guards splits the slab's mapping in two more. */
#define MAPPINGS_A_GUARD 2

/* Mappings used up by mprotect (), by all threads. */
static gint n_mappings;

gsize
gtx_guard_size (void)
{
  static gsize size;

  if (g_once_init_enter (&size))
    g_once_init_leave (&size, (gsize) sysconf (_SC_PAGESIZE));
  return size;
}

#ifndef GTX_ASAN
typedef enum { UNTRIED, TRUSTED, LYING } Marks;

/* Finds out whether a marked page faults, without harm: write () has the kernel read it, and fails
 * with EFAULT.  Without descriptors for the pipe this stays unknown. */
static Marks
try_mark (const void *page)
{
  Marks answer = UNTRIED;
  int fds[2];

  if (pipe2 (fds, O_CLOEXEC) != 0)
    return UNTRIED;
  if (write (fds[1], page, 1) == 1)
    answer = LYING;
  else if (errno == EFAULT)
    answer = TRUSTED;
  close (fds[0]);
  close (fds[1]);
  return answer;
}
#endif

/* Marks @page as a guard.  FALSE if the kernel does not know marks, if mlockall () has locked the
 * memory, or if marks do not guard: some emulators accept any advice. */
static gboolean
mark (void *page)
{
#ifdef GTX_ASAN
  /* LeakSanitizer reads all pages that /proc/self/maps calls readable, and so marked ones. */
  return FALSE;
#else
  static gint marks = UNTRIED;

  if (g_atomic_int_get (&marks) == LYING ||
      madvise (page, gtx_guard_size (), MADV_GUARD_INSTALL) != 0)
    return FALSE;
  if (g_atomic_int_get (&marks) == UNTRIED)
    g_atomic_int_set (&marks, (gint) try_mark (page));
  return g_atomic_int_get (&marks) == TRUSTED;
#endif
}

/* Mappings that guards may take: half of what the system allows, since malloc () and the loader
 * need some too. */
static gint
mapping_budget (void)
{
  static gsize budget;

  if (g_once_init_enter (&budget))
    {
      FILE *file = fopen ("/proc/sys/vm/max_map_count", "re");
      int limit = 65530;

      if (file)
        {
          if (fscanf (file, "%d", &limit) != 1)
            limit = 65530;
          fclose (file);
        }
      g_once_init_leave (&budget, (gsize) MAX (limit / 2, MAPPINGS_A_GUARD));
    }
  return (gint) budget;
}

gboolean
gtx_guard_install (void     *page,
                   gboolean *takes_mappings)
{
  *takes_mappings = FALSE;
  if (mark (page))
    return TRUE;

  if (g_atomic_int_add (&n_mappings, MAPPINGS_A_GUARD) + MAPPINGS_A_GUARD <= mapping_budget () &&
      mprotect (page, gtx_guard_size (), PROT_NONE) == 0)
    {
      *takes_mappings = TRUE;
      return TRUE;
    }

  g_atomic_int_add (&n_mappings, -MAPPINGS_A_GUARD);
  return FALSE;
}

void
gtx_guard_forget_mappings (void)
{
  g_atomic_int_add (&n_mappings, -MAPPINGS_A_GUARD);
}
