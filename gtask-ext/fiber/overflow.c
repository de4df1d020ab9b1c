/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fiber/overflow.h"

#include "fiber/fiber.h"
#include "fiber/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

/* Handlers that were installed before run on this stack too, and may print a backtrace. */
#define ALTERNATE_STACK_SIZE ((gsize) 64 << 10)

static GtxOverflowFunc overflow_func;
static struct sigaction old_segv;
static struct sigaction old_bus;

/* ---- The handler ---- */

/* Whether the kernel found a fault.  Else a process sent the signal. */
static gboolean
is_fault (const siginfo_t *info)
{
  return info->si_code > 0;
}

/* Restores the old action.  The instruction faults once more when our handler returns, so that a
 * process that dies leaves the same core file as without us. */
static void
step_aside (int                     signum,
            const struct sigaction *old,
            const siginfo_t        *info)
{
  sigaction (signum, old, NULL);
  if (!is_fault (info))
    raise (signum);
}

static void
on_signal (int        signum,
           siginfo_t *info,
           void      *context)
{
  const struct sigaction *old = signum == SIGSEGV ? &old_segv : &old_bus;
  int saved_errno = errno;
  gpointer data;
  gsize stack_size;

  if (is_fault (info) && gtx_fiber_find_overflow (info->si_addr, &data, &stack_size))
    overflow_func (data, stack_size);
  errno = saved_errno;

  if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN || old->sa_flags & SA_RESETHAND)
    step_aside (signum, old, info);
  else if (old->sa_flags & SA_SIGINFO)
    old->sa_sigaction (signum, info, context);
  else
    old->sa_handler (signum);
}

/* Our handler blocks the signals that the old one asked to block. */
static void
install (int               signum,
         struct sigaction *old)
{
  struct sigaction action;

  sigaction (signum, NULL, old);
  action = *old;
  action.sa_sigaction = on_signal;
  action.sa_flags = (old->sa_flags & (SA_NODEFER | SA_RESTART)) | SA_SIGINFO | SA_ONSTACK;
  sigaction (signum, &action, NULL);
}

void
gtx_overflow_watch (GtxOverflowFunc func)
{
  g_assert (overflow_func == NULL);
  overflow_func = func;
  install (SIGSEGV, &old_segv);
  install (SIGBUS, &old_bus);
}

/* ---- The handler's stack ---- */

static void
free_alternate_stack (gpointer memory)
{
  stack_t none = { .ss_flags = SS_DISABLE };
  stack_t current;

  if (sigaltstack (NULL, &current) == 0 && current.ss_sp == (guint8 *) memory + gtx_guard_size ())
    sigaltstack (&none, NULL);
  munmap (memory, gtx_guard_size () + ALTERNATE_STACK_SIZE);
}

static GPrivate alternate_stack = G_PRIVATE_INIT (free_alternate_stack);

void
gtx_overflow_watch_thread (void)
{
  stack_t stack;
  guint8 *memory;

  /* An alternate stack that the thread has already serves as well. */
  if (sigaltstack (NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE))
    return;

  memory = mmap (NULL, gtx_guard_size () + ALTERNATE_STACK_SIZE, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED)
    return;
  stack = (stack_t) { .ss_sp = memory + gtx_guard_size (), .ss_size = ALTERNATE_STACK_SIZE };
  if (mprotect (stack.ss_sp, stack.ss_size, PROT_READ | PROT_WRITE) == 0)
    sigaltstack (&stack, NULL);
  g_private_replace (&alternate_stack, memory);
}
