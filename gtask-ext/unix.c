/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Unix has to wait for: descriptors, signals, processes. */

#include "config.h"

#include "gtask-ext/unix.h"

#include "task-private.h"

#include "gtask-ext/error.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/wait.h>

/* A task that waits for a source of its main context. */
typedef struct
{
  GtxWaiter waiter;
  const char *what;
  int number;                   /* of the descriptor, the signal or the process */
  GIOCondition condition;       /* that came */
  int wait_status;
  gboolean is_process;
  gboolean has_ended;           /* the process: it cannot be awaited again */
} SourceWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  SourceWaiter *self = (SourceWaiter *) waiter;

  g_string_append_printf (text, "%s %d", self->what, self->number);
}

static const GtxWaiterKind source_kind = { gtx_waiter_cancel, describe, NULL };

/* ---- A process whose end is known already ---- */

static gboolean
never_cancel (GtxWaiter *waiter)
{
  (void) waiter;
  return FALSE;
}

static const GtxWaiterKind reaped_kind = { never_cancel, describe, NULL };

/* GLib asks how a process ended before it calls back, and nobody can ask again. */
static gboolean
is_reaped (SourceWaiter *self)
{
  siginfo_t info;

  return self->is_process && !self->has_ended &&
         waitid (P_PID, (id_t) self->number, &info, WEXITED | WNOHANG | WNOWAIT) != 0;
}

static void
await_callback (SourceWaiter *self,
                GtxTask      *task)
{
  gtx_waiter_init (&self->waiter, task, &reaped_kind);
  gtx_task_suspend_raw (task, &self->waiter);
}

/* ---- Waiting ---- */

/* Suspends until @source, which is taken, calls back: FALSE with @error set if
 * the task was cancelled. */
static gboolean
await_source (SourceWaiter *self,
              GtxTask      *task,
              GSource      *source,
              GSourceFunc   callback,
              GError      **error)
{
  gboolean woken;

  gtx_waiter_init (&self->waiter, task, &source_kind);
  g_source_set_callback (source, callback, self, NULL);
  g_source_set_static_name (source, "gtask-ext (await)");
  g_source_attach (source, gtx_scheduler_get_context (task->parent_instance.home));
  woken = gtx_waiter_wait (&self->waiter);
  if (!woken && is_reaped (self))
    await_callback (self, task);
  g_source_destroy (source);
  g_source_unref (source);
  if (!woken)
    gtx_set_cancelled_error (error);
  return woken;
}

static gboolean
on_ready (int           fd,
          GIOCondition  condition,
          gpointer      data)
{
  SourceWaiter *self = data;

  (void) fd;
  self->condition = condition;
  gtx_waiter_wake_now (&self->waiter);
  return G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer data)
{
  gtx_waiter_wake_now (&((SourceWaiter *) data)->waiter);
  return G_SOURCE_REMOVE;
}

static void
on_ended (GPid     pid,
          int      wait_status,
          gpointer data)
{
  SourceWaiter *self = data;

  (void) pid;
  self->wait_status = wait_status;
  self->has_ended = TRUE;
  gtx_waiter_wake_now (&self->waiter);
}

/**
 * gtx_await_fd:
 * @fd: an open descriptor
 * @condition: what to wait for, such as %G_IO_IN
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a descriptor is ready: asyncio's
 * `add_reader()` and `add_writer()`.
 *
 * Always suspends.  Sets %G_IO_ERROR_CANCELLED if the task is cancelled,
 * %GTX_ERROR_NOT_IN_TASK outside a task, and %GTX_ERROR_INVALID_ARGUMENT if
 * @fd is not open.
 *
 * Returns: what of @condition is the case, and %G_IO_ERR or %G_IO_HUP, which
 *   need not be asked for; 0 with @error set
 *
 * Since: 0.1
 */
GIOCondition
gtx_await_fd (int            fd,
              GIOCondition   condition,
              GError       **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  SourceWaiter self = { .what = "descriptor", .number = fd };
  gboolean woken;

  if (task == NULL)
    return 0;
  if (fcntl (fd, F_GETFD) < 0)
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "There is no open descriptor %d", fd);
      return 0;
    }
  gtx_scheduler_hold (task->parent_instance.home);
  woken = await_source (&self, task, g_unix_fd_source_new (fd, condition),
                        G_SOURCE_FUNC (on_ready), error);
  gtx_scheduler_release (task->parent_instance.home);
  return woken ? self.condition : 0;
}

static gboolean
may_be_awaited (int signum)
{
  return signum == SIGHUP || signum == SIGINT || signum == SIGTERM ||
         signum == SIGUSR1 || signum == SIGUSR2 || signum == SIGWINCH;
}

/**
 * gtx_await_unix_signal:
 * @signum: SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 or SIGWINCH
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until the process gets a signal: asyncio's
 * `add_signal_handler()`.
 *
 * While no task and no g_unix_signal_add() waits for it the signal does what
 * it does by default; a task that awaits one again and again does its work in
 * another task.  Virtual time does not stand still for it.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK
 * outside a task, and %GTX_ERROR_INVALID_ARGUMENT for any other signal.
 *
 * Returns: %TRUE when it came, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_unix_signal (int      signum,
                       GError **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  SourceWaiter self = { .what = "Unix signal", .number = signum };

  if (task == NULL)
    return FALSE;
  if (may_be_awaited (signum))
    return await_source (&self, task, g_unix_signal_source_new (signum), on_signal, error);
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT,
               "Signal %d cannot be awaited, only SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and SIGWINCH",
               signum);
  return FALSE;
}

/**
 * gtx_await_child:
 * @pid: a child process that nobody else waits for, as g_child_watch_add()
 *   wants it
 * @wait_status: (out) (optional): how it ended, for g_spawn_check_wait_status()
 * @error: return location for a #GError, or %NULL
 *
 * Suspends the current task until a child process has ended: asyncio's
 * `Process.wait()`.
 *
 * When the task is cancelled the process goes on, and may be awaited again; if
 * it has ended already the request is delivered by the next await that suspends.
 * For a #GSubprocess there is g_subprocess_wait_async().  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK
 * outside a task, and %GTX_ERROR_INVALID_ARGUMENT if @pid is not positive.
 *
 * Returns: %TRUE when it has ended, %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
gtx_await_child (GPid      pid,
                 int      *wait_status,
                 GError  **error)
{
  GtxTask *task = gtx_task_begin_await (G_STRFUNC, error);
  SourceWaiter self = { .what = "process", .number = pid, .is_process = TRUE };
  gboolean woken;

  if (task == NULL)
    return FALSE;
  if (pid <= 0)
    {
      g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "%d is no process", pid);
      return FALSE;
    }
  gtx_scheduler_hold (task->parent_instance.home);
  woken = await_source (&self, task, g_child_watch_source_new (pid), G_SOURCE_FUNC (on_ended), error);
  gtx_scheduler_release (task->parent_instance.home);
  if (!woken && self.has_ended)
    {
      /* How it ended is told once: the request is for the next await. */
      g_clear_error (error);
      task->must_cancel = TRUE;
      woken = TRUE;
    }
  if (woken && wait_status)
    *wait_status = self.wait_status;
  return woken;
}
