/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To be preloaded: refuses memory, and descriptors to wait with, to the program itself.
 * Libraries get the memory that they request (GLib aborts if malloc () fails).  The
 * environment says which calls are refused:
 *
 *   FAULTS_CALL   mmap, madvise, mprotect, munmap, epoll_create1 or epoll_ctl
 *   FAULTS_FIRST  the number of the first call that is refused, from 1
 *   FAULTS_LAST   the number of the last one
 *   FAULTS_MARKS  unknown: MADV_GUARD_INSTALL is refused
 *                 ignored: it succeeds and does nothing, as under emulators
 */

#define _GNU_SOURCE
/* Both names of mmap () are defined here. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define MARK 102                /* MADV_GUARD_INSTALL */

typedef enum { MMAP, MADVISE, MPROTECT, MUNMAP, EPOLL_CREATE1, EPOLL_CTL, N_CALLS } Call;

static const char *const names[] = { "mmap", "madvise", "mprotect", "munmap", "epoll_create1", "epoll_ctl" };
static const int errors[] = { ENOMEM, ENOMEM, ENOMEM, ENOMEM, EMFILE, ENOSPC };
static unsigned long counts[N_CALLS];

/* The program calls this function to learn how many calls it has made. */
unsigned long
faults_count (const char *name)
{
  for (int i = 0; i < N_CALLS; i++)
    if (strcmp (names[i], name) == 0)
      return counts[i];
  return 0;
}

static int
is_of_program (void *caller)
{
  Dl_info program, its;

  return dladdr ((void *) getauxval (AT_ENTRY), &program) && dladdr (caller, &its) &&
         its.dli_fbase == program.dli_fbase;
}

static int
is_set_to (const char *variable, const char *value)
{
  const char *is = getenv (variable);

  return is && strcmp (is, value) == 0;
}

static unsigned long
number (const char *variable)
{
  const char *is = getenv (variable);

  return is ? strtoul (is, NULL, 10) : 0;
}

static int
is_refused (Call call, void *caller)
{
  unsigned long n;

  if (!is_of_program (caller))
    return 0;
  n = ++counts[call];
  return is_set_to ("FAULTS_CALL", names[call]) &&
         n >= number ("FAULTS_FIRST") && n <= number ("FAULTS_LAST");
}

static int
refuse (Call call)
{
  errno = errors[call];
  return -1;
}

/* The function behind the shim; ISO C has no cast for this. */
static void
find_real (const char *name, void *function)
{
  *(void **) function = dlsym (RTLD_NEXT, name);
}

static void *
map (void *caller, void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
  void *(*real) (void *, size_t, int, int, int, off_t);

  find_real ("mmap", &real);
  if ((flags & MAP_NORESERVE) && is_refused (MMAP, caller))
    {
      refuse (MMAP);
      return MAP_FAILED;
    }
  return real (address, size, protection, flags, fd, offset);
}

void *
mmap (void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
  return map (__builtin_return_address (0), address, size, protection, flags, fd, offset);
}

void *
mmap64 (void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
  return map (__builtin_return_address (0), address, size, protection, flags, fd, (off_t) offset);
}

int
madvise (void *address, size_t size, int advice)
{
  int (*real) (void *, size_t, int);

  find_real ("madvise", &real);
  if (is_refused (MADVISE, __builtin_return_address (0)))
    return refuse (MADVISE);
  if (advice == MARK && is_set_to ("FAULTS_MARKS", "ignored"))
    return 0;
  if (advice == MARK && is_set_to ("FAULTS_MARKS", "unknown"))
    {
      errno = EINVAL;
      return -1;
    }
  return real (address, size, advice);
}

int
mprotect (void *address, size_t size, int protection)
{
  int (*real) (void *, size_t, int);

  find_real ("mprotect", &real);
  if (is_refused (MPROTECT, __builtin_return_address (0)))
    return refuse (MPROTECT);
  return real (address, size, protection);
}

int
munmap (void *address, size_t size)
{
  int (*real) (void *, size_t);

  find_real ("munmap", &real);
  if (is_refused (MUNMAP, __builtin_return_address (0)))
    return refuse (MUNMAP);
  return real (address, size);
}

int
epoll_create1 (int flags)
{
  int (*real) (int);

  find_real ("epoll_create1", &real);
  if (is_refused (EPOLL_CREATE1, __builtin_return_address (0)))
    return refuse (EPOLL_CREATE1);
  return real (flags);
}

int
epoll_ctl (int set, int operation, int fd, struct epoll_event *event)
{
  int (*real) (int, int, int, struct epoll_event *);

  find_real ("epoll_ctl", &real);
  if (is_refused (EPOLL_CTL, __builtin_return_address (0)))
    return refuse (EPOLL_CTL);
  return real (set, operation, fd, event);
}
