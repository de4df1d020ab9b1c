/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C in gtx_run (), as asyncio.run () has it. */

#include "run/interrupt.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

/* What the handler uses.  It may run in any thread, and in the child of a fork (). */
static int n_signals;
static GMainContext *default_context; /* the run's, if that is the default one; else NULL */
static int wake_up_fd;
static pid_t owner;             /* the process whose run is begun, or 0 */

/* The pipe by which the handler wakes the main loop of another context than the default one, which may go
 * while the handler still runs in another thread.  For the same reason the pipe stays open. */
static int fds[2];
static pid_t fds_owner;

/* ---- The handler ---- */

static void
set_default (void)
{
  struct sigaction action = { .sa_handler = SIG_DFL };

  sigaction (SIGINT, &action, NULL);
}

/* g_main_context_wakeup () only writes to a descriptor. */
static void
wake_up (void)
{
  GMainContext *context = __atomic_load_n (&default_context, __ATOMIC_SEQ_CST);

  if (context)
    g_main_context_wakeup (context);
  else if (write (__atomic_load_n (&wake_up_fd, __ATOMIC_SEQ_CST), "", 1) < 0)
    {
      /* The pipe has a byte already. */
    }
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
  else
    wake_up ();
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

static void
ask (gpointer data)
{
  GtxInterrupt *self = data;

  if (gtx_cancel_with_reason (self->task, "interrupted by SIGINT"))
    self->has_asked = TRUE;
}

static gboolean
on_wake_up (int          fd,
            GIOCondition condition,
            gpointer     data)
{
  drain ();
  ask (data);
  return G_SOURCE_CONTINUE;
}

static void
attach_pipe (GtxInterrupt *self,
             GMainContext *context)
{
  self->source = g_unix_fd_source_new (fds[0], G_IO_IN);
  g_source_set_priority (self->source, G_PRIORITY_HIGH);
  g_source_set_static_name (self->source, "gtask-ext (interrupt)");
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_wake_up), self, NULL);
  g_source_attach (self->source, context);
  g_source_unref (self->source);
}

void
gtx_interrupt_begin (GtxInterrupt *self,
                     GMainContext *context,
                     GtxTask      *task)
{
  struct sigaction action = { .sa_handler = on_sigint, .sa_flags = SA_RESTART | SA_ONSTACK };
  gboolean has_default = context == g_main_context_default ();

  if (!gtx_is_main_thread () || !is_default () || !(has_default || open_pipe ()))
    return;
  __atomic_store_n (&n_signals, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n (&default_context, has_default ? context : NULL, __ATOMIC_SEQ_CST);
  self->task = task;
  self->is_begun = TRUE;
  /* A source of its own would cost some hundred instructions in each turn of the main loop. */
  if (has_default)
    gtx_scheduler_watch_flag (task->parent_instance.home, &n_signals, ask, self);
  else
    attach_pipe (self, context);
  __atomic_store_n (&owner, getpid (), __ATOMIC_SEQ_CST);
  sigaction (SIGINT, &action, NULL);
}

/* The program may have set a handler of its own meanwhile, and may call this file's from there later. */
gboolean
gtx_interrupt_end (GtxInterrupt *self)
{
  struct sigaction action;

  if (!self->is_begun)
    return FALSE;
  if (sigaction (SIGINT, NULL, &action) == 0 && is_ours (&action))
    set_default ();
  __atomic_store_n (&owner, 0, __ATOMIC_SEQ_CST);
  if (self->source)
    g_source_destroy (self->source);
  else
    gtx_scheduler_watch_flag (self->task->parent_instance.home, NULL, NULL, NULL);
  return __atomic_load_n (&n_signals, __ATOMIC_SEQ_CST) > 0;
}
