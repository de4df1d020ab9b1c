/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tasks that wait for descriptors. */

#include "config.h"

#include "fd.h"

#include "gtask-ext/error.h"
#include "gtask-ext/unix.h"
#include "runtime/poller.h"

#include <fcntl.h>

/* A task that waits. */
typedef struct
{
  GtxWaiter waiter;
  GtxPollWait wait;
  const char *what;
  int number;
} DescriptorWaiter;

static void
describe (GtxWaiter *waiter,
          GString   *text)
{
  DescriptorWaiter *self = (DescriptorWaiter *) waiter;

  g_string_append_printf (text, "%s %d", self->what, self->number);
}

static const GtxWaiterKind descriptor_kind = { gtx_waiter_cancel, describe, NULL };

static void
on_came (GtxPollWait   *wait,
         GtxHandleList *woken)
{
  gtx_waiter_wake_into (&GTX_CONTAINER_OF (wait, DescriptorWaiter, wait)->waiter, woken);
}

GIOCondition
gtx_fd_wait (GtxTask      *task,
             int           fd,
             GIOCondition  condition,
             const char   *what,
             int           number)
{
  GtxScheduler *home = task->parent_instance.home;
  DescriptorWaiter self = {
    .wait = { .condition = condition, .came = on_came }, .what = what, .number = number,
  };
  gboolean woken;

  gtx_waiter_init (&self.waiter, task, &descriptor_kind);
  gtx_poller_join (home, &self.wait, fd);

  gtx_scheduler_hold (home);
  woken = gtx_waiter_wait (&self.waiter);
  gtx_scheduler_release (home);
  if (gtx_handle_is_linked (&self.wait.link))
    gtx_poller_leave (home, &self.wait, fd);
  return woken ? self.wait.condition : 0;
}

/* ---- The public side ---- */

static void
set_closed_error (int      fd,
                  GError **error)
{
  g_set_error (error, GTX_ERROR, GTX_ERROR_INVALID_ARGUMENT, "There is no open descriptor %d", fd);
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
 * Always suspends.  Any number of tasks may wait for one descriptor, each for what
 * it likes: all go on, in the order in which they came.  Sets
 * %G_IO_ERROR_CANCELLED if the task is cancelled, %GTX_ERROR_NOT_IN_TASK outside a
 * task, and %GTX_ERROR_INVALID_ARGUMENT if @fd is not open, or is closed while it
 * is awaited; where its number is given to another file meanwhile, that one is awaited.
 * Both are noticed within a quarter of a second as a rule, when the main loop has turned.
 *
 * What waits for a descriptor costs nothing while nothing comes, however many do:
 * the main loop asks for all of them at once where the system has epoll.  A regular
 * file is always ready.
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
  GIOCondition came;

  if (task == NULL)
    return 0;
  if (fcntl (fd, F_GETFD) < 0)
    {
      set_closed_error (fd, error);
      return 0;
    }
  came = gtx_fd_wait (task, fd, condition, "descriptor", fd);
  if (came == 0)
    gtx_set_cancelled_error (error);
  if ((came & G_IO_NVAL) == 0)
    return came;
  set_closed_error (fd, error);
  return 0;
}
