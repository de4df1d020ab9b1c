/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C in gtx_run (), as asyncio.run () has it. */

#include "run/interrupt.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

/* What the handler uses.  It may run in any thread, and in the child of a fork (). */
static int n_signals;
static int wake_up_fd;
static pid_t owner;             /* the process whose run is begun, or 0 */

/* The pipe by which the handler wakes the main loop.  It stays open: the handler may still run in another
 * thread when the run has ended. */
static int fds[2];
static pid_t fds_owner;

/* ---- The handler ---- */

static void
set_default (void)
{
  struct sigaction action = { .sa_handler = SIG_DFL };

  sigaction (SIGINT, &action, NULL);
}

/* The signal that is raised is blocked until this has returned.  The first signal only wakes the main
 * loop, so that a program which is busy, and never goes back to its main loop, is ended by the second.
 * The child of a fork () has no run to end. */
static void
on_sigint (int signum)
{
  int saved = errno;

  if (__atomic_load_n (&owner, __ATOMIC_SEQ_CST) != getpid () ||
      __atomic_fetch_add (&n_signals, 1, __ATOMIC_SEQ_CST) > 0)
    {
      set_default ();
      raise (signum);
    }
  else if (write (__atomic_load_n (&wake_up_fd, __ATOMIC_SEQ_CST), "", 1) < 0)
    {
      /* The pipe has a byte already. */
    }
  errno = saved;
}

static gboolean
is_ours (const struct sigaction *action)
{
  return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == on_sigint;
}

/* In the child of a fork (), the handler is the parent's. */
static gboolean
is_default (void)
{
  struct sigaction action;

  if (sigaction (SIGINT, NULL, &action) != 0)
    return FALSE;
  if (is_ours (&action))
    return __atomic_load_n (&owner, __ATOMIC_SEQ_CST) != getpid ();
  return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL;
}

/* ---- The main loop ---- */

static void
drain (void)
{
  char byte;

  while (read (fds[0], &byte, 1) > 0)
    ;
}

/* The child of a fork () would wake the parent by the parent's pipe. */
static gboolean
open_pipe (void)
{
  int fresh[2];

  if (fds_owner == getpid ())
    {
      drain ();
      return TRUE;
    }
  if (!g_unix_open_pipe (fresh, FD_CLOEXEC, NULL))
    return FALSE;
  for (int i = 0; i < 2; i++)
    {
      g_unix_set_fd_nonblocking (fresh[i], TRUE, NULL);
      if (fds_owner != 0)
        close (fds[i]);
      fds[i] = fresh[i];
    }
  fds_owner = getpid ();
  __atomic_store_n (&wake_up_fd, fds[1], __ATOMIC_SEQ_CST);
  return TRUE;
}

static gboolean
on_wake_up (int          fd,
            GIOCondition condition,
            gpointer     data)
{
  GtxInterrupt *self = data;

  drain ();
  if (gtx_cancel_with_reason (self->task, "interrupted by SIGINT"))
    self->has_asked = TRUE;
  return G_SOURCE_CONTINUE;
}

void
gtx_interrupt_begin (GtxInterrupt *self,
                     GMainContext *context,
                     GtxTask      *task)
{
  struct sigaction action = { .sa_handler = on_sigint, .sa_flags = SA_RESTART | SA_ONSTACK };

  if (!gtx_is_main_thread () || !is_default () || !open_pipe ())
    return;
  self->task = task;
  self->source = g_unix_fd_source_new (fds[0], G_IO_IN);
  g_source_set_priority (self->source, G_PRIORITY_HIGH);
  g_source_set_static_name (self->source, "gtask-ext (interrupt)");
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_wake_up), self, NULL);
  g_source_attach (self->source, context);
  g_source_unref (self->source);

  __atomic_store_n (&n_signals, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n (&owner, getpid (), __ATOMIC_SEQ_CST);
  sigaction (SIGINT, &action, NULL);
}

/* The program may have set a handler of its own meanwhile, and may call this file's from there later. */
gboolean
gtx_interrupt_end (GtxInterrupt *self)
{
  struct sigaction action;

  if (self->source == NULL)
    return FALSE;
  if (sigaction (SIGINT, NULL, &action) == 0 && is_ours (&action))
    set_default ();
  __atomic_store_n (&owner, 0, __ATOMIC_SEQ_CST);
  g_source_destroy (self->source);
  return __atomic_load_n (&n_signals, __ATOMIC_SEQ_CST) > 0;
}
